//! Follow a thread, or let it go.

use domain::thread::{Follow, Following, ThreadError};
use domain::{AccountId, MessageId, streams};
use event_store::Unavailable;

use crate::Commands;
use crate::caller::{Context, Done, Refusal};
use crate::intent::{Intent, Prepared};
use crate::message::AtMessage;
use crate::states::{Freshness, States};

struct FollowThread {
    /// The thread's first message.
    root: MessageId,
    by: AccountId,
    follow: bool,
}

impl Intent for FollowThread {
    type Aggregate = Following;

    fn stream(&self) -> String {
        streams::follow(self.by, self.root)
    }

    async fn prepare(
        &self,
        states: &States,
        freshness: Freshness,
    ) -> Result<Prepared<Following>, Unavailable> {
        let AtMessage { message, standing: by, guards } =
            AtMessage::load(states, self.root, self.by, freshness).await?;
        let command = Follow { root: message.state.clone(), by, follow: self.follow };
        Ok(Prepared { command, guards })
    }
}

impl Commands {
    /// Says whether the account that acts follows the thread below `root` from now on.
    ///
    /// # Errors
    /// See [`ThreadError`].
    pub async fn follow_thread(
        &self,
        context: &Context,
        root: MessageId,
        follow: bool,
    ) -> Result<Done<()>, Refusal<ThreadError>> {
        let by = context.actor.ok_or(Refusal::Domain(ThreadError::Unknown))?;
        let outcome = self.execute(&self.cause(context), &FollowThread { root, by, follow }).await?;
        Ok(outcome.map(drop))
    }
}
