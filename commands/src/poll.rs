//! Vote on a message's poll, and close it.

use std::collections::BTreeSet;

use domain::poll::{Poll, PollCommand, PollError};
use domain::{AccountId, MessageId, streams};
use event_store::Unavailable;

use crate::Commands;
use crate::caller::{Context, Done, Refusal};
use crate::intent::{Intent, Prepared};
use crate::message::AtMessage;
use crate::states::{Freshness, States};

struct Vote {
    message: MessageId,
    by: AccountId,
    options: BTreeSet<u8>,
}

impl Intent for Vote {
    type Aggregate = Poll;

    fn stream(&self) -> String {
        streams::poll(self.message)
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Poll>, Unavailable> {
        let AtMessage { message, standing: by, guards } =
            AtMessage::guarded(states, self.message, self.by, freshness).await?;
        let (message, options) = (message.state.clone(), self.options.clone());
        Ok(Prepared { command: PollCommand::Vote { message, by, options, now: states.now() }, guards })
    }
}

struct Close {
    message: MessageId,
    by: AccountId,
}

impl Intent for Close {
    type Aggregate = Poll;

    fn stream(&self) -> String {
        streams::poll(self.message)
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Poll>, Unavailable> {
        let AtMessage { message, standing: by, guards } =
            AtMessage::guarded(states, self.message, self.by, freshness).await?;
        let message = message.state.clone();
        Ok(Prepared { command: PollCommand::Close { message, by, now: states.now() }, guards })
    }
}

impl Commands {
    /// Votes for these options instead of those before; without options the vote is withdrawn.
    ///
    /// # Errors
    /// See [`PollError`].
    pub async fn vote(
        &self,
        context: &Context,
        message: MessageId,
        options: BTreeSet<u8>,
    ) -> Result<Done<()>, Refusal<PollError>> {
        let by = actor(context)?;
        Ok(self.execute(&self.cause(context), &Vote { message, by, options }).await?.map(drop))
    }

    /// Closes a poll for good.
    ///
    /// # Errors
    /// See [`PollError`].
    pub async fn close_poll(
        &self,
        context: &Context,
        message: MessageId,
    ) -> Result<Done<()>, Refusal<PollError>> {
        let by = actor(context)?;
        Ok(self.execute(&self.cause(context), &Close { message, by }).await?.map(drop))
    }
}

/// The account that acts. The api lets nobody else through.
fn actor(context: &Context) -> Result<AccountId, Refusal<PollError>> {
    context.actor.ok_or(Refusal::Domain(PollError::UnknownMessage))
}
