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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Guard, Topic};

    fn stream(number: u8) -> StreamName {
        StreamName::new(format!("stream-{number}"))
    }

    prop_compose! {
        /// An append among so few streams and ids that appends meet; `meta` tells it from others of the same ids.
        fn append()(
            name in 0u8..3,
            expected in prop_oneof![
                3 => Just(Expected::Any),
                1 => Just(Expected::NoStream),
                3 => (0u64..5).prop_map(Expected::Exact),
            ],
            guards in prop::collection::vec((0u8..3, 0u64..8), 0..3),
            ids in prop::collection::hash_set(0u128..24, 1..4),
            meta: u32,
        ) -> Append {
            let event = |(index, id)| NewEvent {
                id: Uuid::from_u128(id),
                kind: "kind",
                schema: 1,
                topic: Topic::new("topic"),
                data: Bytes::new(),
                sealed: None,
                meta: Bytes::from(format!("{meta}-{index}")),
            };
            let guards = guards.into_iter().map(|(name, at_most)| Guard { stream: stream(name), at_most });
            Append {
                stream: stream(name),
                expected,
                guards: guards.collect(),
                events: ids.into_iter().enumerate().map(event).collect(),
            }
        }
    }

    /// One append after another on a log that is searched from end to end.
    fn one_by_one(log: &mut Vec<Record>, append: &Append, position: &mut u64, now: Timestamp) -> String {
        let version =
            |log: &[Record], name: &StreamName| log.iter().filter(|r| r.stream == *name).count() as u64;
        let known: Vec<&Record> =
            log.iter().filter(|record| append.events.iter().any(|event| event.id == record.id)).collect();
        if let [first, ..] = known[..] {
            let last = known[known.len() - 1];
            return shown(last, Some(&first.meta));
        }
        let current = version(log, &append.stream);
        let wrong = match append.expected {
            Expected::Any => false,
            Expected::NoStream => current > 0,
            Expected::Exact(expected) => current != expected,
        };
        if wrong {
            return format!("{} is at version {current}", append.stream);
        }
        for guard in &append.guards {
            let current = version(log, &guard.stream);
            if current > guard.at_most {
                return format!("{} has moved on to version {current}", guard.stream);
            }
        }
        for event in append.events.clone() {
            *position += 1;
            let version = version(log, &append.stream) + 1;
            log.push(event.into_record(Position(*position), append.stream.clone(), version, now));
        }
        shown(&log[log.len() - 1], None)
    }

    fn shown(last: &Record, first_meta: Option<&Bytes>) -> String {
        let Record { stream, position, version, recorded_at, .. } = last;
        format!("{stream} {position} {version} {recorded_at} {first_meta:?}")
    }

    /// What the lookup would answer; only what the batch names is found.
    fn look_up(log: &[Arc<Record>], appends: &[Append], now: Timestamp) -> Seen {
        let (streams, ids) = names(appends);
        let mut seen = Seen { versions: HashMap::new(), known: HashMap::new(), newest: Position::START, now };
        for record in log {
            let Record { stream, version, id, position, recorded_at, meta, .. } = &**record;
            seen.newest = *position;
            if streams.contains(&stream.as_str()) {
                seen.versions.insert(stream.clone(), *version);
            }
            if ids.contains(id) {
                let place = Place::Log(*position);
                let (stream, version, recorded_at) = (stream.clone(), *version, *recorded_at);
                seen.known.insert(*id, Known { place, stream, version, recorded_at, meta: meta.clone() });
            }
        }
        seen
    }

    proptest! {
        #[test]
        fn a_batch_is_decided_as_if_its_appends_came_one_by_one(
            batches in prop::collection::vec(prop::collection::vec(append(), 1..12), 1..5),
        ) {
            let (mut model, mut log) = (Vec::new(), Vec::new());
            let mut position = 0;
            for (number, appends) in (0..).zip(batches) {
                let now = Timestamp::from_second(number).expect("a small number");
                let before = position;
                let expected: Vec<_> =
                    appends.iter().map(|append| one_by_one(&mut model, append, &mut position, now)).collect();

                let seen = look_up(&log, &appends, now);
                let decision = decide(appends, seen);
                let positions: Vec<_> =
                    (before + 1..).take(decision.rows.len()).map(Position).collect();
                let (answers, records) = decision.committed(&positions);
                let answers: Vec<_> = answers
                    .into_iter()
                    .map(|answer| match answer {
                        Ok(Appended { stream, position, version, recorded_at, first_meta }) => {
                            format!("{stream} {position} {version} {recorded_at} {:?}", first_meta.as_ref())
                        }
                        Err(error) => error.to_string(),
                    })
                    .collect();
                log.extend(records);
                prop_assert_eq!(answers, expected);
                prop_assert!(log.iter().map(|record| &**record).eq(&model));
                // As transactions that are rolled back would.
                position += 2;
            }
        }
    }
}
