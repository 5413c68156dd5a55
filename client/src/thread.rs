//! Threads, what mentions the caller, passing on, and deleting many.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::Client;
use crate::cursor::{Cursor, Done, Page};
use crate::message::{Message, MessageAnswer, MessageQuery};
use crate::request::{Command, Read};

/// A thread that the caller follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowedThread {
    /// Its first message.
    pub message: Message,
    /// 100 stands for more, too.
    pub unread: u64,
}

/// How much of a thread the caller has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadReadState {
    pub thread_id: Uuid,
    pub channel_id: Uuid,
    pub last_read_message_id: Option<Uuid>,
    /// 100 stands for more, too.
    pub unread: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadReadStateAnswer {
    pub read_state: ThreadReadState,
}

/// Where to pass a message on to.
#[derive(Debug, Clone, Serialize)]
pub struct Forward {
    pub channel_id: Uuid,
    /// What the caller says about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// What became of many messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedMessages {
    pub deleted: Vec<Uuid>,
    /// No messages of the channel.
    pub not_found: Vec<Uuid>,
    pub position: Cursor,
}

#[derive(Serialize)]
struct One {
    message: Uuid,
}

#[derive(Serialize)]
struct Many<'a> {
    messages: &'a [Uuid],
}

impl Client {
    /// `GET /messages/{id}/thread`
    pub fn thread(&self, root: Uuid, query: &MessageQuery) -> Read<Page<Message>> {
        query.ask(Read::new(self, &["messages", &root.to_string(), "thread"]))
    }

    /// `PUT /messages/{id}/thread/follow`
    pub fn follow_thread(&self, root: Uuid) -> Command<Done> {
        Command::new(self, Method::PUT, &["messages", &root.to_string(), "thread", "follow"])
    }

    /// `DELETE /messages/{id}/thread/follow`
    pub fn unfollow_thread(&self, root: Uuid) -> Command<Done> {
        Command::new(self, Method::DELETE, &["messages", &root.to_string(), "thread", "follow"])
    }

    /// `PUT /messages/{id}/thread/read-marker`: all up to this message of the thread was read.
    pub fn mark_thread_read(&self, root: Uuid, message: Uuid) -> Command<ThreadReadStateAnswer> {
        Command::new(self, Method::PUT, &["messages", &root.to_string(), "thread", "read-marker"])
            .body(&One { message })
    }

    /// `GET /me/threads`, from [`Page::next`] on.
    pub fn followed_threads(
        &self,
        before: Option<&Cursor>,
        limit: Option<u32>,
    ) -> Read<Page<FollowedThread>> {
        Read::new(self, &["me", "threads"]).query("before", before).query("limit", limit)
    }

    /// `GET /me/mentions`, from [`Page::next`] on.
    pub fn mentions(&self, before: Option<&Cursor>, limit: Option<u32>) -> Read<Page<Message>> {
        Read::new(self, &["me", "mentions"]).query("before", before).query("limit", limit)
    }

    /// `POST /messages/{id}/forwards`
    pub fn forward_message(&self, id: Uuid, forward: &Forward) -> Command<MessageAnswer> {
        Command::new(self, Method::POST, &["messages", &id.to_string(), "forwards"]).body(forward)
    }

    /// `POST /channels/{id}/messages/bulk-delete`, 1 to 100 at a time.
    pub fn delete_messages(&self, channel: Uuid, messages: &[Uuid]) -> Command<DeletedMessages> {
        Command::new(self, Method::POST, &["channels", &channel.to_string(), "messages", "bulk-delete"])
            .body(&Many { messages })
    }
}
