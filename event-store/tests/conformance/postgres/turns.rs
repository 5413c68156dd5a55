//! The lock: who takes a position first commits first.

use event_store::{EventStore, Position};

use super::{PostgresLog, raw_insert, until_waiting_for_lock};
use crate::{
    Fixture,
    events::{any, ids, numbers, whole},
};

pub(crate) async fn a_transaction_cannot_take_a_position_while_another_holds_a_lower_one(log: PostgresLog) {
    let (first, second, observer) = (log.session().await, log.session().await, log.session().await);
    first.batch_execute("BEGIN").await.unwrap();
    let lower = raw_insert(&first, 1).await;
    let later = tokio::spawn(async move { raw_insert(&second, 2).await });
    until_waiting_for_lock(&observer, 1).await;
    assert_eq!(log.node().await.head().await.unwrap(), Position::START);
    assert!(!later.is_finished());

    first.batch_execute("COMMIT").await.unwrap();
    assert!(lower < later.await.unwrap());
}

pub(crate) async fn an_append_waits_for_another_writers_transaction_and_stands_behind_it(log: PostgresLog) {
    let (node, other, writer, observer) =
        (log.node().await, log.node().await, log.session().await, log.session().await);
    let mut tail = other.clone().tail(Position::START);
    writer.batch_execute("BEGIN").await.unwrap();
    let lower = raw_insert(&writer, 1).await;
    let append = tokio::spawn({
        let node = node.clone();
        async move { node.append(any("a", [2])).await }
    });
    until_waiting_for_lock(&observer, 1).await;
    assert!(!append.is_finished());
    assert_eq!(node.head().await.unwrap(), Position::START);

    writer.batch_execute("COMMIT").await.unwrap();
    let appended = append.await.unwrap().unwrap();
    assert!(Position(lower) < appended.position);
    let mut seen = Vec::new();
    while seen.len() < 2 {
        seen.extend(tail.next().await.unwrap());
    }
    assert_eq!(ids(&seen), numbers([1, 2]));
}

pub(crate) async fn an_append_sees_what_was_committed_while_it_waited(log: PostgresLog) {
    let (node, writer, observer) = (log.node().await, log.session().await, log.session().await);
    // Even where the database asks for snapshots that are older than the lock.
    let database = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation \
        TO ''serializable''', current_database()); END $$";
    writer.batch_execute(database).await.unwrap();
    let strict = log.node().await;
    writer.batch_execute("BEGIN").await.unwrap();
    raw_insert(&writer, 1).await;
    let name = format!("raw-{}", crate::events::id(1));
    let appends = [node, strict].map(|store| {
        let append = crate::events::append(&name, event_store::Expected::NoStream, [2]);
        tokio::spawn(async move { store.append(append).await })
    });
    until_waiting_for_lock(&observer, 2).await;
    writer.batch_execute("COMMIT").await.unwrap();
    for append in appends {
        let error = append.await.unwrap().unwrap_err();
        assert!(matches!(error, event_store::AppendError::WrongVersion { current: 1, .. }), "{error:?}");
    }
    assert_eq!(ids(&whole(&log.open().await).await), numbers([1]));
}

/// A batch whose INSERT fails must not be taken for committed because its COMMIT says nothing.
pub(crate) async fn an_append_that_the_table_refuses_is_not_answered_with_success(log: PostgresLog) {
    let (node, session) = (log.node().await, log.session().await);
    session
        .batch_execute("ALTER TABLE log.events ADD CONSTRAINT refuse CHECK (kind <> 'thing.happened')")
        .await
        .unwrap();
    let error = node.append(any("a", [1])).await.unwrap_err();
    assert!(matches!(error, event_store::AppendError::Unavailable(_)), "{error:?}");
    session.batch_execute("ALTER TABLE log.events DROP CONSTRAINT refuse").await.unwrap();
    let appended = node.append(any("a", [1])).await.unwrap();
    assert_eq!((appended.version, appended.first_meta), (1, None));
}
