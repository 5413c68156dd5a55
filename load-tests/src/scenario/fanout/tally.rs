//! What all subscribers of one side saw in one turn.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::statistics::Latencies;

/// Shared by the subscribers and publishers of a side. One thread runs them all: the lock is never waited for.
pub(super) struct Tally {
    turn: Mutex<Turn>,
    /// Something arrived that somebody may have waited for.
    arrival: Notify,
}

/// One turn. Posts are numbered on from turn to turn; here they count from the turn's first.
struct Turn {
    first: u64,
    /// When each post was due.
    due: Vec<Instant>,
    /// How many subscribers have each post.
    arrived: Vec<u32>,
    subscribers: Vec<Seen>,
    /// What the first subscriber saw, in its order.
    order: Vec<u64>,
    deliveries: u64,
    strays: u64,
    timed: Timed,
}

/// What one subscriber saw: how many posts, and a digest of their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Seen {
    count: u64,
    digest: u64,
}

/// The stretch of a turn that its figures are of.
struct Timed {
    begin: Instant,
    end: Instant,
    deliveries: u64,
    /// From when a post was due to its arrival at each subscriber, and at the last.
    each: Latencies,
    last: Latencies,
}

/// What a turn amounts to.
pub(super) struct Result {
    /// In the timed stretch.
    pub(super) timed_deliveries: u64,
    pub(super) each: Latencies,
    pub(super) last: Latencies,
    pub(super) posts: u64,
    pub(super) deliveries: u64,
    pub(super) faults: Faults,
}

/// What should be none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Faults {
    /// Deliveries that did not come.
    pub(crate) missed: u64,
    /// Deliveries that came twice, or of nothing that was posted in the turn.
    pub(crate) strays: u64,
    /// How many different orders subscribers saw beyond one.
    pub(crate) other_orders: u64,
}

impl Faults {
    pub(crate) fn add(&mut self, other: Faults) {
        self.missed += other.missed;
        self.strays += other.strays;
        self.other_orders += other.other_orders;
    }
}

impl Tally {
    pub(super) fn new(subscribers: usize) -> Tally {
        let now = Instant::now();
        let turn = Turn::new(subscribers, 0, now, now);
        Tally { turn: Mutex::new(turn), arrival: Notify::new() }
    }

    /// Begins a turn whose posts are numbered from `first` on and whose figures are of the time from `begin` to `end`.
    pub(super) fn begin(&self, first: u64, begin: Instant, end: Instant) {
        let mut turn = self.lock();
        *turn = Turn::new(turn.subscribers.len(), first, begin, end);
    }

    /// The number of a post that is due at `due`. To be asked for in the order of their numbers, and before it is sent.
    pub(super) fn post(&self, due: Instant) -> u64 {
        let mut turn = self.lock();
        turn.due.push(due);
        turn.arrived.push(0);
        turn.first + turn.due.len() as u64 - 1
    }

    /// The number of a post that is due now, as soon as subscribers have all but `ahead` of those before, on average.
    pub(super) async fn post_behind(&self, ahead: u64) -> u64 {
        loop {
            let arrival = self.arrival.notified();
            if self.lock().lead() < ahead {
                return self.post(Instant::now());
            }
            arrival.await;
        }
    }

    /// Subscriber `subscriber` has post `number` at `now`.
    pub(super) fn see(&self, subscriber: usize, number: u64, now: Instant) {
        if self.lock().see(subscriber, number, now) {
            self.arrival.notify_waiters();
        }
    }

    /// Waits until every subscriber has every post of the turn, or has too many.
    pub(super) async fn all_arrived(&self) {
        loop {
            let arrival = self.arrival.notified();
            if self.lock().lead() == 0 {
                return;
            }
            arrival.await;
        }
    }

    /// Ends the turn.
    pub(super) fn end(&self) -> Result {
        let mut turn = self.lock();
        let faults = turn.faults();
        let Timed { deliveries, each, last, .. } = &mut turn.timed;
        let (each, last) =
            (std::mem::replace(each, Latencies::new()), std::mem::replace(last, Latencies::new()));
        Result {
            timed_deliveries: *deliveries,
            each,
            last,
            posts: turn.due.len() as u64,
            deliveries: turn.deliveries,
            faults,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().expect("whoever counts does not panic")
    }
}

impl Turn {
    fn new(subscribers: usize, first: u64, begin: Instant, end: Instant) -> Turn {
        let timed = Timed { begin, end, deliveries: 0, each: Latencies::new(), last: Latencies::new() };
        Turn {
            first,
            due: Vec::new(),
            arrived: Vec::new(),
            subscribers: vec![Seen::default(); subscribers],
            order: Vec::new(),
            deliveries: 0,
            strays: 0,
            timed,
        }
    }

    /// How many posts subscribers lack, on average and rounded up.
    fn lead(&self) -> u64 {
        let expected = self.due.len() as u64 * self.subscribers.len() as u64;
        expected.saturating_sub(self.deliveries).div_ceil(self.subscribers.len().max(1) as u64)
    }

