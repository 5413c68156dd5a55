//! One event as clients get it, encoded once for all of them.

use bytes::Bytes;
use event_store::Position;
use jiff::Timestamp;
use serde::Serialize;

use super::access::{AccessChange, Audience};
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
    /// `event:`, `id:` and `data:` lines with the blank line behind them.
    pub(crate) sse: Bytes,
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
        let sse = Bytes::from(sse);
        Self { position, audience: Audience::Nobody, change: None, sse, json_start }
    }

    /// A frame that nobody gets, for what it changes.
    pub(crate) fn silent(position: Position, change: Option<AccessChange>) -> Self {
        Self { position, audience: Audience::Nobody, change, sse: Bytes::new(), json_start: 0 }
    }

    pub(crate) fn json(&self) -> &[u8] {
        &self.sse[self.json_start..self.sse.len() - 2]
    }
}
