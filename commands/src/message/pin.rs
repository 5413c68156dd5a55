//! Pin and unpin.

use domain::message::{Message, MessageCommand, MessageError};
use domain::{AccountId, MessageId, streams};
use event_store::Unavailable;

use super::{AtMessage, actor};
use crate::Commands;
use crate::caller::{Context, Done, Refusal};
use crate::intent::{Intent, Prepared};
use crate::states::{Freshness, States};

struct Pin {
    id: MessageId,
    by: AccountId,
    /// Whether it is to be pinned from now on.
    pinned: bool,
}

impl Intent for Pin {
    type Aggregate = Message;

    fn stream(&self) -> String {
        streams::message(self.id)
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Message>, Unavailable> {
        let AtMessage { standing: by, guards, .. } =
            AtMessage::load(states, self.id, self.by, freshness).await?;
        let command = if self.pinned { MessageCommand::Pin { by } } else { MessageCommand::Unpin { by } };
        Ok(Prepared { command, guards })
    }
}

impl Commands {
    /// Pins a message in its channel.
    ///
    /// # Errors
    /// See [`MessageError`].
    pub async fn pin_message(
        &self,
        context: &Context,
        id: MessageId,
    ) -> Result<Done<()>, Refusal<MessageError>> {
        let pin = Pin { id, by: actor(context)?, pinned: true };
        Ok(self.execute(&self.cause(context), &pin).await?.map(drop))
    }

    /// Unpins a message.
    ///
    /// # Errors
    /// See [`MessageError`].
    pub async fn unpin_message(
        &self,
        context: &Context,
        id: MessageId,
    ) -> Result<Done<()>, Refusal<MessageError>> {
        let unpin = Pin { id, by: actor(context)?, pinned: false };
        Ok(self.execute(&self.cause(context), &unpin).await?.map(drop))
    }
}
