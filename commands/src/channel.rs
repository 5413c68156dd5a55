//! Create, change, delete a channel.

use domain::channel::{
    Channel, ChannelChange, ChannelCommand, ChannelError, ChannelKind, ChannelName, ChannelTopic,
    CreateChannel, InCategory, LiveChannel, SlowMode,
};
use domain::permission::{Overwrite, Target};
use domain::{AccountId, ChannelId, CommunityId, streams};
use event_store::{Guard, Unavailable};
use jiff::Timestamp;

use crate::Commands;
use crate::caller::{Context, Done, Refusal};
use crate::execute::Outcome;
use crate::intent::{Actor, Intent, Prepared, Visitor};
use crate::states::{Freshness, States};

mod overwrite;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChannel {
    pub name: ChannelName,
    pub kind: ChannelKind,
    pub topic: ChannelTopic,
    pub category_id: Option<ChannelId>,
    /// `None`: as its category, or open to all.
    pub private: Option<bool>,
    /// `None`: those of its category, or none.
    pub overwrites: Option<Vec<(Target, Overwrite)>>,
    /// How many channels the community has, as the read model counts: those made at the same moment are not counted.
    pub existing: usize,
}

/// What is to change about a channel; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangedChannel {
    pub name: Option<ChannelName>,
    pub topic: Option<ChannelTopic>,
    pub private: Option<bool>,
    pub slow_mode: Option<SlowMode>,
    pub archived: Option<bool>,
    /// `Some(None)`: into no category.
    pub category_id: Option<Option<ChannelId>>,
}

/// A category with the standing of `account` there, and the guards that it stays so.
async fn category(
    states: &States,
    id: ChannelId,
    account: AccountId,
    freshness: Freshness,
) -> Result<(InCategory, Vec<Guard>), Unavailable> {
    let visitor = Visitor::load(states, id, account, freshness).await?;
    let state = visitor.channel.state.clone();
    Ok((InCategory { id, state, by: visitor.standing }, visitor.guards()))
}

/// A channel as a command left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelState {
    pub channel: LiveChannel,
    pub created_at: Timestamp,
}

struct Create {
    id: ChannelId,
    by: AccountId,
    community: CommunityId,
    new: NewChannel,
}

impl Intent for Create {
    type Aggregate = Channel;

    fn stream(&self) -> String {
        streams::channel(self.id)
    }

    fn is_new(&self) -> bool {
        true
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Channel>, Unavailable> {
        let actor = Actor::load(states, self.community, self.by, freshness).await?;
        let mut guards = actor.guards();
        let category = match self.new.category_id {
            Some(id) => {
                let (category, guarded) = category(states, id, self.by, freshness).await?;
                guards.extend(guarded);
                Some(category)
            }
            None => None,
        };
        let NewChannel { name, kind, topic, private, overwrites, existing, .. } = self.new.clone();
        let overwrites = match overwrites {
            Some(given) => {
                let mut wanted = Vec::with_capacity(given.len());
                for overwrite in given {
                    let (ranked, guard) =
                        overwrite::ranked(states, self.community, overwrite, freshness).await?;
                    wanted.push(ranked);
                    guards.extend(guard);
                }
                Some(wanted)
            }
            None => None,
        };
        let (id, by) = (self.id, actor.standing);
        let create = CreateChannel { id, by, name, kind, topic, category, private, overwrites, existing };
        Ok(Prepared { command: ChannelCommand::Create(create), guards })
    }
}

struct Change {
    id: ChannelId,
    by: AccountId,
    change: ChangedChannel,
}

impl Intent for Change {
    type Aggregate = Channel;

    fn stream(&self) -> String {
        streams::channel(self.id)
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Channel>, Unavailable> {
        let visitor = Visitor::load(states, self.id, self.by, freshness).await?;
        let mut guards = visitor.guards();
        let ChangedChannel { name, topic, private, slow_mode, archived, category_id } = self.change.clone();
        let category = match category_id {
            Some(Some(id)) => {
                let (category, guarded) = category(states, id, self.by, freshness).await?;
                guards.extend(guarded);
                Some(Some(category))
            }
            Some(None) => Some(None),
            None => None,
        };
        let change = ChannelChange { name, topic, private, slow_mode, archived, category };
        Ok(Prepared { guards, command: ChannelCommand::Change { by: visitor.standing, change } })
    }
}

struct Delete {
    id: ChannelId,
    by: AccountId,
}

impl Intent for Delete {
    type Aggregate = Channel;

    fn stream(&self) -> String {
        streams::channel(self.id)
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Channel>, Unavailable> {
        let visitor = Visitor::load(states, self.id, self.by, freshness).await?;
        Ok(Prepared { guards: visitor.guards(), command: ChannelCommand::Delete { by: visitor.standing } })
    }
}

impl Commands {
    /// Creates a channel in `community`.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn create_channel(
        &self,
        context: &Context,
        community: CommunityId,
        new: NewChannel,
    ) -> Result<Done<ChannelState>, Refusal<ChannelError>> {
        let by = actor(context, ChannelError::UnknownCommunity)?;
        let id = ChannelId(self.inner.ids.id());
        let outcome = self.execute(&self.cause(context), &Create { id, by, community, new }).await?;
        as_it_stands(outcome)
    }

    /// Changes the fields that are given.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn change_channel(
        &self,
        context: &Context,
        id: ChannelId,
        change: ChangedChannel,
    ) -> Result<Done<ChannelState>, Refusal<ChannelError>> {
        let by = actor(context, ChannelError::Unknown)?;
        let outcome = self.execute(&self.cause(context), &Change { id, by, change }).await?;
        as_it_stands(outcome)
    }

    /// Deletes a channel with all that is in it.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn delete_channel(
        &self,
        context: &Context,
        id: ChannelId,
    ) -> Result<Done<()>, Refusal<ChannelError>> {
        let by = actor(context, ChannelError::Unknown)?;
        Ok(self.execute(&self.cause(context), &Delete { id, by }).await?.map(drop))
    }
}

pub(crate) fn actor(context: &Context, otherwise: ChannelError) -> Result<AccountId, Refusal<ChannelError>> {
    context.actor.ok_or(Refusal::Domain(otherwise))
}

pub(crate) fn as_it_stands(outcome: Outcome<Channel>) -> Result<Done<ChannelState>, Refusal<ChannelError>> {
    let created_at = outcome.made.created_at;
    let channel = outcome.made.state.live().cloned().ok_or(Refusal::Domain(ChannelError::Unknown))?;
    Ok(outcome.map(|_| ChannelState { channel, created_at }))
}
