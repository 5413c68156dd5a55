//! Read states: up to where the caller has read its channels, and how much it has not.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::Client;
use crate::cursor::Page;
use crate::request::{Command, Read};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadState {
    pub channel_id: Uuid,
    /// The newest message that was read.
    pub last_read_message_id: Option<Uuid>,
    /// Messages of others behind it; 100 stands for more, too.
    pub unread: u32,
    /// The first of them: where to jump to.
    pub first_unread_message_id: Option<Uuid>,
    /// Messages of others behind it that mention the caller, by a role or with everybody too; 100 stands for more.
    pub mentions: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadStateAnswer {
    pub read_state: ReadState,
}

#[derive(Serialize)]
struct Mark {
    message: Uuid,
    unread: bool,
}

impl Client {
    /// `GET /me/read-states`: of the channels that have a read marker or something unread. Signals may be lost, so a
    /// program that was away asks again.
    pub fn read_states(&self) -> Read<Page<ReadState>> {
        Read::new(self, &["me", "read-states"])
    }

    /// `PUT /channels/{id}/read-marker`: this message and all before it were read.
    pub fn mark_read(&self, channel: Uuid, message: Uuid) -> Command<ReadStateAnswer> {
        self.mark(channel, Mark { message, unread: false })
    }

    /// `PUT /channels/{id}/read-marker`: this message and all behind it are to be unread again.
    pub fn mark_unread(&self, channel: Uuid, message: Uuid) -> Command<ReadStateAnswer> {
        self.mark(channel, Mark { message, unread: true })
    }

    fn mark(&self, channel: Uuid, mark: Mark) -> Command<ReadStateAnswer> {
        Command::new(self, Method::PUT, &["channels", &channel.to_string(), "read-marker"]).body(&mark)
    }
}
