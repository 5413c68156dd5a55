//! The task that takes down who is connected to this node, and tells those around what they see of it.

use std::sync::Arc;
use std::time::Duration;

use account_data::{AccountData, SightChange, Unavailable};
use commands::Clock;
use domain::AccountId;
use projections::{ReadModel, Surroundings};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::attendance::Attendance;
use crate::signal::{Presence, Signal, Signals};

/// Most accounts in one round, and the pause after it: when everyone comes at once, telling everyone of everyone is
/// spread over some time.
const ACCOUNTS: usize = 100;
const PAUSE: Duration = Duration::from_millis(100);
/// How often it is looked who has been gone long enough.
const LOOK: Duration = Duration::from_secs(1);
/// How often the node's lease, which runs for 30 s, is renewed, and others' are looked after.
const RENEW: Duration = Duration::from_secs(10);
/// The wait after the database could not be reached.
const RETRY: Duration = Duration::from_secs(1);
/// Most communities or conversations in one signal: nodes send each other letters of 8,000 bytes at most.
const PLACES: usize = 64;

/// Tells those around accounts what they see of them from now on.
#[derive(Clone)]
pub(crate) struct Teller {
    read: ReadModel,
    signals: Arc<Signals>,
}

impl Teller {
    pub(crate) fn new(read: ReadModel, signals: Arc<Signals>) -> Self {
        Self { read, signals }
    }

    /// Tells `changes`, which are lost if the read model cannot be asked, as any signal may be.
    pub(crate) async fn tell(&self, changes: Vec<SightChange>) {
        if changes.is_empty() {
            return;
        }
        let accounts: Vec<AccountId> = changes.iter().map(|change| change.account).collect();
        let mut around = match self.read.surroundings(&accounts).await {
            Ok(around) => around,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, accounts = accounts.len(), "changes of presence are not told");
                return;
            }
        };
        for SightChange { account, sight, time } in changes {
            let Surroundings { communities, conversations } = around.remove(&account).unwrap_or_default();
            let tell = |communities: &[_], conversations: &[_]| {
                let (communities, conversations) = (communities.to_vec(), conversations.to_vec());
                let sight = sight.clone();
                let told = Presence { account_id: account, communities, conversations, sight, time };
                self.signals.tell(Signal::Presence(told));
            };
            // Who is told twice hears the same.
            communities.chunks(PLACES).for_each(|some| tell(some, &[]));
            conversations.chunks(PLACES).for_each(|some| tell(&[], some));
        }
    }
}

fn note(error: &Unavailable) {
    let error: &dyn std::error::Error = error;
    tracing::warn!(error, "who is connected is not taken down, and will be later");
}

pub(crate) struct Keeper {
    data: AccountData,
    attendance: Arc<Attendance>,
    teller: Teller,
    clock: Arc<dyn Clock>,
    node: Uuid,
}

impl Keeper {
    pub(crate) fn new(
        data: AccountData,
        attendance: Arc<Attendance>,
        teller: Teller,
        clock: Arc<dyn Clock>,
        node: Uuid,
    ) -> Self {
        Self { data, attendance, teller, clock, node }
    }

    /// Until `shutdown`. What is taken down then stays for as long as the lease runs: who comes back by then, to
    /// whichever node, was never away.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let work = async {
            let (mut look, mut renew) = (interval(LOOK), interval(RENEW));
            look.set_missed_tick_behavior(MissedTickBehavior::Delay);
            renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                let done = tokio::select! {
                    _ = renew.tick() => self.renew(Instant::now()).await,
                    () = self.attendance.news() => self.round(Instant::now(), false).await,
                    _ = look.tick() => self.round(Instant::now(), false).await,
                };
                match done {
                    Ok(()) => sleep(PAUSE).await,
                    Err(error) => {
                        note(&error);
                        sleep(RETRY).await;
                    }
                }
            }
        };
        shutdown.run_until_cancelled(work).await;
    }

    /// Renews the lease, and removes nodes that did not.
    async fn renew(&self, now: Instant) -> Result<(), Unavailable> {
        self.round(now, true).await?;
        let changes = self.data.sweep_nodes(self.clock.now()).await?;
        for some in changes.chunks(ACCOUNTS) {
            self.teller.tell(some.to_vec()).await;
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Takes down some of those who came and went.
    pub(super) async fn round(&self, now: Instant, renew: bool) -> Result<(), Unavailable> {
        let round = self.attendance.take(now, ACCOUNTS);
        if round.is_empty() && !renew {
            return Ok(());
        }
        metrics::gauge!("echoverse_connected_accounts").set(self.attendance.len() as f64);
        let went: Vec<AccountId> = round.went.iter().map(|(account, _)| *account).collect();
        match self.data.attend(self.node, &round.came, &went, self.clock.now()).await {
            Ok(attended) => {
                if attended.fresh {
                    self.attendance.begin_anew();
                }
                self.teller.tell(attended.changes).await;
                Ok(())
            }
            Err(error) => {
                self.attendance.give_back(round);
                Err(error)
            }
        }
    }
}
