//! The test's randomness: seeded, so that a failure can be looked at again.

use std::time::Duration;

/// `SplitMix64`: small, and good enough to choose moments.
pub(crate) struct Chance(u64);

impl Chance {
    /// From `CRASH_SEED`, or a new seed. It is printed; `what` tells the tests of one run apart.
    pub(crate) fn new(what: &str) -> Self {
        let seed = match std::env::var("CRASH_SEED") {
            Ok(text) => text.parse().expect("CRASH_SEED is a number"),
            Err(_) => getrandom::u64().expect("the operating system has randomness"),
        };
        tell(&format!("{what}: CRASH_SEED={seed}"));
        Self(seed)
    }

    /// One for a task, which runs in an order of its own.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`, which isn't 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// Lets a random time pass: the very thing under test is what happens at any moment.
    pub(crate) async fn moment(&mut self, soonest: Duration, latest: Duration) {
        let spread = usize::try_from((latest - soonest).as_micros()).expect("a short time");
        let micros = u64::try_from(self.below(spread)).expect("a short time");
        tokio::time::sleep(soonest + Duration::from_micros(micros)).await;
    }

    /// The wait of a client before it tries again.
    pub(crate) async fn back_off(&mut self) {
        self.moment(Duration::from_millis(10), Duration::from_millis(60)).await;
    }
}

#[expect(clippy::print_stderr, reason = "what a failure is repeated with")]
pub(crate) fn tell(text: &str) {
    eprintln!("{text}");
}
