//! The vault's background work.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::{Unavailable, Vault};

const POLL_REVOCATIONS: Duration = Duration::from_secs(1);
const WRITE_USAGE: Duration = Duration::from_secs(10);
const SWEEP_STOCK: Duration = Duration::from_secs(15);
const PURGE_SESSIONS: Duration = Duration::from_secs(600);

impl Vault {
    /// Notices other nodes' revocations, writes when sessions were last used, removes old sessions and unused keys, until
    /// `shutdown` completes. One of these should run per process.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let work = async {
            tokio::join!(
                every(POLL_REVOCATIONS, "polling revocations", || self.poll_revocations()),
                every(WRITE_USAGE, "writing when sessions were used", || self.write_usage()),
                every(SWEEP_STOCK, "deleting keys that nobody took", || self.sweep_stock(false)),
                every(PURGE_SESSIONS, "purging sessions", || self.purge_sessions()),
            )
        };
        tokio::select! {
            () = shutdown => {}
            _ = work => {}
        }
        report("writing when sessions were used", self.write_usage().await);
        report("deleting keys that nobody took", self.sweep_stock(true).await);
    }
}

/// Begins at once, and never does the same twice at a time.
async fn every<F: Future<Output = Result<(), Unavailable>>>(
    period: Duration,
    what: &'static str,
    work: impl Fn() -> F,
) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        report(what, work().await);
    }
}

fn report(what: &'static str, result: Result<(), Unavailable>) {
    if let Err(error) = result {
        tracing::warn!(what, error = ?error, "the vault's background work failed and will be tried again");
    }
}
