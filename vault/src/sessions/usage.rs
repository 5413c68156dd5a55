//! When sessions were last used: noted in memory, written in batches off the request path.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use uuid::Uuid;

use super::Session;
use crate::{Unavailable, Vault};

/// A session's time is written at most this often.
const EVERY: SignedDuration = SignedDuration::from_mins(1);

/// The most sessions that wait to be written; a use beyond it is noted by a later one.
const WAITING: usize = 100_000;

/// Rows in one statement.
const BATCH: usize = 5_000;

#[derive(Default)]
pub(super) struct Usage {
    waiting: Mutex<HashMap<Uuid, Timestamp>>,
}

impl Usage {
    pub(super) fn note(&self, session: &Session, now: Timestamp) {
        if now.duration_since(session.last_used_at) < EVERY {
            return;
        }
        let mut waiting = self.waiting.lock();
        if waiting.len() < WAITING || waiting.contains_key(&session.id) {
            waiting.insert(session.id, now);
        }
    }
}

impl Vault {
    /// Writes what waits. What can't be written is lost: the next use notes it again.
    pub(crate) async fn write_usage(&self) -> Result<(), Unavailable> {
        let used: Vec<(Uuid, Timestamp)> =
            std::mem::take(&mut *self.0.sessions.usage.waiting.lock()).into_iter().collect();
        for batch in used.chunks(BATCH) {
            self.write_usage_of(batch).await?;
        }
        Ok(())
    }

    async fn write_usage_of(&self, used: &[(Uuid, Timestamp)]) -> Result<(), Unavailable> {
        let (ids, times): (Vec<Uuid>, Vec<Timestamp>) = used.iter().copied().unzip();
        let connection = self.0.database.connection().await?;
        let work = async {
            // A cached session's time is older than its row's, hence the condition; and a row that another node has
            // locked it has locked for this very purpose, so nobody needs to wait for anybody.
            let update = "
                WITH stale AS (
                    SELECT sessions.id, used.at
                    FROM unnest($1::uuid[], $2::timestamptz[]) AS used (id, at)
                    JOIN vault.sessions ON sessions.id = used.id
                    WHERE sessions.last_used_at <= used.at - interval '1 minute'
                    FOR NO KEY UPDATE OF sessions SKIP LOCKED
                )
                UPDATE vault.sessions SET last_used_at = stale.at FROM stale WHERE sessions.id = stale.id";
            let update = connection.prepare_cached(update).await?;
            connection.execute(&update, &[&ids, &times]).await
        };
        connection.within(work).await?;
        Ok(())
    }
}
