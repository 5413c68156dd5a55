//! Following the log.

use std::sync::Arc;

use tokio::sync::watch;

use crate::{EventStore, MAX_PAGE, Position, Record, Unavailable};

/// Follows a log in order, for ever, without gaps: what is there already first, then what comes.
///
/// Each tail has its own position and may be slow without hurting others. What wakes it says only that there is more;
/// it reads the log from its own position, so a wake-up that comes late or stands for many loses nothing.
pub struct Tail {
    store: Arc<dyn EventStore>,
    position: Position,
    head: watch::Receiver<Position>,
}

impl Tail {
    /// A tail over `store`. Soon after a record becomes visible, `head` must reach its position, and what `head` has
    /// reached must be readable: at or below it, the tail waits without reading.
    pub fn new(store: Arc<dyn EventStore>, after: Position, head: watch::Receiver<Position>) -> Self {
        Self { store, position: after, head }
    }

    /// The position of the last record handed out.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The next records, at least one, waiting for them as long as it takes. Cancel safe.
    ///
    /// # Errors
    /// After an error the same call may be repeated; nothing was skipped.
    pub async fn next(&mut self) -> Result<Vec<Arc<Record>>, Unavailable> {
        loop {
            // Register before sampling: a change after the sample wakes the wait below.
            let head = *self.head.borrow_and_update();
            if self.position < head {
                let records = self.store.read_all(self.position, MAX_PAGE).await?;
                if let Some(last) = records.last() {
                    self.position = last.position;
                    return Ok(records);
                }
            }
            // The sender lives in the store, which this tail holds.
            let _ = self.head.changed().await;
        }
    }
}
