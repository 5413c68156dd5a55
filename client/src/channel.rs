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
    /// Of a group.
    #[serde(default)]
    pub owner_id: Option<Uuid>,
    /// Whether roles alone do not let anyone see it.
    #[serde(default)]
    pub private: bool,
    /// Exceptions from what roles grant.
    #[serde(default)]
    pub overwrites: Vec<Overwrite>,
    /// Seconds between two posts of an account; 0: off.
    #[serde(default)]
    pub slow_mode: u32,
    /// Readable, but nobody adds anything.
    #[serde(default)]
    pub archived: bool,
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

/// What a role or a member may do in a channel in spite of the roles: one of the two is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overwrite {
    /// `guest`, `member`, `moderator` or the id of one of the community's own.
    pub role: Option<String>,
    pub account: Option<Uuid>,
    /// Names of permissions.
    #[serde(default)]
    pub allow: Vec<String>,
    #[serde(default)]
    pub deny: Vec<String>,
}

/// Whom an overwrite is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverwriteTarget {
    Role(String),
    Account(Uuid),
}

/// Where a channel stands in its community.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ChannelPlace {
    pub id: Uuid,
    pub category_id: Option<Uuid>,
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
    /// As its category, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// Those of its category, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overwrites: Option<Vec<Overwrite>>,
}

impl NewChannel {
    /// A text channel.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: None,
            topic: None,
            category_id: None,
            private: None,
            overwrites: None,
        }
    }
}

/// What to change; what is `None` stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ChannelChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// `Some(None)`: into no category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category_id: Option<Option<Uuid>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// In seconds, at most 21,600; 0: off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_mode: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
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

    /// `PUT /channels/{id}/overwrites/…`: empty lists take the overwrite away.
    pub fn overwrite_channel(
        &self,
        id: Uuid,
        target: &OverwriteTarget,
        allow: &[&str],
        deny: &[&str],
    ) -> Command<ChannelAnswer> {
        #[derive(Serialize)]
        struct Body<'a> {
            allow: &'a [&'a str],
            deny: &'a [&'a str],
        }
        let id = id.to_string();
        match target {
            OverwriteTarget::Role(role) => {
                Command::new(self, Method::PUT, &["channels", &id, "overwrites", "roles", role])
            }
            OverwriteTarget::Account(account) => {
                let account = account.to_string();
                Command::new(self, Method::PUT, &["channels", &id, "overwrites", "accounts", &account])
            }
        }
        .body(&Body { allow, deny })
    }

    /// `PUT /communities/{id}/channel-order`: channels that are not named come last.
    pub fn order_channels(&self, community: Uuid, channels: &[ChannelPlace]) -> Command<Done> {
        #[derive(Serialize)]
        struct Body<'a> {
            channels: &'a [ChannelPlace],
        }
        let path = ["communities", &community.to_string(), "channel-order"];
        Command::new(self, Method::PUT, &path).body(&Body { channels })
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
