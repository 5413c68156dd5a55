//! Applies a crate's SQL migrations: one object per file, forward only, each once, in order.
//!
//! Each file runs in a transaction of its own with the row that records it. A session lock makes nodes that start
//! together take turns. A file that was changed after it had been applied is refused: add a new one instead.
//!
//! Must not hold SQL of its own beyond its table, nor know which crates use it.

use std::time::Duration;

use tokio_postgres::{Client, NoTls};

/// One file: its name without `.sql`, and its text.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    pub name: &'static str,
    pub sql: &'static str,
}

/// The migrations of a crate, from the files `migrations/<name>.sql` beside its `src`.
#[macro_export]
macro_rules! migrations {
    ($($name:literal),+ $(,)?) => {
        &[$($crate::Migration {
            name: $name,
            sql: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, ".sql")),
        }),+]
    };
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the database cannot be reached or refused a statement")]
    Database(#[from] tokio_postgres::Error),
    #[error("migration {component}/{name} failed")]
    Failed { component: String, name: &'static str, source: tokio_postgres::Error },
    #[error("migration {component}/{name} differs from the one applied to this database")]
    Changed { component: String, name: &'static str },
    #[error("another process held the migration lock for {0:?}")]
    Locked(Duration),
}

/// Names this lock among the database's advisory locks.
const LOCK: i64 = 0x6563_686f_6d69_6772;
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);
const LOCK_POLL: Duration = Duration::from_millis(50);

const TABLE: &str = "CREATE TABLE IF NOT EXISTS public.migrations (
    component  text        NOT NULL,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT migrations_pkey PRIMARY KEY (component, name)
)";

/// Applies to the database at `url` the migrations of `component` that it lacks; answers how many.
///
/// # Errors
/// What was applied before the failing file stays applied.
pub async fn migrate(url: &str, component: &str, migrations: &[Migration]) -> Result<usize, Error> {
    let (mut client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let result = locked(&mut client, component, migrations).await;
    // Closing the session releases the lock on every path.
    drop(client);
    let _ = connection.await;
    result
}

async fn locked(client: &mut Client, component: &str, migrations: &[Migration]) -> Result<usize, Error> {
    let deadline = tokio::time::Instant::now() + LOCK_TIMEOUT;
    // Polled rather than waited for: a waiting statement would block CREATE INDEX CONCURRENTLY of the holder.
    while !client.query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK]).await?.get::<_, bool>(0) {
        if tokio::time::Instant::now() >= deadline {
            return Err(Error::Locked(LOCK_TIMEOUT));
        }
        tokio::time::sleep(LOCK_POLL).await;
    }
    client.batch_execute(TABLE).await?;
    let mut applied = 0;
    for migration in migrations {
        applied += usize::from(apply(client, component, migration).await?);
    }
    Ok(applied)
}

async fn apply(client: &mut Client, component: &str, migration: &Migration) -> Result<bool, Error> {
    let Migration { name, sql } = *migration;
    let known = client
        .query_opt(
            "SELECT checksum = md5($3::text) FROM public.migrations WHERE component = $1 AND name = $2",
            &[&component, &name, &sql],
        )
        .await?;
    match known.map(|row| row.get::<_, bool>(0)) {
        Some(true) => return Ok(false),
        Some(false) => return Err(Error::Changed { component: component.to_owned(), name }),
        None => {}
    }
    let failed = |source| Error::Failed { component: component.to_owned(), name, source };
    let transaction = client.transaction().await?;
    transaction.batch_execute(sql).await.map_err(failed)?;
    transaction
        .execute(
            "INSERT INTO public.migrations (component, name, checksum) VALUES ($1, $2, md5($3::text))",
            &[&component, &name, &sql],
        )
        .await?;
    transaction.commit().await.map_err(failed)?;
    tracing::info!(component, name, "migrated");
    Ok(true)
}
