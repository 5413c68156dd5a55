//! The appender's own connection: the one round trip of a batch, or the two of one that must be looked up.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::{task::AbortHandle, time::Instant};
use tokio_postgres::{Client, Config, Error, NoTls, Statement, error::SqlState, types::ToSql};
use uuid::Uuid;

use super::batch::{Committed, Known, Row, Seen};
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

const NEWEST: &str = "SELECT position, recorded_at FROM log.events ORDER BY position DESC LIMIT 1";

/// Inserts nothing unless $13 is the newest position; no event is older than the newest, whose time is $12.
///
/// An identity column of an INSERT … SELECT … ORDER BY is drawn after the sort, so positions follow `ord`. A SELECT that
/// depends on no row runs once, so all rows have one time.
const INSERT: &str = "
    INSERT INTO log.events
        (stream, version, id, kind, schema, topic, data, key_id, nonce, ciphertext, meta, recorded_at)
    SELECT stream, version, id, kind, schema, topic, data, key_id, nonce, ciphertext, meta,
        (SELECT greatest(clock_timestamp(), $12))
    FROM unnest(
        $1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::smallint[], $6::text[], $7::bytea[], $8::uuid[],
        $9::bytea[], $10::bytea[], $11::bytea[]
    ) WITH ORDINALITY AS new
        (stream, version, id, kind, schema, topic, data, key_id, nonce, ciphertext, meta, ord)
    WHERE $13 = coalesce((SELECT position FROM log.events ORDER BY position DESC LIMIT 1), 0)
    ORDER BY ord
    RETURNING id, position, recorded_at";

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
    #[error("the log grew under the lock")]
    Grew,
}

/// The newest event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Newest {
    pub(super) position: Position,
    pub(super) recorded_at: Timestamp,
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
    pub(super) async fn look_up(&self, streams: &[&str], ids: &[Uuid]) -> Result<(Seen, Newest), Failure> {
        // The order of the first poll is the order on the wire.
        let round_trip = async {
            tokio::join!(
                biased;
                self.begin(),
                async { self.client.query(&self.versions, &[&streams]).await },
                async { self.client.query(&self.known, &[&ids]).await },
                async { self.client.query_opt(&self.newest, &[]).await },
            )
        };
        let (turn, versions, known, newest) = tokio::time::timeout(ROUND_TRIP, round_trip).await?;
        turn?;
        let versions = versions?
            .iter()
            .map(|row| (StreamName::new(row.get::<_, &str>(0)), row.get::<_, i64>(1).cast_unsigned()))
            .collect();
        let known = known?.iter().map(|row| (row.get(0), known_event(row))).collect();
        let newest =
            newest?.map_or(Newest { position: Position::START, recorded_at: Timestamp::UNIX_EPOCH }, |row| {
                Newest { position: Position(row.get::<_, i64>(0).cast_unsigned()), recorded_at: row.get(1) }
            });
        Ok((Seen { versions, known }, newest))
    }

    /// Inserts the rows and commits, in the transaction of a lookup.
    pub(super) async fn commit(&self, rows: &[Row<'_>], newest: Newest) -> Result<Committed, Failure> {
        let started = Instant::now();
        let columns = Columns::of(rows, newest);
        let params = columns.params();
        let round_trip = async { tokio::join!(biased; self.insert(&params, started), self.end(started)) };
        let (inserted, ended) = tokio::time::timeout(ROUND_TRIP, round_trip).await?;
        // First: what is behind a failed INSERT may well say that all went well, a COMMIT that rolls back does.
        let inserted = inserted?;
        ended?;
        committed(rows, &inserted)?.ok_or(Failure::Grew)
    }

    /// The whole batch in one round trip, when its rows were decided without a lookup. `None`: nothing was written,
    /// because `newest` is no longer the newest, or because a stream or an id that was taken for new is in the log.
    pub(super) async fn commit_unseen(
        &self,
        rows: &[Row<'_>],
        newest: Newest,
    ) -> Result<Option<Committed>, Failure> {
        let started = Instant::now();
        let columns = Columns::of(rows, newest);
        let params = columns.params();
        let round_trip =
            async { tokio::join!(biased; self.begin(), self.insert(&params, started), self.end(started)) };
        let (turn, inserted, ended) = tokio::time::timeout(ROUND_TRIP, round_trip).await?;
        turn?;
        match inserted {
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                self.roll_back().await?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
            Ok(inserted) => {
                ended?;
                committed(rows, &inserted)
            }
        }
    }

    /// Opens a transaction and waits for its turn.
    async fn begin(&self) -> Result<(), Error> {
        let started = Instant::now();
        let result = self.client.batch_execute(BEGIN).await;
        metrics::histogram!("log_append_lock_seconds").record(started.elapsed());
        result
    }

    async fn insert(
        &self,
        params: &[&(dyn ToSql + Sync)],
        started: Instant,
    ) -> Result<Vec<tokio_postgres::Row>, Error> {
        let result = self.client.query(&self.insert, params).await;
        metrics::histogram!("log_append_insert_seconds").record(started.elapsed());
        result
    }

    async fn end(&self, started: Instant) -> Result<(), Error> {
        let result = self.client.batch_execute(COMMIT).await;
        metrics::histogram!("log_append_commit_seconds").record(started.elapsed());
        result
    }

    /// Ends a transaction that has nothing to commit.
    pub(super) async fn roll_back(&self) -> Result<(), Failure> {
        Ok(tokio::time::timeout(ROUND_TRIP, self.client.batch_execute("ROLLBACK")).await??)
    }
}

/// The rows' positions in the order of the rows; `None` when none was inserted.
fn committed(rows: &[Row<'_>], inserted: &[tokio_postgres::Row]) -> Result<Option<Committed>, Failure> {
    let Some(first) = inserted.first() else { return Ok(None) };
    let recorded_at = first.get(2);
    let position = |row: &tokio_postgres::Row| Position(row.get::<_, i64>(1).cast_unsigned());
    let by_id: HashMap<Uuid, Position> = inserted.iter().map(|row| (row.get(0), position(row))).collect();
    let positions: Option<Vec<_>> = rows.iter().map(|row| by_id.get(&row.event.id).copied()).collect();
    let positions = positions.filter(|positions| positions.is_sorted()).ok_or(Failure::OutOfOrder)?;
    Ok(Some(Committed { positions, recorded_at }))
}

fn known_event(row: &tokio_postgres::Row) -> Known {
    Known {
        position: Position(row.get::<_, i64>(1).cast_unsigned()),
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
    newest: i64,
    not_before: Timestamp,
}

impl<'a> Columns<'a> {
    fn of(rows: &'a [Row<'a>], newest: Newest) -> Self {
        fn column<'a, T>(rows: &'a [Row<'a>], value: impl FnMut(&'a Row<'a>) -> T) -> Vec<T> {
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
            newest: newest.position.0.cast_signed(),
            not_before: newest.recorded_at,
        }
    }

    fn params(&self) -> [&(dyn ToSql + Sync); 13] {
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
            &self.not_before,
            &self.newest,
        ]
    }
}
