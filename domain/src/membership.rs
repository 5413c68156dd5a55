//! `membership-{community}-{account}`: one account in one community.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::codec::{events, fact};
use crate::role::Roles;
use crate::{AccountId, Aggregate, CommunityId, Permissions, Role, Standing};

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
}
fact!(MemberKicked = "membership.kicked", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberBanned {
    pub community_id: CommunityId,
    pub account_id: AccountId,
    pub by: AccountId,
}
fact!(MemberBanned = "membership.banned", 1);

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

events! {
    pub enum MembershipEvent {
        Joined(MemberJoined),
        Left(MemberLeft),
        Kicked(MemberKicked),
        Banned(MemberBanned),
        Unbanned(MemberUnbanned),
        RolesChanged(MemberRolesChanged),
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
        }
    }
}

/// The fold of a membership's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Membership {
    /// Never joined, left, or was kicked: may join.
    #[default]
    Outside,
    Member(Member),
    Banned,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub roles: BTreeSet<Role>,
    /// The end of the last time-out; it may have passed.
    pub timed_out_until: Option<Timestamp>,
}

impl Membership {
    /// `None` outside.
    pub fn member(&self) -> Option<&Member> {
        match self {
            Self::Member(member) => Some(member),
            Self::Outside | Self::Banned => None,
        }
    }

