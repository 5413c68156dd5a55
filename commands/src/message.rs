//! Post, edit, delete. `pin` has pinning.

use std::sync::Arc;

use domain::message::{
    Content, Facts, Message, MessageCommand, MessageError, MessageEvent, PostMessage, slow_mode,
};
use domain::poll::NewPoll;
use domain::{AccountId, ChannelId, MessageId, Standing, codec::EventSet as _, streams};
use event_store::{Guard, StreamName, Unavailable};
use jiff::Timestamp;
use uuid::Uuid;
use vault::KeyError;

mod pin;

use crate::caller::{Context, Done, Refusal};
use crate::execute::Outcome;
use crate::intent::{Intent, Prepared, Visitor};
use crate::pace::Pacing;
use crate::stages::{Stages, ended};
use crate::states::{Folded, Freshness, States};
use crate::{Commands, caller::Cause};

/// A message without its text, as a command left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageState {
    pub facts: Facts,
    pub created_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    pub pinned: bool,
}

/// What somebody wants to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    pub content: Content,
    pub reply_to: Option<MessageId>,
    pub poll: Option<NewPoll>,
}

impl NewMessage {
    /// Nothing but a text.
    pub fn text(content: Content) -> Self {
        Self { content, reply_to: None, poll: None }
    }
}

struct Post {
    id: MessageId,
    by: AccountId,
    channel: ChannelId,
    new: NewMessage,
    pacing: Pacing,
}

impl Intent for Post {
    type Aggregate = Message;

    fn stream(&self) -> String {
        streams::message(self.id)
    }

    fn is_new(&self) -> bool {
        true
    }

    fn key(&self) -> Option<Uuid> {
        Some(self.id.0)
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Message>, Unavailable> {
        let visitor = Visitor::load(states, self.channel, self.by, freshness).await?;
        let NewMessage { content, reply_to, poll } = self.new.clone();
        let reply_to = match reply_to {
            Some(id) => {
                Some((id, states.load::<Message>(streams::message(id), freshness).await?.state.clone()))
            }
            None => None,
        };
        let wait = match slow_mode(&visitor.channel.state, &visitor.standing) {
            Some(slow_mode) => self.pacing.wait(slow_mode, states.now()).await?,
            None => None,
        };
        let command = MessageCommand::Post(PostMessage {
            id: self.id,
            channel_id: self.channel,
            channel: visitor.channel.state.clone(),
            by: visitor.standing,
            content,
            reply_to,
            poll,
            now: states.now(),
            wait,
        });
        Ok(Prepared { command, guards: visitor.guards() })
    }
}

struct Edit {
    id: MessageId,
    by: AccountId,
    content: Content,
}

impl Intent for Edit {
    type Aggregate = Message;

    fn stream(&self) -> String {
        streams::message(self.id)
    }

    fn key(&self) -> Option<Uuid> {
        Some(self.id.0)
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Message>, Unavailable> {
        let AtMessage { standing: by, guards, .. } =
            AtMessage::load(states, self.id, self.by, freshness).await?;
        let command = MessageCommand::Edit { by, content: self.content.clone() };
        Ok(Prepared { command, guards })
    }
}

struct Delete {
    id: MessageId,
    by: AccountId,
}

impl Intent for Delete {
    type Aggregate = Message;

    fn stream(&self) -> String {
        streams::message(self.id)
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Message>, Unavailable> {
        let AtMessage { standing: by, guards, .. } =
            AtMessage::load(states, self.id, self.by, freshness).await?;
        Ok(Prepared { command: MessageCommand::Delete { by }, guards })
    }
}

/// An account's standing in the channel of a message, and the folds it was taken from.
pub(crate) struct AtMessage {
    pub(crate) message: Arc<Folded<Message>>,
    /// Outside, if there is no such message or its channel is gone.
    pub(crate) standing: Standing,
    /// That the channel and the standing in it are as they were. Whoever changes another stream than the message's
    /// adds the message's own guard.
    pub(crate) guards: Vec<Guard>,
}

impl AtMessage {
    pub(crate) async fn load(
        states: &States,
        id: MessageId,
        account: AccountId,
        freshness: Freshness,
    ) -> Result<Self, Unavailable> {
        let message = states.load::<Message>(streams::message(id), freshness).await?;
        let Some(facts) = message.state.facts() else {
            let standing = Standing::outside(account);
            return Ok(Self { message, standing, guards: vec![] });
        };
        let visitor = Visitor::load(states, facts.channel_id, account, freshness).await?;
        let (standing, guards) = (visitor.standing, visitor.guards());
        Ok(Self { message, standing, guards })
    }

