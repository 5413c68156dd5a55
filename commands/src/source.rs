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

/// The computer's clock, in whole microseconds: so a time is the same before it is stored and after.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place where time comes in")]
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).expect("it is a time between the same bounds")
    }
}

/// Version 7 identifiers and the operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    fn id(&self) -> Uuid {
        let mut random = [0; 10];
        self.fill(&mut random);
        // Before 1970 there are no ids to be had in order.
        let milliseconds = u64::try_from(SystemClock.now().as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
    }

    fn fill(&self, bytes: &mut [u8]) {
        vault::fill_random(bytes);
    }
}
