//! Channels of a community.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::Client;
use crate::cursor::{Cursor, Done};
use crate::request::{Command, Read};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    pub id: Uuid,
    /// `None` for a direct or group channel.
    pub community_id: Option<Uuid>,
    pub kind: ChannelKind,
    /// `None` for a direct channel, and for a group that goes by its members' names.
    pub name: Option<String>,
    /// Empty: none.
    pub topic: Option<String>,
    pub category_id: Option<Uuid>,
    /// Whether roles alone do not let anyone see it.
    #[serde(default)]
    pub private: bool,
    pub created_at: Timestamp,
}

impl Channel {
    /// What to call it; empty where it has no name.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChannelKind {
    Text,
    Audio,
    Video,
    /// Groups others; holds no messages.
    Category,
    /// Of two accounts.
    Direct,
    /// Of some accounts, outside communities.
    Group,
    /// One that a newer server knows.
    #[serde(untagged)]
    Other(String),
}

#[derive(Debug, Clone, Serialize)]
pub struct NewChannel {
    pub name: String,
    /// Text, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ChannelKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category_id: Option<Uuid>,
}

impl NewChannel {
    /// A text channel.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: None, topic: None, category_id: None }
    }
}

/// What to change; what is `None` stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ChannelChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelAnswer {
    pub channel: Channel,
    pub position: Cursor,
}

impl Client {
    /// `POST /communities/{id}/channels`
    pub fn create_channel(&self, community: Uuid, channel: &NewChannel) -> Command<ChannelAnswer> {
        Command::new(self, Method::POST, &["communities", &community.to_string(), "channels"]).body(channel)
    }

    /// `GET /channels/{id}`
    pub fn channel(&self, id: Uuid) -> Read<Channel> {
        Read::new(self, &["channels", &id.to_string()])
    }

    /// `PATCH /channels/{id}`
    pub fn change_channel(&self, id: Uuid, change: &ChannelChange) -> Command<ChannelAnswer> {
        Command::new(self, Method::PATCH, &["channels", &id.to_string()]).body(change)
    }

    /// `POST /channels/{id}/typing`: the caller types there. To be said again every 3 to 5 s while that is so; sent once,
    /// because it is worth nothing later.
    pub fn signal_typing(&self, channel: Uuid) -> Command<()> {
        Command::new(self, Method::POST, &["channels", &channel.to_string(), "typing"]).once()
    }

    /// `DELETE /channels/{id}`
    pub fn delete_channel(&self, id: Uuid) -> Command<Done> {
        Command::new(self, Method::DELETE, &["channels", &id.to_string()])
    }
}
