//! Direct and group channels, and whom one has blocked.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::Account;
use crate::channel::Channel;
use crate::client::Client;
use crate::cursor::{Cursor, Done, Page};
use crate::request::{Command, Read};

/// A direct or group channel with those who take part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    #[serde(flatten)]
    pub channel: Channel,
    /// The caller among them, in the order in which they came.
    pub members: Vec<Account>,
    /// When the newest message was posted.
    pub last_message_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationAnswer {
    pub channel: Conversation,
    pub position: Cursor,
}

/// An account that the caller has blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub account: Account,
    pub created_at: Timestamp,
}

#[derive(Serialize)]
struct With {
    account: Uuid,
}

impl Client {
    /// `GET /me/conversations`: the one where somebody posted last comes first.
    pub fn conversations(&self) -> Read<Page<Conversation>> {
        Read::new(self, &["me", "conversations"])
    }

    /// `POST /direct-channels`: opens the one direct channel with an account, or finds it.
    pub fn open_direct(&self, account: Uuid) -> Command<ConversationAnswer> {
        Command::new(self, Method::POST, &["direct-channels"]).body(&With { account })
    }

    /// `POST /group-channels`, with 1 to 24 others.
    pub fn create_group(&self, name: Option<&str>, members: &[Uuid]) -> Command<ConversationAnswer> {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            name: Option<&'a str>,
            members: &'a [Uuid],
        }
        Command::new(self, Method::POST, &["group-channels"]).body(&Body { name, members })
    }

    /// `PUT /channels/{id}/members/{account}`
    pub fn add_group_member(&self, group: Uuid, account: Uuid) -> Command<ConversationAnswer> {
        let path = ["channels", &group.to_string(), "members", &account.to_string()];
        Command::new(self, Method::PUT, &path)
    }

    /// `DELETE /channels/{id}/members/{account}`; oneself: to leave.
    pub fn remove_group_member(&self, group: Uuid, account: Uuid) -> Command<Done> {
        let path = ["channels", &group.to_string(), "members", &account.to_string()];
        Command::new(self, Method::DELETE, &path)
    }

    /// `PUT /channels/{id}/owner`
    pub fn hand_group_over(&self, group: Uuid, account: Uuid) -> Command<ConversationAnswer> {
        Command::new(self, Method::PUT, &["channels", &group.to_string(), "owner"]).body(&With { account })
    }

    /// `GET /me/blocks`
    pub fn blocks(&self) -> Read<Page<Block>> {
        Read::new(self, &["me", "blocks"])
    }

    /// `PUT /me/blocks/{account}`
    pub fn block_account(&self, account: Uuid) -> Command<Done> {
        Command::new(self, Method::PUT, &["me", "blocks", &account.to_string()])
    }

    /// `DELETE /me/blocks/{account}`
    pub fn unblock_account(&self, account: Uuid) -> Command<Done> {
        Command::new(self, Method::DELETE, &["me", "blocks", &account.to_string()])
    }
}
