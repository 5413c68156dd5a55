//! Appends to try, and what the log then holds.

use std::sync::Arc;

use bytes::Bytes;
use event_store::{
    Append, EventStore, Expected, Guard, MAX_PAGE, NewEvent, Position, Record, StreamName, Topic,
};
use uuid::Uuid;

pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) fn stream(name: &str) -> StreamName {
    StreamName::new(name)
}

pub(crate) fn topic(name: &str) -> Topic {
    Topic::new(name)
}

pub(crate) fn event(number: u128) -> NewEvent {
    NewEvent {
        id: id(number),
        kind: "thing.happened",
        schema: 1,
        topic: topic("topic"),
        data: Bytes::from(format!("{{\"number\":{number}}}")),
        sealed: None,
        meta: Bytes::from(format!("{{\"meta\":{number}}}")),
    }
}

/// An append of the events with these numbers.
pub(crate) fn append(name: &str, expected: Expected, numbers: impl IntoIterator<Item = u128>) -> Append {
    let events = numbers.into_iter().map(event).collect();
    Append { stream: stream(name), expected, guards: Vec::new(), events }
}

pub(crate) fn any(name: &str, numbers: impl IntoIterator<Item = u128>) -> Append {
    append(name, Expected::Any, numbers)
}

pub(crate) fn guarded(append: Append, guards: &[(&str, u64)]) -> Append {
    let guards = guards.iter().map(|(name, at_most)| Guard { stream: stream(name), at_most: *at_most });
    Append { guards: guards.collect(), ..append }
}

/// The whole log, read page by page.
pub(crate) async fn whole(store: &Arc<dyn EventStore>) -> Vec<Arc<Record>> {
    let mut records: Vec<Arc<Record>> = Vec::new();
    loop {
        let after = records.last().map_or(Position::START, |record| record.position);
        let page = store.read_all(after, MAX_PAGE).await.unwrap();
        if page.is_empty() {
            assert!(records.is_sorted_by(|a, b| a.position < b.position), "the log is in order");
            return records;
        }
        records.extend(page);
    }
}

pub(crate) fn ids(records: &[Arc<Record>]) -> Vec<Uuid> {
    records.iter().map(|record| record.id).collect()
}

pub(crate) fn numbers(numbers: impl IntoIterator<Item = u128>) -> Vec<Uuid> {
    numbers.into_iter().map(id).collect()
}
