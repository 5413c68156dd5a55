//! Join, leave, kick, ban, time out, change roles and nicknames.

use std::collections::BTreeSet;

use domain::membership::{JoinedBy, Membership, MembershipCommand, MembershipError, Nickname, Reason};
use domain::{AccountId, CommunityId, Role, streams};
use event_store::Unavailable;
use jiff::Timestamp;
use uuid::Uuid;

use crate::Commands;
use crate::caller::{Context, Done, Refusal};
use crate::intent::{Actor, Intent, Prepared};
use crate::states::{Freshness, States};

/// Joining is never asked for directly: it follows from founding, an invite, or registering.
pub(crate) struct Join {
    pub(crate) community: CommunityId,
    pub(crate) account: AccountId,
    pub(crate) by: JoinedBy,
    pub(crate) invited_by: Option<AccountId>,
}

impl Intent for Join {
    type Aggregate = Membership;

    fn stream(&self) -> String {
        streams::membership(self.community, self.account)
    }

    async fn prepare(&self, states: &States, _: Freshness) -> Result<Prepared<Membership>, Unavailable> {
        let Self { community, account, by, invited_by } = *self;
        let command = MembershipCommand::Join { community, account, by, invited_by, now: states.now() };
        Ok(Prepared { command, guards: vec![] })
    }
}

/// What one member does to a membership: their own or another's.
struct Moderate {
    community: CommunityId,
    by: AccountId,
    account: AccountId,
    act: Act,
}

enum Act {
    Leave,
    Kick(Option<Reason>),
    Ban(NewBan),
    Unban,
    TimeOut(Timestamp, Option<Reason>),
    EndTimeOut,
    ChangeNickname(Nickname),
    SetRoles(BTreeSet<Role>),
}

/// A ban to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewBan {
    pub reason: Option<Reason>,
    /// When it ends by itself; `None`: never.
    pub until: Option<Timestamp>,
}

impl Intent for Moderate {
    type Aggregate = Membership;

    fn stream(&self) -> String {
        streams::membership(self.community, self.account)
    }

    /// A reason belongs to whoever gave it, a nickname to whoever bears it.
    fn key(&self) -> Option<Uuid> {
        match self.act {
            Act::ChangeNickname(_) => Some(self.account.0),
            _ => Some(self.by.0),
        }
    }

    async fn prepare(
        &self,
        states: &States,
        freshness: Freshness,
    ) -> Result<Prepared<Membership>, Unavailable> {
        let actor = Actor::load(states, self.community, self.by, freshness).await?;
        let target = Actor::load(states, self.community, self.account, freshness).await?;
        // The target's, too: its standing must be of the version that the append expects.
        let mut guards = actor.guards();
        if self.by != self.account {
            guards.push(target.membership.guard());
        }
        let (by, target) = (actor.standing, target.standing);
        let command = match &self.act {
            Act::Leave => MembershipCommand::Leave { by },
            Act::Kick(reason) => MembershipCommand::Kick { by, target, reason: reason.clone() },
            Act::Ban(NewBan { reason, until }) => {
                let (reason, until, now) = (reason.clone(), *until, states.now());
                MembershipCommand::Ban { by, target, reason, until, now }
            }
            Act::Unban => MembershipCommand::Unban { by, account: self.account },
            Act::TimeOut(until, reason) => {
                let (until, reason, now) = (*until, reason.clone(), states.now());
                MembershipCommand::TimeOut { by, target, until, reason, now }
            }
            Act::EndTimeOut => MembershipCommand::EndTimeOut { by, target },
            Act::ChangeNickname(nickname) => {
                MembershipCommand::ChangeNickname { by, target, nickname: nickname.clone() }
            }
            Act::SetRoles(roles) => {
                let known = actor.community.state.live().map(|live| live.roles.clone()).unwrap_or_default();
                MembershipCommand::SetRoles { by, target, roles: roles.clone(), known }
            }
        };
        Ok(Prepared { command, guards })
    }
}

