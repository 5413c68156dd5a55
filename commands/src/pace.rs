//! Slow mode: who posted when, kept outside the log, because it is a claim and not a fact.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use domain::channel::SlowMode;
use domain::{AccountId, ChannelId};
use event_store::Unavailable;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// The wish to post now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub account: AccountId,
    pub channel: ChannelId,
    /// The command that posts: a repeat of it waits for nothing.
    pub command: Uuid,
    pub now: Timestamp,
    /// How much must lie between two posts.
    pub interval: SignedDuration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    Now,
    /// By this very command, which is being repeated.
    Before,
    /// Another command posted too short a time ago.
    NotBefore(Timestamp),
}

/// Where it is kept when an account posted last in a channel with slow mode: one place for all nodes, durable, so that
/// of two posts at once one has to wait, and after a restart, too.
#[async_trait]
pub trait Pace: Send + Sync + 'static {
    /// Claims the moment, in one atomic step.
    async fn claim(&self, claim: &Claim) -> Result<Claimed, Unavailable>;

    /// Forgets a claim of which nothing came: what was claimed before holds again.
    async fn give_back(&self, claim: &Claim) -> Result<(), Unavailable>;
}

/// The pace of one command that posts.
pub(crate) struct Pacing {
    pace: Arc<dyn Pace>,
    account: AccountId,
    channel: ChannelId,
    command: Uuid,
    claimed: AtomicBool,
}

impl Pacing {
    pub(crate) fn new(pace: Arc<dyn Pace>, account: AccountId, channel: ChannelId, command: Uuid) -> Self {
        Self { pace, account, channel, command, claimed: AtomicBool::new(false) }
    }

    fn at(&self, now: Timestamp, interval: SignedDuration) -> Claim {
        let Self { account, channel, command, .. } = *self;
        Claim { account, channel, command, now, interval }
    }

    /// How many seconds there are to wait yet; `None`: the moment is this command's.
    pub(crate) async fn wait(&self, slow_mode: SlowMode, now: Timestamp) -> Result<Option<u32>, Unavailable> {
        let interval = SignedDuration::from_secs(i64::from(slow_mode.seconds()));
        match self.pace.claim(&self.at(now, interval)).await? {
            Claimed::Now => {
                self.claimed.store(true, Ordering::Relaxed);
                Ok(None)
            }
            Claimed::Before => Ok(None),
            Claimed::NotBefore(then) => {
                let left = now.duration_until(then);
                let seconds = left.as_secs() + i64::from(left.subsec_nanos() > 0);
                Ok(Some(u32::try_from(seconds.max(1)).unwrap_or(SlowMode::MAX)))
            }
        }
    }

    /// Gives the moment back if this command has claimed it and nothing was posted.
    pub(crate) async fn give_back(&self) {
        if !self.claimed.swap(false, Ordering::Relaxed) {
            return;
        }
        let claim = self.at(Timestamp::UNIX_EPOCH, SignedDuration::ZERO);
        if let Err(error) = self.pace.give_back(&claim).await {
            // The author waits once for a post that was refused.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a claim of slow mode was not given back"
            );
        }
    }
}
