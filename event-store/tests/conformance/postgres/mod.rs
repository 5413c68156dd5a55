//! What only the Postgres adapter can break.

pub(crate) mod append_only;
pub(crate) mod cut;
pub(crate) mod nodes;
mod proxy;
pub(crate) mod recall;
pub(crate) mod shutdown;
pub(crate) mod turns;

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::{Manager, Pool};
use event_store::{
    EventStore,
    postgres::{PostgresStore, migrate},
};
use local_postgres::TestDatabase;
use tokio_postgres::{Client, Config, NoTls};
use tokio_util::sync::CancellationToken;

use crate::Fixture;

pub(crate) struct PostgresLog {
    database: TestDatabase,
}

#[async_trait]
impl Fixture for PostgresLog {
    async fn fresh() -> Self {
        let prepare = |url: String| async move { migrate(&url).await.map(drop) };
        Self { database: TestDatabase::from_template("event_store", prepare).await }
    }

    async fn open(&self) -> Arc<dyn EventStore> {
        self.node().await
    }
}

impl PostgresLog {
    fn url(&self) -> &str {
        self.database.url()
    }

    fn pool(&self) -> Pool {
        let config: Config = self.url().parse().unwrap();
        Pool::builder(Manager::new(config, NoTls)).max_size(4).build().unwrap()
    }

    async fn node(&self) -> Arc<PostgresStore> {
        PostgresStore::connect(self.url(), self.pool(), CancellationToken::new()).await.unwrap()
    }

    /// A session beside all nodes.
    async fn session(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(self.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

/// Appends an event by hand, as no node does; `$1` is its number.
const RAW_INSERT: &str = "
    INSERT INTO log.events (version, recorded_at, id, schema, stream, kind, topic, data, meta)
    VALUES (1, clock_timestamp(), $1, 1, 'raw-' || ($1::uuid)::text, 'thing.happened', 'topic', '{}', '{}')
    RETURNING position";

async fn raw_insert(client: &Client, number: u128) -> u64 {
    let row = client.query_one(RAW_INSERT, &[&crate::events::id(number)]).await.unwrap();
    row.get::<_, i64>(0).cast_unsigned()
}

/// Returns when as many sessions as this wait for an advisory lock.
async fn until_waiting_for_lock(observer: &Client, sessions: i64) {
    const WAITING: &str = "
        SELECT count(*) FROM pg_locks
        WHERE locktype = 'advisory' AND NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    while observer.query_one(WAITING, &[]).await.unwrap().get::<_, i64>(0) != sessions {
        tokio::task::yield_now().await;
    }
}
