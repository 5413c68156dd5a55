//! What a writer asks of the log, and what it hears.

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{Position, Sealed, StreamName, Topic, Unavailable};

/// Which version the writer believes the stream has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Any version, no check.
    Any,
    /// The stream has no event yet.
    NoStream,
    /// The stream's newest version is this one (`Exact(0)` equals `NoStream`).
    Exact(u64),
}

/// A condition on another stream, checked inside the append: its newest version is at most `at_most`
/// (0: it has no event).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    pub stream: StreamName,
    pub at_most: u64,
}

/// One event to append; the fields are those of [`crate::Record`].
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub id: Uuid,
    pub kind: &'static str,
    pub schema: u16,
    pub topic: Topic,
    pub data: Bytes,
    pub sealed: Option<Sealed>,
    pub meta: Bytes,
}

/// An atomic append of one or more events to one stream.
#[derive(Debug, Clone)]
pub struct Append {
    pub stream: StreamName,
    pub expected: Expected,
    pub guards: Vec<Guard>,
    /// Never empty; ids differ.
    pub events: Vec<NewEvent>,
}

/// Where the events of an append stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The stream that holds them: that of the first append for a duplicate.
    pub stream: StreamName,
    /// The position, version and time of the last event of the append.
    pub position: Position,
    pub version: u64,
    pub recorded_at: Timestamp,
    /// For a duplicate, the `meta` bytes of the first append's first event; `None` when this append wrote.
    pub first_meta: Option<Bytes>,
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// Nothing was appended: the stream has another version.
    #[error("{stream} is at version {current}")]
    WrongVersion { stream: StreamName, current: u64 },
    /// Nothing was appended: a guarded stream has moved on.
    #[error("{stream} has moved on to version {current}")]
    GuardFailed { stream: StreamName, current: u64 },
    /// The outcome is unknown; the same append may be repeated.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
