use std::time::Duration;

use event_store::{AppendError, EventStore, postgres::PostgresStore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{PostgresLog, raw_insert, until_waiting_for_lock};
use crate::{
    Fixture,
    events::{any, id, ids, whole},
};

pub(crate) async fn what_is_queued_is_finished_and_what_comes_later_refused(log: PostgresLog) {
    let shutdown = CancellationToken::new();
    let node = PostgresStore::connect(log.url(), log.pool(), shutdown.clone()).await.unwrap();
    // A batch of one append waits for the lock, so the others are in the queue when the shutdown comes.
    let (writer, observer) = (log.session().await, log.session().await);
    writer.batch_execute("BEGIN").await.unwrap();
    raw_insert(&writer, 1_000).await;
    let mut appends = JoinSet::new();
    let append = |number| {
        let node = node.clone();
        async move { (number, node.append(any("a", [number])).await) }
    };
    appends.spawn(append(0));
    until_waiting_for_lock(&observer, 1).await;
    let mut queued = Vec::new();
    for number in 1..200 {
        let mut waiting = Box::pin(append(number));
        // Polled once: in the queue.
        let polled = tokio::time::timeout(Duration::ZERO, &mut waiting).await;
        assert!(polled.is_err(), "{polled:?}");
        queued.push(waiting);
    }

    shutdown.cancel();
    writer.batch_execute("COMMIT").await.unwrap();
    for waiting in queued {
        appends.spawn(waiting);
    }
    for (number, answer) in appends.join_all().await {
        assert!(answer.is_ok(), "{number}: {answer:?}");
    }
    node.closed().await;
    let refused = node.append(any("a", [500])).await.unwrap_err();
    assert!(matches!(refused, AppendError::Unavailable(_)), "{refused:?}");

    let mut landed = ids(&whole(&log.open().await).await);
    landed.sort();
    assert_eq!(landed, (0..200).chain([1_000]).map(id).collect::<Vec<_>>());
}

pub(crate) async fn a_dropped_node_leaves_no_connection_behind(log: PostgresLog) {
    const OTHERS: &str = "
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let observer = log.session().await;
    let others = async || observer.query_one(OTHERS, &[]).await.unwrap().get::<_, i64>(0);
    let node = log.node().await;
    node.append(any("a", [1])).await.unwrap();
    // To append, to hear hints, to read.
    while others().await < 3 {
        tokio::task::yield_now().await;
    }
    drop(node);
    while others().await > 0 {
        tokio::task::yield_now().await;
    }
}
