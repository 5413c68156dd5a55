//! `channel-{id}`: a place to talk in, of a community or of two or more accounts.

use serde::{Deserialize, Serialize};

use std::collections::BTreeSet;

use crate::permission::Overwrites;
use crate::text::bounded;
use crate::{AccountId, Aggregate, ChannelId, CommunityId, Permissions, Standing};

mod event;

pub use event::{
    ChannelChanged, ChannelCreated, ChannelDeleted, ChannelEvent, ChannelOverwritten, DirectOpened,
    GroupCreated, GroupHandedOver, GroupMemberAdded, GroupMemberRemoved, GroupRenamed,
};

bounded!(ChannelName, line, 1..=100);
bounded!(
    /// What a channel is for. Empty: none.
    ChannelTopic, line, 0..=1_024
);

impl ChannelTopic {
    pub fn none() -> Self {
        Self::parse("").expect("an empty topic fits")
    }
}

/// What a channel carries. Every kind but a category holds messages too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    Text,
    Audio,
    Video,
    /// Groups other channels.
    Category,
    /// Of two accounts, outside communities.
    Direct,
    /// Of some accounts, outside communities.
    Group,
}

impl ChannelKind {
    pub const ALL: [Self; 6] =
        [Self::Text, Self::Audio, Self::Video, Self::Category, Self::Direct, Self::Group];
    /// Those that a community has.
    pub const OF_COMMUNITY: [Self; 4] = [Self::Text, Self::Audio, Self::Video, Self::Category];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Category => "category",
            Self::Direct => "direct",
            Self::Group => "group",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
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
    pub home: Home,
    /// `None`: a direct channel, or a group that goes by its members' names.
    pub name: Option<ChannelName>,
    pub kind: ChannelKind,
    pub topic: ChannelTopic,
    pub category_id: Option<ChannelId>,
    pub private: bool,
    pub overwrites: Overwrites,
}

/// Whose channel it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    Community(CommunityId),
    /// A direct channel, of these two.
    Direct([AccountId; 2]),
    /// A group channel. The owner is one of the members.
    Group {
        owner: AccountId,
        members: BTreeSet<AccountId>,
    },
}

impl LiveChannel {
    fn conversation(id: ChannelId, kind: ChannelKind, home: Home) -> Self {
        Self {
            id,
            home,
            name: None,
            kind,
            topic: ChannelTopic::none(),
            category_id: None,
            private: false,
            overwrites: Overwrites::default(),
        }
    }

    /// `None` for a direct or group channel.
    pub fn community_id(&self) -> Option<CommunityId> {
        match self.home {
            Home::Community(id) => Some(id),
            Home::Direct(_) | Home::Group { .. } => None,
        }
    }
}

impl Channel {
    pub fn live(&self) -> Option<&LiveChannel> {
        match self {
            Self::Live(channel) => Some(channel),
            Self::Absent | Self::Deleted(_) => None,
        }
    }

    fn group(&mut self) -> Option<(&mut AccountId, &mut BTreeSet<AccountId>)> {
        match self {
            Self::Live(LiveChannel { home: Home::Group { owner, members }, .. }) => Some((owner, members)),
            Self::Live(_) | Self::Absent | Self::Deleted(_) => None,
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
                    home: Home::Community(created.community_id),
                    name: Some(created.name.clone()),
                    kind: created.kind,
                    topic: created.topic.clone(),
                    category_id: created.category_id,
                    private: created.private,
                    overwrites: created.overwrites.clone(),
                });
            }
            ChannelEvent::Changed(changed) => {
                if let Self::Live(channel) = self {
                    if let Some(name) = &changed.name {
                        channel.name = Some(name.clone());
                    }
                    if let Some(topic) = &changed.topic {
                        channel.topic = topic.clone();
                    }
                    if let Some(private) = changed.private {
                        channel.private = private;
                    }
                }
            }
            ChannelEvent::Deleted(_) => {
                if let Self::Live(channel) = std::mem::take(self) {
                    *self = Self::Deleted(channel);
                }
            }
            ChannelEvent::Overwritten(overwritten) => {
                if let Self::Live(channel) = self {
                    channel.overwrites.set(overwritten.target, overwritten.overwrite);
                }
            }
            ChannelEvent::DirectOpened(opened) => {
                let home = Home::Direct(opened.accounts);
                *self = Self::Live(LiveChannel::conversation(opened.channel_id, ChannelKind::Direct, home));
            }
            ChannelEvent::GroupCreated(created) => {
                let home = Home::Group { owner: created.owner_id, members: created.members.clone() };
                let group = LiveChannel::conversation(created.channel_id, ChannelKind::Group, home);
                *self = Self::Live(LiveChannel { name: created.name.clone(), ..group });
            }
            ChannelEvent::GroupRenamed(renamed) => {
                if let Self::Live(channel) = self {
                    channel.name.clone_from(&renamed.name);
                }
            }
            ChannelEvent::GroupMemberAdded(added) => {
                if let Some((_, members)) = self.group() {
                    members.insert(added.account_id);
                }
            }
            ChannelEvent::GroupMemberRemoved(removed) => {
                if let Some((_, members)) = self.group() {
                    members.remove(&removed.account_id);
                }
            }
            ChannelEvent::GroupHandedOver(handed) => {
                if let Some((owner, _)) = self.group() {
                    *owner = handed.owner_id;
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
                        |c: &LiveChannel| c.kind == ChannelKind::Category && c.community_id() == by.community;
                    if !category.live().is_some_and(fits) {
                        return Err(ChannelError::CategoryNotFound);
                    }
                }
                let category_id = category.map(|(id, _)| id);
                let community_id = by.community.ok_or(ChannelError::UnknownCommunity)?;
                let (private, overwrites) = (false, Overwrites::default());
                let channel_id = id;
                Ok(vec![
                    ChannelCreated {
                        channel_id,
                        community_id,
                        name,
                        kind,
                        topic,
                        category_id,
                        private,
                        overwrites,
                    }
                    .into(),
                ])
            }
            ChannelCommand::Change { by, name, topic } => {
                let (channel, community_id) = self.managed_by(&by)?;
                let name = name.filter(|name| channel.name.as_ref() != Some(name));
                let topic = topic.filter(|topic| *topic != channel.topic);
                if name.is_none() && topic.is_none() {
                    return Ok(vec![]);
                }
                let channel_id = channel.id;
                Ok(vec![ChannelChanged { channel_id, community_id, name, topic, private: None }.into()])
            }
            ChannelCommand::Delete { by } => {
                let (channel, community_id) = self.managed_by(&by)?;
                let channel_id = channel.id;
                Ok(vec![ChannelDeleted { channel_id, community_id, deleted_by: by.account }.into()])
            }
        }
    }
}

impl Channel {
    /// The channel and its community, if `by` may change it.
    fn managed_by(&self, by: &Standing) -> Result<(&LiveChannel, CommunityId), ChannelError> {
        let seen = |channel: &&LiveChannel| by.sees(channel.id, channel.community_id());
        let channel = self.live().filter(seen).ok_or(ChannelError::Unknown)?;
        let community = channel.community_id().ok_or(ChannelError::Unknown)?;
        if by.may(Permissions::MANAGE_CHANNELS) {
            Ok((channel, community))
        } else {
            Err(ChannelError::MayNotManage)
        }
    }
}
