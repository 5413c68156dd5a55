use std::sync::Arc;

use event_store::{EventStore, Position, Record, Tail};
use tokio::task::JoinSet;

use crate::{
    Fixture,
    events::{any, ids, numbers, whole},
};

/// The next `count` records; there must not be more.
async fn take(tail: &mut Tail, count: usize) -> Vec<Arc<Record>> {
    let mut records = Vec::new();
    while records.len() < count {
        records.extend(tail.next().await.unwrap());
    }
    assert_eq!(records.len(), count);
    assert_eq!(tail.position(), records.last().map_or(Position::START, |record| record.position));
    records
}

pub(crate) async fn a_tail_waits_for_what_comes(log: impl Fixture) {
    let handles = [log.open().await, log.open().await];
    let mut tails = handles.clone().map(|store| store.tail(Position::START));
    for number in 0..10 {
        for tail in &mut tails {
            // Polled once, so that it waits when the record comes.
            let waiting = tokio::time::timeout(std::time::Duration::ZERO, tail.next()).await;
            assert!(waiting.is_err(), "{waiting:?}");
        }
        handles[usize::try_from(number % 2).unwrap()].append(any("a", [number])).await.unwrap();
        for tail in &mut tails {
            assert_eq!(ids(&take(tail, 1).await), numbers([number]));
        }
    }
}

pub(crate) async fn a_tail_begins_where_it_is_told(log: impl Fixture) {
    let store = log.open().await;
    store.append(any("a", 0..10)).await.unwrap();
    let records = whole(&store).await;
    for store in [store.clone(), log.open().await] {
        assert_eq!(take(&mut store.clone().tail(records[3].position), 6).await, records[4..]);
    }
    // A position that the log reaches only later: as when a cursor comes from a node that is ahead.
    let mut ahead = log.open().await.tail(Position(records[9].position.0 + 1));
    store.append(any("a", 10..20)).await.unwrap();
    let seen = ahead.next().await.unwrap();
    assert!(seen.iter().all(|record| record.position.0 > records[9].position.0 + 1));
    assert_eq!(seen.last(), whole(&store).await.last());
}

pub(crate) async fn tails_see_everything_once_in_order_while_many_write(log: impl Fixture) {
    const WRITERS: usize = 8;
    const EACH: usize = 125;
    // Each writer's appends have one and three events by turns, and a last one evens their number out.
    const EVENTS: usize = WRITERS * EACH * 2;
    let handles = [log.open().await, log.open().await];
    let mut tails = JoinSet::new();
    let follow = |store: &Arc<dyn EventStore>| {
        let mut tail = store.clone().tail(Position::START);
        async move { take(&mut tail, EVENTS).await }
    };
    for store in &handles {
        tails.spawn(follow(store));
        tails.spawn(follow(store));
    }
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = handles[writer % 2].clone();
        writers.spawn(async move {
            for number in 0..EACH {
                let first = ((writer * EACH + number) * 3) as u128;
                let events = if number % 2 == 0 { first..first + 1 } else { first..first + 3 };
                store.append(any(&format!("stream-{}", number % 11), events)).await.unwrap();
            }
            store.append(any("end", [(1_000_000 + writer) as u128])).await.unwrap();
        });
    }
    writers.join_all().await;
    tails.spawn(follow(&handles[0]));
    tails.spawn(follow(&log.open().await));

    let records = whole(&handles[1]).await;
    assert_eq!(records.len(), EVENTS);
    let seen = tails.join_all().await;
    assert_eq!(seen.len(), 6);
    for seen in seen {
        assert_eq!(seen, records);
    }
}
