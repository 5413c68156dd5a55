//! The handle to the read model: its making, its position, its health.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use deadpool_postgres::Pool;
use event_store::{LogId, Position};
use tokio::sync::watch;
use tokio_postgres::{Client, NoTls};
use tokio_util::task::AbortOnDropHandle;

use crate::database::{Database, Unavailable, position};
use crate::schema::{Schema, shape};
use crate::session::lock;

/// The queries over the read model, and what is known of it in this process.
#[derive(Clone)]
pub struct ReadModel {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    url: String,
    log_id: LogId,
    /// The newest checkpoint that this process has seen.
    seen: watch::Sender<Position>,
    /// How many wait for a checkpoint that this process has not seen.
    waiting: watch::Sender<usize>,
    /// Whether this process moves the checkpoint, and so need not ask for it.
    leading: AtomicBool,
    /// Held by the one waiter that asks for the checkpoint on behalf of all.
    polling: tokio::sync::Mutex<()>,
}

/// How the read model is doing, whichever process writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub position: Position,
    /// Why the projector does not get past `position`, while it does not.
    pub halted: Option<String>,
    /// Whether this process is the one that writes.
    pub leading: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    #[error("the read model cannot be prepared")]
    Database(#[from] tokio_postgres::Error),
    #[error("the checkpoints of followers cannot be prepared")]
    Migrations(#[from] migrations::Error),
}

const MIGRATIONS: &[migrations::Migration] = migrations::migrations!["0001_schema", "0002_checkpoints"];

impl ReadModel {
    /// Makes the tables where they are missing, have another shape than this program's, or were filled from another
    /// log; then the projector fills them from the beginning.
    ///
    /// `url` is for connections of their own, outside `pool`.
    pub async fn prepare(url: &str, pool: Pool, log_id: LogId) -> Result<Self, PrepareError> {
        migrations::migrate(url, "projections", MIGRATIONS).await?;
        let (mut client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
        let position = prepare_tables(&mut client, log_id).await?;
        let inner = Inner {
            database: Database::new(pool),
            url: url.to_owned(),
            log_id,
            seen: watch::Sender::new(position),
            waiting: watch::Sender::new(0),
            leading: AtomicBool::new(false),
            polling: tokio::sync::Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The newest checkpoint that this process has seen. Only the process that leads sees each as it comes.
    pub fn position(&self) -> Position {
        *self.inner.seen.borrow()
    }

    /// How the read model is doing, as its tables say.
    pub async fn health(&self) -> Result<Health, Unavailable> {
        const SQL: &str = "SELECT position, halted FROM read.checkpoint";
        let row = self.database().row(SQL, &[]).await?;
        let row = row.ok_or_else(|| Unavailable::new("the read model has no checkpoint"))?;
        Ok(Health {
            position: position(&row, "position"),
            halted: row.get("halted"),
            leading: self.is_leading(),
        })
    }

    /// Reads the checkpoint on behalf of this process, unless it is the one that moves it.
    pub(crate) async fn refresh(&self) -> Result<Health, Unavailable> {
        let health = self.health().await?;
        if !self.is_leading() {
            self.saw(health.position);
        }
        Ok(health)
    }

    pub(crate) fn database(&self) -> &Database {
        &self.inner.database
    }

    pub(crate) fn url(&self) -> &str {
        &self.inner.url
    }

    pub(crate) fn log_id(&self) -> LogId {
        self.inner.log_id
    }

    pub(crate) fn is_leading(&self) -> bool {
        self.inner.leading.load(Ordering::Relaxed)
    }

    pub(crate) fn set_leading(&self, leading: bool) {
        self.inner.leading.store(leading, Ordering::Relaxed);
        metrics::gauge!("projector_leading").set(f64::from(u8::from(leading)));
    }

    /// The checkpoint as it was just read or written.
    pub(crate) fn saw(&self, position: Position) {
        self.inner.seen.send_if_modified(|seen| std::mem::replace(seen, position) != position);
    }

    /// Nothing is known of the checkpoint any more: it may have stepped back. Its transactions are not flushed, so a
    /// crash of the database takes back the last of them; that, like a failover, ends the session that every process
    /// has with it, and what the session has shown is not believed any longer than it lasts.
    pub(crate) fn forget(&self) {
        self.saw(Position::START);
    }

    /// Who waits for a newer checkpoint.
    pub(crate) fn waiting(&self) -> &watch::Sender<usize> {
        &self.inner.waiting
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Position> {
        self.inner.seen.subscribe()
    }

    pub(crate) fn polling(&self) -> &tokio::sync::Mutex<()> {
        &self.inner.polling
    }
}

/// Answers the checkpoint. Processes that start together take turns.
async fn prepare_tables(client: &mut Client, log_id: LogId) -> Result<Position, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&lock::PREPARE]).await?;
    let exists = "SELECT to_regnamespace($1) IS NOT NULL, to_regclass($1 || '.checkpoint') IS NOT NULL";
    let found = transaction.query_one(exists, &[&Schema::Live.name()]).await?;
    let reason = if found.get(1) {
        // As JSON, because another program's checkpoint may have other columns.
        let row = transaction
            .query_opt(
                "SELECT row->>'shape', row->>'log_id', (row->>'position')::bigint AS position
                FROM (SELECT to_jsonb(checkpoint) FROM read.checkpoint) AS checkpoint (row)",
                &[],
            )
            .await?;
        let said = |column: usize| row.as_ref().and_then(|row| row.get::<_, Option<String>>(column));
        if said(0) != Some(shape()) {
            "it has another shape than this program's"
        } else if said(1) != Some(log_id.0.to_string()) {
            "it was filled from another log"
        } else {
            transaction.commit().await?;
            return Ok(row.map_or(Position::START, |row| position(&row, "position")));
        }
    } else {
        "there is none"
    };
    tracing::warn!(reason, "making the read model anew: it is filled by replaying the whole log");
    transaction.batch_execute(&Schema::Old.drop()).await?;
    if found.get(0) {
        // Dropped below: readers that are still in it would hold up the new tables.
        transaction.batch_execute("ALTER SCHEMA read RENAME TO read_old").await?;
    }
    create(&transaction, Schema::Live, log_id).await?;
    transaction.commit().await?;
    client.batch_execute(&Schema::Old.drop()).await?;
    Ok(Position::START)
}

/// Makes an empty read model, at the beginning of the log.
pub(crate) async fn create(
    client: &impl tokio_postgres::GenericClient,
    schema: Schema,
    log_id: LogId,
) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(&schema.create()).await?;
    let sql = schema.fill("INSERT INTO {schema}.checkpoint (position, log_id, shape) VALUES (0, $1, $2)");
    client.execute(&sql, &[&log_id.0, &shape()]).await?;
    Ok(())
}
