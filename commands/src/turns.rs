//! Whoever lost a race for a stream tries again in turn.
//!
//! Of twenty who change one stream at once, one wins each round. Without an order among them the last would lose too
//! often and give up; with it, each loses once to the others of this process.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use event_store::StreamName;
use tokio::sync::{Mutex, MutexGuard};

/// Streams that share a turn only wait for each other.
const TURNS: usize = 64;

pub(crate) struct Turns([Mutex<()>; TURNS]);

impl Turns {
    pub(crate) fn new() -> Self {
        Self([const { Mutex::const_new(()) }; TURNS])
    }

    /// Waits for its turn, first come, first served. A holder must not take another.
    pub(crate) async fn take(&self, stream: &StreamName) -> MutexGuard<'_, ()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(stream);
        self.0[hash as usize % TURNS].lock().await
    }
}
