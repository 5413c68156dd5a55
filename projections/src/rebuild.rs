//! Making the read model anew from the log, beside the one in use, and comparing the two.
//!
//! The tables are filled in the schema `read_next` by the code that the projector runs, in larger steps. The swap
//! renames schemas in one transaction, under the lock of the live checkpoint's table: whoever writes or takes a
//! snapshot waits for it, resolves its names again, and goes on in the new tables, whose checkpoint is never behind that
//! of the old ones. A rebuilding that is broken off leaves the live tables as they are.

mod build;
mod compare;
mod swap;

use std::sync::Arc;
use std::time::Duration;

use event_store::{EventStore, Position};
use tokio::time::Instant;
use vault::Vault;

use crate::opening::Fault;
use crate::pages::PageError;
use build::Builder;

pub use compare::{Contents, Difference};

/// How far a rebuilding has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub position: Position,
    /// Where this stretch of it ends.
    pub head: Position,
}

/// What becomes of tables that were made to verify the live ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swap {
    /// They are dropped.
    Never,
    /// They replace the live ones if there is no difference.
    IfEqual,
    /// They replace the live ones.
    Always,
}

/// What a rebuilding came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The log up to here is in the new tables.
    pub position: Position,
    pub events: u64,
    /// `None` when nothing was compared; empty when live and rebuilt tables were equal.
    pub differences: Option<Vec<Difference>>,
    /// Whether the new tables are the live ones now.
    pub swapped: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error("another rebuilding is going on")]
    AlreadyRunning,
    #[error("the live read model has another shape or holds another log: it cannot be compared")]
    NotComparable,
    #[error("the live read model was never free for the swap")]
    Busy(#[source] tokio_postgres::Error),
    #[error("the new tables were changed by somebody else")]
    Disturbed,
    #[error("an event after position {after}, up to {until}, cannot be applied: {fault}")]
    Refused { after: Position, until: Position, fault: Fault },
    #[error("the database failed")]
    Database(#[from] tokio_postgres::Error),
    #[error("the log cannot be read")]
    Log(#[from] event_store::Unavailable),
    #[error("the records cannot be had")]
    Page(#[from] PageError),
}

/// Catching up ends when a stretch took less than this: what came meanwhile is applied under the lock.
const SHORT: Duration = Duration::from_millis(500);

/// Builds the read model anew and puts it in the place of the live one, whatever that holds.
pub async fn rebuild(
    url: &str,
    store: Arc<dyn EventStore>,
    vault: Vault,
    progress: impl Fn(Progress) + Send + Sync,
) -> Result<Report, RebuildError> {
    let mut builder = Builder::start(url, store, vault, &progress).await?;
    builder.catch_up().await?;
    swap::swap(url, &mut builder).await?;
    builder.finish(None, true).await
}

/// Builds the read model anew up to the position of the live one and compares them, while both the log and the live one
/// go on.
pub async fn verify(
    url: &str,
    store: Arc<dyn EventStore>,
    vault: Vault,
    swap: Swap,
    progress: impl Fn(Progress) + Send + Sync,
) -> Result<Report, RebuildError> {
    let mut builder = Builder::start(url, store, vault, &progress).await?;
    loop {
        let started = Instant::now();
        let live = compare::position(url, builder.log_id()).await?;
        builder.advance(live).await?;
        if started.elapsed() < SHORT {
            break;
        }
    }
    let live = compare::live(url, builder.log_id()).await?;
    builder.advance(live.position).await?;
    let rebuilt = compare::next(url, builder.log_id()).await?;
    let differences = compare::differences(&live, &rebuilt);
    let wanted = match swap {
        Swap::Never => false,
        Swap::IfEqual => differences.is_empty(),
        Swap::Always => true,
    };
    if wanted {
        builder.catch_up().await?;
        swap::swap(url, &mut builder).await?;
    } else {
        builder.discard().await?;
    }
    builder.finish(Some(differences), wanted).await
}
