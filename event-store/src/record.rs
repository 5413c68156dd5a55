//! What the log holds.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

/// A record's place in the log's one order. Opaque outside: only comparisons mean anything, holes may exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

impl Position {
    /// Before the first record.
    pub const START: Self = Self(0);
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The identity of one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogId(pub Uuid);

/// The name of a stream, such as `message-0198…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(Box<str>);

/// Whom an event concerns, such as `channel:0198…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(Box<str>);

macro_rules! text {
    ($name:ident) => {
        impl $name {
            /// Wraps a name that the caller has made by the rules of the design.
            pub fn new(name: impl Into<Box<str>>) -> Self {
                Self(name.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
text!(StreamName);
text!(Topic);

/// The personal part of an event: readable only while the key named here exists in the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub key_id: Uuid,
    pub nonce: [u8; 24],
    pub ciphertext: Bytes,
}

/// One event as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub position: Position,
    pub stream: StreamName,
    /// 1, 2, 3 … in its stream.
    pub version: u64,
    pub id: Uuid,
    /// The event's type, such as `message.posted`; never renamed.
    pub kind: String,
    /// The number of the shape of `data` for this type.
    pub schema: u16,
    pub topic: Topic,
    /// JSON, byte for byte as it was appended.
    pub data: Bytes,
    pub sealed: Option<Sealed>,
    /// JSON, byte for byte as it was appended.
    pub meta: Bytes,
    pub recorded_at: Timestamp,
}

impl Record {
    /// Roughly what the record occupies in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
            + self.stream.as_str().len()
            + self.kind.len()
            + self.topic.as_str().len()
            + self.data.len()
            + self.sealed.as_ref().map_or(0, |sealed| sealed.ciphertext.len())
            + self.meta.len()
    }
}
