//! What was posted in a turn, and whom it concerns.

use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use super::choice::Choice;
use super::tally::{Order, Tally};
use crate::statistics::Latencies;

/// Room for the numbers of one turn's posts. Behind them are those of the messages that end it.
pub(super) const POSTS: u64 = 100_000_000;
/// Room for all numbers of a turn.
pub(super) const NUMBERS: u64 = 2 * POSTS;

/// Where the posts of a turn go.
#[derive(Debug)]
pub(super) enum Whom {
    /// To the channels of all communities; the n-th channel is one of the n-th community, counted in turn.
    Own { choice: Choice, communities: usize },
    /// To the one channel that all see.
    All,
}

impl Whom {
    pub(super) fn title(&self) -> &'static str {
        match self {
            Whom::Own { .. } => "a few of many channels",
            Whom::All => "one channel that all see",
        }
    }

    /// The channel of a post.
    pub(super) fn channel(&self, post: u64) -> usize {
        match self {
            Whom::Own { choice, .. } => choice.channel(post),
            Whom::All => 0,
        }
    }

    /// A channel for each message that ends the turn: one for every community, or one for all.
    pub(super) fn ends(&self) -> usize {
        match self {
            Whom::Own { communities, .. } => *communities,
            Whom::All => 1,
        }
    }

    /// Whether a message in `channel` goes to the subscribers of `community`.
    fn concerns(&self, channel: usize, community: usize) -> bool {
        match self {
            Whom::Own { communities, .. } => channel % communities == community,
            Whom::All => true,
        }
    }
}

/// One turn, shared by those who post and those who listen. One thread runs them all: the lock is never waited for.
pub(super) struct Board {
    whom: std::sync::Arc<Whom>,
    /// The number of the turn's first post.
    first: u64,
    turn: Mutex<Turn>,
}

struct Turn {
    /// When each post was due.
    due: Vec<Instant>,
    delivered: Latencies,
    last_delivery: Option<Instant>,
}

/// What one subscriber saw in a turn.
#[derive(Debug, Default)]
pub(super) struct Seen {
    tally: Tally,
    pub(super) order: Order,
    /// Messages that were none of its channels', or of no post.
    pub(super) strayed: u64,
    pub(super) ended: bool,
}

impl Board {
    pub(super) fn new(whom: std::sync::Arc<Whom>, first: u64) -> Board {
        let turn = Turn { due: Vec::new(), delivered: Latencies::new(), last_delivery: None };
        Board { whom, first, turn: Mutex::new(turn) }
    }

    /// The number and the channel of a post that was due at `due`; to be asked for before it is sent.
    pub(super) fn post(&self, due: Instant) -> (u64, usize) {
        let mut turn = self.lock();
        let post = turn.due.len() as u64;
        turn.due.push(due);
        (self.first + post, self.whom.channel(post))
    }

    /// Number and channel of the messages that end the turn, when all posts are answered.
    pub(super) fn ends(&self) -> impl Iterator<Item = (u64, usize)> {
        let first = self.first + POSTS;
        (0..self.whom.ends()).map(move |channel| (first + channel as u64, channel))
    }

    /// A subscriber of `community` has message `number` at `now`.
    pub(super) fn see(&self, community: usize, seen: &mut Seen, number: u64, now: Instant) {
        let Some(place) = number.checked_sub(self.first) else {
            seen.strayed += 1;
            return;
        };
        if place >= POSTS {
            let concerned = usize::try_from(place - POSTS)
                .is_ok_and(|end| end < self.whom.ends() && self.whom.concerns(end, community));
            seen.ended |= concerned;
            seen.strayed += u64::from(!concerned);
            return;
        }
        let mut turn = self.lock();
        let due = usize::try_from(place).ok().and_then(|place| turn.due.get(place)).copied();
        let Some(due) = due.filter(|_| self.whom.concerns(self.whom.channel(place), community)) else {
            seen.strayed += 1;
            return;
        };
        seen.tally.add(number);
        seen.order.add(number);
        turn.delivered.record(now.saturating_duration_since(due));
        turn.last_delivery = Some(now);
    }

