//! What a writer asks of the log, and what it hears.

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{Position, Record, Sealed, StreamName, Topic, Unavailable};

/// The longest stream name, topic or kind, in bytes.
pub const MAX_NAME: usize = 512;

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
///
/// If any of the event ids is in the log already, the append is a duplicate, whatever else it says: nothing is
/// appended and the answer is that of the first append. Otherwise the expected version is checked, then the guards
/// in their order.
#[derive(Debug, Clone)]
pub struct Append {
    pub stream: StreamName,
    pub expected: Expected,
    pub guards: Vec<Guard>,
    /// Never empty; ids differ.
    pub events: Vec<NewEvent>,
}

impl NewEvent {
    pub(crate) fn into_record(
        self,
        position: Position,
        stream: StreamName,
        version: u64,
        recorded_at: Timestamp,
    ) -> Record {
        let Self { id, kind, schema, topic, data, sealed, meta } = self;
        let kind = kind.to_owned();
        Record { position, stream, version, id, kind, schema, topic, data, sealed, meta, recorded_at }
    }
}

impl Append {
    /// Roughly the bytes that the append sends to a database.
    pub(crate) fn size(&self) -> usize {
        let size = |event: &NewEvent| {
            let sealed = event.sealed.as_ref().map_or(0, |sealed| sealed.ciphertext.len());
            self.stream.as_str().len()
                + event.topic.as_str().len()
                + event.data.len()
                + sealed
                + event.meta.len()
        };
        self.events.iter().map(size).sum()
    }

    /// An append that no adapter could store would take the others of its batch down with it.
    ///
    /// # Panics
    /// Without events, with an id twice, with a name that is empty, longer than [`MAX_NAME`] or has a NUL, or with a
    /// schema above `i16::MAX`.
    pub(crate) fn assert_storable(&self) {
        let Self { stream, events, .. } = self;
        assert!(!events.is_empty(), "an append to {stream} has no event");
        for (index, event) in events.iter().enumerate() {
            assert!(events[..index].iter().all(|other| other.id != event.id), "event {} twice", event.id);
            assert!(i16::try_from(event.schema).is_ok(), "schema {} of {}", event.schema, event.kind);
            for name in [stream.as_str(), event.topic.as_str(), event.kind] {
                let fits = (1..=MAX_NAME).contains(&name.len()) && !name.contains('\0');
                assert!(fits, "{name:?} cannot be a name in the log");
            }
        }
    }
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
