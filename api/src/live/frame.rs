//! One event as clients get it, encoded once for all of them.

use event_store::Position;
use jiff::Timestamp;
use serde::Serialize;

use super::access::Audience;
use super::change::AccessChange;
use super::framed::Framed;
use crate::cursor::Cursor;

/// The object of a frame, the same on both transports.
#[derive(Debug, Serialize)]
struct FrameObject<'a, D: Serialize> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: &'a str,
    time: Timestamp,
    topic: &'a str,
    data: D,
}

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) position: Position,
    pub(crate) audience: Audience,
    /// What the event changes about who sees what comes after it.
    pub(crate) change: Option<AccessChange>,
    /// `None` where nobody gets it.
    content: Option<Content>,
}

#[derive(Debug)]
struct Content {
    /// `event:`, `id:` and `data:` lines with the blank line behind them.
    sse: Framed,
    /// Where in `sse` the JSON object begins; it ends two bytes before the end.
    json_start: usize,
}

impl Frame {
    pub(crate) fn new<D: Serialize>(
        position: Position,
        cursor: &Cursor,
        kind: &str,
        time: Timestamp,
        topic: &str,
        data: D,
    ) -> Self {
        let object = FrameObject { kind, id: cursor.as_str(), time, topic, data };
        let mut sse = format!("event: {kind}\nid: {cursor}\ndata: ").into_bytes();
        let json_start = sse.len();
        serde_json::to_writer(&mut sse, &object).expect("frames are plain structs: JSON cannot fail");
        sse.extend_from_slice(b"\n\n");
        let content = Content { sse: Framed::new(std::iter::once(sse.as_slice())), json_start };
        Self { position, audience: Audience::Nobody, change: None, content: Some(content) }
    }

    /// A frame that nobody gets, for what it changes.
    pub(crate) fn silent(position: Position, change: Option<AccessChange>) -> Self {
        Self { position, audience: Audience::Nobody, change, content: None }
    }

    pub(crate) fn sse(&self) -> Option<&Framed> {
        self.content.as_ref().map(|content| &content.sse)
    }

    pub(crate) fn json(&self) -> &[u8] {
        self.content.as_ref().map_or(b"null", |content| {
            let sse = content.sse.plain();
            &sse[content.json_start..sse.len() - 2]
        })
    }

    /// Its length on a stream.
    pub(crate) fn len(&self) -> usize {
        self.sse().map_or(0, Framed::len)
    }
}