    /// Whether `seen` is what the subscribers of `community` should have seen by now: all of `expected`, nothing else.
    pub(super) fn is_right(expected: &[Tally], community: usize, seen: &Seen) -> bool {
        seen.strayed == 0 && expected.get(community) == Some(&seen.tally)
    }

    /// What the subscribers of each community should have seen.
    pub(super) fn expected(&self, communities: usize) -> Vec<Tally> {
        let mut expected = vec![Tally::default(); communities];
        for post in 0..self.posts() {
            let channel = self.whom.channel(post);
            for (community, tally) in expected.iter_mut().enumerate() {
                if self.whom.concerns(channel, community) {
                    tally.add(self.first + post);
                }
            }
        }
        expected
    }

    pub(super) fn posts(&self) -> u64 {
        self.lock().due.len() as u64
    }

    /// From when posts were due to their arrival, and when the last arrived.
    pub(super) fn delivered(&self) -> (Latencies, Option<Instant>) {
        let turn = self.lock();
        (turn.delivered.clone(), turn.last_delivery)
    }

    fn lock(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().expect("whoever counts does not panic")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const COMMUNITIES: usize = 4;

    fn board() -> Board {
        let whom = Whom::Own { choice: Choice::new(12, 0.0), communities: COMMUNITIES };
        let board = Board::new(Arc::new(whom), 3 * NUMBERS);
        for _ in 0..200 {
            board.post(Instant::now());
        }
        board
    }

    /// What a subscriber of `community` gets from a server that makes no mistake.
    fn right(board: &Board, community: usize) -> Vec<u64> {
        let mine = |post: &u64| board.whom.channel(*post) % COMMUNITIES == community;
        let posts = (0..200).filter(mine).map(|post| board.first + post);
        posts.chain([board.first + POSTS + community as u64]).collect()
    }

    fn is_right(board: &Board, community: usize, numbers: &[u64]) -> bool {
        let mut seen = Seen::default();
        numbers.iter().for_each(|&number| board.see(community, &mut seen, number, Instant::now()));
        seen.ended && Board::is_right(&board.expected(COMMUNITIES), community, &seen)
    }

    #[test]
    fn each_community_gets_its_own_messages_and_its_end() {
        let board = board();
        let all: usize = (0..COMMUNITIES).map(|community| right(&board, community).len()).sum();
        assert_eq!(all, 200 + COMMUNITIES);
        for community in 0..COMMUNITIES {
            assert!(is_right(&board, community, &right(&board, community)));
        }
    }

    #[test]
    fn what_is_missing_twice_or_anothers_is_wrong() {
        let board = board();
        let (own, others) = (right(&board, 1), right(&board, 2));
        assert!(!is_right(&board, 1, &own[1..]), "one is missing");
        assert!(!is_right(&board, 1, &[&own[..1], &own[..]].concat()), "one came twice");
        assert!(!is_right(&board, 1, &[&others[..1], &own[..]].concat()), "one is another community's");
        assert!(!is_right(&board, 1, &[&[board.first - 1], &own[..]].concat()), "one is of an earlier turn");
        assert!(!is_right(&board, 1, &[&[board.first + 200], &own[..]].concat()), "one was never posted");
        assert!(!is_right(&board, 1, &own[..own.len() - 1]), "the end is missing");
        assert!(!is_right(&board, 1, &[&others[others.len() - 1..], &own[..]].concat()), "another's end");
    }

    #[test]
    fn what_all_see_concerns_every_community() {
        let board = Board::new(Arc::new(Whom::All), 0);
        let (number, channel) = board.post(Instant::now());
        assert_eq!((number, channel, board.ends().count()), (0, 0, 1));
        for community in 0..COMMUNITIES {
            assert!(is_right(&board, community, &[0, POSTS]));
        }
    }
}