    /// Whether it is time to look whether somebody's wait is over: as often as one more post has come to all.
    fn see(&mut self, subscriber: usize, number: u64, now: Instant) -> bool {
        let place = number.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
        let Some((place, &due)) = place.and_then(|place| Some((place, self.due.get(place)?))) else {
            self.strays += 1;
            return false;
        };
        let seen = &mut self.subscribers[subscriber];
        seen.count += 1;
        // FNV-1a over whole numbers: another order makes another digest, except by a chance of 2^-64.
        seen.digest = (seen.digest ^ number).wrapping_mul(0x100_0000_01b3).rotate_left(29);
        if subscriber == 0 {
            self.order.push(number);
        }
        self.deliveries += 1;
        self.arrived[place] += 1;
        let timed = &mut self.timed;
        timed.deliveries += u64::from(timed.begin <= now && now < timed.end);
        if timed.begin <= due && due < timed.end {
            let latency = now.saturating_duration_since(due);
            timed.each.record(latency);
            if self.arrived[place] as usize == self.subscribers.len() {
                timed.last.record(latency);
            }
        }
        self.deliveries.is_multiple_of(self.subscribers.len() as u64)
    }

    /// All subscribers must have seen the same as the first, and the first every post once.
    fn faults(&self) -> Faults {
        let posts = self.due.len() as u64;
        let mut missed: u64 = self.subscribers.iter().map(|seen| posts.saturating_sub(seen.count)).sum();
        let mut strays =
            self.strays + self.subscribers.iter().map(|seen| seen.count.saturating_sub(posts)).sum::<u64>();
        let distinct = self.order.iter().collect::<HashSet<_>>().len() as u64;
        let twice = self.order.len() as u64 - distinct;
        // As many twice as are missing does not show in the count.
        let hidden = twice.min(posts.saturating_sub(distinct));
        missed += hidden;
        strays += hidden;
        let views: HashSet<&Seen> = self.subscribers.iter().collect();
        Faults { missed, strays, other_orders: views.len().saturating_sub(1) as u64 }
    }
}

/// Deliveries in `seconds`, as a rate.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(super) fn rate(deliveries: u64, time: Duration) -> f64 {
    deliveries as f64 / time.as_secs_f64().max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A turn of three posts, numbered from 10, in which two subscribers see what is given.
    fn turn(seen: [&[u64]; 2]) -> Result {
        let tally = Tally::new(2);
        let begin = Instant::now();
        tally.begin(10, begin, begin + Duration::from_secs(10));
        for _ in 0..3 {
            tally.post(begin);
        }
        for (subscriber, numbers) in seen.into_iter().enumerate() {
            for &number in numbers {
                tally.see(subscriber, number, begin + Duration::from_millis(number));
            }
        }
        tally.end()
    }

    #[test]
    fn every_post_once_in_one_order_is_no_fault() {
        let result = turn([&[10, 12, 11], &[10, 12, 11]]);
        assert_eq!(result.faults, Faults::default());
        assert_eq!((result.posts, result.deliveries, result.timed_deliveries), (3, 6, 6));
        assert_eq!((result.each.summary().count, result.last.summary().count), (6, 3));
        assert!((result.last.summary().max_ms - 12.0).abs() < 0.1);
    }

    #[test]
    fn what_is_missed_twice_or_in_another_order_is_a_fault() {
        let faults = |seen| turn(seen).faults;
        assert_eq!(
            faults([&[10, 11, 12], &[10, 11]]),
            Faults { missed: 1, strays: 0, other_orders: 1 },
            "missed"
        );
        assert_eq!(faults([&[10, 11, 12], &[10, 11, 12, 12]]).strays, 1, "twice");
        assert_eq!(faults([&[10, 11, 12], &[10, 12, 11]]).other_orders, 1, "another order");
        assert_eq!(faults([&[10, 11, 12], &[10, 11, 11]]).other_orders, 1, "twice for another");
        assert_eq!(
            faults([&[10, 11, 11], &[10, 11, 11]]),
            Faults { missed: 1, strays: 1, other_orders: 0 },
            "twice for another at all"
        );
        assert_eq!(faults([&[10, 11, 12, 9], &[10, 11, 12, 13]]).strays, 2, "of other turns");
    }

    #[test]
    fn what_lies_outside_the_timed_stretch_is_no_figure() {
        let tally = Tally::new(1);
        let begin = Instant::now() + Duration::from_secs(1);
        tally.begin(0, begin, begin + Duration::from_secs(1));
        for due in [begin - Duration::from_millis(1), begin, begin + Duration::from_secs(1)] {
            let number = tally.post(due);
            tally.see(0, number, due);
        }
        let result = tally.end();
        assert_eq!((result.deliveries, result.timed_deliveries, result.each.summary().count), (3, 1, 1));
    }

    #[tokio::test]
    async fn posts_wait_for_subscribers_that_are_far_behind() {
        let tally = Tally::new(2);
        let now = Instant::now();
        tally.begin(0, now, now);
        let numbers = [tally.post_behind(2).await, tally.post_behind(2).await];
        assert_eq!(numbers, [0, 1]);
        let third = tally.post_behind(2);
        let arrivals = async {
            tokio::task::yield_now().await;
            tally.see(0, 0, now);
            assert_eq!(tally.lock().due.len(), 2, "one of two subscribers has the first post");
            tally.see(1, 0, now);
        };
        assert_eq!(tokio::join!(third, arrivals).0, 2);
    }
}
