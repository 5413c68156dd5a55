//! One reader's way through the log: catch up, then follow, and catch up again after falling behind.

use std::sync::Arc;
use std::time::Duration;

use domain::AccountId;
use event_store::Position;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::access::Access;
use super::catch_up::{CatchUp, CatchUpError};
use super::hub::Hub;
use super::routing::{End, Ending, Key, NotYet, QUEUE, Subscribed};
use super::run::Run;

/// How long a new subscription waits for the read model to know the account.
const ACCESS_PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub(crate) enum SubscribeError {
    #[error("this account has too many live subscriptions")]
    TooMany,
    #[error("live delivery has ended")]
    Ended,
    #[error("the read model has not caught up")]
    NotCaughtUp,
    #[error(transparent)]
    Unavailable(#[from] CatchUpError),
}

/// What a reader gets next.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// In log order; every frame up to `upto` that the account may see has now been handed over.
    Runs { runs: Vec<Arc<Run>>, upto: Position },
    /// No more comes.
    Ended(End),
}

/// A subscription; leaves the hub when dropped.
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    account: AccountId,
    session: Uuid,
    key: Key,
    queue: mpsc::Receiver<Arc<Run>>,
    ending: Arc<Ending>,
    /// Everything visible up to here has been handed over.
    position: Position,
    catching_up: Option<CatchUp>,
}

impl Subscription {
    /// Subscribes from `after` on.
    pub(crate) async fn start(
        hub: Arc<Hub>,
        account: AccountId,
        session: Uuid,
        after: Position,
    ) -> Result<Self, SubscribeError> {
        let subscribed = register(&hub, account, session).await?;
        let Subscribed { key, at, access, queue, ending } = subscribed;
        let catching_up = catch_up(after, at, access);
        Ok(Self { hub, account, session, key, queue, ending, position: after, catching_up })
    }

    /// Whether only new frames are left to wait for.
    pub(crate) fn is_live(&self) -> bool {
        self.catching_up.is_none()
    }

    /// The next frames, waiting for them. Cancel safe while live; while catching up a cancelled read is repeated.
    pub(crate) async fn next(&mut self) -> Result<Delivery, SubscribeError> {
        loop {
            if let Some(catching_up) = &mut self.catching_up {
                let page = catching_up.next_page(&self.hub).await?;
                self.position = self.position.max(page.upto);
                if page.last {
                    self.catching_up = None;
                }
                if page.last || !page.frames.is_empty() {
                    return Ok(Delivery::Runs { runs: Run::cut(&page.frames), upto: self.position });
                }
                continue;
            }
            let Some(first) = self.queue.recv().await else {
                match self.ending.get() {
                    End::Lagged => self.rejoin().await?,
                    end => return Ok(Delivery::Ended(end)),
                }
                continue;
            };
            let runs = self.drain(Some(first));
            if !runs.is_empty() {
                return Ok(Delivery::Runs { runs, upto: self.position });
            }
        }
    }

    /// What is waiting already, without waiting; the position up to which that is everything.
    pub(crate) fn waiting(&mut self) -> (Vec<Arc<Run>>, Position) {
        // The head is sampled first: whatever it covers is in the queue by then.
        let head = self.hub.head();
        let runs = self.drain(None);
        if self.is_live() && self.ending.get() == End::Open && self.queue.is_empty() {
            self.position = self.position.max(head);
        }
        (runs, self.position)
    }

    /// Takes what is in the queue, after `first`. Frames that the reader has had are left out: a cursor may be ahead of
    /// the hub that the subscription began at.
    fn drain(&mut self, first: Option<Arc<Run>>) -> Vec<Arc<Run>> {
        let mut runs = Vec::new();
        let mut next = first;
        for _ in 0..QUEUE {
            let Some(run) = next.take().or_else(|| self.queue.try_recv().ok()) else { break };
            if let Some(run) = run.after(self.position) {
                self.position = run.last();
                runs.push(run);
            }
        }
        runs
    }

    async fn rejoin(&mut self) -> Result<(), SubscribeError> {
        let Subscribed { key, at, access, queue, ending } =
            register(&self.hub, self.account, self.session).await?;
        (self.key, self.queue, self.ending) = (key, queue, ending);
        self.catching_up = catch_up(self.position, at, access);
        Ok(())
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.unsubscribe(self.key);
    }
}

fn catch_up(after: Position, at: Position, access: Access) -> Option<CatchUp> {
    (after < at).then(|| CatchUp::new(after, at, access))
}

/// Registers with the hub, with a snapshot of the account's access where the hub does not know it.
async fn register(hub: &Arc<Hub>, account: AccountId, session: Uuid) -> Result<Subscribed, SubscribeError> {
    let mut snapshot = None;
    // One more turn when the snapshot was older than what the hub remembers of changes.
    for _ in 0..3 {
        match hub.subscribe(account, session, snapshot.take()).await.ok_or(SubscribeError::Ended)? {
            Ok(subscribed) => return Ok(subscribed),
            Err(NotYet::TooMany) => return Err(SubscribeError::TooMany),
            Err(NotYet::NeedsAccess { need }) => {
                if !hub.encoder.read.wait_for(need, ACCESS_PATIENCE).await {
                    return Err(SubscribeError::NotCaughtUp);
                }
                snapshot = Some(hub.encoder.read.access(account).await.map_err(CatchUpError::from)?);
            }
        }
    }
    Err(SubscribeError::NotCaughtUp)
}
