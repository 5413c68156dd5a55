//! What a frame says happened, typed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::channel::Channel;
use crate::message::{Mentions, Message};

/// What happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    MessagePosted(Message),
    MessageEdited(MessageEdited),
    MessageDeleted(MessageDeleted),
    ChannelCreated(Channel),
    ChannelChanged(ChannelChanged),
    ChannelDeleted(ChannelRemoved),
    CommunityRenamed(CommunityRenamed),
    CommunityDeleted(CommunityRemoved),
    OwnerChanged(OwnerChanged),
    RoleCreated(RoleState),
    RoleChanged(RoleState),
    RoleDeleted(RoleRemoved),
    RolesOrdered(RolesOrdered),
    Joined(Joined),
    RolesChanged(RolesChanged),
    Left(Standing),
    Kicked(Standing),
    Banned(Standing),
    Unbanned(Standing),
    TimedOut(TimedOut),
    TimeOutEnded(Standing),
    NicknameChanged(NicknameChanged),
    ProfileChanged(ProfileChanged),
    ReportOpened(ReportOpened),
    ReportChanged(ReportChanged),
    /// One that a newer server knows: [`super::Frame::data`] has it all.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageEdited {
    pub id: Uuid,
    pub channel_id: Uuid,
    pub content: Option<String>,
    pub edited_at: Timestamp,
    #[serde(default)]
    pub mentions: Mentions,
    /// The first message of the thread that it is in.
    #[serde(default)]
    pub thread_id: Option<Uuid>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageDeleted {
    pub id: Uuid,
    pub channel_id: Uuid,
    pub deleted_at: Timestamp,
    pub deleted_by: Uuid,
    /// The first message of the thread that it is in.
    #[serde(default)]
    pub thread_id: Option<Uuid>,
}

/// What changed; what didn't is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelChanged {
    pub id: Uuid,
    pub community_id: Uuid,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub topic: Option<String>,
    #[serde(default)]
    pub private: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelRemoved {
    pub id: Uuid,
    pub community_id: Uuid,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommunityRenamed {
    pub id: Uuid,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommunityRemoved {
    pub id: Uuid,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerChanged {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub previous_owner_id: Uuid,
}

/// All that a role is; a new one stands just above `member`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleState {
    pub id: String,
    pub community_id: Uuid,
    pub name: Option<String>,
    pub colour: Option<String>,
    pub permissions: Vec<String>,
    pub mentionable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleRemoved {
    pub id: String,
    pub community_id: Uuid,
}

/// All roles, lowest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolesOrdered {
    pub community_id: Uuid,
    pub order: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    pub community_id: Uuid,
    pub account_id: Uuid,
    pub roles: Vec<String>,
    pub joined_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolesChanged {
    pub community_id: Uuid,
    pub account_id: Uuid,
    pub roles: Vec<String>,
}

/// Who left, was kicked, banned or unbanned, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub community_id: Uuid,
    pub account_id: Uuid,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedOut {
    pub community_id: Uuid,
    pub account_id: Uuid,
    pub until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NicknameChanged {
    pub community_id: Uuid,
    pub account_id: Uuid,
    /// `None`: it was taken away, or erased.
    pub nickname: Option<String>,
}

/// What changed; what didn't is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileChanged {
    pub id: Uuid,
    #[serde(default)]
    pub display_name: Option<String>,
    #[serde(default)]
    pub about: Option<String>,
}

/// Told to those who manage messages. The message itself is not in it: see [`crate::Report::content`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportOpened {
    pub id: Uuid,
    pub community_id: Uuid,
    pub channel_id: Uuid,
    pub message_id: Uuid,
    pub author_id: Uuid,
    pub reporter_id: Uuid,
    pub reason: String,
    pub text: Option<String>,
    pub state: String,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportChanged {
    pub id: Uuid,
    pub community_id: Uuid,
    pub state: String,
    pub note: Option<String>,
    pub changed_by: Uuid,
    pub changed_at: Timestamp,
}

impl Event {
    pub(super) fn decode(kind: &str, data: &Value) -> Result<Self, serde_json::Error> {
        Ok(match kind {
            "message.posted" => Self::MessagePosted(Message::deserialize(data)?),
            "message.edited" => Self::MessageEdited(MessageEdited::deserialize(data)?),
            "message.deleted" => Self::MessageDeleted(MessageDeleted::deserialize(data)?),
            "channel.created" => Self::ChannelCreated(Channel::deserialize(data)?),
            "channel.changed" => Self::ChannelChanged(ChannelChanged::deserialize(data)?),
            "channel.deleted" => Self::ChannelDeleted(ChannelRemoved::deserialize(data)?),
            "community.renamed" => Self::CommunityRenamed(CommunityRenamed::deserialize(data)?),
            "community.deleted" => Self::CommunityDeleted(CommunityRemoved::deserialize(data)?),
            "community.owner_changed" => Self::OwnerChanged(OwnerChanged::deserialize(data)?),
            "role.created" => Self::RoleCreated(RoleState::deserialize(data)?),
            "role.changed" => Self::RoleChanged(RoleState::deserialize(data)?),
            "role.deleted" => Self::RoleDeleted(RoleRemoved::deserialize(data)?),
            "role.ordered" => Self::RolesOrdered(RolesOrdered::deserialize(data)?),
            "membership.joined" => Self::Joined(Joined::deserialize(data)?),
            "membership.roles_changed" => Self::RolesChanged(RolesChanged::deserialize(data)?),
            "membership.left" => Self::Left(Standing::deserialize(data)?),
            "membership.kicked" => Self::Kicked(Standing::deserialize(data)?),
            "membership.banned" => Self::Banned(Standing::deserialize(data)?),
            "membership.unbanned" => Self::Unbanned(Standing::deserialize(data)?),
            "report.opened" => Self::ReportOpened(ReportOpened::deserialize(data)?),
            "report.changed" => Self::ReportChanged(ReportChanged::deserialize(data)?),
            "membership.timed_out" => Self::TimedOut(TimedOut::deserialize(data)?),
            "membership.time_out_ended" => Self::TimeOutEnded(Standing::deserialize(data)?),
            "membership.nickname_changed" => Self::NicknameChanged(NicknameChanged::deserialize(data)?),
            "account.profile_changed" => Self::ProfileChanged(ProfileChanged::deserialize(data)?),
            _ => Self::Other,
        })
    }
}
