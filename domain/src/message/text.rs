//! What is personal in a message as posted.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Content;
use crate::poll::PollOptions;

/// The text of a message, the texts of its poll, and the text that it passes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageText {
    pub content: Content,
    pub poll: Option<PollOptions>,
    pub forwarded: Option<Content>,
}

impl From<Content> for MessageText {
    fn from(content: Content) -> Self {
        Self { content, poll: None, forwarded: None }
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
        #[serde(default)]
        forwarded: Option<Content>,
    },
}

#[derive(Serialize)]
struct Whole<'a> {
    content: &'a Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    poll: Option<&'a PollOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forwarded: Option<&'a Content>,
}

impl Serialize for MessageText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { content, poll, forwarded } = self;
        if poll.is_none() && forwarded.is_none() {
            return content.serialize(serializer);
        }
        Whole { content, poll: poll.as_ref(), forwarded: forwarded.as_ref() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MessageText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Stored::deserialize(deserializer)? {
            Stored::Content(content) => content.into(),
            Stored::Whole { content, poll, forwarded } => Self { content, poll, forwarded },
        })
    }
}
