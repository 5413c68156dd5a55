//! Time and chance, passed in so that tests decide them.

use jiff::Timestamp;
use uuid::Uuid;

pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
}

pub trait IdSource: Send + Sync + 'static {
    /// An identifier that sorts by the time it was made.
    fn id(&self) -> Uuid;

    /// Random bytes that nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}

/// The computer's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place where time comes in")]
        Timestamp::now()
    }
}

/// Version 7 identifiers and the operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    fn id(&self) -> Uuid {
        #[expect(clippy::disallowed_methods, reason = "the one place where identifiers come in")]
        Uuid::now_v7()
    }

    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has randomness");
    }
}
