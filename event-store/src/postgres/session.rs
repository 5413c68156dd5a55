//! The appender's own connection: the two round trips of a batch.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::{task::AbortHandle, time::Instant};
use tokio_postgres::{Client, Config, NoTls, Statement, types::ToSql};
use uuid::Uuid;

use super::batch::{Known, Place, Row, Seen};
use crate::{LogId, Position, StreamName};

/// The time-outs stand in an order. A node that vanished between its statements loses its transaction, and with it
/// the lock, before those who wait for the lock give up; and they give up before their statement, or the answer to
/// it, is called overdue.
const SETTINGS: &str = "
    SET idle_in_transaction_session_timeout = '5s';
    SET lock_timeout = '8s';
    SET statement_timeout = '12s';
    -- The plans are made once, perhaps on an empty table, and serve the full one: index scans only.
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET enable_bitmapscan = off;
    SET jit = off;
    -- Whoever heard a position must find it there after a crash, whatever the database's default is.
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
";
const ROUND_TRIP: Duration = Duration::from_secs(15);
const CONNECT: Duration = Duration::from_secs(5);

/// The level is named because under a stricter default the lookup would see the log as it was before the lock was
/// granted.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT log.take_turn()";

/// A statement's time-out while a synchronous standby is awaited would report a commit that the standby lacks.
const COMMIT: &str = "SET LOCAL statement_timeout = 0; COMMIT";

const VERSIONS: &str = "
    SELECT named.stream, newest.version
    FROM unnest($1::text[]) AS named (stream)
    CROSS JOIN LATERAL (
        SELECT events.version
        FROM log.events
        WHERE events.stream = named.stream COLLATE \"C\"
        ORDER BY events.version DESC
        LIMIT 1
    ) AS newest";

const KNOWN: &str = "
    SELECT id, position, stream, version, recorded_at, meta
    FROM log.events
    WHERE id = ANY ($1::uuid[])";

const NEWEST: &str = "
    SELECT newest.position, greatest(clock_timestamp(), newest.recorded_at)
    FROM (VALUES (1)) AS one
    LEFT JOIN (SELECT position, recorded_at FROM log.events ORDER BY position DESC LIMIT 1) AS newest ON true";

/// An identity column of an INSERT … SELECT … ORDER BY is drawn after the sort, so positions follow `ord`.
const INSERT: &str = "
    INSERT INTO log.events
        (stream, version, id, kind, schema, topic, data, key_id, nonce, ciphertext, meta, recorded_at)
    SELECT stream, version, id, kind, schema, topic, data, key_id, nonce, ciphertext, meta, $12
    FROM unnest(
        $1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::smallint[], $6::text[], $7::bytea[], $8::uuid[],
        $9::bytea[], $10::bytea[], $11::bytea[]
    ) WITH ORDINALITY AS new
        (stream, version, id, kind, schema, topic, data, key_id, nonce, ciphertext, meta, ord)
    ORDER BY ord
    RETURNING id, position";

