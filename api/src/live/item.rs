//! What is handed to a reader, and how it is written.

use std::sync::Arc;

use event_store::Position;
use tokio::net::TcpStream;

use super::framed::Framed;
use super::run::Run;
use super::signal::SignalFrame;
use crate::cursor::Cursor;

/// What is handed to a reader.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    Run(Arc<Run>),
    Beat(Arc<Beat>),
    Signal(Arc<SignalFrame>),
}

/// A sign of life: nothing up to `upto` is missing.
#[derive(Debug)]
pub(crate) struct Beat {
    pub(crate) upto: Position,
    pub(crate) sse: Framed,
}

impl Beat {
    /// Once a reader is live, with the cursor up to which nothing is missing.
    pub(crate) fn new(upto: Position, cursor: Option<&Cursor>) -> Self {
        let id = cursor.map_or_else(String::new, |cursor| format!("id: {cursor}\n"));
        Self { upto, sse: format!("event: heartbeat\n{id}data: {{}}\n\n").into() }
    }
}

impl Item {
    pub(super) fn upto(&self) -> Position {
        match self {
            Self::Run(run) => run.last(),
            Self::Beat(beat) => beat.upto,
            // It says nothing about the log.
            Self::Signal(_) => Position::START,
        }
    }

    pub(crate) fn sse(&self) -> Option<&Framed> {
        match self {
            Self::Run(run) => run.sse.as_ref(),
            Self::Beat(beat) => Some(&beat.sse),
            Self::Signal(signal) => Some(signal.sse()),
        }
    }

    /// What is written of it.
    pub(super) fn bytes(&self, framing: Framing) -> &[u8] {
        self.sse().map_or(&[], |sse| framing.bytes(sse))
    }

    /// What of it comes after `position`, if anything does.
    pub(super) fn after(self, position: Position) -> Option<Self> {
        match self {
            Self::Run(run) => run.after(position).map(Self::Run),
            Self::Beat(_) | Self::Signal(_) => Some(self),
        }
    }
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// HTTP/1.1.
    Chunked,
    /// HTTP/1.0: it ends with the connection.
    UntilClose,
}

impl Framing {
    pub(crate) fn bytes(self, sse: &Framed) -> &[u8] {
        match self {
            Self::Chunked => sse.chunk(),
            Self::UntilClose => sse.plain(),
        }
    }
}

/// A socket that a stream is written to, past all that HTTP needed to open it.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    pub(crate) socket: Arc<TcpStream>,
    pub(crate) framing: Framing,
}