    /// The roles of a member; `None` outside.
    pub fn roles(&self) -> Option<&BTreeSet<Role>> {
        self.member().map(|member| &member.roles)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MembershipCommand {
    Join {
        community: CommunityId,
        account: AccountId,
        by: JoinedBy,
        invited_by: Option<AccountId>,
    },
    Leave {
        by: Standing,
    },
    Kick {
        by: Standing,
        target: Standing,
    },
    Ban {
        by: Standing,
        target: Standing,
    },
    Unban {
        by: Standing,
        account: AccountId,
    },
    /// `known` are the community's.
    SetRoles {
        by: Standing,
        target: Standing,
        roles: BTreeSet<Role>,
        known: Roles,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MembershipError {
    #[error("there is no such community")]
    UnknownCommunity,
    #[error("there is no such member")]
    UnknownMember,
    #[error("this account is banned from the community")]
    Banned,
    #[error("the owner cannot leave: delete the community instead")]
    OwnerCannotLeave,
    #[error("you may not do this in this community")]
    MayNotModerate,
    #[error("you may act only on members of a lower rank than yours")]
    RankTooLow,
    #[error("a member needs at least one role")]
    NoRole,
    #[error("you may grant only roles of a lower rank than yours")]
    RoleTooHigh,
    #[error("the community has no role {0}")]
    UnknownRole(Role),
}

impl Aggregate for Membership {
    type Event = MembershipEvent;
    type Command = MembershipCommand;
    type Error = MembershipError;

    fn evolve(&mut self, event: &MembershipEvent) {
        *self = match event {
            MembershipEvent::Joined(joined) => {
                Self::Member(Member { roles: joined.roles.clone(), timed_out_until: None })
            }
            MembershipEvent::RolesChanged(changed) => {
                let timed_out_until = self.member().and_then(|member| member.timed_out_until);
                Self::Member(Member { roles: changed.roles.clone(), timed_out_until })
            }
            MembershipEvent::Left(_) | MembershipEvent::Kicked(_) | MembershipEvent::Unbanned(_) => {
                Self::Outside
            }
            MembershipEvent::Banned(_) => Self::Banned,
        };
    }

    fn decide(&self, command: MembershipCommand) -> Result<Vec<MembershipEvent>, MembershipError> {
        match command {
            MembershipCommand::Join { community, account, by, invited_by } => {
                self.join(community, account, by, invited_by)
            }
            MembershipCommand::Leave { by } => self.leave(&by),
            MembershipCommand::Kick { by, target } => {
                may_act(&by, Permissions::KICK)?;
                self.member_below(&by, &target)?;
                let (community_id, account_id) = subject(&target)?;
                Ok(vec![MemberKicked { community_id, account_id, by: by.account }.into()])
            }
            MembershipCommand::Ban { by, target } => {
                may_act(&by, Permissions::BAN)?;
                if target.rank >= by.rank {
                    return Err(MembershipError::RankTooLow);
                }
                if *self == Self::Banned {
                    return Ok(vec![]);
                }
                let (community_id, account_id) = subject(&target)?;
                Ok(vec![MemberBanned { community_id, account_id, by: by.account }.into()])
            }
            MembershipCommand::Unban { by, account } => {
                may_act(&by, Permissions::BAN)?;
                if *self != Self::Banned {
                    return Ok(vec![]);
                }
                let (community_id, _) = subject(&by)?;
                Ok(vec![MemberUnbanned { community_id, account_id: account, by: by.account }.into()])
            }
            MembershipCommand::SetRoles { by, target, roles, known } => {
                self.set_roles(&by, &target, roles, &known)
            }
        }
    }
}

/// Whose membership of what.
fn subject(standing: &Standing) -> Result<(CommunityId, AccountId), MembershipError> {
    let community = standing.community.ok_or(MembershipError::UnknownCommunity)?;
    Ok((community, standing.account))
}

fn may_act(by: &Standing, permission: Permissions) -> Result<(), MembershipError> {
    if !by.is_member() {
        return Err(MembershipError::UnknownCommunity);
    }
    if by.may(permission) { Ok(()) } else { Err(MembershipError::MayNotModerate) }
}

impl Membership {
    fn join(
        &self,
        community_id: CommunityId,
        account_id: AccountId,
        joined_by: JoinedBy,
        invited_by: Option<AccountId>,
    ) -> Result<Vec<MembershipEvent>, MembershipError> {
        match self {
            Self::Banned => Err(MembershipError::Banned),
            Self::Member(_) => Ok(vec![]),
            Self::Outside => {
                let roles = BTreeSet::from([Role::Member]);
                Ok(vec![MemberJoined { community_id, account_id, roles, joined_by, invited_by }.into()])
            }
        }
    }

    fn leave(&self, by: &Standing) -> Result<Vec<MembershipEvent>, MembershipError> {
        if !by.is_member() || self.roles().is_none() {
            return Err(MembershipError::UnknownCommunity);
        }
        if by.is_owner() {
            return Err(MembershipError::OwnerCannotLeave);
        }
        let (community_id, account_id) = subject(by)?;
        Ok(vec![MemberLeft { community_id, account_id }.into()])
    }

    fn set_roles(
        &self,
        by: &Standing,
        target: &Standing,
        roles: BTreeSet<Role>,
        known: &Roles,
    ) -> Result<Vec<MembershipEvent>, MembershipError> {
        may_act(by, Permissions::MANAGE_ROLES)?;
        let current = self.member_below(by, target)?;
        if roles.is_empty() {
            return Err(MembershipError::NoRole);
        }
        if let Some(unknown) = roles.iter().find(|role| known.get(**role).is_none()) {
            return Err(MembershipError::UnknownRole(*unknown));
        }
        if known.rank(&roles) >= by.rank {
            return Err(MembershipError::RoleTooHigh);
        }
        if *current == roles {
            return Ok(vec![]);
        }
        let (community_id, account_id) = subject(target)?;
        Ok(vec![MemberRolesChanged { community_id, account_id, roles, by: by.account }.into()])
    }

    /// The roles of a member whom `by` outranks.
    fn member_below(&self, by: &Standing, target: &Standing) -> Result<&BTreeSet<Role>, MembershipError> {
        let roles = self.roles().ok_or(MembershipError::UnknownMember)?;
        if target.rank >= by.rank {
            return Err(MembershipError::RankTooLow);
        }
        Ok(roles)
    }
}
