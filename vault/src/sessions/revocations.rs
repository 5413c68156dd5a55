//! Makes every node notice every revocation.
//!
//! Revocations are numbered when they are made, and become visible when they commit: not in the same order. A node
//! that has seen number 10 may therefore see 9 later. But 9 was taken before 10 was seen, and no revocation takes
//! longer than [`OVERLAP`]; so a node asks again for all numbers above the highest that it saw that long ago, and
//! keeps those of the meantime to know them again.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::broadcast;
use tokio::time::Instant;
use uuid::Uuid;

use super::Revoked;
use crate::database::Database;
use crate::{Unavailable, Vault};

/// Far above the time-out of a call, for statements that the server finishes after the caller gave up.
const OVERLAP: Duration = Duration::from_secs(60);

/// How many revocations before its start a node looks at, for those that were then about to commit.
const BEFORE_START: i64 = 256;

/// Revocations that a receiver may be behind.
const BEHIND: usize = 4_096;

pub(crate) struct Revocations {
    sender: broadcast::Sender<Uuid>,
    seen: Mutex<Seen>,
}

struct Seen {
    /// Nothing at or below it can still appear.
    settled: i64,
    /// Those above, with the time they were first seen.
    recent: BTreeMap<i64, Instant>,
}

impl Seen {
    /// `false` when it was seen before.
    fn note(&mut self, number: i64, now: Instant) -> bool {
        !self.recent.contains_key(&number) && self.recent.insert(number, now).is_none()
    }

    fn settle(&mut self, now: Instant) {
        let old = self.recent.iter().rev().find(|(_, seen)| now.duration_since(**seen) >= OVERLAP);
        if let Some((number, _)) = old {
            self.settled = self.settled.max(*number);
        }
        self.recent = self.recent.split_off(&self.settled.saturating_add(1));
    }
}

impl Revocations {
    /// Those from now on, and some before: whoever follows must not mind a session it doesn't know.
    pub(crate) async fn from_now(database: &Database) -> Result<Revocations, Unavailable> {
        let connection = database.connection().await?;
        let select = "SELECT coalesce(max(revocation), 0) FROM vault.sessions";
        let work = async { connection.query_one(select, &[]).await?.try_get::<_, i64>(0) };
        let seen = Seen { settled: connection.within(work).await? - BEFORE_START, recent: BTreeMap::new() };
        Ok(Revocations { sender: broadcast::Sender::new(BEHIND), seen: Mutex::new(seen) })
    }
}

impl Vault {
    /// The ids of revoked sessions: of this process at once, of other nodes within two seconds where [`Vault::run`]
    /// runs. Rarely twice, and some from shortly before the start.
    ///
    /// A receiver that is told it lagged must ask `authenticate` about every session it serves.
    pub fn revocations(&self) -> broadcast::Receiver<Uuid> {
        self.0.sessions.revocations.sender.subscribe()
    }

    /// After the commit: forgets the sessions and tells whoever listens, once for each.
    pub(crate) fn announce(&self, revoked: Vec<Revoked>) {
        let sessions = &self.0.sessions;
        let now = Instant::now();
        for Revoked { session, digest, number } in revoked {
            if sessions.revocations.seen.lock().note(number, now) {
                sessions.cache.forget(&digest);
                // An error says that nobody listens.
                let _ = sessions.revocations.sender.send(session);
            }
        }
    }

    /// Asks once for what other nodes have revoked.
    pub(crate) async fn poll_revocations(&self) -> Result<(), Unavailable> {
        let settled = {
            let mut seen = self.0.sessions.revocations.seen.lock();
            seen.settle(Instant::now());
            seen.settled
        };
        let connection = self.0.database.connection().await?;
        let work = async {
            let select = "SELECT id, token_digest, revocation FROM vault.sessions
                          WHERE revocation > $1 ORDER BY revocation";
            let select = connection.prepare_cached(select).await?;
            let rows = connection.query(&select, &[&settled]).await?;
            rows.iter().map(Revoked::try_from).collect::<Result<Vec<_>, _>>()
        };
        self.announce(connection.within(work).await?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> (Seen, Instant) {
        (Seen { settled: 0, recent: BTreeMap::new() }, Instant::now())
    }

    #[test]
    fn a_lower_number_that_commits_later_is_still_asked_for() {
        let (mut seen, start) = seen();
        assert!(seen.note(10, start));
        seen.settle(start + OVERLAP / 2);
        assert!(seen.settled < 9);
        assert!(seen.note(9, start + OVERLAP / 2));
        assert!(!seen.note(9, start + OVERLAP / 2));
        assert!(!seen.note(10, start + OVERLAP / 2));
    }

    #[test]
    fn memory_and_queries_cover_the_overlap_only() {
        let (mut seen, start) = seen();
        for number in 1..=100 {
            seen.note(number, start);
        }
        seen.note(101, start + OVERLAP);
        seen.settle(start + OVERLAP);
        assert_eq!((seen.settled, seen.recent.len()), (100, 1));
    }
}
