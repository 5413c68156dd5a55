//! What a node learns of the others, and what it needs them for.

use std::time::{Duration, Instant};

use event_store::{AppendError, EventStore, Position};
use tokio_util::sync::CancellationToken;

use super::{PostgresLog, raw_insert};
use crate::{
    Fixture,
    events::{any, ids, numbers, whole},
};

pub(crate) async fn a_tail_sees_what_was_written_without_a_hint(log: PostgresLog) {
    let (node, session) = (log.node().await, log.session().await);
    let mut tail = node.clone().tail(Position::START);
    raw_insert(&session, 1).await;
    assert_eq!(ids(&tail.next().await.unwrap()), numbers([1]));
    // Its own append now stands behind one that it has not seen.
    raw_insert(&session, 2).await;
    node.append(any("a", [3])).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        seen.extend(tail.next().await.unwrap());
    }
    assert_eq!(ids(&seen), numbers([2, 3]));
}

/// With the polling alone each hop would take half a second and more.
pub(crate) async fn hints_carry_appends_between_nodes(log: PostgresLog) {
    const HOPS: u128 = 40;
    let nodes = [log.node().await, log.node().await];
    let mut tails = nodes.clone().map(|node| node.tail(Position::START));
    let started = Instant::now();
    for hop in 0..HOPS {
        let from = usize::try_from(hop % 2).unwrap();
        nodes[from].append(any("a", [hop])).await.unwrap();
        assert_eq!(ids(&tails[from].next().await.unwrap()), numbers([hop]));
        assert_eq!(ids(&tails[1 - from].next().await.unwrap()), numbers([hop]));
    }
    let took = started.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
}

pub(crate) async fn near_the_head_nothing_is_queried(log: PostgresLog) {
    log.node().await.append(any("a", [1])).await.unwrap();
    let pool = log.pool();
    let node =
        event_store::postgres::PostgresStore::connect(log.url(), pool.clone(), CancellationToken::new())
            .await
            .unwrap();
    let head = node.head().await.unwrap();
    pool.close();
    let mut tail = node.clone().tail(head);
    for number in 2..10 {
        node.append(any("a", [number])).await.unwrap();
        assert_eq!(ids(&tail.next().await.unwrap()), numbers([number]));
    }
    assert_eq!(ids(&node.read_all(head, 3).await.unwrap()), numbers([2, 3, 4]));
    node.read_all(Position::START, 3).await.unwrap_err();
}

pub(crate) async fn a_node_goes_on_when_all_its_connections_are_ended(log: PostgresLog) {
    const END: &str = "
        SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let (node, session) = (log.node().await, log.session().await);
    let mut tail = node.clone().tail(Position::START);
    for number in 0..5 {
        session.execute(END, &[]).await.unwrap();
        while let Err(error) = node.append(any("a", [number])).await {
            assert!(matches!(error, AppendError::Unavailable(_)), "{error:?}");
        }
        // By another's hand, so that only the follower can bring it.
        raw_insert(&session, 100 + number).await;
        let mut seen = Vec::new();
        while seen.len() < 2 {
            seen.extend(tail.next().await.unwrap_or_default());
        }
        assert_eq!(ids(&seen), numbers([number, 100 + number]));
    }
    assert_eq!(whole(&log.open().await).await.len(), 10);
}

pub(crate) async fn a_copy_of_a_log_takes_an_identity_of_its_own_and_keeps_it(log: PostgresLog) {
    let session = log.session().await;
    let first = log.node().await.log_id();
    // As it stands in a copy: the identity was given elsewhere.
    session.batch_execute("UPDATE log.identity SET cluster = cluster - 1").await.unwrap();
    let second = log.node().await.log_id();
    assert_ne!(first, second);
    assert_eq!(second, log.node().await.log_id());
}
