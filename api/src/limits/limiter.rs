//! One quota for many keys.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

/// With this many keys a limiter is crowded: what it remembers stays bounded.
const CROWDED: usize = 50_000;
/// The buckets that all keys share while it is.
const SHARED: u64 = 4_096;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key<K> {
    Own(K),
    Shared(u64),
}

/// Counts calls by key.
pub(super) struct Limiter<K: Hash + Eq + Clone> {
    governor: RateLimiter<Key<K>, DefaultKeyedStateStore<Key<K>>, DefaultClock, StateInformationMiddleware>,
    crowded: AtomicBool,
    hasher: RandomState,
    clock: DefaultClock,
    quota: super::class::Quota,
}

/// How a bucket stands after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) quota: super::class::Quota,
    pub(super) remaining: u32,
    /// Set when the call is refused: when to come back.
    pub(super) wait: Option<Duration>,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    pub(super) fn new(quota: super::class::Quota) -> Self {
        let burst = NonZeroU32::new(quota.burst).unwrap_or(NonZeroU32::MIN);
        let each = quota.each.max(Duration::from_nanos(1));
        let inner = Quota::with_period(each).expect("a period above zero").allow_burst(burst);
        Self {
            governor: RateLimiter::dashmap(inner).with_middleware(),
            crowded: AtomicBool::new(false),
            hasher: RandomState::new(),
            clock: DefaultClock::default(),
            quota,
        }
    }

    /// Counts one call of `key`.
    pub(super) fn count(&self, key: K) -> Standing {
        let key = if self.crowded.load(Ordering::Relaxed) {
            Key::Shared(self.hasher.hash_one(key) % SHARED)
        } else {
            Key::Own(key)
        };
        match self.governor.check_key(&key) {
            Ok(state) => {
                Standing { quota: self.quota, remaining: state.remaining_burst_capacity(), wait: None }
            }
            Err(refused) => {
                let wait = Some(refused.wait_time_from(self.clock.now()));
                Standing { quota: self.quota, remaining: 0, wait }
            }
        }
    }

    /// Forgets keys whose bucket is full again. Call it every second: a crowd is noticed here.
    pub(super) fn tend(&self, thorough: bool) {
        let before = self.governor.len();
        if thorough || before > CROWDED {
            self.governor.retain_recent();
            self.governor.shrink_to_fit();
        }
        let keys = self.governor.len();
        let crowded = keys > CROWDED || (self.crowded.load(Ordering::Relaxed) && keys > CROWDED / 2);
        if crowded != self.crowded.swap(crowded, Ordering::Relaxed) {
            tracing::warn!(
                keys,
                crowded,
                "the rate limiter's crowd changed: many callers share buckets while it lasts"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::class;
    use super::*;

    fn limiter(burst: u32, each: Duration) -> Limiter<u64> {
        Limiter::new(class::Quota { burst, each })
    }

    #[test]
    fn a_bucket_runs_out_for_its_own_key_only() {
        let limiter = limiter(2, Duration::from_secs(3_600));
        assert_eq!(limiter.count(1).remaining, 1);
        assert_eq!(limiter.count(1).remaining, 0);
        let refused = limiter.count(1);
        assert!(refused.wait.is_some_and(|wait| wait > Duration::from_secs(3_500)));
        assert_eq!(limiter.count(2).wait, None);
    }

    #[test]
    fn memory_stays_bounded_under_a_crowd() {
        let limiter = limiter(2, Duration::from_secs(3_600));
        for key in 0..=CROWDED as u64 {
            limiter.count(key);
        }
        limiter.tend(false);
        let before = limiter.governor.len();
        for key in 0..100_000 {
            limiter.count(u64::MAX - key);
        }
        assert!(limiter.governor.len() <= before + SHARED as usize);
    }
}
