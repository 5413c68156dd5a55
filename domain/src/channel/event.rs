//! What befalls a channel.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

use super::{ChannelKind, ChannelName, ChannelTopic, SlowMode};
use crate::codec::{events, fact};
use crate::permission::{Overwrite, Overwrites, Target};
use crate::{AccountId, ChannelId, CommunityId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelCreated {
    pub channel_id: ChannelId,
    pub community_id: CommunityId,
    pub name: ChannelName,
    pub kind: ChannelKind,
    pub topic: ChannelTopic,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_id: Option<ChannelId>,
    /// Whether roles alone do not let anyone see it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    #[serde(default, skip_serializing_if = "Overwrites::is_empty")]
    pub overwrites: Overwrites,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_mode: Option<SlowMode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    /// `Some(None)`: it stands in no category from then on.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "null_is_said")]
    pub category_id: Option<Option<ChannelId>>,
}
fact!(ChannelChanged = "channel.changed", 1);

impl ChannelChanged {
    /// Of which nothing has changed yet.
    pub fn nothing(channel_id: ChannelId, community_id: CommunityId) -> Self {
        let (name, topic, private) = (None, None, None);
        let (slow_mode, archived, category_id) = (None, None, None);
        Self { channel_id, community_id, name, topic, private, slow_mode, archived, category_id }
    }
}

/// Tells a field that is null from one that is not there.
fn null_is_said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<ChannelId>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelDeleted {
    pub channel_id: ChannelId,
    pub community_id: CommunityId,
    pub deleted_by: AccountId,
}
fact!(ChannelDeleted = "channel.deleted", 1);

/// What the channel's overwrite for one target is from then on; empty: there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelOverwritten {
    pub channel_id: ChannelId,
    pub community_id: CommunityId,
    pub target: Target,
    #[serde(flatten)]
    pub overwrite: Overwrite,
    pub by: AccountId,
}
fact!(ChannelOverwritten = "channel.overwritten", 1);

/// Two accounts talk to each other. The channel's id follows from theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectOpened {
    pub channel_id: ChannelId,
    /// Sorted.
    pub accounts: [AccountId; 2],
    pub by: AccountId,
}
fact!(DirectOpened = "direct.opened", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCreated {
    pub channel_id: ChannelId,
    /// `None`: it goes by its members' names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ChannelName>,
    pub owner_id: AccountId,
    /// Its owner among them.
    pub members: BTreeSet<AccountId>,
}
fact!(GroupCreated = "group.created", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRenamed {
    pub channel_id: ChannelId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ChannelName>,
    pub by: AccountId,
}
fact!(GroupRenamed = "group.renamed", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMemberAdded {
    pub channel_id: ChannelId,
    pub account_id: AccountId,
    pub by: AccountId,
}
fact!(GroupMemberAdded = "group.member_added", 1);

/// By the owner, or by themselves: then they left. A group ends with its last member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMemberRemoved {
    pub channel_id: ChannelId,
    pub account_id: AccountId,
    pub by: AccountId,
    /// Whether this was the last one: then the group has ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}
fact!(GroupMemberRemoved = "group.member_removed", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupHandedOver {
    pub channel_id: ChannelId,
    pub owner_id: AccountId,
    pub by: AccountId,
}
fact!(GroupHandedOver = "group.handed_over", 1);

events! {
    pub enum ChannelEvent {
        Created(ChannelCreated),
        Changed(ChannelChanged),
        Deleted(ChannelDeleted),
        Overwritten(ChannelOverwritten),
        DirectOpened(DirectOpened),
        GroupCreated(GroupCreated),
        GroupRenamed(GroupRenamed),
        GroupMemberAdded(GroupMemberAdded),
        GroupMemberRemoved(GroupMemberRemoved),
        GroupHandedOver(GroupHandedOver),
    }
}

impl ChannelEvent {
    /// Which channel's.
    pub fn channel(&self) -> ChannelId {
        match self {
            Self::Created(e) => e.channel_id,
            Self::Changed(e) => e.channel_id,
            Self::Deleted(e) => e.channel_id,
            Self::Overwritten(e) => e.channel_id,
            Self::DirectOpened(e) => e.channel_id,
            Self::GroupCreated(e) => e.channel_id,
            Self::GroupRenamed(e) => e.channel_id,
            Self::GroupMemberAdded(e) => e.channel_id,
            Self::GroupMemberRemoved(e) => e.channel_id,
            Self::GroupHandedOver(e) => e.channel_id,
        }
    }
}
