//! What is personal in a message as posted.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Content;
use crate::poll::PollOptions;

/// The text of a message, and the texts of its poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageText {
    pub content: Content,
    pub poll: Option<PollOptions>,
}

impl From<Content> for MessageText {
    fn from(content: Content) -> Self {
        Self { content, poll: None }
    }
}

/// The text alone is a string, as it was before a message could hold more; with more it is an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Content(Content),
    Whole {
        content: Content,
        #[serde(default)]
        poll: Option<PollOptions>,
    },
}

#[derive(Serialize)]
struct Whole<'a> {
    content: &'a Content,
    poll: &'a PollOptions,
}

impl Serialize for MessageText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { content, poll } = self;
        match poll {
            None => content.serialize(serializer),
            Some(poll) => Whole { content, poll }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for MessageText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Stored::deserialize(deserializer)? {
            Stored::Content(content) => content.into(),
            Stored::Whole { content, poll } => Self { content, poll },
        })
    }
}
