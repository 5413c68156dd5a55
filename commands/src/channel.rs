//! Create, change, delete a channel.

use domain::channel::{
    Channel, ChannelCommand, ChannelError, ChannelKind, ChannelName, ChannelTopic, LiveChannel,
};
use domain::{AccountId, ChannelId, CommunityId, streams};
use event_store::Unavailable;
use jiff::Timestamp;

use crate::Commands;
use crate::caller::{Context, Done, Refusal};
use crate::execute::Outcome;
use crate::intent::{Actor, Intent, Prepared, Visitor};
use crate::states::{Freshness, States};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChannel {
    pub name: ChannelName,
    pub kind: ChannelKind,
    pub topic: ChannelTopic,
    pub category_id: Option<ChannelId>,
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
                let category = states.load::<Channel>(streams::channel(id), freshness).await?;
                guards.push(category.guard());
                Some((id, category.state.clone()))
            }
            None => None,
        };
        let NewChannel { name, kind, topic, .. } = self.new.clone();
        let command = ChannelCommand::Create { id: self.id, by: actor.standing, name, kind, topic, category };
        Ok(Prepared { command, guards })
    }
}

struct Change {
    id: ChannelId,
    by: AccountId,
    name: Option<ChannelName>,
    topic: Option<ChannelTopic>,
}

impl Intent for Change {
    type Aggregate = Channel;

    fn stream(&self) -> String {
        streams::channel(self.id)
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Channel>, Unavailable> {
        let visitor = Visitor::load(states, self.id, self.by, freshness).await?;
        let (name, topic) = (self.name.clone(), self.topic.clone());
        Ok(Prepared {
            guards: visitor.guards(),
            command: ChannelCommand::Change { by: visitor.standing, name, topic },
        })
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
        name: Option<ChannelName>,
        topic: Option<ChannelTopic>,
    ) -> Result<Done<ChannelState>, Refusal<ChannelError>> {
        let by = actor(context, ChannelError::Unknown)?;
        let outcome = self.execute(&self.cause(context), &Change { id, by, name, topic }).await?;
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

fn actor(context: &Context, otherwise: ChannelError) -> Result<AccountId, Refusal<ChannelError>> {
    context.actor.ok_or(Refusal::Domain(otherwise))
}

fn as_it_stands(outcome: Outcome<Channel>) -> Result<Done<ChannelState>, Refusal<ChannelError>> {
    let created_at = outcome.made.created_at;
    let channel = outcome.made.state.live().cloned().ok_or(Refusal::Domain(ChannelError::Unknown))?;
    Ok(outcome.map(|_| ChannelState { channel, created_at }))
}
