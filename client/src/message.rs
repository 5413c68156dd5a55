//! Messages of a channel.

use std::fmt;

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::client::Client;
use crate::cursor::{Cursor, Page};
use crate::request::{Command, Read};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: Uuid,
    pub channel_id: Uuid,
    pub author_id: Uuid,
    /// `None`: deleted or erased.
    pub content: Option<String>,
    pub reply_to: Option<Uuid>,
    pub created_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    /// As the server sends them.
    #[serde(default)]
    pub reactions: Vec<Value>,
    #[serde(default)]
    pub pinned: bool,
    #[serde(default)]
    pub mentions: Mentions,
    /// The first message of the thread that it is in; then it is not in the channel's history.
    #[serde(default)]
    pub thread_id: Option<Uuid>,
    /// How the thread below it stands; `None`: there is none yet.
    #[serde(default)]
    pub thread: Option<ThreadSummary>,
    #[serde(default)]
    pub forwarded: Option<Forwarded>,
}

/// Whom a message mentions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mentions {
    #[serde(default)]
    pub accounts: Vec<Uuid>,
    /// `guest`, `member`, `moderator` or the id of one of the community's own.
    #[serde(default)]
    pub roles: Vec<String>,
    #[serde(default)]
    pub everyone: bool,
    #[serde(default)]
    pub here: bool,
}

/// How the thread below a message stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadSummary {
    pub replies: u64,
    pub last_reply_at: Timestamp,
    /// The first who posted in it, five at most.
    pub participants: Vec<Uuid>,
}

/// A text from another message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwarded {
    /// The message that it was first in.
    pub message_id: Uuid,
    pub channel_id: Uuid,
    pub author_id: Uuid,
    pub created_at: Timestamp,
    /// `None`: erased.
    pub content: Option<String>,
}

/// One text that a message had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// 1 is the text as posted.
    pub version: u64,
    pub content: Option<String>,
    pub created_at: Timestamp,
}

/// All texts of a message, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    pub items: Vec<Version>,
}

#[derive(Debug, Clone, Serialize)]
pub struct NewMessage {
    pub content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Uuid>,
    /// The message in whose thread to post.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<Uuid>,
}

impl NewMessage {
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: content.into(), reply_to: None, thread_id: None }
    }

    pub fn reply(to: Uuid, content: impl Into<String>) -> Self {
        Self { content: content.into(), reply_to: Some(to), thread_id: None }
    }

    /// In the thread below a message.
    pub fn in_thread(root: Uuid, content: impl Into<String>) -> Self {
        Self { content: content.into(), reply_to: None, thread_id: Some(root) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAnswer {
    pub message: Message,
    pub position: Cursor,
}

/// A place in a channel's messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Message(Uuid),
    /// [`Page::next`] or [`Page::prev`].
    Page(Cursor),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(id) => id.fmt(f),
            Self::Page(cursor) => cursor.fmt(f),
        }
    }
}

/// Which messages of a channel, newest first. The default is the newest page; at most one of the four places is set.
#[derive(Debug, Clone, Default)]
pub struct MessageQuery {
    pub before: Option<Place>,
    pub after: Option<Place>,
    pub around: Option<Place>,
    /// The page that ends with the newest message not younger than this.
    pub at: Option<Timestamp>,
    /// 1 to 100.
    pub limit: Option<u32>,
}

impl MessageQuery {
    pub(crate) fn ask<T>(&self, read: Read<T>) -> Read<T> {
        read.query("before", self.before.as_ref())
            .query("after", self.after.as_ref())
            .query("around", self.around.as_ref())
            .query("at", self.at)
            .query("limit", self.limit)
    }
}

#[derive(Serialize)]
struct Content<'a> {
    content: &'a str,
}

impl Client {
    /// `POST /channels/{id}/messages`
    pub fn post_message(&self, channel: Uuid, message: &NewMessage) -> Command<MessageAnswer> {
        Command::new(self, Method::POST, &["channels", &channel.to_string(), "messages"]).body(message)
    }

    /// `GET /channels/{id}/messages`
    pub fn messages(&self, channel: Uuid, query: &MessageQuery) -> Read<Page<Message>> {
        query.ask(Read::new(self, &["channels", &channel.to_string(), "messages"]))
    }

    /// `GET /messages/{id}`
    pub fn message(&self, id: Uuid) -> Read<Message> {
        Read::new(self, &["messages", &id.to_string()])
    }

    /// `PATCH /messages/{id}`
    pub fn edit_message(&self, id: Uuid, content: &str) -> Command<MessageAnswer> {
        Command::new(self, Method::PATCH, &["messages", &id.to_string()]).body(&Content { content })
    }

    /// `DELETE /messages/{id}`
    pub fn delete_message(&self, id: Uuid) -> Command<MessageAnswer> {
        Command::new(self, Method::DELETE, &["messages", &id.to_string()])
    }

    /// `GET /messages/{id}/versions`
    pub fn message_versions(&self, id: Uuid) -> Read<Versions> {
        Read::new(self, &["messages", &id.to_string(), "versions"])
    }
}
