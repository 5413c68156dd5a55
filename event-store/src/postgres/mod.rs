//! The log in Postgres: one table, one lock, one appender per process.
//!
//! Appends of all nodes take turns under one advisory lock, held from the look at the streams until the commit is
//! visible. So positions become visible in increasing order, guards and versions are exact, and a batch never races.
//! One connection per process waits for the lock, not one per writer; a batch costs one flush, and one round trip where
//! this process appended last and knows the streams, else two.
//!
//! | file | is |
//! |---|---|
//! | [`appender`] | gathers waiting appends into batches and answers them |
//! | [`batch`] | decides a batch, purely |
//! | [`recall`] | what needs no lookup, because this process appended last |
//! | [`session`] | the appender's connection and its statements |
//! | [`window`] | the newest records in memory |
//! | [`follower`], [`listener`] | bring in what other nodes wrote |
//! | [`read`] | the queries |

mod appender;
mod backoff;
mod batch;
mod follower;
mod listener;
mod read;
mod recall;
mod session;
mod window;

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Pool;
use migrations::Migration;
use tokio::sync::{Notify, watch};
use tokio_postgres::Config;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use uuid::Uuid;

use self::{appender::Appends, session::Session, window::Window};
use crate::{
    Append, AppendError, Appended, EventStore, LogId, MAX_PAGE, Position, Record, StreamName, Tail, Topic,
    Unavailable,
};

const MIGRATIONS: &[Migration] = migrations::migrations![
    "0001_schema",
    "0002_events",
    "0003_one_writer",
    "0004_append_only",
    "0005_identity",
];

/// Makes or updates the log's tables in the database at `url`; answers how many migrations it applied.
///
/// # Errors
/// See [`migrations::migrate`].
pub async fn migrate(url: &str) -> Result<usize, migrations::Error> {
    migrations::migrate(url, "event-store", MIGRATIONS).await
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("the log's tables could not be made or updated")]
    Migrations(#[from] migrations::Error),
    #[error("the log's database could not be reached")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<session::Failure> for ConnectError {
    fn from(failure: session::Failure) -> Self {
        Self::Database(failure.into())
    }
}

impl From<read::Failure> for ConnectError {
    fn from(failure: read::Failure) -> Self {
        Self::Database(failure.into())
    }
}

impl From<read::Failure> for Unavailable {
    fn from(failure: read::Failure) -> Self {
        Self(Arc::new(failure))
    }
}

/// A node's handle on a log in Postgres.
pub struct PostgresStore {
    log_id: LogId,
    pool: Pool,
    appends: Appends,
    window: Arc<Window>,
    tasks: TaskTracker,
    /// The tasks outlive neither the shutdown nor this handle.
    _running: DropGuard,
}

impl PostgresStore {
    /// Applies the migrations, then opens the log at `url`: one connection to append, one for hints between nodes,
    /// and the `pool`, on the same database, for reads. `shutdown` ends the background tasks: appends that are queued
    /// are finished, later ones are refused; see [`Self::closed`].
    ///
    /// # Errors
    /// Where the database is out of reach or is not as this version needs it.
    pub async fn connect(
        url: &str,
        pool: Pool,
        shutdown: CancellationToken,
    ) -> Result<Arc<Self>, ConnectError> {
        migrate(url).await?;
        let config: Config = url.parse().map_err(session::Failure::Database)?;
        let session = Session::open(&config).await?;
        let log_id = session.log_id().await?;
        let window = Arc::new(Window::at(read::head(&pool).await?));

        let shutdown = shutdown.child_token();
        let committed = watch::Sender::new(Position::START);
        let hint = Arc::new(Notify::new());
        let tasks = TaskTracker::new();
        tasks.spawn(listener::run(
            config.clone(),
            window.clone(),
            hint.clone(),
            committed.subscribe(),
            shutdown.clone(),
        ));
        tasks.spawn(follower::run(pool.clone(), window.clone(), hint.clone(), shutdown.clone()));
        let (appends, appender) = appender::Appender::new(config, session, window.clone(), hint, committed);
        tasks.spawn(appender.run(shutdown.clone()));
        tasks.close();
        Ok(Arc::new(Self { log_id, pool, appends, window, tasks, _running: shutdown.drop_guard() }))
    }

    /// Waits until the background tasks have ended: after the shutdown, when all that was queued is answered.
    pub async fn closed(&self) {
        self.tasks.wait().await;
    }
}

#[async_trait]
impl EventStore for PostgresStore {
    fn log_id(&self) -> LogId {
        self.log_id
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        append.assert_storable();
        self.appends.append(append).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        after_version: u64,
    ) -> Result<Vec<Arc<Record>>, Unavailable> {
        Ok(read::stream(&self.pool, stream, after_version).await?)
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<Arc<Record>>, Unavailable> {
        let limit = limit.min(MAX_PAGE);
        match self.window.page(after, limit) {
            Some(page) => Ok(page),
            None => Ok(read::all(&self.pool, after, limit).await?),
        }
    }

    async fn read_topics(
        &self,
        topics: &[Topic],
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, Unavailable> {
        Ok(read::topics(&self.pool, topics, after, limit.min(MAX_PAGE), self.window.end()).await?)
    }

    async fn find(&self, id: Uuid) -> Result<Option<Arc<Record>>, Unavailable> {
        Ok(read::find(&self.pool, id).await?)
    }

    async fn head(&self) -> Result<Position, Unavailable> {
        Ok(read::head(&self.pool).await?)
    }

    fn tail(self: Arc<Self>, after: Position) -> Tail {
        let head = self.window.watch();
        Tail::new(self, after, head)
    }
}
