//! Join, leave, kick, ban, change roles.

use std::collections::BTreeSet;

use domain::membership::{JoinedBy, Membership, MembershipCommand, MembershipError};
use domain::{AccountId, CommunityId, Role, streams};
use event_store::Unavailable;

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

    async fn prepare(&self, _: &States, _: Freshness) -> Result<Prepared<Membership>, Unavailable> {
        let Self { community, account, by, invited_by } = *self;
        Ok(Prepared {
            command: MembershipCommand::Join { community, account, by, invited_by },
            guards: vec![],
        })
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
    Kick,
    Ban,
    Unban,
    SetRoles(BTreeSet<Role>),
}

impl Intent for Moderate {
    type Aggregate = Membership;

    fn stream(&self) -> String {
        streams::membership(self.community, self.account)
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
            Act::Kick => MembershipCommand::Kick { by, target },
            Act::Ban => MembershipCommand::Ban { by, target },
            Act::Unban => MembershipCommand::Unban { by, account: self.account },
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
    ) -> Result<Done<()>, Refusal<MembershipError>> {
        let by = actor(context)?;
        self.moderate(context, Moderate { community, by, account, act: Act::Kick }).await
    }

    /// Removes an account, member or not, and keeps it out.
    ///
    /// # Errors
    /// See [`MembershipError`].
    pub async fn ban_account(
        &self,
        context: &Context,
        community: CommunityId,
        account: AccountId,
    ) -> Result<Done<()>, Refusal<MembershipError>> {
        let by = actor(context)?;
        self.known(account).await?;
        self.moderate(context, Moderate { community, by, account, act: Act::Ban }).await
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
