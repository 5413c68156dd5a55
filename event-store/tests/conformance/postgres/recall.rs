//! What a node remembers of the log is never taken for the log.

use event_store::{AppendError, EventStore, Expected};

use super::{PostgresLog, raw_insert};
use crate::{
    Fixture,
    events::{any, append, event, guarded, ids, numbers, whole},
};

/// More batches than a node looks up after it was wrong once, so that it relies on its memory again.
const MANY: u128 = 100;

pub(crate) async fn a_refusal_is_never_that_of_an_older_log(log: PostgresLog) {
    let (node, other) = (log.node().await, log.node().await);
    node.append(any("a", [1])).await.unwrap();
    node.append(any("a", [2])).await.unwrap();
    other.append(append("a", Expected::Exact(2), [3])).await.unwrap();
    let appended = node.append(append("a", Expected::Exact(3), [4])).await.unwrap();
    assert_eq!((appended.version, appended.first_meta), (4, None));
}

pub(crate) async fn a_guard_is_checked_against_what_another_node_appended(log: PostgresLog) {
    let (node, other) = (log.node().await, log.node().await);
    node.append(any("guarded", [0])).await.unwrap();
    for number in 1..MANY {
        let name = format!("stream-{number}");
        let append = guarded(append(&name, Expected::NoStream, [number]), &[("guarded", 1)]);
        node.append(append).await.unwrap();
    }
    other.append(any("guarded", [MANY])).await.unwrap();
    let append = guarded(append("late", Expected::NoStream, [MANY + 1]), &[("guarded", 1)]);
    let error = node.append(append).await.unwrap_err();
    assert!(matches!(error, AppendError::GuardFailed { current: 2, .. }), "{error:?}");
    assert_eq!(ids(&whole(&log.open().await).await), numbers(0..=MANY));
}

pub(crate) async fn a_stream_that_is_taken_for_new_is_looked_up_when_the_table_knows_it(log: PostgresLog) {
    let session = log.session().await;
    raw_insert(&session, 1).await;
    let node = log.node().await;
    node.append(any("a", [2])).await.unwrap();
    let name = format!("raw-{}", crate::events::id(1));
    let beside = tokio::join!(
        node.append(append(&name, Expected::NoStream, [3])),
        node.append(append("new", Expected::NoStream, [4])),
    );
    let error = beside.0.unwrap_err();
    assert!(matches!(error, AppendError::WrongVersion { current: 1, .. }), "{error:?}");
    assert_eq!(beside.1.unwrap().version, 1);
    assert_eq!(ids(&whole(&log.open().await).await), numbers([1, 2, 4]));
}

pub(crate) async fn an_id_that_is_taken_for_new_is_looked_up_when_the_table_knows_it(log: PostgresLog) {
    let node = log.node().await;
    node.append(any("a", [1])).await.unwrap();
    let first = node.append(append("first", Expected::NoStream, [2])).await.unwrap();
    let repeated = node.append(append("second", Expected::NoStream, [2])).await.unwrap();
    assert_eq!((repeated.position, repeated.version), (first.position, 1));
    assert_eq!(repeated.recorded_at, first.recorded_at);
    assert_eq!(repeated.first_meta, Some(event(2).meta));
    // The attempt left nothing behind, and the node goes on.
    for number in 3..MANY {
        node.append(any("a", [number])).await.unwrap();
    }
    assert_eq!(ids(&whole(&log.open().await).await), numbers(1..MANY));
}
