//! What one member does to another's membership: kick, ban, time out, roles, nicknames.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{
    MemberBanned, MemberKicked, MemberRolesChanged, MemberTimeOutEnded, MemberTimedOut, MemberUnbanned,
    Membership, MembershipError, MembershipEvent, Nickname, NicknameChanged, Reason,
};
use crate::role::Roles;
use crate::{AccountId, CommunityId, Permissions, Personal, Role, Standing};

/// The longest time-out: 28 days.
pub const MAX_TIME_OUT: SignedDuration = SignedDuration::from_hours(28 * 24);

type Decided = Result<Vec<MembershipEvent>, MembershipError>;

impl Membership {
    pub(super) fn kick(&self, by: &Standing, target: &Standing, reason: Option<Reason>) -> Decided {
        may_act(by, Permissions::KICK)?;
        self.member_below(by, target)?;
        let (community_id, account_id) = subject(target)?;
        let reason = reason.map(Personal::Clear);
        Ok(vec![MemberKicked { community_id, account_id, by: by.account, reason }.into()])
    }

    /// Somebody who is banned already is banned anew if the end is another or there is a reason to tell.
    pub(super) fn ban(
        &self,
        by: &Standing,
        target: &Standing,
        reason: Option<Reason>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Decided {
        may_act(by, Permissions::BAN)?;
        if target.rank >= by.rank {
            return Err(MembershipError::RankTooLow);
        }
        if until.is_some_and(|until| until <= now) {
            return Err(MembershipError::EndsInThePast);
        }
        if self.is_banned(now) && *self == (Self::Banned { until }) && reason.is_none() {
            return Ok(vec![]);
        }
        let (community_id, account_id) = subject(target)?;
        let reason = reason.map(Personal::Clear);
        Ok(vec![MemberBanned { community_id, account_id, by: by.account, until, reason }.into()])
    }

    pub(super) fn unban(&self, by: &Standing, account_id: AccountId) -> Decided {
        may_act(by, Permissions::BAN)?;
        if !matches!(self, Self::Banned { .. }) {
            return Ok(vec![]);
        }
        let (community_id, _) = subject(by)?;
        Ok(vec![MemberUnbanned { community_id, account_id, by: by.account }.into()])
    }

    pub(super) fn time_out(
        &self,
        by: &Standing,
        target: &Standing,
        until: Timestamp,
        reason: Option<Reason>,
        now: Timestamp,
    ) -> Decided {
        may_act(by, Permissions::TIME_OUT)?;
        self.member_below(by, target)?;
        if until <= now {
            return Err(MembershipError::EndsInThePast);
        }
        if until.duration_since(now) > MAX_TIME_OUT {
            return Err(MembershipError::TimeOutTooLong);
        }
        if self.timed_out_until() == Some(until) && reason.is_none() {
            return Ok(vec![]);
        }
        let (community_id, account_id) = subject(target)?;
        let reason = reason.map(Personal::Clear);
        Ok(vec![MemberTimedOut { community_id, account_id, until, by: by.account, reason }.into()])
    }

    pub(super) fn end_time_out(&self, by: &Standing, target: &Standing) -> Decided {
        may_act(by, Permissions::TIME_OUT)?;
        self.member_below(by, target)?;
        if target.timed_out.is_none() || self.timed_out_until().is_none() {
            return Ok(vec![]);
        }
        let (community_id, account_id) = subject(target)?;
        Ok(vec![MemberTimeOutEnded { community_id, account_id, by: by.account }.into()])
    }

    /// One's own nickname is a matter of permission alone, another's of rank too. What it was before is not known here,
    /// so that the same again happens again.
    pub(super) fn change_nickname(&self, by: &Standing, target: &Standing, nickname: Nickname) -> Decided {
        if by.account == target.account {
            let may = Permissions::CHANGE_NICKNAME | Permissions::MANAGE_NICKNAMES;
            may_act(by, Permissions::empty())?;
            if !by.permissions.intersects(may) {
                return Err(MembershipError::MayNotModerate);
            }
            self.roles().ok_or(MembershipError::UnknownMember)?;
        } else {
            may_act(by, Permissions::MANAGE_NICKNAMES)?;
            self.member_below(by, target)?;
        }
        let (community_id, account_id) = subject(target)?;
        let nickname = Personal::Clear(nickname);
        Ok(vec![NicknameChanged { community_id, account_id, by: by.account, nickname }.into()])
    }

    /// Only roles below one's own rank are given, and none that grants what one lacks; of the member's roles all are below
    /// it, so any may be taken.
    pub(super) fn set_roles(
        &self,
        by: &Standing,
        target: &Standing,
        roles: BTreeSet<Role>,
        known: &Roles,
    ) -> Decided {
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
        if roles.difference(current).any(|role| !by.permissions.contains(known.permissions(*role))) {
            return Err(MembershipError::GrantsMore);
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

/// Whose membership of what.
pub(super) fn subject(standing: &Standing) -> Result<(CommunityId, AccountId), MembershipError> {
    let community = standing.community.ok_or(MembershipError::UnknownCommunity)?;
    Ok((community, standing.account))
}

fn may_act(by: &Standing, permission: Permissions) -> Result<(), MembershipError> {
    if !by.is_member() {
        return Err(MembershipError::UnknownCommunity);
    }
    if by.may(permission) { Ok(()) } else { Err(MembershipError::MayNotModerate) }
}
