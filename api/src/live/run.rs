//! Frames that go to the same readers, one after the other: handed out, and written, in one piece.

use std::sync::Arc;

use event_store::Position;

use super::access::Audience;
use super::frame::Frame;
use super::framed::Framed;

/// Most frames and bytes in one run: together with the queue's length they bound what a slow reader holds back.
const MAX_FRAMES: usize = 64;
const MAX_BYTES: usize = 32 * 1024;

/// Frames in log order with one audience, at least one, and their bytes for a stream, made once for all readers.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) frames: Vec<Arc<Frame>>,
    /// `None` where nobody gets them.
    pub(crate) sse: Option<Framed>,
}

impl Run {
    fn new(frames: Vec<Arc<Frame>>) -> Self {
        let sse = match frames.as_slice() {
            [frame] => frame.sse().cloned(),
            frames => {
                let parts = frames.iter().filter_map(|frame| frame.sse()).map(Framed::plain);
                parts.clone().next().is_some().then(|| Framed::new(parts))
            }
        };
        Self { frames, sse }
    }

    /// Cuts frames, in log order, into runs. A frame that changes who sees what stands alone.
    pub(crate) fn cut(frames: &[Arc<Frame>]) -> Vec<Arc<Self>> {
        let joins = |before: &Arc<Frame>, next: &Arc<Frame>| {
            before.change.is_none() && next.change.is_none() && before.audience == next.audience
        };
        let mut runs = Vec::new();
        let mut run: Vec<Arc<Frame>> = Vec::new();
        let mut bytes = 0;
        for frame in frames {
            let fits = run.len() < MAX_FRAMES && bytes + frame.len() <= MAX_BYTES;
            if run.last().is_some_and(|before| !fits || !joins(before, frame)) {
                runs.push(Arc::new(Self::new(std::mem::take(&mut run))));
                bytes = 0;
            }
            bytes += frame.len();
            run.push(Arc::clone(frame));
        }
        if !run.is_empty() {
            runs.push(Arc::new(Self::new(run)));
        }
        runs
    }

    pub(crate) fn audience(&self) -> &Audience {
        &self.first().audience
    }

    pub(crate) fn first(&self) -> &Frame {
        self.frames.first().expect("a run is not empty")
    }

    pub(crate) fn last(&self) -> Position {
        self.frames.last().expect("a run is not empty").position
    }

    /// What of the run comes after `position`, if anything does.
    pub(crate) fn after(self: Arc<Self>, position: Position) -> Option<Arc<Self>> {
        if self.first().position > position {
            return Some(self);
        }
        let rest: Vec<_> =
            self.frames.iter().filter(|frame| frame.position > position).map(Arc::clone).collect();
        (!rest.is_empty()).then(|| Arc::new(Self::new(rest)))
    }
}

#[cfg(test)]
mod tests {
    use domain::CommunityId;
    use uuid::Uuid;

    use super::*;
    use crate::cursor::Cursors;
    use crate::live::change::AccessChange;

    fn frame(position: u64, community: u128, changes: bool) -> Arc<Frame> {
        let cursors = Cursors::new([1; 32], event_store::LogId(Uuid::nil()));
        let (community, position) = (CommunityId(Uuid::from_u128(community)), Position(position));
        let cursor = cursors.seal(position);
        let mut frame =
            Frame::new(position, &cursor, "a.b", jiff::Timestamp::UNIX_EPOCH, "topic", position.0);
        frame.audience = Audience::Community(community);
        frame.change = changes.then_some(AccessChange::Ends { community });
        Arc::new(frame)
    }

    fn sse(framed: Option<&Framed>) -> &[u8] {
        framed.expect("these frames have bytes").plain()
    }

    fn positions(runs: &[Arc<Run>]) -> Vec<Vec<u64>> {
        runs.iter().map(|run| run.frames.iter().map(|frame| frame.position.0).collect()).collect()
    }

    #[test]
    fn neighbours_with_one_audience_go_together_and_changes_alone() {
        let frames: Vec<_> =
            [(1, 7, false), (2, 7, false), (3, 8, false), (4, 7, false), (5, 7, true), (6, 7, false)]
                .map(|(position, community, changes)| frame(position, community, changes))
                .into();
        let runs = Run::cut(&frames);
        assert_eq!(positions(&runs), [vec![1, 2], vec![3], vec![4], vec![5], vec![6]]);
        let bytes: Vec<u8> = frames[..2].iter().flat_map(|frame| sse(frame.sse()).to_vec()).collect();
        assert_eq!(sse(runs[0].sse.as_ref()), bytes);
    }

    #[test]
    fn a_run_is_bounded() {
        let frames: Vec<_> = (1..=150).map(|position| frame(position, 7, false)).collect();
        let lengths: Vec<_> = Run::cut(&frames).iter().map(|run| run.frames.len()).collect();
        assert_eq!(lengths, [64, 64, 22]);
    }

    #[test]
    fn what_a_reader_has_had_is_left_out() {
        let frames: Vec<_> = (1..=3).map(|position| frame(position, 7, false)).collect();
        let run = || Run::cut(&frames).remove(0);
        assert_eq!(run().after(Position(0)).map(|run| run.frames.len()), Some(3));
        let rest = run().after(Position(2)).expect("the third");
        assert_eq!(sse(rest.sse.as_ref()), sse(frames[2].sse()));
        assert!(run().after(Position(3)).is_none());
    }
}
