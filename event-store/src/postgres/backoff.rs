//! How long to wait before the next attempt to connect.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// Doubles with each failure in a row. Jitter keeps the nodes of a database that came back from arriving together.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    pub(super) fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// Between half of the present delay and the whole; none before the first failure.
    pub(super) async fn wait(&self) {
        let Some(exponent) = self.failures.checked_sub(1) else { return };
        let delay = FIRST.saturating_mul(2_u32.saturating_pow(exponent)).min(LONGEST);
        // The standard library's only randomness: the key of a new hasher.
        let chance = RandomState::new().hash_one(()) % 1_000;
        tokio::time::sleep(delay / 2 + delay * chance as u32 / 2_000).await;
    }
}
