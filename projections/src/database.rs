//! Connections from the pool, with a deadline for whatever is asked of them.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{GenericClient, Object, Pool};
use event_store::Position;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::types::ToSql;
use tokio_postgres::{IsolationLevel, Row};

/// The longest that one query may take, the wait for a connection included.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// The read model cannot be asked now; trying again later may succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the read model cannot be reached")]
pub struct Unavailable(#[source] pub Arc<dyn std::error::Error + Send + Sync>);

impl Unavailable {
    pub(crate) fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Arc::from(source.into()))
    }
}

impl From<tokio_postgres::Error> for Unavailable {
    fn from(source: tokio_postgres::Error) -> Self {
        Self::new(source)
    }
}

pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Positions are stored as Postgres counts; a position no log reaches compares as the greatest.
pub(crate) fn to_bigint(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}

pub(crate) fn position(row: &Row, column: &str) -> Position {
    Position(row.get::<_, i64>(column).unsigned_abs())
}

#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool,
}

impl Database {
    pub(crate) fn new(pool: Pool) -> Self {
        Self { pool }
    }

    pub(crate) async fn rows(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Unavailable> {
        self.within(async |connection| rows(connection, sql, params).await).await
    }

    pub(crate) async fn row(&self, sql: &str, params: Params<'_>) -> Result<Option<Row>, Unavailable> {
        self.within(async |connection| row(connection, sql, params).await).await
    }

    /// Runs `work` on a connection. What it asks for concurrently goes out in one round trip.
    pub(crate) async fn within<T>(
        &self,
        work: impl AsyncFnOnce(&Object) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Unavailable> {
        self.with(async |connection| work(connection).await).await
    }

    /// Runs `work` on one snapshot of the read model: all that it reads is the log at one position.
    pub(crate) async fn snapshot<T>(
        &self,
        work: impl AsyncFnOnce(&deadpool_postgres::Transaction<'_>) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Unavailable> {
        self.with(async |connection| {
            let transaction = connection
                .build_transaction()
                .isolation_level(IsolationLevel::RepeatableRead)
                .read_only(true)
                .start()
                .await?;
            // Before the snapshot, which the first query takes (LOCK takes none): a swap of schemas in between would
            // leave the names pointing at rows that the snapshot does not see.
            transaction.batch_execute("LOCK TABLE read.checkpoint IN ACCESS SHARE MODE").await?;
            let answer = work(&transaction).await?;
            transaction.commit().await?;
            Ok(answer)
        })
        .await
    }

    async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut Object) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Unavailable> {
        let deadline = Instant::now() + TIMEOUT;
        let overdue = |_| Unavailable::new(format!("no answer within {TIMEOUT:?}"));
        let mut connection =
            timeout_at(deadline, self.pool.get()).await.map_err(overdue)?.map_err(Unavailable::new)?;
        match timeout_at(deadline, work(&mut connection)).await {
            Ok(answer) => Ok(answer?),
            Err(elapsed) => {
                // Its statement may still run: the next caller must not wait behind it.
                drop(Object::take(connection));
                Err(overdue(elapsed))
            }
        }
    }
}

pub(crate) async fn rows(
    client: &impl GenericClient,
    sql: &str,
    params: Params<'_>,
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let statement = client.prepare_cached(sql).await?;
    client.query(&statement, params).await
}

pub(crate) async fn row(
    client: &impl GenericClient,
    sql: &str,
    params: Params<'_>,
) -> Result<Option<Row>, tokio_postgres::Error> {
    let statement = client.prepare_cached(sql).await?;
    client.query_opt(&statement, params).await
}
