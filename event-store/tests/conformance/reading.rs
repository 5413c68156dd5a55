use std::{collections::HashSet, sync::Arc};

use event_store::{Append, EventStore, MAX_PAGE, NewEvent, Position, Topic};

use crate::{
    Fixture,
    events::{any, event, id, ids, numbers, stream, topic, whole},
};

pub(crate) async fn an_empty_log_is_empty_everywhere(log: impl Fixture) {
    let store = log.open().await;
    assert_eq!(store.head().await.unwrap(), Position::START);
    assert_eq!(store.read_all(Position::START, 10).await.unwrap(), []);
    assert_eq!(store.read_stream(&stream("a"), 0).await.unwrap(), []);
    assert_eq!(store.read_topics(&[topic("topic")], Position::START, 10).await.unwrap(), []);
    assert_eq!(store.find(id(1)).await.unwrap(), None);
}

pub(crate) async fn a_stream_is_read_after_a_version(log: impl Fixture) {
    let store = log.open().await;
    // More than a page: a stream is answered whole.
    let count = MAX_PAGE as u128 + 50;
    store.append(any("a", 0..count)).await.unwrap();
    store.append(any("a-", [count])).await.unwrap();
    let read = async |after| ids(&store.read_stream(&stream("a"), after).await.unwrap());
    assert_eq!(read(0).await, numbers(0..count));
    assert_eq!(read(1).await, numbers(1..count));
    assert_eq!(read(count as u64 - 1).await, numbers([count - 1]));
    assert_eq!(read(count as u64).await, numbers([]));
    assert_eq!(read(u64::MAX).await, numbers([]));
}

pub(crate) async fn the_log_is_read_in_pages(log: impl Fixture) {
    let (store, other) = (log.open().await, log.open().await);
    let count = MAX_PAGE as u128 + 300;
    store.append(any("a", 0..700)).await.unwrap();
    store.append(any("b", 700..count)).await.unwrap();
    // One that was opened after everything has it all to read.
    for store in [store, other, log.open().await] {
        let all = whole(&store).await;
        assert_eq!(ids(&all), numbers(0..count));
        assert_eq!(store.read_all(Position::START, 0).await.unwrap(), []);
        assert_eq!(store.read_all(Position::START, 3).await.unwrap(), all[..3]);
        assert_eq!(store.read_all(Position::START, usize::MAX).await.unwrap(), all[..MAX_PAGE]);
        assert_eq!(store.read_all(all[99].position, 3).await.unwrap(), all[100..103]);
        let (newest, before) = (all[all.len() - 1].position, all[all.len() - 2].position);
        assert_eq!(ids(&store.read_all(before, 3).await.unwrap()), numbers([count - 1]));
        assert_eq!(store.read_all(newest, 3).await.unwrap(), []);
        assert_eq!(store.read_all(Position(u64::MAX), 3).await.unwrap(), []);
    }
}

/// Appends one event per topic given, each to a stream of its own.
async fn append_topics(store: &Arc<dyn EventStore>, topics: impl Iterator<Item = String>) {
    let topics: Vec<_> = topics.collect();
    for (chunk, topics) in topics.chunks(500).enumerate() {
        let event = |(index, name): (usize, &String)| NewEvent {
            topic: topic(name),
            ..event((chunk * 500 + index) as u128)
        };
        let events = topics.iter().enumerate().map(event).collect();
        store.append(Append { events, ..any(&format!("stream-{chunk}"), []) }).await.unwrap();
    }
}

/// Reads `topics` in pages of `limit` and compares them with the whole log, filtered.
async fn assert_topics(store: &Arc<dyn EventStore>, topics: &[Topic], limit: usize) {
    let wanted: HashSet<_> = topics.iter().collect();
    let mut expected = whole(store).await;
    expected.retain(|record| wanted.contains(&record.topic));
    let mut after = Position::START;
    for page in expected.chunks(limit.min(MAX_PAGE)) {
        assert_eq!(store.read_topics(topics, after, limit).await.unwrap(), page);
        after = page.last().map_or(after, |record| record.position);
    }
    assert_eq!(store.read_topics(topics, after, limit).await.unwrap(), []);
}

pub(crate) async fn topics_are_read_in_log_order(log: impl Fixture) {
    let (store, other) = (log.open().await, log.open().await);
    append_topics(&store, (0..100).map(|index| format!("topic-{}", index * index % 7))).await;
    let name = |number| topic(&format!("topic-{number}"));
    for store in [&store, &other] {
        for limit in [1, 7, 1_000, usize::MAX] {
            assert_topics(store, &[name(0)], limit).await;
            assert_topics(store, &[name(4), name(1)], limit).await;
            assert_topics(store, &[name(2), name(1), name(2), name(99)], limit).await;
            assert_topics(store, &[name(3)], limit).await;
            assert_topics(store, &[], limit).await;
        }
        assert_eq!(store.read_topics(&[name(1)], Position::START, 0).await.unwrap(), []);
        assert_eq!(store.read_topics(&[name(1)], Position(u64::MAX), 9).await.unwrap(), []);
    }
}

/// Busy, rare and silent topics together, and enough log that reading close behind a position and reading it all
/// differ.
pub(crate) async fn many_topics_are_read_in_pages(log: impl Fixture) {
    let store = log.open().await;
    // An adapter may look close behind a position first, and at the rest then: some stand where one ends.
    let name = |index: usize| match index % 10 {
        _ if (1_570..1_700).contains(&index) => format!("edge-{}", index % 2),
        0..5 => format!("busy-{}", index % 3),
        5..9 => format!("quiet-{}", index % 900),
        _ => format!("other-{index}"),
    };
    append_topics(&store, (0..4_000).map(name)).await;
    let busy = (0..3).map(|number| format!("busy-{number}"));
    let quiet = (0..900).map(|number| format!("quiet-{number}"));
    let late = (3_900..4_100).map(|number| format!("other-{number}"));
    let edge = (0..1_000).map(|number| format!("edge-{number}"));
    let topics = |names: &mut dyn Iterator<Item = String>| names.map(|name| topic(&name)).collect::<Vec<_>>();
    for limit in [100, 1_000] {
        assert_topics(&store, &topics(&mut quiet.clone().chain(busy.clone())), limit).await;
        assert_topics(&store, &topics(&mut quiet.clone()), limit).await;
        assert_topics(&store, &topics(&mut late.clone()), limit).await;
        assert_topics(&store, &topics(&mut edge.clone()), limit).await;
    }
}

pub(crate) async fn a_record_is_found_by_its_id(log: impl Fixture) {
    let (store, other) = (log.open().await, log.open().await);
    let appended = store.append(any("a", [1, 2])).await.unwrap();
    let found = other.find(id(2)).await.unwrap().unwrap();
    assert_eq!((found.position, found.id), (appended.position, id(2)));
    assert_eq!(store.find(id(3)).await.unwrap(), None);
}

pub(crate) async fn the_head_is_the_newest_position(log: impl Fixture) {
    let (store, other) = (log.open().await, log.open().await);
    for number in 0..5 {
        let appended = store.append(any("a", [number])).await.unwrap();
        assert_eq!(store.head().await.unwrap(), appended.position);
        assert_eq!(other.head().await.unwrap(), appended.position);
    }
}

pub(crate) async fn a_log_keeps_its_identity_and_shares_it_with_none<F: Fixture>(log: F) {
    let (store, other, foreign) = (log.open().await, log.open().await, F::fresh().await);
    assert_eq!(store.log_id(), other.log_id());
    assert_ne!(store.log_id(), foreign.open().await.log_id());
}
