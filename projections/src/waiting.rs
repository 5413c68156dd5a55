//! Waiting until the read model has reached a position.

use std::time::Duration;

use event_store::Position;
use tokio::sync::watch;

use crate::read_model::ReadModel;

/// How often a process that does not lead asks for the checkpoint while someone waits.
const POLL: Duration = Duration::from_millis(25);

impl ReadModel {
    /// Whether the read model reaches `position` within `limit`.
    ///
    /// Where this process leads, it is told of each step; elsewhere one of the waiters asks for all of them.
    pub async fn wait_for(&self, position: Position, limit: Duration) -> bool {
        let mut seen = self.watch();
        if *seen.borrow_and_update() >= position {
            return true;
        }
        let _waiting = Waiting::among(self.waiting());
        tokio::select! {
            reached = seen.wait_for(|seen| *seen >= position) => reached.is_ok(),
            () = self.poll() => false,
            () = tokio::time::sleep(limit) => false,
        }
    }

    /// Completes when someone waits for a checkpoint that was not yet seen.
    pub(crate) async fn awaited(&self) {
        // The sender lives as long as this handle.
        let _ = self.waiting().subscribe().wait_for(|waiting| *waiting > 0).await;
    }

    /// Never ends. Whoever drops it hands the turn on to the next waiter.
    async fn poll(&self) {
        let _turn = self.polling().lock().await;
        loop {
            if !self.is_leading()
                && let Err(error) = self.refresh().await
            {
                // The waiters hear that the position was not reached; the projector says what is wrong.
                tracing::debug!(%error, "the checkpoint cannot be read");
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// One who waits, counted while it lasts.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn among(all: &'a watch::Sender<usize>) -> Self {
        all.send_modify(|waiting| *waiting += 1);
        Self(all)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}
