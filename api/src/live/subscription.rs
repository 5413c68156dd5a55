//! One reader's way through the log: catch up, then follow, and catch up again after falling behind.

use std::sync::Arc;
use std::time::Duration;

use event_store::Position;

use super::access::Access;
use super::catch_up::{CatchUp, CatchUpError};
use super::hub::{Hub, Place};
use super::item::Item;
use super::outlet::{End, Outlet, Taken};
use super::routing::{NotYet, Reader, Subscribed};
use super::run::Run;

/// How long a new subscription waits for the read model to know the account.
const ACCESS_PATIENCE: Duration = Duration::from_secs(5);

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
    Items { items: Vec<Item>, upto: Position },
    /// No more comes.
    Ended(End),
}

/// A subscription; leaves the hub when dropped, by its place.
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    reader: Reader,
    place: Place,
    outlet: Arc<Outlet>,
    catching_up: Option<Box<CatchUp>>,
}

impl Subscription {
    /// Subscribes from `after` on.
    pub(crate) async fn start(
        hub: Arc<Hub>,
        reader: Reader,
        after: Position,
    ) -> Result<Self, SubscribeError> {
        let (place, Subscribed { at, access, outlet, .. }) = register(&hub, reader, after).await?;
        Ok(Self { hub, reader, place, outlet, catching_up: catch_up(after, at, access) })
    }

    /// Whether only new frames are left to wait for.
    pub(crate) fn is_live(&self) -> bool {
        self.catching_up.is_none()
    }

    pub(crate) fn outlet(&self) -> &Arc<Outlet> {
        &self.outlet
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// What comes next, waiting for it; while catching up also nothing, so that the reader can be told that we are
    /// there. Cancel safe while live; while catching up a cancelled read is repeated.
    pub(crate) async fn next(&mut self) -> Result<Delivery, SubscribeError> {
        loop {
            if let Some(catching_up) = &mut self.catching_up {
                let page = match catching_up.next_page(&self.hub).await {
                    Ok(page) => page,
                    Err(CatchUpError::Overtaken(position)) => {
                        self.hub.reached(position).await?;
                        self.rejoin().await?;
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                self.outlet.caught_up_to(page.upto);
                if page.last {
                    self.catching_up = None;
                }
                let items = Run::cut(&page.frames).into_iter().map(Item::Run).collect();
                return Ok(Delivery::Items { items, upto: page.upto });
            }
            match self.outlet.take() {
                Taken::Items(items) => {
                    return Ok(Delivery::Items { items, upto: self.outlet.position() });
                }
                Taken::Nothing => self.outlet.changed().await,
                Taken::Ended(End::Lagged) => self.rejoin().await?,
                Taken::Ended(end) => return Ok(Delivery::Ended(end)),
            }
        }
    }

    /// What is waiting already, without waiting; the position up to which that is everything.
    pub(crate) fn waiting(&mut self) -> (Vec<Item>, Position) {
        if !self.is_live() {
            return (Vec::new(), self.outlet.position());
        }
        // The head is sampled first: whatever it covers is in the outlet by then.
        let head = self.hub.head();
        let items = match self.outlet.take() {
            Taken::Items(items) => items,
            Taken::Nothing => Vec::new(),
            // What it had is lost: the reader goes on from where it stands.
            Taken::Ended(_) => return (Vec::new(), self.outlet.position()),
        };
        (items, self.outlet.advance(head))
    }

    async fn rejoin(&mut self) -> Result<(), SubscribeError> {
        let after = self.outlet.position();
        let (place, Subscribed { at, access, outlet, .. }) = register(&self.hub, self.reader, after).await?;
        (self.place, self.outlet) = (place, outlet);
        self.catching_up = catch_up(after, at, access);
        Ok(())
    }
}

fn catch_up(after: Position, at: Position, access: Access) -> Option<Box<CatchUp>> {
    (after < at).then(|| Box::new(CatchUp::new(after, at, access)))
}

/// Registers with the hub, with a snapshot of the account's access where the hub does not know it.
async fn register(
    hub: &Arc<Hub>,
    reader: Reader,
    position: Position,
) -> Result<(Place, Subscribed), SubscribeError> {
    let mut snapshot = None;
    // One more turn when the snapshot was older than what the hub remembers of changes.
    for _ in 0..3 {
        match hub.subscribe(reader, position, snapshot.take()).await.ok_or(SubscribeError::Ended)? {
            Ok(subscribed) => return Ok(subscribed),
            Err(NotYet::TooMany) => return Err(SubscribeError::TooMany),
            Err(NotYet::NeedsAccess { need }) => {
                if !hub.encoder.read.wait_for(need, ACCESS_PATIENCE).await {
                    return Err(SubscribeError::NotCaughtUp);
                }
                let taken = hub.encoder.read.access(reader.account).await.map_err(CatchUpError::from)?;
                hub.reached(taken.position).await?;
                snapshot = Some(taken);
            }
        }
    }
    Err(SubscribeError::NotCaughtUp)
}
