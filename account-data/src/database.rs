//! Connections from the pool, with a deadline for whatever is asked of them.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{GenericClient as _, Object, Pool, Transaction};
use domain::AccountId;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// The longest that one call may take, the wait for a connection included.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What accounts keep cannot be reached now; trying again later may succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the data of accounts cannot be reached")]
pub struct Unavailable(#[source] Arc<dyn std::error::Error + Send + Sync>);

impl Unavailable {
    pub(crate) fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Arc::from(source.into()))
    }
}

pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Positions are stored as Postgres counts; one that no log reaches is stored as the greatest.
pub(crate) fn to_bigint(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

pub(crate) fn uuids(accounts: &[AccountId]) -> Vec<Uuid> {
    accounts.iter().map(|account| account.0).collect()
}

/// Runs one statement of a transaction.
pub(crate) async fn query(
    transaction: &Transaction<'_>,
    sql: &str,
    params: Params<'_>,
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let statement = transaction.prepare_cached(sql).await?;
    transaction.query(&statement, params).await
}

/// Makes what counts an account's rows and adds to them wait for others that do, so that a limit is exact.
pub(crate) async fn lock_account(
    transaction: &Transaction<'_>,
    account: AccountId,
) -> Result<(), tokio_postgres::Error> {
    const SQL: &str = "SELECT pg_advisory_xact_lock(hashtextextended('account_data ' || $1::text, 0))";
    query(transaction, SQL, &[&account.0.to_string()]).await.map(drop)
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
        self.with(async |connection| {
            let statement = connection.prepare_cached(sql).await?;
            connection.query(&statement, params).await
        })
        .await
    }

    pub(crate) async fn row(&self, sql: &str, params: Params<'_>) -> Result<Option<Row>, Unavailable> {
        self.with(async |connection| {
            let statement = connection.prepare_cached(sql).await?;
            connection.query_opt(&statement, params).await
        })
        .await
    }

    /// Runs `work` in one transaction, which is committed if it succeeds.
    pub(crate) async fn transaction<T>(
        &self,
        work: impl AsyncFnOnce(&Transaction<'_>) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Unavailable> {
        self.with(async |connection| {
            let transaction = connection.transaction().await?;
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
            Ok(answer) => answer.map_err(Unavailable::new),
            Err(elapsed) => {
                // Its statement may still run: the next caller must not wait behind it.
                drop(Object::take(connection));
                Err(overdue(elapsed))
            }
        }
    }
}