const MOVED: &str = "
    UPDATE log.identity
    SET id = gen_random_uuid(), cluster = here.system_identifier, database = here.oid
    FROM (
        SELECT c.system_identifier, d.oid
        FROM pg_control_system() AS c, pg_database AS d
        WHERE d.datname = current_database()
    ) AS here
    WHERE (identity.cluster, identity.database) <> (here.system_identifier, here.oid)";

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the database refused a statement or closed the connection")]
    Database(#[from] tokio_postgres::Error),
    #[error("the database did not answer in time")]
    TimedOut(#[from] tokio::time::error::Elapsed),
    #[error("the database gave the rows of a batch positions out of order")]
    OutOfOrder,
}

/// A connection ready to append. After any failure it is of no more use: the state of its transaction is unknown.
pub(super) struct Session {
    client: Client,
    connection: AbortHandle,
    versions: Statement,
    known: Statement,
    newest: Statement,
    insert: Statement,
}

impl Drop for Session {
    fn drop(&mut self) {
        // A connection that hangs would keep its task, and on the server the lock.
        self.connection.abort();
    }
}

impl Session {
    pub(super) async fn open(config: &Config) -> Result<Self, Failure> {
        let mut config = config.clone();
        config
            .application_name("echoverse appender")
            .connect_timeout(CONNECT)
            .tcp_user_timeout(ROUND_TRIP)
            .keepalives_idle(ROUND_TRIP);
        let (client, connection) = tokio::time::timeout(CONNECT, config.connect(NoTls)).await??;
        let connection = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the appender's connection ended");
            }
        })
        .abort_handle();
        let prepare = async {
            client.batch_execute(SETTINGS).await?;
            tokio::try_join!(
                client.prepare(VERSIONS),
                client.prepare(KNOWN),
                client.prepare(NEWEST),
                client.prepare(INSERT),
            )
        };
        let (versions, known, newest, insert) = tokio::time::timeout(ROUND_TRIP, prepare).await??;
        Ok(Self { client, connection, versions, known, newest, insert })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The log's identity; a new one if the database is a copy, which takes its own at once.
    pub(super) async fn log_id(&self) -> Result<LogId, Failure> {
        let round_trip = async {
            self.client.batch_execute(MOVED).await?;
            self.client.query_one("SELECT id FROM log.identity", &[]).await
        };
        let row = tokio::time::timeout(ROUND_TRIP, round_trip).await??;
        Ok(LogId(row.get(0)))
    }

    /// Opens the batch's transaction, waits for its turn, and looks up what the batch names. The statements leave
    /// together; each lookup runs after the lock is granted and so sees all that was ever appended.
    pub(super) async fn look_up(&self, streams: &[&str], ids: &[Uuid]) -> Result<Seen, Failure> {
        let started = Instant::now();
        let turn = async {
            let result = self.client.batch_execute(BEGIN).await;
            metrics::histogram!("log_append_lock_seconds").record(started.elapsed().as_secs_f64());
            result
        };
        // The order of the first poll is the order on the wire.
        let round_trip = async {
            tokio::join!(
                biased;
                turn,
                async { self.client.query(&self.versions, &[&streams]).await },
                async { self.client.query(&self.known, &[&ids]).await },
                async { self.client.query_one(&self.newest, &[]).await },
            )
        };
        let (turn, versions, known, newest) = tokio::time::timeout(ROUND_TRIP, round_trip).await?;
        turn?;
        let versions = versions?
            .iter()
            .map(|row| (StreamName::new(row.get::<_, &str>(0)), row.get::<_, i64>(1).cast_unsigned()))
            .collect();
        let known = known?.iter().map(|row| (row.get(0), known_event(row))).collect();
        let newest = newest?;
        let position = newest.get::<_, Option<i64>>(0).unwrap_or_default();
        Ok(Seen { versions, known, newest: Position(position.cast_unsigned()), now: newest.get(1) })
    }

    /// Inserts the rows and commits. Answers their positions in the order of the rows.
    pub(super) async fn commit(
        &self,
        rows: &[Row],
        recorded_at: Timestamp,
    ) -> Result<Vec<Position>, Failure> {
        let columns = Columns::of(rows);
        let params = columns.params(&recorded_at);
        let round_trip = async {
            tokio::join!(
                biased;
                self.client.query(&self.insert, &params),
                self.client.batch_execute(COMMIT),
            )
        };
        let (inserted, committed) = tokio::time::timeout(ROUND_TRIP, round_trip).await?;
        // First: what is behind a failed INSERT may well say that all went well, a COMMIT that rolls back does.
        let inserted = inserted?;
        committed?;
        let mut by_id = HashMap::with_capacity(inserted.len());
        for row in &inserted {
            by_id.insert(row.get::<_, Uuid>(0), Position(row.get::<_, i64>(1).cast_unsigned()));
        }
        let positions: Option<Vec<_>> = rows.iter().map(|row| by_id.get(&row.event.id).copied()).collect();
        positions.filter(|positions| positions.is_sorted()).ok_or(Failure::OutOfOrder)
    }

    /// Ends a transaction that has nothing to commit.
    pub(super) async fn roll_back(&self) -> Result<(), Failure> {
        Ok(tokio::time::timeout(ROUND_TRIP, self.client.batch_execute("ROLLBACK")).await??)
    }
}

fn known_event(row: &tokio_postgres::Row) -> Known {
    Known {
        place: Place::Log(Position(row.get::<_, i64>(1).cast_unsigned())),
        stream: StreamName::new(row.get::<_, &str>(2)),
        version: row.get::<_, i64>(3).cast_unsigned(),
        recorded_at: row.get(4),
        meta: Bytes::copy_from_slice(row.get(5)),
    }
}

/// The rows, column by column as `INSERT` takes them.
struct Columns<'a> {
    streams: Vec<&'a str>,
    versions: Vec<i64>,
    ids: Vec<Uuid>,
    kinds: Vec<&'a str>,
    schemas: Vec<i16>,
    topics: Vec<&'a str>,
    data: Vec<&'a [u8]>,
    key_ids: Vec<Option<Uuid>>,
    nonces: Vec<Option<&'a [u8]>>,
    ciphertexts: Vec<Option<&'a [u8]>>,
    meta: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    fn of(rows: &'a [Row]) -> Self {
        fn column<'a, T>(rows: &'a [Row], value: impl FnMut(&'a Row) -> T) -> Vec<T> {
            rows.iter().map(value).collect()
        }
        Self {
            streams: column(rows, |row| row.stream.as_str()),
            versions: column(rows, |row| row.version.cast_signed()),
            ids: column(rows, |row| row.event.id),
            kinds: column(rows, |row| row.event.kind),
            schemas: column(rows, |row| row.event.schema.cast_signed()),
            topics: column(rows, |row| row.event.topic.as_str()),
            data: column(rows, |row| &*row.event.data),
            key_ids: column(rows, |row| row.event.sealed.as_ref().map(|sealed| sealed.key_id)),
            nonces: column(rows, |row| row.event.sealed.as_ref().map(|sealed| &sealed.nonce[..])),
            ciphertexts: column(rows, |row| row.event.sealed.as_ref().map(|sealed| &*sealed.ciphertext)),
            meta: column(rows, |row| &*row.event.meta),
        }
    }

    fn params<'b>(&'b self, recorded_at: &'b Timestamp) -> [&'b (dyn ToSql + Sync); 12] {
        [
            &self.streams,
            &self.versions,
            &self.ids,
            &self.kinds,
            &self.schemas,
            &self.topics,
            &self.data,
            &self.key_ids,
            &self.nonces,
            &self.ciphertexts,
            &self.meta,
            recorded_at,
        ]
    }
}
