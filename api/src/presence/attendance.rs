//! Who has live connections to this process, of either transport, as the hub says it.
//!
//! The hub only notes: it waits for nobody. What is noted is a state for each account, not a queue of changes, so it is
//! bounded by the accounts that are here, and whoever takes it down in the database may be as slow as the database is.

use std::collections::HashMap;
use std::time::Duration;

use domain::AccountId;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long an account counts as connected after its last connection ended: long-polls come and go.
pub(crate) const GRACE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(crate) struct Attendance {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Those who count as connected; since when they have no connection, for those who have none.
    accounts: HashMap<AccountId, Option<Instant>>,
    /// Those of them who were not there before, to be taken down.
    news: Vec<AccountId>,
}

/// Who is to be taken down now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Round {
    pub(crate) came: Vec<AccountId>,
    /// With the time when their last connection ended.
    pub(crate) went: Vec<(AccountId, Instant)>,
}

impl Round {
    pub(crate) fn is_empty(&self) -> bool {
        self.came.is_empty() && self.went.is_empty()
    }
}

impl Attendance {
    /// An account has a connection now.
    pub(crate) fn came(&self, account: AccountId) {
        let mut state = self.state.lock();
        if state.accounts.insert(account, None).is_none() {
            state.news.push(account);
            self.changed.notify_one();
        }
    }

    /// An account has no connection any more.
    pub(crate) fn went(&self, account: AccountId, now: Instant) {
        if let Some(since) = self.state.lock().accounts.get_mut(&account) {
            *since = Some(now);
        }
    }

    /// Completes when there is somebody to be taken down as new. Cancel safe.
    pub(crate) async fn news(&self) {
        loop {
            let changed = self.changed.notified();
            if !self.state.lock().news.is_empty() {
                return;
            }
            changed.await;
        }
    }

    /// Those who are to be taken down at `now`, `most` of each kind. Who went is forgotten here: if they come back
    /// while that is being taken down, they are news.
    pub(crate) fn take(&self, now: Instant, most: usize) -> Round {
        let mut state = self.state.lock();
        let gone = |since: &Instant| now.duration_since(*since) >= GRACE;
        let went: Vec<(AccountId, Instant)> = state
            .accounts
            .iter()
            .filter_map(|(account, since)| Some((*account, since.filter(gone)?)))
            .take(most)
            .collect();
        for (account, _) in &went {
            state.accounts.remove(account);
        }
        let State { accounts, news } = &mut *state;
        let new = news.len().min(most);
        let came = news.drain(..new).filter(|account| accounts.contains_key(account)).collect();
        Round { came, went }
    }

    /// How many count as connected.
    pub(crate) fn len(&self) -> usize {
        self.state.lock().accounts.len()
    }

    /// What could not be taken down is taken again.
    pub(crate) fn give_back(&self, round: Round) {
        let mut state = self.state.lock();
        let Round { came, went } = round;
        state.news.extend(came);
        for (account, since) in went {
            state.accounts.entry(account).or_insert(Some(since));
        }
    }

    /// All that was taken down is lost: everyone is news.
    pub(crate) fn begin_anew(&self) {
        let mut state = self.state.lock();
        state.news = state.accounts.keys().copied().collect();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    const ANN: AccountId = AccountId(Uuid::from_u128(1));
    const BOB: AccountId = AccountId(Uuid::from_u128(2));

    fn came(accounts: &[AccountId]) -> Round {
        Round { came: accounts.to_vec(), went: vec![] }
    }

    fn went(account: AccountId, at: Instant) -> Round {
        Round { came: vec![], went: vec![(account, at)] }
    }

    #[test]
    fn who_comes_is_news_once() {
        let (attendance, now) = (Attendance::default(), Instant::now());
        attendance.came(ANN);
        attendance.came(ANN);
        assert_eq!(attendance.take(now, 10), came(&[ANN]));
        attendance.came(ANN);
        assert!(attendance.take(now, 10).is_empty());
    }

    #[test]
    fn who_went_counts_for_thirty_seconds_more() {
        let (attendance, begin) = (Attendance::default(), Instant::now());
        attendance.came(ANN);
        attendance.take(begin, 10);
        attendance.went(ANN, begin);
        assert!(attendance.take(begin + GRACE - Duration::from_nanos(1), 10).is_empty());
        assert_eq!(attendance.take(begin + GRACE, 10), went(ANN, begin));
        assert!(attendance.take(begin + 2 * GRACE, 10).is_empty());
    }

    #[test]
    fn who_polls_again_and_again_was_never_away() {
        let (attendance, begin) = (Attendance::default(), Instant::now());
        attendance.came(ANN);
        attendance.take(begin, 10);
        for turn in 1..=10 {
            let now = begin + turn * (GRACE - Duration::from_secs(1));
            attendance.went(ANN, now);
            assert!(attendance.take(now, 10).is_empty());
            attendance.came(ANN);
        }
        assert!(attendance.take(begin + 100 * GRACE, 10).is_empty());
    }

    #[test]
    fn who_comes_back_while_their_going_is_taken_down_is_news() {
        let (attendance, begin) = (Attendance::default(), Instant::now());
        attendance.came(ANN);
        attendance.take(begin, 10);
        attendance.went(ANN, begin);
        let round = attendance.take(begin + GRACE, 10);
        attendance.came(ANN);
        assert_eq!(attendance.take(begin + GRACE, 10), came(&[ANN]));
        // Had their going not been taken down, it would not be taken again.
        attendance.give_back(round);
        assert!(attendance.take(begin + 2 * GRACE, 10).is_empty());
    }

    #[test]
    fn what_could_not_be_taken_down_is_taken_again() {
        let (attendance, begin) = (Attendance::default(), Instant::now());
        attendance.came(ANN);
        let round = attendance.take(begin, 10);
        attendance.give_back(round);
        assert_eq!(attendance.take(begin, 10), came(&[ANN]));
        attendance.went(ANN, begin);
        let round = attendance.take(begin + GRACE, 10);
        attendance.give_back(round);
        assert_eq!(attendance.take(begin + GRACE, 10), went(ANN, begin));
    }

    #[test]
    fn a_round_is_bounded_and_nobody_is_forgotten() {
        let (attendance, now) = (Attendance::default(), Instant::now());
        let all: Vec<AccountId> = (0..25).map(|n| AccountId(Uuid::from_u128(n))).collect();
        all.iter().for_each(|account| attendance.came(*account));
        let rounds: Vec<Round> = (0..4).map(|_| attendance.take(now, 10)).collect();
        assert_eq!(rounds.iter().map(|round| round.came.len()).collect::<Vec<_>>(), [10, 10, 5, 0]);
        assert_eq!(rounds.into_iter().flat_map(|round| round.came).collect::<Vec<_>>(), all);
    }

    #[test]
    fn who_came_and_went_before_a_word_was_written_is_not_news() {
        let (attendance, begin) = (Attendance::default(), Instant::now());
        attendance.came(ANN);
        attendance.went(ANN, begin);
        assert_eq!(attendance.take(begin + GRACE, 10), went(ANN, begin));
    }

    #[tokio::test]
    async fn after_a_new_beginning_everyone_is_news() {
        let (attendance, now) = (Attendance::default(), Instant::now());
        attendance.came(ANN);
        attendance.news().await;
        attendance.take(now, 10);
        attendance.came(BOB);
        attendance.begin_anew();
        let mut came = attendance.take(now, 10).came;
        came.sort();
        assert_eq!(came, [ANN, BOB]);
    }
}
