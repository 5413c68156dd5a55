//! Heartbeats of all streams, by one clock: a wheel whose slots come round once in [`HEARTBEAT`].

use std::time::Duration;

use tokio::time::{Instant, Interval, interval_at};

use super::routing::Key;

/// How often a heartbeat comes.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);
const SLOTS: usize = 60;
/// The first heartbeat comes after a third of the time or later, so that streams that began together beat apart.
const EARLIEST: usize = SLOTS / 3;

pub(crate) struct Beats {
    ticks: Interval,
    slots: Vec<Vec<Key>>,
    next: usize,
}

impl Beats {
    pub(crate) fn new() -> Self {
        let tick = HEARTBEAT / SLOTS as u32;
        // Ticks that were missed are made up for: a slot's turn comes round with its tick only.
        let ticks = interval_at(Instant::now() + tick, tick);
        Self { ticks, slots: vec![Vec::new(); SLOTS], next: 0 }
    }

    /// From now on `key` is among those that are due, until [`Self::keep`] leaves it out.
    pub(crate) fn add(&mut self, key: Key) {
        let spread = (SLOTS - EARLIEST) as u64;
        let ahead = EARLIEST + (key % spread) as usize;
        self.slots[(self.next + ahead) % SLOTS].push(key);
    }

    /// Waits for the next tick. Cancel safe.
    pub(crate) async fn tick(&mut self) {
        self.ticks.tick().await;
    }

    /// Calls `beat` for all whose heartbeat is due with this tick; those for which it says no are forgotten.
    pub(crate) fn due(&mut self, beat: impl FnMut(&Key) -> bool) {
        let slot = &mut self.slots[self.next];
        slot.retain(beat);
        if slot.is_empty() {
            slot.shrink_to_fit();
        }
        self.next = (self.next + 1) % SLOTS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At which ticks of `ticks` each key is due.
    fn due(beats: &mut Beats, ticks: usize) -> Vec<(usize, Key)> {
        let mut seen = Vec::new();
        for tick in 0..ticks {
            beats.due(|key| {
                seen.push((tick, *key));
                true
            });
        }
        seen
    }

    #[tokio::test]
    async fn each_is_due_once_in_a_turn_and_no_later_than_a_turn_after_it_began() {
        let mut beats = Beats::new();
        due(&mut beats, 7);
        (0..100).for_each(|key| beats.add(key));
        let first = due(&mut beats, SLOTS);
        let mut keys: Vec<Key> = first.iter().map(|(_, key)| *key).collect();
        keys.sort_unstable();
        assert_eq!(keys, (0..100).collect::<Vec<_>>());
        assert!(first.iter().all(|(tick, _)| *tick >= EARLIEST));
        assert_eq!(due(&mut beats, SLOTS), first, "a turn later");
    }

    #[tokio::test]
    async fn who_is_left_out_is_forgotten() {
        let mut beats = Beats::new();
        beats.add(1);
        (0..SLOTS).for_each(|_| beats.due(|_| false));
        assert_eq!(due(&mut beats, SLOTS), []);
    }
}
