//! What this process knows the log to hold, so that most batches need no lookup.
//!
//! While nobody else appends, a stream whose version was once looked up or written here stands where it was left. The
//! INSERT confirms under the lock that nobody did: it writes nothing unless the log ends where this process left it. A
//! stream or an event id that is taken for new is confirmed by the table's unique constraints.

use std::collections::HashMap;

use super::{
    batch::{Committed, Row, Seen},
    session::Newest,
};
use crate::{Append, Expected, StreamName};

/// Streams that are remembered: some 150 bytes each.
const CAPACITY: usize = 50_000;
/// After a batch that had to be done again this many are looked up first. Where other nodes append all the time, or
/// commands are repeated all the time, a needless attempt is this rare.
const DOUBT: u32 = 32;

#[derive(Debug, Default)]
pub(super) struct Recall {
    /// `None` when nothing is known.
    newest: Option<Newest>,
    versions: HashMap<StreamName, u64>,
    /// Batches that are still to be looked up.
    doubt: u32,
}

impl Recall {
    /// What a lookup of the `appends` would find, and where the log must end for that; `None` when it takes a lookup.
    pub(super) fn of(&mut self, appends: &[Append]) -> Option<(Seen, Newest)> {
        self.doubt = self.doubt.saturating_sub(1);
        let newest = self.newest.filter(|_| self.doubt == 0)?;
        let mut seen = Seen::default();
        for append in appends {
            for guard in &append.guards {
                let version = self.versions.get(&guard.stream)?;
                if !seen.versions.contains_key(&guard.stream) {
                    seen.versions.insert(guard.stream.clone(), *version);
                }
            }
            match (self.versions.get(&append.stream), append.expected) {
                (Some(version), _) => drop(seen.versions.insert(append.stream.clone(), *version)),
                (None, Expected::NoStream | Expected::Exact(0)) => {}
                (None, Expected::Any | Expected::Exact(_)) => return None,
            }
        }
        Some((seen, newest))
    }

    /// Takes in what a lookup found.
    pub(super) fn looked_up(&mut self, seen: &Seen, newest: Newest) {
        if self.newest != Some(newest) {
            self.versions.clear();
        }
        self.newest = Some(newest);
        if self.versions.len() + seen.versions.len() > CAPACITY {
            self.versions.clear();
        }
        self.versions.extend(seen.versions.iter().map(|(stream, version)| (stream.clone(), *version)));
    }

    /// Takes in what this process appended where it took the log to end.
    pub(super) fn appended(&mut self, rows: &[Row<'_>], committed: &Committed) {
        for row in rows {
            if let Some(version) = self.versions.get_mut(row.stream) {
                *version = row.version;
            }
        }
        if let Some(position) = committed.positions.last() {
            self.newest = Some(Newest { position: *position, recorded_at: committed.recorded_at });
        }
    }

    /// What was taken for granted was not so.
    pub(super) fn was_wrong(&mut self) {
        self.forget();
        self.doubt = DOUBT;
    }

    /// Nothing is known: a batch's outcome is unknown, or the connection is a new one.
    pub(super) fn forget(&mut self) {
        self.newest = None;
        self.versions.clear();
    }
}
