//! A connection of one writer's own: whoever leads holds the lock by this very session, so that a leader which has lost
//! its lock cannot write either.

use std::collections::HashMap;
use std::time::Duration;

use event_store::{LogId, Position};
use futures_util::poll;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, NoTls, Statement};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::batch::Write;
use crate::database::{position, to_bigint};
use crate::schema::{Schema, shape};

/// The advisory locks of this crate.
pub(crate) mod lock {
    /// For the transaction that makes the tables.
    pub(crate) const PREPARE: i64 = 0x6563_686f_7072_6570;
    /// For the session of the projector that leads.
    pub(crate) const LEAD: i64 = 0x6563_686f_6c65_6164;
    /// For the session of a rebuilding.
    pub(crate) const REBUILD: i64 = 0x6563_686f_7265_6264;
}

/// A node that has vanished loses its session, and with it the lead, within half a minute. Deleting a channel with a
/// long history is one statement and may take its time.
const SETTINGS: &str = "
    SET application_name = 'echoverse projections';
    SET statement_timeout = '5min';
    SET lock_timeout = '30s';
    SET idle_in_transaction_session_timeout = '1min';
    SET tcp_keepalives_idle = 15;
    SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 3;
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET jit = off;
    SET timezone = 'UTC';
    -- A crash may take the last of these transactions, rows and checkpoint together, and the log still has it all.
    -- What was told to readers in between is forgotten with this session: see `ReadModel::forget`.
    SET synchronous_commit = off;
";
const CONNECT: Duration = Duration::from_secs(5);
/// Writes sent before the first is answered: bounds what waits in both directions.
const IN_FLIGHT: usize = 256;

pub(crate) struct Session {
    client: Client,
    connection: AbortOnDropHandle<Result<(), Error>>,
    schema: Schema,
    statements: HashMap<&'static str, Statement>,
}

/// Where the projector stands, and for which program and log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) position: Position,
    pub(crate) log_id: LogId,
    pub(crate) shape: String,
}

impl Session {
    pub(crate) async fn connect(url: &str, schema: Schema) -> Result<Self, Error> {
        let mut config: Config = url.parse()?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        let (client, connection) = config.connect(NoTls).await?;
        let connection = AbortOnDropHandle::new(tokio::spawn(connection));
        client.batch_execute(SETTINGS).await?;
        Ok(Self { client, connection, schema, statements: HashMap::new() })
    }

    pub(crate) fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Completes when the connection is gone.
    pub(crate) async fn closed(&mut self) {
        let _ = (&mut self.connection).await;
    }

    /// Takes a lock for the life of the session, if nobody else holds it.
    pub(crate) async fn try_lock(&self, key: i64) -> Result<bool, Error> {
        Ok(self.client.query_one("SELECT pg_try_advisory_lock($1)", &[&key]).await?.get(0))
    }

    pub(crate) async fn unlock(&self, key: i64) -> Result<(), Error> {
        self.client.execute("SELECT pg_advisory_unlock($1)", &[&key]).await?;
        Ok(())
    }

    pub(crate) async fn checkpoint(&mut self) -> Result<Checkpoint, Error> {
        let statement = self.statement("SELECT position, log_id, shape FROM {schema}.checkpoint").await?;
        let row = self.client.query_one(&statement, &[]).await?;
        Ok(Checkpoint {
            position: position(&row, "position"),
            log_id: LogId(row.get::<_, Uuid>("log_id")),
            shape: row.get("shape"),
        })
    }

    /// Says why the projector stands still at `at`.
    pub(crate) async fn halt(&mut self, at: Position, reason: &str) -> Result<(), Error> {
        let sql =
            "UPDATE {schema}.checkpoint SET halted = $2 WHERE position = $1 AND halted IS DISTINCT FROM $2";
        let statement = self.statement(sql).await?;
        self.client.execute(&statement, &[&to_bigint(at), &reason]).await?;
        Ok(())
    }

    /// Applies what the log says between two positions, in one transaction with the checkpoint.
    ///
    /// `false`: nothing was applied, because the checkpoint is elsewhere or belongs to another program or log.
    pub(crate) async fn apply(
        &mut self,
        from: Position,
        to: Position,
        writes: Vec<Write>,
        log_id: LogId,
    ) -> Result<bool, Error> {
        // First of all, and it waits: for another writer by the row, for a swap of schemas by the table's lock. Where
        // no row is moved it fails, so that what was sent behind it fails too.
        const MOVE: &str = "
            WITH moved AS (
                UPDATE {schema}.checkpoint SET position = $2, halted = NULL
                WHERE position = $1 AND log_id = $3 AND shape = $4
                RETURNING 1
            )
            SELECT 1 / count(*) FROM moved";
        let moving = self.statement(MOVE).await?;
        for write in &writes {
            self.statement(write.template).await?;
        }
        let shape = shape();
        let params: [&(dyn ToSql + Sync); 4] = [&to_bigint(from), &to_bigint(to), &log_id.0, &shape];
        // A long transaction learns how its writes went before it is ended, a short one is a single round trip.
        let short = writes.len() <= IN_FLIGHT;
        let (begun, moved, written, ended) = tokio::join!(
            biased;
            self.client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED"),
            self.client.query_one(&moving, &params),
            self.write(writes),
            async { if short { self.client.batch_execute("COMMIT").await } else { Ok(()) } },
        );
        let applied = begun.and_then(|()| match moved {
            Err(error) if error.code() == Some(&SqlState::DIVISION_BY_ZERO) => Ok(false),
            Err(error) => Err(error),
            Ok(_) => written.map(|()| true),
        });
        let ended = if short {
            // It rolls back what has failed.
            ended
        } else {
            let end = if matches!(applied, Ok(true)) { "COMMIT" } else { "ROLLBACK" };
            self.client.batch_execute(end).await
        };
        let applied = applied?;
        ended?;
        Ok(applied)
    }

    /// Runs the writes in their order, without waiting for one before the next is sent: a request of tokio-postgres is
    /// sent when its future is first polled. What follows a failed one fails too, and the first failure is answered.
    async fn write(&self, writes: Vec<Write>) -> Result<(), Error> {
        let mut writes = writes.into_iter().peekable();
        while writes.peek().is_some() {
            let mut sent = Vec::new();
            for Write { template, params } in writes.by_ref().take(IN_FLIGHT) {
                let statement = &self.statements[template];
                let mut request = Box::pin(self.client.execute_raw(statement, params));
                match poll!(request.as_mut()) {
                    std::task::Poll::Ready(done) => drop(done?),
                    std::task::Poll::Pending => sent.push(request),
                }
            }
            for request in sent {
                request.await?;
            }
        }
        Ok(())
    }

    async fn statement(&mut self, template: &'static str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.get(template) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&self.schema.fill(template)).await?;
        self.statements.insert(template, statement.clone());
        Ok(statement)
    }
}

/// Whether the fault lies in what was to be written: a data, cardinality or integrity error, or a limit exceeded.
pub(crate) fn refuses_data(error: &tokio_postgres::Error) -> bool {
    let class = error.code().map(|state| &state.code()[..2]);
    matches!(class, Some("21" | "22" | "23" | "54"))
}

#[cfg(test)]
mod tests;