    /// The same, guarding the message too: what is said of a message comes before its deletion, or not at all.
    pub(crate) async fn guarded(
        states: &States,
        id: MessageId,
        account: AccountId,
        freshness: Freshness,
    ) -> Result<Self, Unavailable> {
        let mut at = Self::load(states, id, account, freshness).await?;
        at.guards.push(at.message.guard());
        Ok(at)
    }
}

impl Commands {
    /// Posts a text in `channel`.
    ///
    /// # Errors
    /// See [`MessageError`].
    pub async fn post_message(
        &self,
        context: &Context,
        channel: ChannelId,
        content: Content,
        reply_to: Option<MessageId>,
    ) -> Result<Done<MessageState>, Refusal<MessageError>> {
        self.post(context, channel, NewMessage { reply_to, ..NewMessage::text(content) }).await
    }

    /// Posts a message in `channel`.
    ///
    /// # Errors
    /// See [`MessageError`].
    pub async fn post(
        &self,
        context: &Context,
        channel: ChannelId,
        new: NewMessage,
    ) -> Result<Done<MessageState>, Refusal<MessageError>> {
        let by = actor(context)?;
        let (vault, ids) = (&self.inner.vault, &self.inner.ids);
        let mut stages = Stages::begin();
        let key = vault.take_message_key(by.0, || ids.id()).await.map_err(no_key)?;
        ended!(stages, "key");
        let id = MessageId(key);
        let cause = self.cause(context);
        let pacing = Pacing::new(Arc::clone(&self.inner.pace), by, channel, cause.command);
        let post = Post { id, by, channel, new, pacing };
        let outcome = self.execute(&cause, &post).await;
        let unused = match &outcome {
            Ok(done) => done.made.state.facts().is_none_or(|facts| facts.id != id),
            // The event may be in the log for all that is known.
            Err(Refusal::Unavailable(_)) => false,
            Err(Refusal::Domain(_) | Refusal::KeyReused | Refusal::Busy) => true,
        };
        if unused {
            vault.return_message_key(by.0, key);
            post.pacing.give_back().await;
        }
        let outcome = outcome?;
        let created_at = outcome.made.created_at;
        let facts = *outcome.made.state.facts().ok_or(Refusal::KeyReused)?;
        let (edited_at, deleted_at, pinned) = (None, None, false);
        Ok(outcome.map(|_| MessageState { facts, created_at, edited_at, deleted_at, pinned }))
    }

    /// Replaces the text of one's own message.
    ///
    /// # Errors
    /// See [`MessageError`].
    pub async fn edit_message(
        &self,
        context: &Context,
        id: MessageId,
        content: Content,
    ) -> Result<Done<MessageState>, Refusal<MessageError>> {
        let by = actor(context)?;
        let outcome = self.execute(&self.cause(context), &Edit { id, by, content }).await?;
        self.with_times(outcome).await
    }

    /// Deletes a message and shreds its key: its text is gone for good.
    ///
    /// # Errors
    /// See [`MessageError`].
    pub async fn delete_message(
        &self,
        context: &Context,
        id: MessageId,
    ) -> Result<Done<MessageState>, Refusal<MessageError>> {
        let by = actor(context)?;
        let cause: Cause = self.cause(context);
        let outcome = self.execute(&cause, &Delete { id, by }).await?;
        if !self.inner.vault.shred(id.0).await? {
            tracing::debug!(message = %id, "its key was gone already");
        }
        self.with_times(outcome).await
    }

    /// Reads when the message was posted, edited and deleted, up to the version of `outcome`.
    async fn with_times(
        &self,
        outcome: Outcome<Message>,
    ) -> Result<Done<MessageState>, Refusal<MessageError>> {
        let facts = *outcome.made.state.facts().ok_or(Refusal::KeyReused)?;
        let stream = StreamName::new(streams::message(facts.id));
        let (created_at, pinned) = (outcome.made.created_at, outcome.made.state.is_pinned());
        let mut state = MessageState { facts, created_at, edited_at: None, deleted_at: None, pinned };
        for record in self.inner.store.read_stream(&stream, 0).await? {
            if record.version > outcome.made.version {
                break;
            }
            let at = record.recorded_at;
            let event =
                MessageEvent::decode(&record.kind, record.schema, &record.data, domain::PersonalPart::Sealed)
                    .map_err(Refusal::unavailable)?;
            match event {
                Some(MessageEvent::Posted(_)) => state.created_at = at,
                Some(MessageEvent::Edited(_)) => state.edited_at = Some(at),
                Some(MessageEvent::Deleted(_)) => state.deleted_at = Some(at),
                Some(MessageEvent::Pinned(_) | MessageEvent::Unpinned(_)) | None => {}
            }
        }
        Ok(outcome.map(|_| state))
    }
}

fn no_key(error: KeyError) -> Refusal<MessageError> {
    match error {
        KeyError::Unavailable(source) => source.into(),
        // The account is being erased: by the next try it has no session.
        KeyError::OwnerErased | KeyError::KeyErased => Refusal::Busy,
    }
}

/// The account that acts. The api lets nobody else through.
fn actor(context: &Context) -> Result<AccountId, Refusal<MessageError>> {
    context.actor.ok_or(Refusal::Domain(MessageError::Unknown))
}
