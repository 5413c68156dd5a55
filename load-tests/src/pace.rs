//! Open loop: things are due at fixed times, whether or not earlier ones are done. Whoever counts from when a thing was
//! due charges a server that stalls for all that had to wait (no coordinated omission).

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::sync::mpsc;

/// From the start of a pace to its first thing: enough for whoever waits for it to be waiting.
const RUN_UP: Duration = Duration::from_millis(50);

/// When each of many things is due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    begin: Instant,
    rate: f64,
    count: u64,
}

impl Pace {
    /// `count` things, `rate` of them a second, from now on.
    pub(crate) fn new(rate: f64, count: u64) -> Pace {
        Pace { begin: Instant::now() + RUN_UP, rate, count }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub(crate) fn due(&self, number: u64) -> Instant {
        self.begin + Duration::from_secs_f64(number as f64 / self.rate)
    }

    /// When the last thing is over, were it to take as long as the pause to the next.
    pub(crate) fn end(&self) -> Instant {
        self.due(self.count)
    }

    /// The number of each thing when it is due, for as long as somebody takes them.
    ///
    /// A thread of its own keeps the time, because tokio's timers round up to whole milliseconds. All numbers have room
    /// in the queue: a late taker delays none of them.
    pub(crate) fn start(self) -> Result<mpsc::Receiver<u64>> {
        let (due, queue) = mpsc::channel(usize::try_from(self.count.max(1))?);
        std::thread::spawn(move || {
            for number in 0..self.count {
                std::thread::sleep(self.due(number).saturating_duration_since(Instant::now()));
                if due.try_send(number).is_err() {
                    return;
                }
            }
        });
        Ok(queue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_due_at_fixed_times() {
        let pace = Pace::new(400.0, 1_000);
        assert_eq!(pace.due(0), pace.begin);
        assert_eq!(pace.due(1) - pace.begin, Duration::from_micros(2_500));
        assert_eq!(pace.end() - pace.begin, Duration::from_millis(2_500));
    }

    #[tokio::test]
    async fn every_number_comes_once_in_order_and_not_before_it_is_due() {
        let pace = Pace::new(10_000.0, 50);
        let mut queue = pace.start().unwrap();
        for expected in 0..50 {
            assert_eq!(queue.recv().await, Some(expected));
            assert!(Instant::now() >= pace.due(expected));
        }
        assert_eq!(queue.recv().await, None);
    }
}
