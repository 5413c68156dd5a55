//! Post, edit, delete. `pin` has pinning, `forward` passing on, `sweep` deleting many.

use std::sync::Arc;

use domain::mention::{Mentions, Wanted};
use domain::message::{
    Content, Facts, Forward, Message, MessageCommand, MessageError, MessageEvent, PostMessage, slow_mode,
};
use domain::poll::NewPoll;
use domain::{AccountId, ChannelId, MessageId, Standing, codec::EventSet as _, streams};
use event_store::{Guard, StreamName, Unavailable};
use jiff::Timestamp;
use uuid::Uuid;
use vault::KeyError;

mod forward;
mod pin;
mod sweep;

pub use forward::Forwarding;
pub use sweep::Swept;

use crate::caller::{Context, Done, Refusal};
use crate::execute::Outcome;
use crate::intent::{Intent, Prepared, Visitor};
use crate::mention::Lookup;
use crate::pace::Pacing;
use crate::stages::{Stages, ended};
use crate::states::{Folded, Freshness, States};
use crate::{Commands, caller::Cause};

/// A message without its text, as a command left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageState {
    pub facts: Facts,
    pub created_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    pub pinned: bool,
    pub mentions: Mentions,
}

/// What somebody wants to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    pub content: Content,
    pub reply_to: Option<MessageId>,
    /// The first message of the thread to post in.
    pub thread: Option<MessageId>,
    pub poll: Option<NewPoll>,
}

impl NewMessage {
    /// Nothing but a text.
    pub fn text(content: Content) -> Self {
        Self { content, reply_to: None, thread: None, poll: None }
    }
}

struct Post {
    id: MessageId,
    by: AccountId,
    channel: ChannelId,
    pacing: Pacing,
    content: Option<Content>,
    lookup: Lookup,
    reply_to: Option<MessageId>,
    thread: Option<MessageId>,
    poll: Option<NewPoll>,
    forward: Option<forward::Source>,
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
        let mut guards = visitor.guards();
        let wanted = self.lookup.find(states, &visitor).await?;
        let reply_to = match self.reply_to {
            Some(id) => Some((id, loaded(states, id, freshness).await?.state.clone())),
            None => None,
        };
        let thread = match self.thread {
            Some(id) => {
                let root = loaded(states, id, freshness).await?;
                // A thread is closed with the deletion of its first message.
                guards.push(root.guard());
                Some((id, root.state.clone()))
            }
            None => None,
        };
        let forward = match &self.forward {
            Some(source) => {
                let at = AtMessage::guarded(states, source.id, self.by, freshness).await?;
                guards.extend(at.guards);
                let (source, text) = (at.message.state.clone(), source.text.clone());
                Some(Forward { source, by: at.standing, created_at: at.message.created_at, text })
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
            content: self.content.clone(),
            wanted,
            reply_to,
            thread,
            forward,
            poll: self.poll.clone(),
            now: states.now(),
            wait,
        });
        Ok(Prepared { command, guards })
    }
}

struct Edit {
    id: MessageId,
    by: AccountId,
    content: Content,
    lookup: Lookup,
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
        let message = loaded(states, self.id, freshness).await?;
        let Some(facts) = message.state.facts() else {
            let (by, content) = (Standing::outside(self.by), self.content.clone());
            let command = MessageCommand::Edit { by, content, wanted: Wanted::default() };
            return Ok(Prepared { command, guards: vec![] });
        };
        let visitor = Visitor::load(states, facts.channel_id, self.by, freshness).await?;
        let (by, guards) = (visitor.standing, visitor.guards());
        let wanted = self.lookup.find(states, &visitor).await?;
        let command = MessageCommand::Edit { by, content: self.content.clone(), wanted };
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

async fn loaded(
    states: &States,
    id: MessageId,
    freshness: Freshness,
) -> Result<Arc<Folded<Message>>, Unavailable> {
    states.load::<Message>(streams::message(id), freshness).await
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
        let message = loaded(states, id, freshness).await?;
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
        let NewMessage { content, reply_to, thread, poll } = new;
        let (lookup, content) = (self.lookup(&content), Some(content));
        self.post_any(context, channel, |id, by, pacing| Post {
            pacing,
            id,
            by,
            channel,
            content,
            lookup,
            reply_to,
            thread,
            poll,
            forward: None,
        })
        .await
    }

    /// Posts in `channel` what `make` makes of a new message's id, the account that acts, and its pace.
    async fn post_any(
        &self,
        context: &Context,
        channel: ChannelId,
        make: impl FnOnce(MessageId, AccountId, Pacing) -> Post,
    ) -> Result<Done<MessageState>, Refusal<MessageError>> {
        let by = actor(context)?;
        let (vault, ids) = (&self.inner.vault, &self.inner.ids);
        let mut stages = Stages::begin();
        let key = vault.take_message_key(by.0, || ids.id()).await.map_err(no_key)?;
        ended!(stages, "key");
        let id = MessageId(key);
        let cause = self.cause(context);
        let pacing = Pacing::new(Arc::clone(&self.inner.pace), by, channel, cause.command);
        let post = make(id, by, pacing);
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
        let mentions = mentions(&outcome);
        Ok(outcome.map(|_| MessageState { facts, created_at, edited_at, deleted_at, pinned, mentions }))
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
        let edit = Edit { id, by, lookup: self.lookup(&content), content };
        let outcome = self.execute(&self.cause(context), &edit).await?;
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
        let (edited_at, deleted_at, mentions) = (None, None, mentions(&outcome));
        let mut state = MessageState { facts, created_at, edited_at, deleted_at, pinned, mentions };
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

fn mentions(outcome: &Outcome<Message>) -> Mentions {
    outcome.made.state.mentions().cloned().unwrap_or_default()
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
