//! When each post is due, whether or not earlier ones were answered: latencies count from then, so that a server that
//! stalls is charged for what had to wait.

use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    pub(super) begin: Instant,
    pub(super) interval: Duration,
    /// Besides a last one that follows when all else is done.
    pub(super) posts: u64,
}

impl Schedule {
    pub(super) fn new(rate: u16, duration: Duration) -> Schedule {
        let interval = Duration::from_secs(1) / u32::from(rate.max(1));
        let posts = u64::try_from(duration.as_nanos() / interval.as_nanos().max(1)).unwrap_or(u64::MAX);
        Schedule { begin: Instant::now() + Duration::from_millis(200), interval, posts }
    }

    /// The last one comes when it can.
    pub(super) fn is_timed(&self, number: u64) -> bool {
        number < self.posts
    }

    pub(super) fn due(&self, number: u64) -> Instant {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let after = self.interval.mul_f64(number as f64);
        self.begin + after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_are_due_at_the_rate_asked_for() {
        let schedule = Schedule::new(50, Duration::from_secs(60));
        assert_eq!(schedule.posts, 3_000);
        assert!(schedule.is_timed(2_999) && !schedule.is_timed(3_000));
        assert_eq!(schedule.due(100) - schedule.due(0), Duration::from_secs(2));
    }
}
