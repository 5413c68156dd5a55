//! What befalls a membership.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Nickname, Reason};
use crate::codec::{events, fact, may_tell, told};
use crate::{AccountId, CommunityId, Personal, Role};

/// How someone came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinedBy {
    /// Made the community.
    Founding,
    /// A new account lands in the installation's default community.
    Welcome,
    Invite,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberJoined {
    pub community_id: CommunityId,
    pub account_id: AccountId,
    pub roles: BTreeSet<Role>,
    pub joined_by: JoinedBy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited_by: Option<AccountId>,
}
fact!(MemberJoined = "membership.joined", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberLeft {
    pub community_id: CommunityId,
    pub account_id: AccountId,
}
fact!(MemberLeft = "membership.left", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberKicked {
    pub community_id: CommunityId,
    pub account_id: AccountId,
    pub by: AccountId,
    #[serde(skip)]
    pub reason: Option<Personal<Reason>>,
}
may_tell!(MemberKicked.reason: Reason = "membership.kicked", 1);

/// Kept out from then on; for who is banned already, these are the new reason and end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberBanned {
    pub community_id: CommunityId,
    pub account_id: AccountId,
    pub by: AccountId,
    /// When the ban ends by itself; `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    #[serde(skip)]
    pub reason: Option<Personal<Reason>>,
}
may_tell!(MemberBanned.reason: Reason = "membership.banned", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberUnbanned {
    pub community_id: CommunityId,
    pub account_id: AccountId,
    pub by: AccountId,
}
fact!(MemberUnbanned = "membership.unbanned", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRolesChanged {
    pub community_id: CommunityId,
    pub account_id: AccountId,
    pub roles: BTreeSet<Role>,
    pub by: AccountId,
}
fact!(MemberRolesChanged = "membership.roles_changed", 1);

/// Silent until then, or until a new time-out says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberTimedOut {
    pub community_id: CommunityId,
    pub account_id: AccountId,
    pub until: Timestamp,
    pub by: AccountId,
    #[serde(skip)]
    pub reason: Option<Personal<Reason>>,
}
may_tell!(MemberTimedOut.reason: Reason = "membership.timed_out", 1);

/// Before its time: of a time-out that ran out nothing more is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberTimeOutEnded {
    pub community_id: CommunityId,
    pub account_id: AccountId,
    pub by: AccountId,
}
fact!(MemberTimeOutEnded = "membership.time_out_ended", 1);

/// Sealed under the member's key, whoever chose it: it is their name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NicknameChanged {
    pub community_id: CommunityId,
    pub account_id: AccountId,
    pub by: AccountId,
    #[serde(skip)]
    pub nickname: Personal<Nickname>,
}
told!(NicknameChanged.nickname: Nickname = "membership.nickname_changed", 1);

events! {
    pub enum MembershipEvent {
        Joined(MemberJoined),
        Left(MemberLeft),
        Kicked(MemberKicked),
        Banned(MemberBanned),
        Unbanned(MemberUnbanned),
        RolesChanged(MemberRolesChanged),
        TimedOut(MemberTimedOut),
        TimeOutEnded(MemberTimeOutEnded),
        NicknameChanged(NicknameChanged),
    }
}

impl MembershipEvent {
    /// Whose membership of what.
    pub fn subject(&self) -> (CommunityId, AccountId) {
        match self {
            Self::Joined(e) => (e.community_id, e.account_id),
            Self::Left(e) => (e.community_id, e.account_id),
            Self::Kicked(e) => (e.community_id, e.account_id),
            Self::Banned(e) => (e.community_id, e.account_id),
            Self::Unbanned(e) => (e.community_id, e.account_id),
            Self::RolesChanged(e) => (e.community_id, e.account_id),
            Self::TimedOut(e) => (e.community_id, e.account_id),
            Self::TimeOutEnded(e) => (e.community_id, e.account_id),
            Self::NicknameChanged(e) => (e.community_id, e.account_id),
        }
    }
}
