//! Removes sessions that are long over.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use crate::{Unavailable, Vault};

/// Rows in one statement, few enough for the time-out.
const BATCH: i64 = 1_000;

/// The latest time that a caller has passed in, in seconds.
pub(super) struct LatestTime(AtomicI64);

impl Default for LatestTime {
    fn default() -> LatestTime {
        LatestTime(AtomicI64::new(i64::MIN))
    }
}

impl LatestTime {
    pub(super) fn note(&self, now: Timestamp) {
        self.0.fetch_max(now.as_second(), Ordering::Relaxed);
    }

    /// `None` until one was passed in.
    fn get(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).ok()
    }
}

impl Vault {
    /// Deletes what expired more than a day ago by the callers' clock and by the database's: one that is wrong ends
    /// no session. The day lets other nodes see a late revocation.
    pub(crate) async fn purge_sessions(&self) -> Result<(), Unavailable> {
        let Some(now) = self.0.sessions.latest_time.get() else { return Ok(()) };
        while self.purge_some(now).await? == BATCH.unsigned_abs() {}
        Ok(())
    }

    async fn purge_some(&self, now: Timestamp) -> Result<u64, Unavailable> {
        let connection = self.0.database.connection().await?;
        let delete = "DELETE FROM vault.sessions WHERE id IN (
            SELECT id FROM vault.sessions WHERE expires_at < least(now(), $1) - interval '1 day'
            LIMIT $2 FOR UPDATE SKIP LOCKED
        )";
        connection.within(connection.execute(delete, &[&now, &BATCH])).await
    }
}
