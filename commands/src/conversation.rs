//! Open a direct channel; create a group, add, remove, hand over.

use std::collections::BTreeSet;

use domain::channel::{Channel, ChannelCommand, ChannelError, ChannelName, direct_id};
use domain::{AccountId, ChannelId, streams};
use event_store::Unavailable;

use crate::Commands;
use crate::block;
use crate::caller::{Context, Done, Refusal};
use crate::channel::{actor, as_it_stands};
use crate::intent::{Intent, Prepared, Visitor};
use crate::states::{Freshness, States};

struct OpenDirect {
    by: AccountId,
    with: AccountId,
}

impl Intent for OpenDirect {
    type Aggregate = Channel;

    fn stream(&self) -> String {
        streams::channel(direct_id(self.by, self.with))
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Channel>, Unavailable> {
        let Self { by, with } = *self;
        let (block, guard) = block::between(states, by, with, freshness).await?;
        let command = ChannelCommand::OpenDirect { by, with, blocked: !block.is_none() };
        Ok(Prepared { command, guards: vec![guard] })
    }
}

struct CreateGroup {
    id: ChannelId,
    by: AccountId,
    name: Option<ChannelName>,
    others: BTreeSet<AccountId>,
}

impl Intent for CreateGroup {
    type Aggregate = Channel;

    fn stream(&self) -> String {
        streams::channel(self.id)
    }

    fn is_new(&self) -> bool {
        true
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Channel>, Unavailable> {
        let Self { id, by, .. } = *self;
        let (mut blocked, mut guards) = (false, vec![]);
        for other in &self.others {
            let (block, guard) = block::between(states, by, *other, freshness).await?;
            blocked |= !block.is_none();
            guards.push(guard);
        }
        let (name, others) = (self.name.clone(), self.others.clone());
        Ok(Prepared { command: ChannelCommand::CreateGroup { id, by, name, others, blocked }, guards })
    }
}

/// What a member does to the list of members.
struct Members {
    id: ChannelId,
    by: AccountId,
    account: AccountId,
    act: Act,
}

#[derive(Clone, Copy)]
enum Act {
    Add,
    Remove,
    HandOver,
}

impl Intent for Members {
    type Aggregate = Channel;

    fn stream(&self) -> String {
        streams::channel(self.id)
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Channel>, Unavailable> {
        let visitor = Visitor::load(states, self.id, self.by, freshness).await?;
        let mut guards = visitor.guards();
        let (by, account) = (visitor.standing, self.account);
        let command = match self.act {
            Act::Add => {
                let (block, guard) = block::between(states, self.by, account, freshness).await?;
                guards.push(guard);
                ChannelCommand::AddMember { by, account, blocked: !block.is_none() }
            }
            Act::Remove => ChannelCommand::RemoveMember { by, account },
            Act::HandOver => ChannelCommand::HandOver { by, account },
        };
        Ok(Prepared { command, guards })
    }
}

impl Commands {
    /// Opens the one direct channel of the caller and `with`, or finds it. Whether the caller may know of that account is
    /// the caller's question.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn open_direct(
        &self,
        context: &Context,
        with: AccountId,
    ) -> Result<Done<ChannelId>, Refusal<ChannelError>> {
        let by = actor(context, ChannelError::UnknownAccount)?;
        let outcome = self.execute(&self.cause(context), &OpenDirect { by, with }).await?;
        as_it_stands(outcome).map(|done| done.map(|made| made.channel.id))
    }

    /// Creates a group of the caller, who owns it, and `others`.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn create_group(
        &self,
        context: &Context,
        name: Option<ChannelName>,
        others: BTreeSet<AccountId>,
    ) -> Result<Done<ChannelId>, Refusal<ChannelError>> {
        let by = actor(context, ChannelError::UnknownAccount)?;
        let id = ChannelId(self.inner.ids.id());
        let outcome = self.execute(&self.cause(context), &CreateGroup { id, by, name, others }).await?;
        as_it_stands(outcome).map(|done| done.map(|made| made.channel.id))
    }

    /// Adds an account to a group.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn add_group_member(
        &self,
        context: &Context,
        id: ChannelId,
        account: AccountId,
    ) -> Result<Done<()>, Refusal<ChannelError>> {
        self.change_members(context, id, account, Act::Add).await
    }

    /// Removes an account from a group, or leaves it. The group ends with its last member.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn remove_group_member(
        &self,
        context: &Context,
        id: ChannelId,
        account: AccountId,
    ) -> Result<Done<()>, Refusal<ChannelError>> {
        self.change_members(context, id, account, Act::Remove).await
    }

    /// Makes another member the owner of a group.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn hand_group_over(
        &self,
        context: &Context,
        id: ChannelId,
        account: AccountId,
    ) -> Result<Done<()>, Refusal<ChannelError>> {
        self.change_members(context, id, account, Act::HandOver).await
    }

    async fn change_members(
        &self,
        context: &Context,
        id: ChannelId,
        account: AccountId,
        act: Act,
    ) -> Result<Done<()>, Refusal<ChannelError>> {
        let by = actor(context, ChannelError::Unknown)?;
        Ok(self.execute(&self.cause(context), &Members { id, by, account, act }).await?.map(drop))
    }
}
