//! Reading the table.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use deadpool_postgres::Pool;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use crate::{Position, Record, Sealed, StreamName, Topic};

/// For a connection of the pool and the answer together.
const TIMEOUT: Duration = Duration::from_secs(15);

macro_rules! columns {
    () => {
        "events.position, events.stream, events.version, events.id, events.kind, events.schema, events.topic, \
         events.data, events.key_id, events.nonce, events.ciphertext, events.meta, events.recorded_at"
    };
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the pool gave no connection")]
    Pool(#[from] deadpool_postgres::PoolError),
    #[error("the database refused a query or closed the connection")]
    Database(#[from] tokio_postgres::Error),
    #[error("the database did not answer in time")]
    TimedOut(#[from] tokio::time::error::Elapsed),
}

type Records = Vec<Arc<Record>>;

pub(super) async fn stream(pool: &Pool, stream: &StreamName, after_version: u64) -> Result<Records, Failure> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM log.events WHERE stream = $1 AND version > $2 ORDER BY version"
    );
    query(pool, SQL, &[&stream.as_str(), &signed(after_version)]).await
}

pub(super) async fn all(pool: &Pool, after: Position, limit: usize) -> Result<Records, Failure> {
    const SQL: &str =
        concat!("SELECT ", columns!(), " FROM log.events WHERE position > $1 ORDER BY position LIMIT $2");
    query(pool, SQL, &[&signed(after.0), &signed(limit as u64)]).await
}

pub(super) async fn find(pool: &Pool, id: Uuid) -> Result<Option<Arc<Record>>, Failure> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM log.events WHERE id = $1");
    Ok(query(pool, SQL, &[&id]).await?.pop())
}

pub(super) async fn head(pool: &Pool) -> Result<Position, Failure> {
    const SQL: &str = "SELECT coalesce(max(position), 0) FROM log.events";
    let rows = rows(pool, SQL, &[]).await?;
    Ok(rows.first().map_or(Position::START, |row| Position(row.get::<_, i64>(0).cast_unsigned())))
}

/// Index entries that one look at the topics may cost.
const ENTRIES: usize = 16_384;

/// Records of the topics after `after`; `head` is a position that the log is known to have reached.
///
/// Each topic's newest entries are taken from its index, which costs up to topics × limit entries where the topics
/// are busy. There a stretch of the log close behind `after` fills the page, so with many topics stretches are tried
/// first; where the topics are quiet, the look at the whole rest costs little.
pub(super) async fn topics(
    pool: &Pool,
    topics: &[Topic],
    after: Position,
    limit: usize,
    head: Position,
) -> Result<Records, Failure> {
    let names: Vec<&str> = topics.iter().map(Topic::as_str).collect();
    let mut after = after.0;
    let mut found = Vec::new();
    let mut stretch = limit as u64 * 16;
    for _ in 0..3 {
        let up_to = after.saturating_add(stretch);
        if names.len() * limit <= ENTRIES || up_to >= head.0 {
            break;
        }
        found.extend(topics_between(pool, &names, after, up_to, limit - found.len()).await?);
        if found.len() == limit {
            return Ok(found);
        }
        after = up_to;
        stretch *= 16;
    }
    found.extend(topics_between(pool, &names, after, u64::MAX, limit - found.len()).await?);
    Ok(found)
}

async fn topics_between(
    pool: &Pool,
    topics: &[&str],
    after: u64,
    up_to: u64,
    limit: usize,
) -> Result<Records, Failure> {
    // The inner query reads nothing but the index. DISTINCT: a topic named twice is one topic. OFFSET 0 keeps the
    // planner from reading the whole table for a page that it believes to be long.
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM (
            SELECT entry.position
            FROM (SELECT DISTINCT name COLLATE \"C\" AS name FROM unnest($1::text[]) AS named (name)) AS topics
            CROSS JOIN LATERAL (
                SELECT events.position
                FROM log.events
                WHERE events.topic = topics.name AND events.position > $2 AND events.position <= $3
                ORDER BY events.position
                LIMIT $4
            ) AS entry
            ORDER BY entry.position
            LIMIT $4
        ) AS page
        CROSS JOIN LATERAL (
            SELECT ",
        columns!(),
        " FROM log.events WHERE events.position = page.position OFFSET 0
        ) AS events
        ORDER BY events.position"
    );
    query(pool, SQL, &[&topics, &signed(after), &signed(up_to), &signed(limit as u64)]).await
}

/// What is above a `bigint` is above every position and version.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

async fn query(pool: &Pool, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Records, Failure> {
    rows(pool, sql, params).await?.iter().map(|row| Ok(Arc::new(record(row)?))).collect()
}

async fn rows(pool: &Pool, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Failure> {
    let answer = async {
        let client = pool.get().await?;
        let statement = client.prepare_cached(sql).await?;
        Ok(client.query(&statement, params).await?)
    };
    tokio::time::timeout(TIMEOUT, answer).await?
}

fn record(row: &Row) -> Result<Record, tokio_postgres::Error> {
    let bytes = |index| row.try_get(index).map(Bytes::copy_from_slice);
    let nonce: Option<&[u8]> = row.try_get(9)?;
    let sealed = match (row.try_get(8)?, nonce.map(TryInto::try_into), row.try_get::<_, Option<&[u8]>>(10)?) {
        (Some(key_id), Some(Ok(nonce)), Some(ciphertext)) => {
            Some(Sealed { key_id, nonce, ciphertext: Bytes::copy_from_slice(ciphertext) })
        }
        // The table's checks leave no other case.
        _ => None,
    };
    Ok(Record {
        position: Position(row.try_get::<_, i64>(0)?.cast_unsigned()),
        stream: StreamName::new(row.try_get::<_, &str>(1)?),
        version: row.try_get::<_, i64>(2)?.cast_unsigned(),
        id: row.try_get(3)?,
        kind: row.try_get(4)?,
        schema: row.try_get::<_, i16>(5)?.cast_unsigned(),
        topic: Topic::new(row.try_get::<_, &str>(6)?),
        data: bytes(7)?,
        sealed,
        meta: bytes(11)?,
        recorded_at: row.try_get(12)?,
    })
}
