//! One reader's way through the log: catch up, then follow, and catch up again after falling behind.

use std::sync::Arc;
use std::time::Duration;

use domain::AccountId;
use event_store::Position;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::access::Access;
use super::catch_up::{CatchUp, CatchUpError};
use super::frame::Frame;
use super::hub::Hub;
use super::routing::{End, Ending, Key, NotYet, Subscribed};

/// How long a new subscription waits for the read model to know the account.
const ACCESS_PATIENCE: Duration = Duration::from_secs(5);
/// Most frames in one batch.
const BATCH: usize = 512;

#[derive(Debug, thiserror::Error)]
pub(crate) enum SubscribeError {
    #[error("this account has too many live subscriptions")]
    TooMany,
    #[error("live delivery has ended")]
    Ended,
    #[error("the read model has not caught up")]
    NotCaughtUp,
    #[error(transparent)]
    Unavailable(#[from] CatchUpError),
}

/// What a reader gets next.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// In log order; every frame up to `upto` that the account may see has now been handed over.
    Frames { frames: Vec<Arc<Frame>>, upto: Position },
    /// No more comes.
    Ended(End),
}

/// A subscription; leaves the hub when dropped.
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    account: AccountId,
    session: Uuid,
    key: Key,
    queue: mpsc::Receiver<Arc<Frame>>,
    ending: Arc<Ending>,
    /// Everything visible up to here has been handed over.
    position: Position,
    catching_up: Option<CatchUp>,
}

impl Subscription {
    /// Subscribes from `after` on.
    pub(crate) async fn start(
        hub: Arc<Hub>,
        account: AccountId,
        session: Uuid,
        after: Position,
    ) -> Result<Self, SubscribeError> {
        let subscribed = register(&hub, account, session).await?;
        let Subscribed { key, at, access, queue, ending } = subscribed;
        let catching_up = catch_up(after, at, access);
        Ok(Self { hub, account, session, key, queue, ending, position: after, catching_up })
    }

    /// Whether only new frames are left to wait for.
    pub(crate) fn is_live(&self) -> bool {
        self.catching_up.is_none()
    }

    /// The next frames, waiting for them. Cancel safe while live; while catching up a cancelled read is repeated.
    pub(crate) async fn next(&mut self) -> Result<Delivery, SubscribeError> {
        loop {
            if let Some(catching_up) = &mut self.catching_up {
                let page = catching_up.next_page(&self.hub).await?;
                self.position = self.position.max(page.upto);
                if page.last {
                    self.catching_up = None;
                }
                if page.last || !page.frames.is_empty() {
                    return Ok(Delivery::Frames { frames: page.frames, upto: self.position });
                }
                continue;
            }
            let Some(first) = self.queue.recv().await else {
                match self.ending.get() {
                    End::Lagged => self.rejoin().await?,
                    end => return Ok(Delivery::Ended(end)),
                }
                continue;
            };
            let frames = self.drain(vec![first], BATCH);
            if !frames.is_empty() {
                return Ok(Delivery::Frames { frames, upto: self.position });
            }
        }
    }

    /// What is waiting already, without waiting; the position up to which that is everything.
    pub(crate) fn waiting(&mut self) -> (Vec<Arc<Frame>>, Position) {
        // The head is sampled first: whatever it covers is in the queue by then.
        let head = self.hub.head();
        let frames = self.drain(Vec::new(), super::routing::QUEUE);
        if self.is_live() && self.ending.get() == End::Open && self.queue.is_empty() {
            self.position = self.position.max(head);
        }
        (frames, self.position)
    }

    /// Takes up to `most` frames from the queue. Those that the reader has had are left out: a cursor may be ahead of
    /// the hub that the subscription began at.
    fn drain(&mut self, mut frames: Vec<Arc<Frame>>, most: usize) -> Vec<Arc<Frame>> {
        while frames.len() < most
            && let Ok(frame) = self.queue.try_recv()
        {
            frames.push(frame);
        }
        frames.retain(|frame| frame.position > self.position);
        if let Some(last) = frames.last() {
            self.position = last.position;
        }
        frames
    }

    async fn rejoin(&mut self) -> Result<(), SubscribeError> {
        let Subscribed { key, at, access, queue, ending } =
            register(&self.hub, self.account, self.session).await?;
        (self.key, self.queue, self.ending) = (key, queue, ending);
        self.catching_up = catch_up(self.position, at, access);
        Ok(())
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.unsubscribe(self.key);
    }
}

fn catch_up(after: Position, at: Position, access: Access) -> Option<CatchUp> {
    (after < at).then(|| CatchUp::new(after, at, access))
}

/// Registers with the hub, with a snapshot of the account's access where the hub does not know it.
async fn register(hub: &Arc<Hub>, account: AccountId, session: Uuid) -> Result<Subscribed, SubscribeError> {
    let mut snapshot = None;
    // One more turn when the snapshot was older than what the hub remembers of changes.
    for _ in 0..3 {
        match hub.subscribe(account, session, snapshot.take()).await.ok_or(SubscribeError::Ended)? {
            Ok(subscribed) => return Ok(subscribed),
            Err(NotYet::TooMany) => return Err(SubscribeError::TooMany),
            Err(NotYet::NeedsAccess { need }) => {
                if !hub.encoder.read.wait_for(need, ACCESS_PATIENCE).await {
                    return Err(SubscribeError::NotCaughtUp);
                }
                snapshot = Some(hub.encoder.read.access(account).await.map_err(CatchUpError::from)?);
            }
        }
    }
    Err(SubscribeError::NotCaughtUp)
}
