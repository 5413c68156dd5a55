//! `membership-{community}-{account}`: one account in one community.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::role::Roles;
use crate::text::bounded;
use crate::{AccountId, Aggregate, CommunityId, Role, Standing};

mod event;
mod moderate;

pub use event::{
    JoinedBy, MemberBanned, MemberJoined, MemberKicked, MemberLeft, MemberRolesChanged, MemberTimeOutEnded,
    MemberTimedOut, MemberUnbanned, MembershipEvent, NicknameChanged,
};
pub use moderate::MAX_TIME_OUT;

use moderate::subject;

bounded!(
    /// Why somebody was kicked, banned or timed out.
    Reason, line, 1..=512
);
bounded!(
    /// The name that a member goes by in one community. Empty: their display name.
    Nickname, line, 0..=64
);

/// The fold of a membership's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership {
    /// Never joined, left, or was kicked: may join.
    Outside {
        /// The end of the last time-out: going and coming back does not end one.
        timed_out_until: Option<Timestamp>,
    },
    Member(Member),
    Banned {
        /// When the ban ends by itself; `None`: never.
        until: Option<Timestamp>,
    },
}

impl Default for Membership {
    fn default() -> Self {
        Self::Outside { timed_out_until: None }
    }
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
            Self::Outside { .. } | Self::Banned { .. } => None,
        }
    }

    /// The roles of a member; `None` outside.
    pub fn roles(&self) -> Option<&BTreeSet<Role>> {
        self.member().map(|member| &member.roles)
    }

    /// Whether the account is kept out at `now`.
    pub fn is_banned(&self, now: Timestamp) -> bool {
        match self {
            Self::Banned { until } => until.is_none_or(|until| now < until),
            Self::Outside { .. } | Self::Member(_) => false,
        }
    }

    fn timed_out_until(&self) -> Option<Timestamp> {
        match self {
            Self::Outside { timed_out_until } => *timed_out_until,
            Self::Member(member) => member.timed_out_until,
            Self::Banned { .. } => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MembershipCommand {
    Join {
        community: CommunityId,
        account: AccountId,
        by: JoinedBy,
        invited_by: Option<AccountId>,
        now: Timestamp,
    },
    Leave {
        by: Standing,
    },
    Kick {
        by: Standing,
        target: Standing,
        reason: Option<Reason>,
    },
    Ban {
        by: Standing,
        target: Standing,
        reason: Option<Reason>,
        until: Option<Timestamp>,
        now: Timestamp,
    },
    Unban {
        by: Standing,
        account: AccountId,
    },
    TimeOut {
        by: Standing,
        target: Standing,
        until: Timestamp,
        reason: Option<Reason>,
        now: Timestamp,
    },
    EndTimeOut {
        by: Standing,
        target: Standing,
    },
    ChangeNickname {
        by: Standing,
        target: Standing,
        nickname: Nickname,
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
    #[error("the owner cannot leave: hand the community over or delete it")]
    OwnerCannotLeave,
    #[error("you may not do this in this community")]
    MayNotModerate,
    #[error("you may act only on members of a lower rank than yours")]
    RankTooLow,
    #[error("a member needs at least one role")]
    NoRole,
    #[error("you may grant only roles of a lower rank than yours")]
    RoleTooHigh,
    #[error("you may not grant a role that may do what you may not")]
    GrantsMore,
    #[error("the community has no role {0}")]
    UnknownRole(Role),
    #[error("its end must be in the future")]
    EndsInThePast,
    #[error("a time-out lasts 28 days at most")]
    TimeOutTooLong,
}

impl Aggregate for Membership {
    type Event = MembershipEvent;
    type Command = MembershipCommand;
    type Error = MembershipError;

    fn evolve(&mut self, event: &MembershipEvent) {
        let timed_out_until = self.timed_out_until();
        match event {
            MembershipEvent::Joined(joined) => {
                *self = Self::Member(Member { roles: joined.roles.clone(), timed_out_until });
            }
            MembershipEvent::RolesChanged(changed) => {
                *self = Self::Member(Member { roles: changed.roles.clone(), timed_out_until });
            }
            MembershipEvent::Left(_) | MembershipEvent::Kicked(_) | MembershipEvent::Unbanned(_) => {
                *self = Self::Outside { timed_out_until };
            }
            MembershipEvent::Banned(banned) => *self = Self::Banned { until: banned.until },
            MembershipEvent::TimedOut(timed_out) => {
                if let Self::Member(member) = self {
                    member.timed_out_until = Some(timed_out.until);
                }
            }
            MembershipEvent::TimeOutEnded(_) => {
                if let Self::Member(member) = self {
                    member.timed_out_until = None;
                }
            }
            MembershipEvent::NicknameChanged(_) => {}
        }
    }

    fn decide(&self, command: MembershipCommand) -> Result<Vec<MembershipEvent>, MembershipError> {
        match command {
            MembershipCommand::Join { community, account, by, invited_by, now } => {
                self.join(community, account, by, invited_by, now)
            }
            MembershipCommand::Leave { by } => self.leave(&by),
            MembershipCommand::Kick { by, target, reason } => self.kick(&by, &target, reason),
            MembershipCommand::Ban { by, target, reason, until, now } => {
                self.ban(&by, &target, reason, until, now)
            }
            MembershipCommand::Unban { by, account } => self.unban(&by, account),
            MembershipCommand::TimeOut { by, target, until, reason, now } => {
                self.time_out(&by, &target, until, reason, now)
            }
            MembershipCommand::EndTimeOut { by, target } => self.end_time_out(&by, &target),
            MembershipCommand::ChangeNickname { by, target, nickname } => {
                self.change_nickname(&by, &target, nickname)
            }
            MembershipCommand::SetRoles { by, target, roles, known } => {
                self.set_roles(&by, &target, roles, &known)
            }
        }
    }
}

impl Membership {
    fn join(
        &self,
        community_id: CommunityId,
        account_id: AccountId,
        joined_by: JoinedBy,
        invited_by: Option<AccountId>,
        now: Timestamp,
    ) -> Result<Vec<MembershipEvent>, MembershipError> {
        if self.is_banned(now) {
            return Err(MembershipError::Banned);
        }
        match self {
            Self::Member(_) => Ok(vec![]),
            Self::Outside { .. } | Self::Banned { .. } => {
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
}
