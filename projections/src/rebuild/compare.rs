//! Whether two read models hold the same rows.

use event_store::{LogId, Position};
use tokio_postgres::{Client, IsolationLevel, NoTls};
use tokio_util::task::AbortOnDropHandle;

use super::RebuildError;
use crate::database::position as position_of;
use crate::schema::{Schema, TABLES, shape};

/// What a table holds, whatever the order of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    pub rows: u64,
    /// The sum of the rows' hashes.
    pub checksum: String,
}

/// A table that is not the same in the live read model and in the rebuilt one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub table: &'static str,
    pub live: Contents,
    pub rebuilt: Contents,
}

/// The contents of every table, at one position.
pub(super) struct Snapshot {
    pub(super) position: Position,
    contents: Vec<Contents>,
}

/// Comparing reads whole tables; rows are compared as text, which must not depend on the database's settings.
const SETTINGS: &str = "
    SET statement_timeout = 0;
    SET timezone = 'UTC';
    SET datestyle = 'ISO, YMD';
    SET bytea_output = 'hex';
";

/// The checkpoint of the live read model.
pub(super) async fn position(url: &str, log_id: LogId) -> Result<Position, RebuildError> {
    let (client, _connection) = connect(url).await?;
    checkpoint(&client, Schema::Live, log_id).await
}

pub(super) async fn live(url: &str, log_id: LogId) -> Result<Snapshot, RebuildError> {
    snapshot(url, Schema::Live, log_id).await
}

pub(super) async fn next(url: &str, log_id: LogId) -> Result<Snapshot, RebuildError> {
    snapshot(url, Schema::Next, log_id).await
}

pub(super) fn differences(live: &Snapshot, rebuilt: &Snapshot) -> Vec<Difference> {
    let pairs = live.contents.iter().zip(&rebuilt.contents).zip(TABLES);
    pairs
        .filter(|((live, rebuilt), _)| live != rebuilt)
        .map(|((live, rebuilt), table)| Difference { table, live: live.clone(), rebuilt: rebuilt.clone() })
        .collect()
}

async fn connect(
    url: &str,
) -> Result<(Client, AbortOnDropHandle<Result<(), tokio_postgres::Error>>), RebuildError> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = AbortOnDropHandle::new(tokio::spawn(connection));
    client.batch_execute(SETTINGS).await?;
    Ok((client, connection))
}

async fn checkpoint(
    client: &impl tokio_postgres::GenericClient,
    schema: Schema,
    log_id: LogId,
) -> Result<Position, RebuildError> {
    let sql = schema.fill("SELECT position FROM {schema}.checkpoint WHERE log_id = $1 AND shape = $2");
    let row =
        client.query_opt(&sql, &[&log_id.0 as &(dyn tokio_postgres::types::ToSql + Sync), &shape()]).await?;
    row.map(|row| position_of(&row, "position")).ok_or(RebuildError::NotComparable)
}

async fn snapshot(url: &str, schema: Schema, log_id: LogId) -> Result<Snapshot, RebuildError> {
    let (mut client, _connection) = connect(url).await?;
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    // Before the snapshot, as every reader of several tables does: see `Database::snapshot`.
    transaction.batch_execute(&schema.fill("LOCK TABLE {schema}.checkpoint IN ACCESS SHARE MODE")).await?;
    let position = checkpoint(&transaction, schema, log_id).await?;
    let mut contents = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let sql = schema.fill(&format!(
            "SELECT count(*), coalesce(sum(hashtextextended({table}::text, 0)::numeric), 0)::text
            FROM {{schema}}.{table}"
        ));
        let row = transaction.query_one(&sql, &[]).await?;
        contents.push(Contents { rows: row.get::<_, i64>(0).unsigned_abs(), checksum: row.get(1) });
    }
    transaction.commit().await?;
    Ok(Snapshot { position, contents })
}
