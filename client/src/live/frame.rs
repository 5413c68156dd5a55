//! One event of the log as it is delivered.

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::event::Event;
use super::signal::Signal;
use crate::cursor::Cursor;
use crate::error::Error;

/// One event of the log. Both transports send the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// The cursor after it; also its identity.
    pub id: Cursor,
    /// Such as `message.posted`.
    #[serde(rename = "type")]
    pub kind: String,
    pub time: Timestamp,
    /// Whom it concerns, such as `channel:0198…`.
    pub topic: String,
    /// As sent; [`Frame::event`] has it typed.
    pub data: Value,
}

impl Frame {
    /// What happened.
    ///
    /// # Errors
    /// [`Error::Decode`] if the data of a known type isn't what the contract says.
    pub fn event(&self) -> Result<Event, Error> {
        Event::decode(&self.kind, &self.data)
            .map_err(|error| Error::Decode(format!("a {} frame: {error}", self.kind)))
    }
}

/// The answer of one long-poll.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PollAnswer {
    pub events: Vec<Polled>,
    /// Where the next poll goes on.
    #[serde(default)]
    pub next: Option<Cursor>,
}

/// An element of a long-poll's answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Polled {
    Frame(Frame),
    Signal(Signal),
    /// The cursor cannot be honoured; it has no place in the log.
    Reset(Reset),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reset {
    #[serde(rename = "type")]
    kind: String,
    pub data: Value,
}

impl<'de> Deserialize<'de> for Polled {
    /// By `type` and `id`: a frame that cannot be read must be an error, since skipping it would lose it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.get("type").is_some_and(|kind| kind == "reset") {
            Reset::deserialize(value).map(Self::Reset).map_err(D::Error::custom)
        } else if value.get("id").is_none() {
            Signal::deserialize(value).map(Self::Signal).map_err(D::Error::custom)
        } else {
            Frame::deserialize(value).map(Self::Frame).map_err(D::Error::custom)
        }
    }
}

/// The `reason` of a `reset` or `bye`.
pub(super) fn reason(data: &Value) -> String {
    let reason = data.get("reason").or_else(|| data.get("data").and_then(|data| data.get("reason")));
    reason.and_then(Value::as_str).unwrap_or("unknown").to_owned()
}
