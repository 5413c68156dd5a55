//! `channel-{id}`: a place to talk in.

use serde::{Deserialize, Serialize};

use crate::codec::{events, fact};
use crate::text::bounded;
use crate::{AccountId, Aggregate, ChannelId, CommunityId, Permissions, Standing};

bounded!(ChannelName, line, 1..=100);
bounded!(
    /// What a channel is for. Empty: none.
    ChannelTopic, line, 0..=1_024
);

/// What a channel carries. Every kind but a category holds messages too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    Text,
    Audio,
    Video,
    /// Groups other channels.
    Category,
}

impl ChannelKind {
    pub const ALL: [Self; 4] = [Self::Text, Self::Audio, Self::Video, Self::Category];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Category => "category",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelCreated {
    pub channel_id: ChannelId,
    pub community_id: CommunityId,
    pub name: ChannelName,
    pub kind: ChannelKind,
    pub topic: ChannelTopic,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_id: Option<ChannelId>,
}
fact!(ChannelCreated = "channel.created", 1);

/// The fields that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelChanged {
    pub channel_id: ChannelId,
    pub community_id: CommunityId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ChannelName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<ChannelTopic>,
}
fact!(ChannelChanged = "channel.changed", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelDeleted {
    pub channel_id: ChannelId,
    pub community_id: CommunityId,
    pub deleted_by: AccountId,
}
fact!(ChannelDeleted = "channel.deleted", 1);

events! {
    pub enum ChannelEvent {
        Created(ChannelCreated),
        Changed(ChannelChanged),
        Deleted(ChannelDeleted),
    }
}

/// The fold of a channel's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Channel {
    #[default]
    Absent,
    Live(LiveChannel),
    Deleted(LiveChannel),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveChannel {
    pub id: ChannelId,
    pub community_id: CommunityId,
    pub name: ChannelName,
    pub kind: ChannelKind,
    pub topic: ChannelTopic,
    pub category_id: Option<ChannelId>,
}

impl Channel {
    pub fn live(&self) -> Option<&LiveChannel> {
        match self {
            Self::Live(channel) => Some(channel),
            Self::Absent | Self::Deleted(_) => None,
        }
    }

    /// What is known of the channel, deleted or not.
    pub fn last(&self) -> Option<&LiveChannel> {
        match self {
            Self::Live(channel) | Self::Deleted(channel) => Some(channel),
            Self::Absent => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelCommand {
    Create {
        id: ChannelId,
        by: Standing,
        name: ChannelName,
        kind: ChannelKind,
        topic: ChannelTopic,
        /// The category to stand in, with its state.
        category: Option<(ChannelId, Channel)>,
    },
    Change {
        by: Standing,
        name: Option<ChannelName>,
        topic: Option<ChannelTopic>,
    },
    Delete {
        by: Standing,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    #[error("there is no such community")]
    UnknownCommunity,
    #[error("there is no such channel")]
    Unknown,
    #[error("you may not manage the channels of this community")]
    MayNotManage,
    #[error("the category is not one of this community")]
    CategoryNotFound,
    #[error("a category cannot stand in a category")]
    CategoryInCategory,
}

impl Aggregate for Channel {
    type Event = ChannelEvent;
    type Command = ChannelCommand;
    type Error = ChannelError;

    fn evolve(&mut self, event: &ChannelEvent) {
        match event {
            ChannelEvent::Created(created) => {
                *self = Self::Live(LiveChannel {
                    id: created.channel_id,
                    community_id: created.community_id,
                    name: created.name.clone(),
                    kind: created.kind,
                    topic: created.topic.clone(),
                    category_id: created.category_id,
                });
            }
            ChannelEvent::Changed(changed) => {
                if let Self::Live(channel) = self {
                    if let Some(name) = &changed.name {
                        channel.name = name.clone();
                    }
                    if let Some(topic) = &changed.topic {
                        channel.topic = topic.clone();
                    }
                }
            }
            ChannelEvent::Deleted(_) => {
                if let Self::Live(channel) = std::mem::take(self) {
                    *self = Self::Deleted(channel);
                }
            }
        }
    }

    fn decide(&self, command: ChannelCommand) -> Result<Vec<ChannelEvent>, ChannelError> {
        match command {
            ChannelCommand::Create { .. } if *self != Self::Absent => Ok(vec![]),
            ChannelCommand::Create { id, by, name, kind, topic, category } => {
                if !by.is_member() {
                    return Err(ChannelError::UnknownCommunity);
                }
                if !by.may(Permissions::MANAGE_CHANNELS) {
                    return Err(ChannelError::MayNotManage);
                }
                if let Some((_, category)) = &category {
                    if kind == ChannelKind::Category {
                        return Err(ChannelError::CategoryInCategory);
                    }
                    let fits =
                        |c: &LiveChannel| c.kind == ChannelKind::Category && c.community_id == by.community;
                    if !category.live().is_some_and(fits) {
                        return Err(ChannelError::CategoryNotFound);
                    }
                }
                let category_id = category.map(|(id, _)| id);
                let community_id = by.community;
                Ok(vec![
                    ChannelCreated { channel_id: id, community_id, name, kind, topic, category_id }.into(),
                ])
            }
            ChannelCommand::Change { by, name, topic } => {
                let channel = self.managed_by(&by)?;
                let name = name.filter(|name| *name != channel.name);
                let topic = topic.filter(|topic| *topic != channel.topic);
                if name.is_none() && topic.is_none() {
                    return Ok(vec![]);
                }
                let (channel_id, community_id) = (channel.id, channel.community_id);
                Ok(vec![ChannelChanged { channel_id, community_id, name, topic }.into()])
            }
            ChannelCommand::Delete { by } => {
                let channel = self.managed_by(&by)?;
                let (channel_id, community_id) = (channel.id, channel.community_id);
                Ok(vec![ChannelDeleted { channel_id, community_id, deleted_by: by.account }.into()])
            }
        }
    }
}

impl Channel {
    fn managed_by(&self, by: &Standing) -> Result<&LiveChannel, ChannelError> {
        match self.live() {
            Some(channel) if channel.community_id == by.community && by.may(Permissions::VIEW) => {
                if by.may(Permissions::MANAGE_CHANNELS) {
                    Ok(channel)
                } else {
                    Err(ChannelError::MayNotManage)
                }
            }
            _ => Err(ChannelError::Unknown),
        }
    }
}
