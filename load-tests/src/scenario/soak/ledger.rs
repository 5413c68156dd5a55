//! What was written, and what a follower saw of it.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash as _, Hasher as _};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::marker;

/// Edits are numbered from here on, by the post whose text they replace. Numbers above are the filling's.
pub(super) const EDITS: u64 = 400_000_000_000;
pub(super) const FILLING: u64 = 800_000_000_000;

/// All that was written while followers followed.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    /// Numbered from 0 on without gaps. The last was posted when all else was done.
    pub(super) posts: u64,
    /// Numbers of the posts that were edited, each once.
    pub(super) edited: Vec<u64>,
    /// Digests of the ids of the messages that were deleted, each once, and their posts' numbers.
    pub(super) deleted: Vec<(u64, u64)>,
}

/// A message's id in eight bytes.
pub(super) fn digest(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// What one follower saw, over all its connections.
#[derive(Debug)]
pub(super) struct Seen {
    posts: Set,
    edits: Set,
    deletions: Vec<u64>,
    /// Posts whose text was gone before it could be sent: they have no number.
    textless: Vec<u64>,
    repeated: u64,
    order: DefaultHasher,
    last: Option<u64>,
}

/// What of a frame tells which message it is about.
#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    data: Subject<'a>,
}

#[derive(Deserialize)]
struct Subject<'a> {
    id: &'a str,
}

impl Seen {
    pub(super) fn new() -> Seen {
        Seen {
            posts: Set::default(),
            edits: Set::default(),
            deletions: Vec::new(),
            textless: Vec::new(),
            repeated: 0,
            order: DefaultHasher::new(),
            last: None,
        }
    }

    /// Notes a frame of the type `kind`, whose object is `json`. Returns its number if it is one of the posts.
    pub(super) fn note(&mut self, kind: &[u8], json: &[u8]) -> Result<Option<u64>> {
        if !matches!(kind, b"message.posted" | b"message.edited" | b"message.deleted") {
            return Ok(None);
        }
        let number = marker::sequence(json);
        if number.is_some_and(|number| number >= FILLING) {
            return Ok(None);
        }
        let object: Object<'_> = serde_json::from_slice(json).context("a frame is about no message")?;
        let id = digest(object.data.id);
        // By the id: a text is there for some and gone for others who come later.
        (kind, id).hash(&mut self.order);
        let number = match (kind, number) {
            (b"message.deleted", _) => {
                self.deletions.push(id);
                return Ok(None);
            }
            (_, Some(number)) => number,
            (_, None) => {
                self.textless.push(id);
                return Ok(None);
            }
        };
        let (set, number) =
            if number < EDITS { (&mut self.posts, number) } else { (&mut self.edits, number - EDITS) };
        self.repeated += u64::from(!set.insert(number));
        if kind != b"message.posted" {
            return Ok(None);
        }
        self.last = Some(number);
        Ok(Some(number))
    }

    /// Frames come in the order of the log: whoever has seen the last post has been sent everything.
    pub(super) fn has_ended(&self, posts: u64) -> bool {
        self.last.is_some_and(|last| last + 1 == posts)
    }

    /// Everything in `ledger` once, and nothing else.
    pub(super) fn check(mut self, ledger: &Ledger) -> Verdict {
        let deleted: HashMap<u64, u64> = ledger.deleted.iter().copied().collect();
        let mut foreign = 0;
        for id in &self.textless {
            match deleted.get(id) {
                Some(&number) => self.repeated += u64::from(!self.posts.insert(number)),
                None => foreign += 1,
            }
        }
        let mut deletions = HashSet::new();
        for &id in &self.deletions {
            self.repeated += u64::from(!deletions.insert(id));
        }
        let known = deletions.iter().filter(|id| deleted.contains_key(id)).count() as u64;
        let edits = ledger.edited.iter().filter(|&&number| self.edits.contains(number)).count() as u64;
        let posts = (0..ledger.posts).filter(|&number| self.posts.contains(number)).count() as u64;
        let expected = ledger.posts + (ledger.edited.len() + deleted.len()) as u64;
        let found = posts + edits + known;
        let all = self.posts.len + self.edits.len + deletions.len() as u64;
        Verdict {
            lost: expected - found,
            repeated: self.repeated,
            foreign: foreign + all - found,
            order: self.order.finish(),
        }
    }
}

/// What is wrong with what a follower saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    lost: u64,
    repeated: u64,
    /// Nobody wrote it, as far as we know.
    foreign: u64,
    order: u64,
}

/// What all followers saw.
#[derive(Debug, Default, Serialize)]
pub(super) struct Delivery {
    pub(super) followers: u64,
    pub(super) frames: u64,
    pub(super) lost: u64,
    pub(super) repeated: u64,
    pub(super) foreign: u64,
    pub(super) orders: usize,
}

impl Delivery {
    pub(super) fn of(followers: &[Verdict], ledger: &Ledger) -> Delivery {
        let sum = |part: fn(&Verdict) -> u64| followers.iter().map(part).sum();
        let orders: HashSet<u64> = followers.iter().map(|seen| seen.order).collect();
        let each = ledger.posts + (ledger.edited.len() + ledger.deleted.len()) as u64;
        Delivery {
            followers: followers.len() as u64,
            frames: each * followers.len() as u64,
            lost: sum(|seen| seen.lost),
            repeated: sum(|seen| seen.repeated),
            foreign: sum(|seen| seen.foreign),
            orders: orders.len(),
        }
    }

