use tokio_postgres::error::SqlState;

use super::PostgresLog;
use crate::{
    Fixture,
    events::{any, ids, numbers, whole},
};

pub(crate) async fn rows_of_the_log_are_neither_changed_nor_removed(log: PostgresLog) {
    let store = log.open().await;
    store.append(any("a", [1, 2])).await.unwrap();
    let session = log.session().await;
    for statement in [
        "UPDATE log.events SET data = '{}'",
        "UPDATE log.events SET meta = meta WHERE false",
        "DELETE FROM log.events",
        "DELETE FROM log.events WHERE version = 2",
        "TRUNCATE log.events",
        "INSERT INTO log.events SELECT * FROM log.events
            ON CONFLICT (id) DO UPDATE SET data = excluded.data",
    ] {
        let error = session.batch_execute(statement).await.unwrap_err();
        let allowed = [SqlState::RESTRICT_VIOLATION, SqlState::from_code("428C9")];
        assert!(error.code().is_some_and(|code| allowed.contains(code)), "{statement}: {error:?}");
    }
    assert_eq!(ids(&whole(&log.open().await).await), numbers([1, 2]));
}
