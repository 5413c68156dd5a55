//! The SDK's only source of randomness: idempotency keys and jitter.

use std::time::Duration;

use uuid::Uuid;

/// A key that no other call has.
pub(crate) fn idempotency_key() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

pub(crate) fn seed() -> u64 {
    let (high, low) = Uuid::parse_str(&idempotency_key()).unwrap_or_default().as_u64_pair();
    high ^ low
}

/// Spreads waiting times, so that clients cut off together don't come back together. An xorshift generator: seeded,
/// therefore repeatable in tests, and good for nothing secret.
#[derive(Debug, Clone)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// Between half of `wait` and `wait`.
    pub(crate) fn spread(&mut self, wait: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let thousandths = u32::try_from(self.0 % 501).unwrap_or_default() + 500;
        wait * thousandths / 1000
    }
}

/// `first`, doubled for each attempt before this one (counted from 0), up to `most`, spread.
pub(crate) fn backoff(jitter: &mut Jitter, attempt: u32, first: Duration, most: Duration) -> Duration {
    jitter.spread(first.saturating_mul(1 << attempt.min(16)).min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_most_and_never_fall_below_half() {
        let mut jitter = Jitter::new(7);
        for attempt in 0..40 {
            let full = Duration::from_millis(100 << attempt.min(8)).min(Duration::from_secs(20));
            let wait = backoff(&mut jitter, attempt, Duration::from_millis(100), Duration::from_secs(20));
            assert!(wait <= full && wait >= full / 2, "{attempt}: {wait:?}");
        }
    }

    #[test]
    fn keys_differ() {
        assert_ne!(idempotency_key(), idempotency_key());
    }
}
