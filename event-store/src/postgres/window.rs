//! The newest records, kept in memory so that readers near the head cost no query.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::RwLock;
use tokio::sync::watch;

use crate::{Position, Record};

/// Most records kept.
const MAX_RECORDS: usize = 16_384;
/// Most bytes kept, by [`Record::size`].
const MAX_BYTES: usize = 32 << 20;

/// A contiguous piece of the log up to the newest record this process has seen.
///
/// Invariant: `records` are exactly the log's records after `start` up to and including `end`, in order. It holds
/// for ever once it holds, because what is visible up to `end` never changes; so a read after any position from
/// `start` on may be answered here, and records are taken only when they continue at or before `end`.
pub(super) struct Window {
    ring: RwLock<Ring>,
    /// `end`, for those who wait for it to move.
    head: watch::Sender<Position>,
}

struct Ring {
    start: Position,
    end: Position,
    records: VecDeque<Arc<Record>>,
    bytes: usize,
    max_records: usize,
    max_bytes: usize,
}

impl Window {
    /// An empty window at the log's head.
    pub(super) fn at(head: Position) -> Self {
        Self::bounded(head, MAX_RECORDS, MAX_BYTES)
    }

    fn bounded(head: Position, max_records: usize, max_bytes: usize) -> Self {
        let ring =
            Ring { start: head, end: head, records: VecDeque::new(), bytes: 0, max_records, max_bytes };
        Self { ring: RwLock::new(ring), head: watch::Sender::new(head) }
    }

    pub(super) fn end(&self) -> Position {
        self.ring.read().end
    }

    pub(super) fn watch(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    /// Takes `records`: all that the log holds after `after` up to the last of them. Answers whether the window now
    /// reaches that far; it does not when there is a hole between its end and `after`.
    pub(super) fn extend(&self, after: Position, records: impl IntoIterator<Item = Arc<Record>>) -> bool {
        let mut ring = self.ring.write();
        if after > ring.end {
            return false;
        }
        for record in records {
            ring.push(record);
        }
        ring.shrink();
        let end = ring.end;
        // Under the lock, so that the head never steps back.
        self.head.send_if_modified(|head| std::mem::replace(head, end) != end);
        true
    }

    /// Up to `limit` records after `after`, at least one; `None` when the table has to be asked.
    pub(super) fn page(&self, after: Position, limit: usize) -> Option<Vec<Arc<Record>>> {
        let ring = self.ring.read();
        if after < ring.start || after >= ring.end || limit == 0 {
            return None;
        }
        let first = ring.records.partition_point(|record| record.position <= after);
        Some(ring.records.range(first..).take(limit).cloned().collect())
    }
}

impl Ring {
    fn push(&mut self, record: Arc<Record>) {
        if record.position > self.end {
            self.end = record.position;
            self.bytes += record.size();
            self.records.push_back(record);
        }
    }

    fn shrink(&mut self) {
        while self.records.len() > self.max_records || self.bytes > self.max_bytes {
            let Some(oldest) = self.records.pop_front() else { return };
            self.start = oldest.position;
            self.bytes -= oldest.size();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{StreamName, Topic};

    fn record(position: u64, data: usize) -> Arc<Record> {
        Arc::new(Record {
            position: Position(position),
            stream: StreamName::new("stream"),
            version: 1,
            id: uuid::Uuid::nil(),
            kind: "kind".to_owned(),
            schema: 1,
            topic: Topic::new("topic"),
            data: vec![0; data].into(),
            sealed: None,
            meta: bytes::Bytes::new(),
            recorded_at: jiff::Timestamp::UNIX_EPOCH,
        })
    }

    fn positions(records: &[Arc<Record>]) -> Vec<u64> {
        records.iter().map(|record| record.position.0).collect()
    }

    proptest! {
        /// Pieces of a log with holes in its numbers arrive in any order and overlap; whatever the window then
        /// answers is exactly what the log holds there.
        #[test]
        fn the_window_is_always_a_contiguous_piece_of_the_log(
            steps in prop::collection::vec((1u64..4, 0usize..400), 1..60),
            pieces in prop::collection::vec((0usize..60, 1usize..20), 0..80),
            start in 0usize..60,
            limit in 1usize..70,
        ) {
            let mut position = 10;
            let log: Vec<_> = steps
                .iter()
                .map(|(step, data)| {
                    position += step;
                    record(position, *data)
                })
                .collect();
            let before = |index: usize| index.checked_sub(1).map_or(Position(10), |i| log[i].position);

            let window = Window::bounded(before(start.min(log.len())), 12, 4_000);
            for (from, count) in pieces {
                let from = from.min(log.len());
                let piece = &log[from..(from + count).min(log.len())];
                let reached = window.extend(before(from), piece.iter().cloned());
                let last = piece.last().map_or(before(from), |record| record.position);
                prop_assert_eq!(reached, window.end() >= last);

                let ring = window.ring.read();
                prop_assert!(ring.records.len() <= 12 && ring.bytes <= 4_000);
                prop_assert_eq!(ring.bytes, ring.records.iter().map(|record| record.size()).sum::<usize>());
                let (low, high) = (ring.start, ring.end);
                drop(ring);
                prop_assert_eq!(*window.watch().borrow(), high);
                for after in (5..=position + 2).map(Position) {
                    let expected: Vec<_> = log
                        .iter()
                        .filter(|record| record.position > after && record.position <= high)
                        .take(limit)
                        .cloned()
                        .collect();
                    match window.page(after, limit) {
                        Some(page) => prop_assert_eq!(positions(&page), positions(&expected)),
                        None => prop_assert!(after < low || after >= high),
                    }
                }
            }
        }
    }
}
