//! Wrong passwords slow down.
//!
//! Wrong logins are counted for three things: the login from one address, which slows down first and longest; the login
//! from anywhere, whose wait stays short, so that nobody can lock somebody else out for long; and the address, for who
//! tries many logins. Each wrong one beyond the free ones doubles the wait. A right one forgets the first count only.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use quick_cache::unsync::Cache;

/// Counts kept at once; the least used make room. A guess then costs the attacker a remembered count, no memory.
const CAPACITY: usize = 100_000;
/// A count without a new wrong login is forgotten after this.
const MEMORY: Duration = Duration::from_secs(60 * 60);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Subject {
    LoginFrom([u8; 32], IpAddr),
    Login([u8; 32]),
    Address(IpAddr),
}

impl Subject {
    /// Wrong logins without a wait, and the longest wait.
    fn patience(self) -> (u32, Duration) {
        match self {
            Self::LoginFrom(..) => (9, Duration::from_secs(15 * 60)),
            Self::Login(_) => (50, Duration::from_secs(30)),
            Self::Address(_) => (60, Duration::from_secs(5 * 60)),
        }
    }
}

#[derive(Clone, Copy)]
struct Count {
    wrong: u32,
    last: Instant,
}

/// Remembers wrong logins, in this process.
pub(crate) struct Throttle(Mutex<Cache<Subject, Count>>);

impl Throttle {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Cache::new(CAPACITY)))
    }

    /// How long who logs in must wait before this login is looked at.
    pub(crate) fn wait(&self, login: [u8; 32], address: IpAddr, now: Instant) -> Option<Duration> {
        let counts = self.0.lock();
        subjects(login, address)
            .into_iter()
            .filter_map(|subject| {
                let count = *counts.get(&subject)?;
                let elapsed = now.saturating_duration_since(count.last);
                delay(subject, count.wrong).checked_sub(elapsed).filter(|wait| !wait.is_zero())
            })
            .max()
    }

    pub(crate) fn wrong(&self, login: [u8; 32], address: IpAddr, now: Instant) {
        let mut counts = self.0.lock();
        for subject in subjects(login, address) {
            let before = counts.get(&subject).copied();
            let before = before.filter(|count| now.saturating_duration_since(count.last) < MEMORY);
            let wrong = before.map_or(0, |count| count.wrong).saturating_add(1);
            counts.insert(subject, Count { wrong, last: now });
        }
    }

    pub(crate) fn right(&self, login: [u8; 32], address: IpAddr) {
        self.0.lock().remove(&Subject::LoginFrom(login, address));
    }
}

fn subjects(login: [u8; 32], address: IpAddr) -> [Subject; 3] {
    [Subject::LoginFrom(login, address), Subject::Login(login), Subject::Address(address)]
}

fn delay(subject: Subject, wrong: u32) -> Duration {
    let (free, longest) = subject.patience();
    match wrong.checked_sub(free + 1) {
        None => Duration::ZERO,
        Some(beyond) => Duration::from_secs(1u64.checked_shl(beyond).unwrap_or(u64::MAX)).min(longest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));
    const LOGIN: [u8; 32] = [1; 32];

    #[test]
    fn the_tenth_wrong_login_slows_down_and_each_more_doubles_the_wait() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        for _ in 0..9 {
            throttle.wrong(LOGIN, HERE, now);
        }
        assert_eq!(throttle.wait(LOGIN, HERE, now), None);
        for seconds in [1, 2, 4, 8] {
            throttle.wrong(LOGIN, HERE, now);
            assert_eq!(throttle.wait(LOGIN, HERE, now), Some(Duration::from_secs(seconds)));
        }
        assert_eq!(throttle.wait(LOGIN, HERE, now + Duration::from_secs(8)), None);
        assert_eq!(
            throttle.wait(LOGIN, THERE, now),
            None,
            "the account's holder elsewhere is not locked out"
        );
        assert_eq!(throttle.wait([2; 32], HERE, now), None);
    }

    #[test]
    fn a_right_login_forgets_the_wrong_ones_from_here() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        for _ in 0..12 {
            throttle.wrong(LOGIN, HERE, now);
        }
        throttle.right(LOGIN, HERE);
        assert_eq!(throttle.wait(LOGIN, HERE, now), None);
    }

    #[test]
    fn nobody_can_lock_somebody_out_for_long() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        for guess in 0..2_000_u32 {
            throttle.wrong(LOGIN, IpAddr::from(guess.to_be_bytes()), now);
        }
        assert_eq!(throttle.wait(LOGIN, THERE, now), Some(Duration::from_secs(30)));
    }
}