impl Commands {
    /// Leaves a community.
    ///
    /// # Errors
    /// See [`MembershipError`].
    pub async fn leave_community(
        &self,
        context: &Context,
        community: CommunityId,
    ) -> Result<Done<()>, Refusal<MembershipError>> {
        let by = actor(context)?;
        self.moderate(context, Moderate { community, by, account: by, act: Act::Leave }).await
    }

    /// Removes a member, who may come back by an invite.
    ///
    /// # Errors
    /// See [`MembershipError`].
    pub async fn kick_member(
        &self,
        context: &Context,
        community: CommunityId,
        account: AccountId,
        reason: Option<Reason>,
    ) -> Result<Done<()>, Refusal<MembershipError>> {
        let by = actor(context)?;
        self.moderate(context, Moderate { community, by, account, act: Act::Kick(reason) }).await
    }

    /// Removes an account, member or not, and keeps it out; for one that is banned already, changes the ban.
    ///
    /// # Errors
    /// See [`MembershipError`].
    pub async fn ban_account(
        &self,
        context: &Context,
        community: CommunityId,
        account: AccountId,
        ban: NewBan,
    ) -> Result<Done<()>, Refusal<MembershipError>> {
        let by = actor(context)?;
        self.known(account).await?;
        self.moderate(context, Moderate { community, by, account, act: Act::Ban(ban) }).await
    }

    /// Lets a banned account come back.
    ///
    /// # Errors
    /// See [`MembershipError`].
    pub async fn unban_account(
        &self,
        context: &Context,
        community: CommunityId,
        account: AccountId,
    ) -> Result<Done<()>, Refusal<MembershipError>> {
        let by = actor(context)?;
        self.moderate(context, Moderate { community, by, account, act: Act::Unban }).await
    }

    /// Leaves a member only [`Permissions::TIMED_OUT`](domain::Permissions::TIMED_OUT) until then.
    ///
    /// # Errors
    /// See [`MembershipError`].
    pub async fn time_out_member(
        &self,
        context: &Context,
        community: CommunityId,
        account: AccountId,
        until: Timestamp,
        reason: Option<Reason>,
    ) -> Result<Done<()>, Refusal<MembershipError>> {
        let by = actor(context)?;
        self.moderate(context, Moderate { community, by, account, act: Act::TimeOut(until, reason) }).await
    }

    /// Ends a time-out before its time.
    ///
    /// # Errors
    /// See [`MembershipError`].
    pub async fn end_time_out(
        &self,
        context: &Context,
        community: CommunityId,
        account: AccountId,
    ) -> Result<Done<()>, Refusal<MembershipError>> {
        let by = actor(context)?;
        self.moderate(context, Moderate { community, by, account, act: Act::EndTimeOut }).await
    }

    /// Gives a member, oneself or another, a name of their own in the community; an empty one takes it away.
    ///
    /// # Errors
    /// See [`MembershipError`].
    pub async fn change_nickname(
        &self,
        context: &Context,
        community: CommunityId,
        account: AccountId,
        nickname: Nickname,
    ) -> Result<Done<()>, Refusal<MembershipError>> {
        let by = actor(context)?;
        self.moderate(context, Moderate { community, by, account, act: Act::ChangeNickname(nickname) }).await
    }

    /// Gives a member these roles instead of those they have.
    ///
    /// # Errors
    /// See [`MembershipError`].
    pub async fn set_roles(
        &self,
        context: &Context,
        community: CommunityId,
        account: AccountId,
        roles: BTreeSet<Role>,
    ) -> Result<Done<()>, Refusal<MembershipError>> {
        let by = actor(context)?;
        self.moderate(context, Moderate { community, by, account, act: Act::SetRoles(roles) }).await
    }

    async fn moderate(&self, context: &Context, act: Moderate) -> Result<Done<()>, Refusal<MembershipError>> {
        Ok(self.execute(&self.cause(context), &act).await?.map(drop))
    }
}

fn actor(context: &Context) -> Result<AccountId, Refusal<MembershipError>> {
    context.actor.ok_or(Refusal::Domain(MembershipError::UnknownCommunity))
}
