//! React to a message, take it back, and take away others' reactions.

use domain::emoji::Emoji;
use domain::reaction::{ReactionCommand, ReactionError, Reactions};
use domain::{AccountId, MessageId, streams};
use event_store::Unavailable;

use crate::Commands;
use crate::caller::{Context, Done, Refusal};
use crate::intent::{Intent, Prepared};
use crate::message::AtMessage;
use crate::states::{Freshness, States};

/// One kind of reaction, as a command left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionState {
    pub emoji: Emoji,
    pub count: u32,
    /// Whether the actor is among them.
    pub me: bool,
}

struct React {
    message: MessageId,
    by: AccountId,
    how: How,
}

enum How {
    Add(Emoji),
    Remove(Emoji),
    Clear(Option<Emoji>),
}

impl Intent for React {
    type Aggregate = Reactions;

    fn stream(&self) -> String {
        streams::reaction(self.message)
    }

    async fn prepare(
        &self,
        states: &States,
        freshness: Freshness,
    ) -> Result<Prepared<Reactions>, Unavailable> {
        let AtMessage { message, standing: by, guards } =
            AtMessage::guarded(states, self.message, self.by, freshness).await?;
        let message = message.state.clone();
        let command = match &self.how {
            How::Add(emoji) => ReactionCommand::Add { message, by, emoji: emoji.clone() },
            How::Remove(emoji) => ReactionCommand::Remove { message, by, emoji: emoji.clone() },
            How::Clear(emoji) => ReactionCommand::Clear { message, by, emoji: emoji.clone() },
        };
        Ok(Prepared { command, guards })
    }
}

impl Commands {
    /// Reacts to a message.
    ///
    /// # Errors
    /// See [`ReactionError`].
    pub async fn add_reaction(
        &self,
        context: &Context,
        message: MessageId,
        emoji: Emoji,
    ) -> Result<Done<ReactionState>, Refusal<ReactionError>> {
        self.react(context, message, How::Add(emoji.clone()), emoji).await
    }

    /// Takes back one's own reaction.
    ///
    /// # Errors
    /// See [`ReactionError`].
    pub async fn remove_reaction(
        &self,
        context: &Context,
        message: MessageId,
        emoji: Emoji,
    ) -> Result<Done<ReactionState>, Refusal<ReactionError>> {
        self.react(context, message, How::Remove(emoji.clone()), emoji).await
    }

    /// Takes away everyone's reactions, of one kind or of all.
    ///
    /// # Errors
    /// See [`ReactionError`].
    pub async fn clear_reactions(
        &self,
        context: &Context,
        message: MessageId,
        emoji: Option<Emoji>,
    ) -> Result<Done<()>, Refusal<ReactionError>> {
        let by = actor(context)?;
        let clear = React { message, by, how: How::Clear(emoji) };
        Ok(self.execute(&self.cause(context), &clear).await?.map(drop))
    }

    async fn react(
        &self,
        context: &Context,
        message: MessageId,
        how: How,
        emoji: Emoji,
    ) -> Result<Done<ReactionState>, Refusal<ReactionError>> {
        let by = actor(context)?;
        let outcome = self.execute(&self.cause(context), &React { message, by, how }).await?;
        Ok(outcome.map(|folded| ReactionState {
            count: folded.state.count(&emoji),
            me: folded.state.has(by, &emoji),
            emoji,
        }))
    }
}

/// The account that acts. The api lets nobody else through.
fn actor(context: &Context) -> Result<AccountId, Refusal<ReactionError>> {
    context.actor.ok_or(Refusal::Domain(ReactionError::UnknownMessage))
}
