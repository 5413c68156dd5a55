//! When a client comes back: as the SDK does it (`client/src/live/recovery.rs`, `client/src/chance.rs`) on a network
//! that it knows to carry streams.

use std::time::Duration;

/// The wait after a first failure: the server's `retry`, which every client has heard. It doubles with each further
/// failure in a row up to [`MOST`].
const FIRST: Duration = Duration::from_secs(2);
const MOST: Duration = Duration::from_secs(20);
/// However long a server asks to wait, it is not waited for longer.
const PATIENCE: Duration = Duration::from_mins(5);

/// How clients that were cut off come back, as far as it is theirs to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Return {
    /// After the SDK's first wait.
    AsTheSdk,
    /// Evenly spread over so long.
    Within(Duration),
    AtOnce,
}

/// The waits of one client.
#[derive(Debug, Clone)]
pub(super) struct Recovery {
    chance: u64,
    failures: u32,
}

impl Recovery {
    /// Clients with different seeds wait differently.
    pub(super) fn new(seed: u64) -> Recovery {
        // Neighbouring seeds would draw alike at first.
        let mut recovery = Recovery { chance: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, failures: 0 };
        for _ in 0..8 {
            recovery.thousandths();
        }
        recovery
    }

    /// The wait after a stream was cut.
    pub(super) fn cut(&mut self, how: Return) -> Duration {
        match how {
            Return::AsTheSdk => self.failed(None),
            Return::Within(most) => most * self.thousandths() / 1_000,
            Return::AtOnce => Duration::ZERO,
        }
    }

    /// The wait after an attempt that failed, at least what the server asked for: between half of the doubled wait and
    /// the whole.
    pub(super) fn failed(&mut self, retry_after: Option<Duration>) -> Duration {
        let wait = FIRST.saturating_mul(1 << self.failures.min(16)).min(MOST);
        self.failures = self.failures.saturating_add(1);
        let spread = wait * (500 + self.thousandths() / 2) / 1_000;
        spread.max(retry_after.unwrap_or_default().min(PATIENCE))
    }

    /// A stream got as far as its hello.
    pub(super) fn works(&mut self) {
        self.failures = 0;
    }

    /// From 0 to 999, by xorshift.
    fn thousandths(&mut self) -> u32 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        u32::try_from(self.chance % 1_000).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_double_from_two_seconds_to_twenty_and_start_anew_once_it_works() {
        let mut recovery = Recovery::new(1);
        for full in [2, 4, 8, 16, 20, 20] {
            let wait = recovery.failed(None);
            assert!(wait >= full * SECOND / 2 && wait <= full * SECOND, "{wait:?} of {full} s");
        }
        recovery.works();
        assert!(recovery.failed(None) <= 2 * SECOND);
    }

    #[test]
    fn a_server_that_asks_for_patience_gets_it_within_reason() {
        assert_eq!(Recovery::new(1).failed(Some(30 * SECOND)), 30 * SECOND);
        assert_eq!(Recovery::new(1).failed(Some(9_999 * SECOND)), PATIENCE);
    }

    #[test]
    fn clients_come_back_spread_over_the_whole_time() {
        let mut tenths = [0; 10];
        for client in 0..5_000 {
            let wait = Recovery::new(client).cut(Return::Within(10 * SECOND));
            tenths[usize::try_from(wait.as_secs()).unwrap()] += 1;
        }
        assert!(tenths.iter().all(|count| (400..600).contains(count)), "{tenths:?}");
        assert_eq!(Recovery::new(1).cut(Return::AtOnce), Duration::ZERO);
    }
}
