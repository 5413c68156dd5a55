//! What becomes of each append of a batch: a pure function of the batch and of what the log held under the lock.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{Append, AppendError, Appended, Expected, NewEvent, Position, Record, StreamName};

/// What the log holds of everything that a batch names.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// The newest version of each named stream that has one.
    pub(super) versions: HashMap<StreamName, u64>,
    /// The named event ids that are in the log.
    pub(super) known: HashMap<Uuid, Known>,
    pub(super) newest: Position,
    /// The time of every event of the batch; not before that of `newest`.
    pub(super) now: Timestamp,
}

/// An event that has its place already.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) place: Place,
    pub(super) stream: StreamName,
    pub(super) version: u64,
    pub(super) recorded_at: Timestamp,
    pub(super) meta: Bytes,
}

/// Where an event stands; everything in the log comes before everything in the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Log(Position),
    /// An index among the batch's rows, whose position is known only once they are inserted.
    Row(usize),
}

/// A row to insert.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) stream: StreamName,
    pub(super) version: u64,
    pub(super) event: NewEvent,
}

/// The rows to insert, and for each append the answer that it gets once they are committed.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) rows: Vec<Row>,
    pub(super) recorded_at: Timestamp,
    answers: Vec<Result<Answer, AppendError>>,
}

/// An [`Appended`] whose position may still be to come.
#[derive(Debug)]
struct Answer {
    stream: StreamName,
    place: Place,
    version: u64,
    recorded_at: Timestamp,
    first_meta: Option<Bytes>,
}

/// The names that `appends` need looked up: streams with their guards, and event ids.
pub(super) fn names(appends: &[Append]) -> (Vec<&str>, Vec<Uuid>) {
    let streams: HashSet<&str> = appends
        .iter()
        .flat_map(|append| append.guards.iter().map(|guard| &guard.stream).chain([&append.stream]))
        .map(StreamName::as_str)
        .collect();
    let ids = appends.iter().flat_map(|append| append.events.iter().map(|event| event.id)).collect();
    (streams.into_iter().collect(), ids)
}

/// Decides each append in order, as if those before it had been committed one by one.
pub(super) fn decide(appends: Vec<Append>, seen: Seen) -> Decision {
    let Seen { mut versions, mut known, now, .. } = seen;
    let mut rows = Vec::new();
    let answers = appends
        .into_iter()
        .map(|append| {
            if let Some(first) = repeated(&append, &known) {
                return Ok(first);
            }
            check(&append, &versions)?;
            let Append { stream, events, .. } = append;
            let version = versions.entry(stream.clone()).or_default();
            for event in events {
                *version += 1;
                known.insert(
                    event.id,
                    Known {
                        place: Place::Row(rows.len()),
                        stream: stream.clone(),
                        version: *version,
                        recorded_at: now,
                        meta: event.meta.clone(),
                    },
                );
                rows.push(Row { stream: stream.clone(), version: *version, event });
            }
            let place = Place::Row(rows.len() - 1);
            Ok(Answer { stream, place, version: *version, recorded_at: now, first_meta: None })
        })
        .collect();
    Decision { rows, recorded_at: now, answers }
}

/// The first result, if any event of the append is in the log already.
fn repeated(append: &Append, known: &HashMap<Uuid, Known>) -> Option<Answer> {
    let found = || append.events.iter().filter_map(|event| known.get(&event.id));
    let first = found().min_by_key(|known| known.place)?;
    let last = found().max_by_key(|known| known.place)?;
    Some(Answer {
        stream: last.stream.clone(),
        place: last.place,
        version: last.version,
        recorded_at: last.recorded_at,
        first_meta: Some(first.meta.clone()),
    })
}

fn check(append: &Append, versions: &HashMap<StreamName, u64>) -> Result<(), AppendError> {
    let version = |stream| versions.get(stream).copied().unwrap_or(0);
    let current = version(&append.stream);
    let holds = match append.expected {
        Expected::Any => true,
        Expected::NoStream => current == 0,
        Expected::Exact(expected) => current == expected,
    };
    if !holds {
        return Err(AppendError::WrongVersion { stream: append.stream.clone(), current });
    }
    match append.guards.iter().find(|guard| version(&guard.stream) > guard.at_most) {
        Some(guard) => {
            Err(AppendError::GuardFailed { stream: guard.stream.clone(), current: version(&guard.stream) })
        }
        None => Ok(()),
    }
}

impl Decision {
    /// The answers in the order of the appends and the records in that of the log, now that the rows have their
    /// positions: one for each row, in the order of the rows.
    pub(super) fn committed(
        self,
        positions: &[Position],
    ) -> (Vec<Result<Appended, AppendError>>, Vec<Arc<Record>>) {
        let answers = self
            .answers
            .into_iter()
            .map(|answer| {
                answer.map(|answer| Appended {
                    stream: answer.stream,
                    position: match answer.place {
                        Place::Log(position) => position,
                        Place::Row(index) => positions[index],
                    },
                    version: answer.version,
                    recorded_at: answer.recorded_at,
                    first_meta: answer.first_meta,
                })
            })
            .collect();
        let records = self
            .rows
            .into_iter()
            .zip(positions)
            .map(|(Row { stream, version, event }, position)| {
                Arc::new(event.into_record(*position, stream, version, self.recorded_at))
            })
            .collect();
        (answers, records)
    }
}
