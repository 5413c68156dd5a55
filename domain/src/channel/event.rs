//! What befalls a channel.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ChannelKind, ChannelName, ChannelTopic};
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
}
fact!(ChannelChanged = "channel.changed", 1);

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

/// By the owner, or by themselves: then they left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMemberRemoved {
    pub channel_id: ChannelId,
    pub account_id: AccountId,
    pub by: AccountId,
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
