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
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The newest version of each named stream that has one.
    pub(super) versions: HashMap<StreamName, u64>,
    /// The named event ids that are in the log.
    pub(super) known: HashMap<Uuid, Known>,
}

/// An event that is in the log already.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) position: Position,
    pub(super) stream: StreamName,
    pub(super) version: u64,
    pub(super) recorded_at: Timestamp,
    pub(super) meta: Bytes,
}

/// A row to insert.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) stream: &'a StreamName,
    pub(super) version: u64,
    pub(super) event: &'a NewEvent,
}

/// What a committed batch got: a position for each row, in their order, and the time of all of them.
#[derive(Debug, Clone)]
pub(super) struct Committed {
    pub(super) positions: Vec<Position>,
    pub(super) recorded_at: Timestamp,
}

/// What each append of a batch hears once the rows are committed, in the order of the appends.
#[derive(Debug)]
pub(super) struct Answers(Vec<Result<Answer, AppendError>>);

#[derive(Debug)]
enum Answer {
    /// Its last row, by index, and that row's version.
    Wrote { row: usize, version: u64 },
    /// It is in the log already.
    Known(Appended),
    /// It repeats what an earlier append of this batch writes.
    Repeats { stream: StreamName, row: usize, version: u64, first_meta: Bytes },
}

/// Where an event stands; everything in the log comes before everything in the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Log(Position, Timestamp),
    Row(usize),
}

#[derive(Clone, Copy)]
struct Found<'a> {
    place: Place,
    stream: &'a StreamName,
    version: u64,
    meta: &'a Bytes,
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
pub(super) fn decide<'a>(appends: &'a [Append], seen: &'a Seen) -> (Vec<Row<'a>>, Answers) {
    let mut versions: HashMap<&str, u64> =
        seen.versions.iter().map(|(stream, version)| (stream.as_str(), *version)).collect();
    let mut known: HashMap<Uuid, Found<'a>> =
        seen.known.iter().map(|(id, known)| (*id, found(known))).collect();
    let mut rows = Vec::with_capacity(appends.len());
    let answers = appends
        .iter()
        .map(|append| {
            if let Some(first) = repeated(append, &known) {
                return Ok(first);
            }
            check(append, &versions)?;
            let stream = &append.stream;
            let version = versions.entry(stream.as_str()).or_default();
            for event in &append.events {
                *version += 1;
                let place = Place::Row(rows.len());
                known.insert(event.id, Found { place, stream, version: *version, meta: &event.meta });
                rows.push(Row { stream, version: *version, event });
            }
            Ok(Answer::Wrote { row: rows.len() - 1, version: *version })
        })
        .collect();
    (rows, Answers(answers))
}

fn found(known: &Known) -> Found<'_> {
    let Known { position, stream, version, recorded_at, meta } = known;
    Found { place: Place::Log(*position, *recorded_at), stream, version: *version, meta }
}

/// The first result, if any event of the append is in the log already.
fn repeated(append: &Append, known: &HashMap<Uuid, Found<'_>>) -> Option<Answer> {
    let found = || append.events.iter().filter_map(|event| known.get(&event.id));
    let first_meta = found().min_by_key(|found| found.place)?.meta.clone();
    let Found { place, stream, version, .. } = *found().max_by_key(|found| found.place)?;
    let stream = stream.clone();
    Some(match place {
        Place::Log(position, recorded_at) => {
            Answer::Known(Appended { stream, position, version, recorded_at, first_meta: Some(first_meta) })
        }
        Place::Row(row) => Answer::Repeats { stream, row, version, first_meta },
    })
}

fn check(append: &Append, versions: &HashMap<&str, u64>) -> Result<(), AppendError> {
    let version = |stream: &StreamName| versions.get(stream.as_str()).copied().unwrap_or(0);
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

impl Answers {
    /// The answers in the order of the `appends` that were decided, and the new records in that of the log, now that
    /// the rows are committed.
    pub(super) fn after(
        self,
        appends: Vec<Append>,
        committed: &Committed,
    ) -> (Vec<Result<Appended, AppendError>>, Vec<Arc<Record>>) {
        let Committed { positions, recorded_at } = committed;
        let recorded_at = *recorded_at;
        let mut records = Vec::with_capacity(positions.len());
        let answer = |(append, answer): (Append, Result<Answer, AppendError>)| {
            Ok(match answer? {
                Answer::Known(appended) => appended,
                Answer::Repeats { stream, row, version, first_meta } => {
                    let (position, first_meta) = (positions[row], Some(first_meta));
                    Appended { stream, position, version, recorded_at, first_meta }
                }
                Answer::Wrote { row, version } => {
                    let Append { stream, events, .. } = append;
                    let before = version - events.len() as u64;
                    for (version, event) in (before + 1..).zip(events) {
                        let position = positions[records.len()];
                        let record = event.into_record(position, stream.clone(), version, recorded_at);
                        records.push(Arc::new(record));
                    }
                    Appended { stream, position: positions[row], version, recorded_at, first_meta: None }
                }
            })
        };
        let answers = appends.into_iter().zip(self.0).map(answer).collect();
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
    fn look_up(log: &[Arc<Record>], appends: &[Append]) -> Seen {
        let (streams, ids) = names(appends);
        let mut seen = Seen::default();
        for record in log {
            let Record { stream, version, id, position, recorded_at, meta, .. } = &**record;
            if streams.contains(&stream.as_str()) {
                seen.versions.insert(stream.clone(), *version);
            }
            if ids.contains(id) {
                let (stream, meta) = (stream.clone(), meta.clone());
                let (position, version, recorded_at) = (*position, *version, *recorded_at);
                seen.known.insert(*id, Known { position, stream, version, recorded_at, meta });
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

                let seen = look_up(&log, &appends);
                let (rows, answers) = decide(&appends, &seen);
                let positions = (before + 1..).take(rows.len()).map(Position).collect();
                let (answers, records) = answers.after(appends, &Committed { positions, recorded_at: now });
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
