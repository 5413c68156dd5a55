//! The newest frames, kept so that a short gap costs no query.

use std::collections::VecDeque;
use std::sync::Arc;

use event_store::Position;

use super::frame::Frame;

/// Most frames and bytes kept.
pub(crate) const MAX_FRAMES: usize = 16_384;
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// What a frame costs beside its bytes.
const OVERHEAD: usize = 256;

/// A contiguous run of the log's frames that ends at the hub's head: every record after `floor` has one here.
#[derive(Debug)]
pub(crate) struct Recent {
    floor: Position,
    frames: VecDeque<Arc<Frame>>,
    bytes: usize,
}

impl Recent {
    pub(crate) fn new(floor: Position) -> Self {
        Self { floor, frames: VecDeque::new(), bytes: 0 }
    }

    /// Adds the frame of the next record.
    pub(crate) fn push(&mut self, frame: Arc<Frame>) {
        self.bytes += frame.len() + OVERHEAD;
        self.frames.push_back(frame);
        while self.frames.len() > MAX_FRAMES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.frames.pop_front() else { break };
            self.bytes -= oldest.len() + OVERHEAD;
            self.floor = oldest.position;
        }
    }

    /// Puts what came before in front, as much of it as there is room for. `older` ends at `end`; unless this still begins
    /// there, it comes too late, and is left.
    pub(crate) fn extend_back(&mut self, mut older: Self, end: Position) {
        if self.floor != end {
            return;
        }
        while let Some(frame) = older.frames.pop_back() {
            let bytes = frame.len() + OVERHEAD;
            if self.frames.len() >= MAX_FRAMES || self.bytes + bytes > MAX_BYTES {
                self.floor = frame.position;
                return;
            }
            self.bytes += bytes;
            self.frames.push_front(frame);
        }
        self.floor = older.floor;
    }

    /// The frames after `after` up to `until`; `None` when some of them are no longer here.
    pub(crate) fn after(
        &self,
        after: Position,
        until: Position,
    ) -> Option<impl Iterator<Item = &Arc<Frame>>> {
        if after < self.floor {
            return None;
        }
        let start = self.frames.partition_point(|frame| frame.position <= after);
        Some(self.frames.range(start..).take_while(move |frame| frame.position <= until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent(positions: impl IntoIterator<Item = u64>) -> Recent {
        let mut recent = Recent::new(Position(0));
        for position in positions {
            recent.push(Arc::new(Frame::silent(Position(position), None)));
        }
        recent
    }

    fn positions<'a>(frames: Option<impl Iterator<Item = &'a Arc<Frame>>>) -> Option<Vec<u64>> {
        frames.map(|frames| frames.map(|frame| frame.position.0).collect())
    }

    #[test]
    fn what_is_asked_for_is_answered_in_order_and_within_bounds() {
        let recent = recent([1, 2, 5, 9]);
        assert_eq!(positions(recent.after(Position(2), Position(9))), Some(vec![5, 9]));
        assert_eq!(positions(recent.after(Position(3), Position(5))), Some(vec![5]));
        assert_eq!(positions(recent.after(Position(9), Position(9))), Some(vec![]));
    }

    #[test]
    fn what_came_before_is_put_in_front() {
        let mut recent = Recent::new(Position(7));
        recent.push(Arc::new(Frame::silent(Position(9), None)));
        let mut older = Recent::new(Position(3));
        for position in [4, 6] {
            older.push(Arc::new(Frame::silent(Position(position), None)));
        }
        recent.extend_back(older, Position(7));
        assert_eq!(positions(recent.after(Position(3), Position(9))), Some(vec![4, 6, 9]));
        assert_eq!(positions(recent.after(Position(2), Position(9))), None);
    }

    #[test]
    fn of_what_came_before_the_newest_are_kept() {
        let most = MAX_FRAMES as u64;
        let mut recent = Recent::new(Position(most));
        recent.push(Arc::new(Frame::silent(Position(most + 1), None)));
        let mut older = Recent::new(Position(0));
        (1..=most).for_each(|position| older.push(Arc::new(Frame::silent(Position(position), None))));
        recent.extend_back(older, Position(most));
        assert_eq!(positions(recent.after(Position(0), Position(3))), None);
        assert_eq!(positions(recent.after(Position(1), Position(3))), Some(vec![2, 3]));
    }

    #[test]
    fn what_came_before_leaves_no_gap() {
        let mut recent = recent(1..=MAX_FRAMES as u64 + 10);
        let older = Recent::new(Position(0));
        recent.extend_back(older, Position(0));
        assert_eq!(positions(recent.after(Position(9), Position(20))), None);
    }

    #[test]
    fn what_was_let_go_is_not_answered_with_a_gap() {
        let recent = recent(1..=MAX_FRAMES as u64 + 10);
        assert_eq!(positions(recent.after(Position(9), Position(20))), None);
        assert_eq!(positions(recent.after(Position(10), Position(12))), Some(vec![11, 12]));
    }
}
