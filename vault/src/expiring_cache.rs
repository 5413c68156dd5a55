//! A bounded cache whose entries expire, and whose forgetting wins every race.

use std::borrow::Borrow;
use std::hash::Hash;
use std::time::Duration;

use parking_lot::RwLock;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, UnitWeighter};
use tokio::time::Instant;

/// The race it is built for: a reader loads a row, the row is deleted and forgotten here, and the reader stores what
/// it has loaded. So a reader takes a [`Ticket`] *before* its query and `insert` drops everything that was loaded
/// under a ticket older than the last forgetting. Forgetting must follow the commit of the deletion: then a query
/// that still saw the row has begun before, and so has its ticket.
///
/// Forgetting anything voids all tickets in flight. That costs a few queries, never a wrong answer.
pub(crate) struct ExpiringCache<K, V> {
    entries: Cache<K, Entry<V>>,
    lifetime: Duration,
    /// Held for reading while inserting, for writing while forgetting.
    forgettings: RwLock<u64>,
}

#[derive(Clone)]
struct Entry<V> {
    value: V,
    expires: Instant,
}

/// The right to insert what a query that starts now will find.
#[derive(Clone, Copy)]
pub(crate) struct Ticket {
    forgettings: u64,
    taken: Instant,
}

impl<K: Hash + Eq, V: Clone> ExpiringCache<K, V> {
    pub(crate) fn new(capacity: usize, lifetime: Duration) -> ExpiringCache<K, V> {
        // Half of it is for entries that were not asked for yet: with the usual thirtieth, keys that are made ahead of need
        // are gone before it comes, once the rest is full of those that will never be needed again.
        let options = OptionsBuilder::new()
            .estimated_items_capacity(capacity)
            .weight_capacity(capacity as u64)
            .hot_allocation(0.5)
            .build()
            .expect("capacities are given");
        let entries = Cache::with_options(
            options,
            UnitWeighter,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        );
        ExpiringCache { entries, lifetime, forgettings: RwLock::new(0) }
    }

    pub(crate) fn get<Q>(&self, key: &Q, now: Instant) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let entry = self.entries.get(key)?;
        if now < entry.expires {
            return Some(entry.value);
        }
        self.entries.remove_if(key, |entry| entry.expires <= now);
        None
    }

    pub(crate) fn ticket(&self, now: Instant) -> Ticket {
        Ticket { forgettings: *self.forgettings.read(), taken: now }
    }

    pub(crate) fn insert(&self, ticket: Ticket, key: K, value: V) {
        let forgettings = self.forgettings.read();
        if *forgettings == ticket.forgettings {
            self.entries.insert(key, Entry { value, expires: ticket.taken + self.lifetime });
        }
    }

    pub(crate) fn forget<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let mut forgettings = self.forgettings.write();
        *forgettings += 1;
        self.entries.remove(key);
    }

    pub(crate) fn forget_where(&self, forgotten: impl Fn(&K, &V) -> bool) {
        let mut forgettings = self.forgettings.write();
        *forgettings += 1;
        self.entries.retain(|key, entry| !forgotten(key, &entry.value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_yet_to_be_asked_for_outlives_what_was_asked_for_long_ago() {
        let (cache, now) = (ExpiringCache::new(1_000, LIFETIME), Instant::now());
        for used in 0..5_000 {
            cache.insert(cache.ticket(now), used, ());
            for _ in 0..2 {
                assert_eq!(cache.get(&used, now), Some(()));
            }
        }
        let ahead = 5_000..5_250;
        ahead.clone().for_each(|key| cache.insert(cache.ticket(now), key, ()));
        let kept = ahead.clone().filter(|key| cache.get(key, now).is_some()).count();
        assert_eq!(kept, ahead.len());
    }

    const LIFETIME: Duration = Duration::from_secs(60);
    const INSTANT: Duration = Duration::from_nanos(1);

    fn cache() -> (ExpiringCache<u8, &'static str>, Instant) {
        (ExpiringCache::new(100, LIFETIME), Instant::now())
    }

    #[test]
    fn an_entry_lives_from_its_ticket_to_its_lifetime() {
        let (cache, start) = cache();
        cache.insert(cache.ticket(start), 1, "one");
        assert_eq!(cache.get(&1, start + LIFETIME - INSTANT), Some("one"));
        assert_eq!(cache.get(&1, start + LIFETIME), None);
        assert_eq!(cache.get(&1, start), None, "an expired entry must not stay in memory");
    }

    #[test]
    fn what_was_loaded_before_a_forgetting_is_not_stored_after_it() {
        let (cache, start) = cache();
        let ticket = cache.ticket(start);
        cache.forget(&1);
        cache.insert(ticket, 1, "stale");
        assert_eq!(cache.get(&1, start), None);
        cache.insert(cache.ticket(start), 1, "fresh");
        assert_eq!(cache.get(&1, start), Some("fresh"));
    }

    #[test]
    fn forgetting_by_value_leaves_the_others() {
        let (cache, start) = cache();
        cache.insert(cache.ticket(start), 1, "gone");
        cache.insert(cache.ticket(start), 2, "kept");
        cache.forget_where(|_, value| *value == "gone");
        assert_eq!((cache.get(&1, start), cache.get(&2, start)), (None, Some("kept")));
    }

    #[test]
    fn the_number_of_entries_is_bounded() {
        let cache = ExpiringCache::new(100, LIFETIME);
        let start = Instant::now();
        for key in 0..10_000 {
            cache.insert(cache.ticket(start), key, ());
        }
        let kept = (0..10_000).filter(|key| cache.get(key, start).is_some()).count();
        assert!((1..=200).contains(&kept), "{kept}");
    }
}
