//! Create, rename, hand over, delete a community.

use domain::community::{Community, CommunityCommand, CommunityError, CommunityName};
use domain::{AccountId, CommunityId, streams};
use event_store::Unavailable;

use crate::Commands;
use crate::caller::{Context, Done, Refusal};
use crate::intent::{Actor, Intent, Prepared};
use crate::states::{Freshness, States};

pub(crate) struct Create {
    pub(crate) id: CommunityId,
    pub(crate) owner: AccountId,
    pub(crate) name: CommunityName,
}

impl Intent for Create {
    type Aggregate = Community;

    fn stream(&self) -> String {
        streams::community(self.id)
    }

    async fn prepare(&self, _: &States, _: Freshness) -> Result<Prepared<Community>, Unavailable> {
        let command = CommunityCommand::Create { id: self.id, owner: self.owner, name: self.name.clone() };
        Ok(Prepared { command, guards: vec![] })
    }
}

struct Rename {
    id: CommunityId,
    by: AccountId,
    name: CommunityName,
}

impl Intent for Rename {
    type Aggregate = Community;

    fn stream(&self) -> String {
        streams::community(self.id)
    }

    async fn prepare(
        &self,
        states: &States,
        freshness: Freshness,
    ) -> Result<Prepared<Community>, Unavailable> {
        let actor = Actor::load(states, self.id, self.by, freshness).await?;
        let command = CommunityCommand::Rename { by: actor.standing, name: self.name.clone() };
        Ok(Prepared { command, guards: vec![actor.membership.guard()] })
    }
}

struct Delete {
    id: CommunityId,
    by: AccountId,
}

impl Intent for Delete {
    type Aggregate = Community;

    fn stream(&self) -> String {
        streams::community(self.id)
    }

    async fn prepare(
        &self,
        states: &States,
        freshness: Freshness,
    ) -> Result<Prepared<Community>, Unavailable> {
        let actor = Actor::load(states, self.id, self.by, freshness).await?;
        let command = CommunityCommand::Delete { by: actor.standing };
        Ok(Prepared { command, guards: vec![actor.membership.guard()] })
    }
}

struct Transfer {
    id: CommunityId,
    by: AccountId,
    to: AccountId,
}

impl Intent for Transfer {
    type Aggregate = Community;

    fn stream(&self) -> String {
        streams::community(self.id)
    }

    async fn prepare(
        &self,
        states: &States,
        freshness: Freshness,
    ) -> Result<Prepared<Community>, Unavailable> {
        let actor = Actor::load(states, self.id, self.by, freshness).await?;
        let successor = Actor::load(states, self.id, self.to, freshness).await?;
        let command = CommunityCommand::TransferOwnership { by: actor.standing, to: successor.standing };
        // The new owner's, too: who leaves or is banned meanwhile does not become one.
        Ok(Prepared { command, guards: vec![actor.membership.guard(), successor.membership.guard()] })
    }
}

impl Commands {
    /// Creates a community with its first channel; its creator owns it.
    ///
    /// # Errors
    /// See [`CommunityError`].
    pub async fn create_community(
        &self,
        context: &Context,
        name: CommunityName,
    ) -> Result<Done<CommunityId>, Refusal<CommunityError>> {
        let owner = actor(context)?;
        let id = CommunityId(self.inner.ids.id());
        let outcome = self.execute(&self.cause(context), &Create { id, owner, name }).await?;
        self.settled(outcome, |folded| {
            folded.state.live().map(|community| community.id).ok_or(Refusal::Domain(CommunityError::Unknown))
        })
        .await
    }

    /// Gives a community another name.
    ///
    /// # Errors
    /// See [`CommunityError`].
    pub async fn rename_community(
        &self,
        context: &Context,
        id: CommunityId,
        name: CommunityName,
    ) -> Result<Done<()>, Refusal<CommunityError>> {
        let by = actor(context)?;
        Ok(self.execute(&self.cause(context), &Rename { id, by, name }).await?.map(drop))
    }

    /// Makes another member the owner.
    ///
    /// # Errors
    /// See [`CommunityError`].
    pub async fn transfer_ownership(
        &self,
        context: &Context,
        id: CommunityId,
        to: AccountId,
    ) -> Result<Done<()>, Refusal<CommunityError>> {
        let by = actor(context)?;
        Ok(self.execute(&self.cause(context), &Transfer { id, by, to }).await?.map(drop))
    }

    /// Deletes a community with all that is in it.
    ///
    /// # Errors
    /// See [`CommunityError`].
    pub async fn delete_community(
        &self,
        context: &Context,
        id: CommunityId,
    ) -> Result<Done<()>, Refusal<CommunityError>> {
        let by = actor(context)?;
        Ok(self.execute(&self.cause(context), &Delete { id, by }).await?.map(drop))
    }
}

pub(crate) fn actor(context: &Context) -> Result<AccountId, Refusal<CommunityError>> {
    context.actor.ok_or(Refusal::Domain(CommunityError::Unknown))
}
