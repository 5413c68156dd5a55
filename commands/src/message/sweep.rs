//! Delete many messages of a channel.

use domain::message::{Message, MessageCommand, MessageError};
use domain::{AccountId, ChannelId, MessageId, streams};
use event_store::{Position, Unavailable};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;

use super::actor;
use crate::Commands;
use crate::caller::{Cause, Context, Done, Refusal};
use crate::intent::{Intent, Prepared, Visitor};
use crate::states::{Freshness, States};

/// Deletions under way at a time, of one command.
const AT_ONCE: usize = 16;

/// What became of each message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Swept {
    /// By this command or before it.
    pub deleted: Vec<MessageId>,
    /// No messages of this channel.
    pub not_found: Vec<MessageId>,
}

struct Sweep {
    id: MessageId,
    channel: ChannelId,
    by: AccountId,
    ordinal: u32,
}

impl Intent for Sweep {
    type Aggregate = Message;

    fn stream(&self) -> String {
        streams::message(self.id)
    }

    fn first_ordinal(&self) -> u32 {
        self.ordinal
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Message>, Unavailable> {
        let visitor = Visitor::load(states, self.channel, self.by, freshness).await?;
        let (by, channel) = (visitor.standing, visitor.channel.state.clone());
        Ok(Prepared { command: MessageCommand::Sweep { by, channel }, guards: visitor.guards() })
    }
}

impl Commands {
    /// Deletes messages of `channel` and shreds their keys, each with an event of its own. A call that broke off is
    /// finished by its repetition.
    ///
    /// # Errors
    /// See [`MessageError`]. Some may have been deleted.
    pub async fn sweep_messages(
        &self,
        context: &Context,
        channel: ChannelId,
        messages: &[MessageId],
    ) -> Result<Done<Swept>, Refusal<MessageError>> {
        let (by, cause) = (actor(context)?, self.cause(context));
        let sweeps = (0..).zip(messages).map(|(ordinal, id)| Sweep { id: *id, channel, by, ordinal });
        let sweeps: Vec<Sweep> = sweeps.collect();
        let each = sweeps.into_iter().map(|sweep| self.sweep(&cause, sweep));
        let fates: Vec<_> = stream::iter(each).buffered(AT_ONCE).try_collect().await?;
        let mut swept = Swept::default();
        let mut newest: Option<(Position, Timestamp)> = None;
        let mut repeated = !fates.is_empty();
        for (id, fate) in messages.iter().zip(fates) {
            match fate {
                Some(Done { position, recorded_at, repeated: again, .. }) => {
                    swept.deleted.push(*id);
                    newest = newest.max(Some((position, recorded_at)));
                    repeated &= again;
                }
                None => swept.not_found.push(*id),
            }
        }
        let (position, recorded_at) = newest.unwrap_or((Position::START, Timestamp::UNIX_EPOCH));
        Ok(Done { position, recorded_at, made: swept, repeated })
    }

    /// Deletes one; `None`: there is no such message in the channel.
    async fn sweep(&self, cause: &Cause, sweep: Sweep) -> Result<Option<Done<()>>, Refusal<MessageError>> {
        match self.execute(cause, &sweep).await {
            Ok(outcome) => {
                if !self.inner.vault.shred(sweep.id.0).await? {
                    tracing::debug!(message = %sweep.id, "its key was gone already");
                }
                Ok(Some(outcome.map(drop)))
            }
            Err(Refusal::Domain(MessageError::Unknown)) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}