    pub(super) fn ensure(&self) -> Result<()> {
        ensure!(
            self.lost == 0 && self.repeated == 0 && self.foreign == 0 && self.orders == 1,
            "of {} frames for {} followers {} were lost, {} came twice, {} were nobody's, in {} different orders",
            self.frames,
            self.followers,
            self.lost,
            self.repeated,
            self.foreign,
            self.orders
        );
        Ok(())
    }
}

/// A set of numbers that begin at 0 and have few gaps.
#[derive(Debug, Default)]
struct Set {
    words: Vec<u64>,
    len: u64,
}

impl Set {
    /// `false`: it was there already.
    fn insert(&mut self, number: u64) -> bool {
        let (word, bit) = Set::place(number);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.len += u64::from(new);
        new
    }

    fn contains(&self, number: u64) -> bool {
        let (word, bit) = Set::place(number);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// A number that is too large to be one of ours stands with the largest.
    fn place(number: u64) -> (usize, u64) {
        const LARGEST: u64 = 1 << 32;
        let number = number.min(LARGEST);
        ((number / 64) as usize, 1 << (number % 64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        Ledger { posts: 3, edited: vec![1], deleted: vec![(digest("a"), 0)] }
    }

    const FRAMES: [(&str, &str); 5] = [
        ("message.posted", r#"{"data":{"id":"a","content":"seq-000000000000 x"}}"#),
        ("message.posted", r#"{"data":{"id":"b","content":"seq-000000000001 x"}}"#),
        ("message.edited", r#"{"data":{"id":"b","content":"seq-400000000001 x"}}"#),
        ("message.deleted", r#"{"data":{"id":"a"}}"#),
        ("message.posted", r#"{"data":{"id":"c","content":"seq-000000000002 x"}}"#),
    ];

    fn follow<'a>(frames: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> Verdict {
        let mut seen = Seen::new();
        for (kind, json) in frames {
            seen.note(kind.as_bytes(), json.as_bytes()).unwrap();
        }
        assert!(seen.has_ended(3));
        seen.check(&ledger())
    }

    fn delivery(verdicts: &[Verdict]) -> Delivery {
        Delivery::of(verdicts, &ledger())
    }

    #[test]
    fn whoever_saw_everything_once_has_nothing_to_complain_of() {
        let delivery = delivery(&[follow(&FRAMES), follow(&FRAMES)]);
        assert_eq!((delivery.frames, delivery.orders), (10, 1));
        delivery.ensure().unwrap();
    }

    #[test]
    fn each_frame_that_is_lost_or_comes_twice_is_seen() {
        for missing in 0..FRAMES.len() - 1 {
            let mut frames = FRAMES.to_vec();
            let removed = frames.remove(missing);
            let lacking = follow(&frames);
            assert_eq!((lacking.lost, lacking.repeated), (1, 0), "{removed:?}");
            frames.insert(missing, removed);
            frames.insert(missing, removed);
            let repeating = follow(&frames);
            assert_eq!((repeating.lost, repeating.repeated), (0, 1), "{removed:?}");
            assert!(delivery(&[repeating]).ensure().is_err());
        }
    }

    #[test]
    fn another_order_and_frames_of_nobody_are_seen() {
        let mut swapped = FRAMES;
        swapped.swap(2, 3);
        assert_eq!(delivery(&[follow(&FRAMES), follow(&swapped)]).orders, 2);
        let foreign = ("message.deleted", r#"{"data":{"id":"b"}}"#);
        assert_eq!(follow([&foreign].into_iter().chain(&FRAMES)).foreign, 1);
        let foreign = ("message.edited", r#"{"data":{"id":"a","content":"seq-400000000000 x"}}"#);
        assert_eq!(follow([&foreign].into_iter().chain(&FRAMES)).foreign, 1);
    }

    #[test]
    fn a_post_that_lost_its_text_to_its_deletion_is_no_loss() {
        const GONE: (&str, &str) = ("message.posted", r#"{"data":{"id":"a","content":null}}"#);
        let late: Vec<_> = [GONE].into_iter().chain(FRAMES[1..].iter().copied()).collect();
        assert_eq!(follow(&late), follow(&FRAMES));
        let twice = follow([GONE].iter().chain(&FRAMES));
        assert_eq!((twice.lost, twice.repeated), (0, 1));
        let foreign = ("message.posted", r#"{"data":{"id":"b","content":null}}"#);
        assert_eq!(follow([foreign].iter().chain(&FRAMES)).foreign, 1);
    }

    #[test]
    fn the_filling_and_other_types_do_not_count() {
        let others = [
            ("message.posted", r#"{"data":{"id":"f","content":"seq-800000000000 x"}}"#),
            ("membership.joined", r#"{"data":{"id":"a"}}"#),
            ("heartbeat", "{}"),
        ];
        assert_eq!(follow(others.iter().chain(&FRAMES)), follow(&FRAMES));
    }
}
