//! Putting the new tables in the place of the live ones.

use std::time::Duration;

use event_store::Position;
use tokio_postgres::error::SqlState;

use super::RebuildError;
use super::build::Builder;
use crate::database::position;
use crate::schema::Schema;
use crate::session::Session;

/// Waiting for the lock makes others wait behind it, so each try is short.
const PATIENCE: &str = "SET lock_timeout = '2s'";
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// Keeps the projector out, but no reader.
const KEEP_WRITERS_OUT: &str = "BEGIN; LOCK TABLE read.checkpoint IN SHARE ROW EXCLUSIVE MODE";
/// Lets the snapshots that are being read come to their end.
const KEEP_ALL_OUT: &str = "LOCK TABLE read.checkpoint IN ACCESS EXCLUSIVE MODE";
const AWAY: &str = "ALTER SCHEMA read RENAME TO read_old";
const IN: &str = "ALTER SCHEMA read_next RENAME TO read; COMMIT";

/// Applies what is still missing and swaps, so that nobody sees the checkpoint go back.
pub(super) async fn swap(url: &str, builder: &mut Builder<'_>) -> Result<(), RebuildError> {
    let mut session = Session::connect(url, Schema::Live).await?;
    session.client().batch_execute(PATIENCE).await?;
    session.client().batch_execute(&Schema::Old.drop()).await?;
    let mut tries = 1;
    while let Err(error) = try_swap(&mut session, builder).await {
        let RebuildError::Database(source) = error else { return Err(error) };
        session.client().batch_execute("ROLLBACK").await?;
        let busy = [&SqlState::LOCK_NOT_AVAILABLE, &SqlState::T_R_DEADLOCK_DETECTED];
        if !source.code().is_some_and(|code| busy.contains(&code)) {
            return Err(source.into());
        }
        if tries == TRIES {
            return Err(RebuildError::Busy(source));
        }
        tries += 1;
        tokio::time::sleep(PAUSE).await;
    }
    // Readers may still be at the end of a query over the old tables. Whatever is left, the next swap drops.
    if let Err(error) = session.client().batch_execute(&Schema::Old.drop()).await {
        tracing::warn!(%error, "the old read model stays until the next rebuilding");
    }
    Ok(())
}

async fn try_swap(session: &mut Session, builder: &mut Builder<'_>) -> Result<(), RebuildError> {
    let exists = "SELECT to_regclass('read.checkpoint') IS NOT NULL";
    if session.client().query_one(exists, &[]).await?.get(0) {
        session.client().batch_execute(KEEP_WRITERS_OUT).await?;
        let sql = "SELECT coalesce(max(position), 0) AS position FROM read.checkpoint";
        let live = position(&session.client().query_one(sql, &[]).await?, "position");
        let head = builder.store().head().await?;
        builder.advance(Position::max(live, head)).await?;
        session.client().batch_execute(KEEP_ALL_OUT).await?;
        session.client().batch_execute(AWAY).await?;
    } else {
        session.client().batch_execute("BEGIN; DROP SCHEMA IF EXISTS read CASCADE").await?;
    }
    session.client().batch_execute(IN).await?;
    Ok(())
}
