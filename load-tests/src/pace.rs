//! Open loop: things are due at fixed times, whether or not earlier ones are done. Whoever counts from when a thing was
//! due charges a server that stalls for all that had to wait (no coordinated omission).

use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Serialize, Serializer};
use tokio::sync::mpsc;

/// Things a second that an open loop can be asked for.
const MOST: f64 = 20_000.0;

/// From the start of a pace to its first thing: enough for whoever waits for it to be waiting.
const RUN_UP: Duration = Duration::from_millis(50);

/// How fast things are asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rate {
    /// Closed loop: each again as soon as it is answered.
    Max,
    PerSecond(f64),
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        if text == "max" {
            return Ok(Rate::Max);
        }
        let rate = text.parse().ok().filter(|rate| (0.1..=MOST).contains(rate));
        rate.map(Rate::PerSecond).ok_or_else(|| format!("a number from 0.1 to {MOST}, or max"))
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Rate::Max => serializer.serialize_str("max"),
            Rate::PerSecond(rate) => serializer.serialize_f64(*rate),
        }
    }
}

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
        assert_eq!(pace.due(1_000) - pace.begin, Duration::from_millis(2_500));
    }

    #[test]
    fn a_rate_is_a_number_within_bounds_or_max() {
        assert_eq!("max".parse(), Ok(Rate::Max));
        assert_eq!("0.1".parse(), Ok(Rate::PerSecond(0.1)));
        assert_eq!("20000".parse(), Ok(Rate::PerSecond(20_000.0)));
        for wrong in ["0", "-1", "20001", "inf", "NaN", "fast", ""] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
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
