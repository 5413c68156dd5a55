//! The task that posts what is due.
//!
//! Every node runs one; a message is leased, so that one of them has it at a time. Who crashes after posting and before
//! saying so loses the lease, and another posts again: under the same idempotency key, so that it is there once.

use std::sync::Arc;
use std::time::Duration;

use account_data::{AccountData, Outcome, ScheduledMessage, Unavailable};
use commands::{Clock, Commands, Context, Refusal};
use domain::message::{Content, MessageError};
use jiff::SignedDuration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{ScheduledState, tell};
use crate::error::ApiError;
use crate::signal::Signals;

/// How often it is looked what is due.
const LOOK: Duration = Duration::from_secs(1);
/// Most messages leased at a time.
const MESSAGES: usize = 20;
/// Longer than posting them all takes; after a crash they wait for so long.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// The wait before one is tried again of which nothing is known, as the storage could not be reached.
const AGAIN: SignedDuration = SignedDuration::from_secs(10);

pub(crate) struct Sender {
    pub(crate) data: AccountData,
    pub(crate) commands: Commands,
    pub(crate) signals: Arc<Signals>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Sender {
    /// Until `shutdown`. What is being posted then is finished.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(look.tick()).await.is_some() {
            loop {
                match self.round().await {
                    Ok(posted) if posted == MESSAGES => {}
                    Ok(_) => break,
                    Err(error) => {
                        let error: &dyn std::error::Error = &error;
                        tracing::warn!(error, "scheduled messages wait");
                        break;
                    }
                }
            }
        }
    }

    /// Posts some of what is due; how many.
    pub(super) async fn round(&self) -> Result<usize, Unavailable> {
        let due = self.lease().await?;
        for message in &due {
            let outcome = self.post(message).await;
            self.settle(message, &outcome).await?;
        }
        Ok(due.len())
    }

    pub(super) async fn lease(&self) -> Result<Vec<ScheduledMessage>, Unavailable> {
        self.data.lease_due_messages(self.clock.now(), LEASE, MESSAGES as i64).await
    }

    pub(super) async fn post(&self, message: &ScheduledMessage) -> Outcome {
        let content = match Content::parse(&message.content) {
            Ok(content) => content,
            // It was checked when it was kept, by another program.
            Err(error) => {
                tracing::error!(scheduled = %message.id, %error, "a scheduled message cannot be posted any more");
                return Outcome::Failed(crate::error::general::INVALID.name);
            }
        };
        let posted =
            self.commands.post_message(&context(message), message.channel, content, message.reply_to).await;
        match posted {
            Ok(_) => {
                self.signals.posted(message.account, message.channel);
                Outcome::Sent
            }
            Err(refusal @ (Refusal::Busy | Refusal::Unavailable(_))) => {
                let error: &dyn std::error::Error = &refusal;
                tracing::warn!(scheduled = %message.id, error, "a scheduled message is posted later");
                Outcome::Unsure(self.clock.now().saturating_add(AGAIN).unwrap_or(message.send_at))
            }
            // Its turn comes when slow mode lets it.
            Err(Refusal::Domain(MessageError::SlowMode { wait })) => {
                let wait = SignedDuration::from_secs(i64::from(wait));
                Outcome::Unsure(self.clock.now().saturating_add(wait).unwrap_or(message.send_at))
            }
            Err(refusal @ (Refusal::Domain(_) | Refusal::KeyReused)) => {
                Outcome::Failed(ApiError::from(refusal).code().name)
            }
        }
    }

    async fn settle(&self, message: &ScheduledMessage, outcome: &Outcome) -> Result<(), Unavailable> {
        let news = self.data.settle_scheduled_message(message.id, outcome).await?;
        let (state, counted) = match outcome {
            Outcome::Sent => (ScheduledState::Sent, "sent"),
            Outcome::Failed(_) => (ScheduledState::Failed, "failed"),
            Outcome::Unsure(_) => return Ok(()),
        };
        if news {
            metrics::counter!("echoverse_scheduled_messages_total", "outcome" => counted).increment(1);
            tell(&self.signals, self.clock.now(), message, state);
        }
        Ok(())
    }
}

/// The author's own command, under a key that names the scheduled message: no request can have one with spaces. Whatever
/// its text was when it was posted first, it was posted.
fn context(message: &ScheduledMessage) -> Context {
    Context {
        actor: Some(message.account),
        key: Some(format!("scheduled message {}", message.id)),
        request_hash: [0; 32],
        correlation: message.id.simple().to_string(),
    }
}
