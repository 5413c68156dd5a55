//! The log: append, read, tail — a port and its adapters.
//!
//! A record's bytes are kept exactly as they were appended; this crate never looks inside them and must not know
//! what an event means. Everything above speaks [`EventStore`]; which adapter is underneath is configuration.
//!
//! # Promises of every adapter (`tests/conformance`)
//! - An append is atomic: all its events or none.
//! - A wrong expected version or a failed guard appends nothing.
//! - A duplicate event id answers the first result, whatever the expected version says.
//! - Positions become *visible* in increasing order: a reader that has seen `p` never later finds one below `p`.
//! - `read_all`, `read_topics` and `tail` return that order.
//!
//! Adapters: [`memory`] for tests, [`postgres`] by default. To add one, implement [`EventStore`] and pass the
//! conformance suite.

mod append;
pub mod memory;
pub mod postgres;
mod record;
mod tail;

use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

pub use append::{Append, AppendError, Appended, Expected, Guard, MAX_NAME, NewEvent};
pub use record::{LogId, Position, Record, Sealed, StreamName, Topic};
pub use tail::Tail;

/// Most records that one page of a read returns.
pub const MAX_PAGE: usize = 1_000;

/// The log cannot be read now; trying again later may succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the event log cannot be reached")]
pub struct Unavailable(#[source] pub Arc<dyn std::error::Error + Send + Sync>);

/// An append-only log of small streams with one global order.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// The identity of this log: a restored or replaced log answers another one.
    fn log_id(&self) -> LogId;

    /// Appends atomically to one stream. See [`Append`] for what is checked.
    ///
    /// Dropping the future does not take the append back.
    ///
    /// # Errors
    /// [`AppendError::Unavailable`] means the outcome is unknown: repeat with the same event ids to learn it.
    ///
    /// # Panics
    /// On what can never be stored: no events, one id twice, a name that is empty, has a NUL or is longer than
    /// [`MAX_NAME`], a schema above `i16::MAX`.
    async fn append(&self, append: Append) -> Result<Appended, AppendError>;

    /// The records of one stream with a version above `after_version`, all of them, in order.
    async fn read_stream(
        &self,
        stream: &StreamName,
        after_version: u64,
    ) -> Result<Vec<Arc<Record>>, Unavailable>;

    /// Up to `limit` (at most [`MAX_PAGE`]) records after `after`, in log order. A page may be short although the log
    /// goes on; only an empty one says that nothing is after `after`.
    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<Arc<Record>>, Unavailable>;

    /// Up to `limit` (at most [`MAX_PAGE`]) records of any of `topics` after `after`, in log order. A short page is
    /// the end of those topics.
    async fn read_topics(
        &self,
        topics: &[Topic],
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, Unavailable>;

    /// The record with this event id, if it is in the log.
    async fn find(&self, id: Uuid) -> Result<Option<Arc<Record>>, Unavailable>;

    /// The position of the newest visible record; [`Position::START`] in an empty log.
    async fn head(&self) -> Result<Position, Unavailable>;

    /// Follows the log from `after` on, for ever: see [`Tail`].
    fn tail(self: Arc<Self>, after: Position) -> Tail;
}
