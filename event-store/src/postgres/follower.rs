//! Brings what other nodes appended into the window.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::Pool;
use tokio::{sync::Notify, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::{read, window::Window};
use crate::MAX_PAGE;

/// How late another node's records arrive when every hint is lost.
const POLL: Duration = Duration::from_secs(1);

/// Reads on when `hint` says that there may be something after the window's end, and now and then without a hint.
pub(super) async fn run(pool: Pool, window: Arc<Window>, hint: Arc<Notify>, shutdown: CancellationToken) {
    let mut poll = tokio::time::interval(POLL);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        let woken_by = tokio::select! {
            () = shutdown.cancelled() => return,
            () = hint.notified() => "hint",
            _ = poll.tick() => "poll",
        };
        let result = tokio::select! {
            () = shutdown.cancelled() => return,
            result = catch_up(&pool, &window, woken_by) => result,
        };
        match &result {
            Ok(()) if failing => tracing::info!("the log is followed again"),
            Err(error) if !failing => {
                let error: &dyn std::error::Error = error;
                tracing::warn!(error, "the log cannot be followed");
            }
            Ok(()) | Err(_) => {}
        }
        failing = result.is_err();
    }
}

/// Extends the window to the log's head.
///
/// A page is all that the log holds after `after` up to its last record, for ever: when that record became visible,
/// everything below it was visible or lost. Many records found by polling say that hints do not come through.
async fn catch_up(pool: &Pool, window: &Window, woken_by: &'static str) -> Result<(), read::Failure> {
    loop {
        let after = window.end();
        let page = read::all(pool, after, MAX_PAGE).await?;
        metrics::counter!("log_followed_records_total", "woken_by" => woken_by).increment(page.len() as u64);
        let full = page.len() == MAX_PAGE;
        window.extend(after, page);
        if !full {
            return Ok(());
        }
    }
}
