//! Where one subscription's share waits, and for a stream with a socket of its own, leaves.
//!
//! ```text
//! hub ─ push ─► waiting ─ flush ─► socket             a stream on HTTP/1.1, while its socket takes all
//!                       ─ take ──► its reader's task   HTTP/2, long-poll, whoever is catching up
//! ```
//!
//! A socket that does not take all is *blocked*: its own task goes on with it when it can be written again, and what
//! comes meanwhile waits here. What would not fit ends the outlet: its reader goes on from the log.

use std::collections::VecDeque;
use std::io::{ErrorKind, IoSlice};
use std::sync::Arc;

use event_store::Position;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::item::{Beat, Framing, Item, Wire};
use super::signal::SignalFrame;

/// Runs of frames that wait for one subscription before it has to read for itself.
pub(crate) const QUEUE: usize = 128;
/// With as many waiting, a reader is behind: it gets no signals.
const BEHIND: usize = QUEUE / 4;
/// Most pieces in one write.
const SLICES: usize = 64;
/// Room that is kept for the next pieces.
const KEPT: usize = 16;

/// Why an outlet ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The reader was too slow: it goes on from its own position.
    Lagged,
    SessionEnded,
    Shutdown,
    /// The reader must come again and prove who it is.
    Rotate,
}

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// The first since the last flush, which it needs.
    First,
    /// There will be a flush, or the reader is at it.
    Waits,
    /// There is no room, or no reader any more.
    Refused,
}

/// What is there for a reader.
#[derive(Debug)]
pub(crate) enum Taken {
    Items(Vec<Item>),
    Nothing,
    Ended(End),
}

/// What a flush came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flushed {
    All,
    /// That was the last: the outlet has ended, and lets go of the socket.
    Ended,
    /// The socket takes no more for now.
    Blocked,
    /// The socket is gone.
    Broken,
}

#[derive(Debug)]
pub(crate) struct Outlet {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug)]
struct Waiting {
    items: VecDeque<Item>,
    /// Bytes of the first item that were written already.
    written: usize,
    /// Everything visible up to here has been handed over.
    position: Position,
    end: Option<End>,
    /// Where the hub writes to, once the reader has caught up.
    wire: Option<Wire>,
    blocked: bool,
    broken: bool,
    /// Something was pushed since the last flush.
    pushed: bool,
}

impl Outlet {
    /// For a reader who has had everything up to `position`.
    pub(crate) fn new(position: Position) -> Self {
        let waiting = Waiting {
            items: VecDeque::new(),
            written: 0,
            position,
            end: None,
            wire: None,
            blocked: false,
            broken: false,
            pushed: false,
        };
        Self { waiting: Mutex::new(waiting), changed: Notify::new() }
    }

    /// Puts `item` behind what waits. It leaves with the next flush.
    pub(crate) fn push(&self, item: Item) -> Pushed {
        let mut waiting = self.waiting.lock();
        if waiting.end.is_some() || waiting.broken || waiting.items.len() >= QUEUE {
            return Pushed::Refused;
        }
        waiting.items.push_back(item);
        match std::mem::replace(&mut waiting.pushed, true) {
            true => Pushed::Waits,
            false => Pushed::First,
        }
    }

    /// A sign of life, for those only to whom nothing is on its way.
    pub(crate) fn push_beat(&self, beat: &Arc<Beat>) -> Pushed {
        if !self.waiting.lock().items.is_empty() {
            return Pushed::Waits;
        }
        self.push(Item::Beat(Arc::clone(beat)))
    }

    /// A signal, for those only who are not behind. A refusal is no reason to end.
    pub(crate) fn push_signal(&self, signal: &Arc<SignalFrame>) -> Pushed {
        if self.waiting.lock().items.len() >= BEHIND {
            return Pushed::Refused;
        }
        self.push(Item::Signal(Arc::clone(signal)))
    }

    /// Sends what waits on its way: to the socket, or to the reader's task.
    pub(crate) fn flush(&self) {
        let mut waiting = self.waiting.lock();
        waiting.pushed = false;
        // A blocked socket's task is waiting for the socket, not for us.
        let needs_task = match (&waiting.wire, waiting.blocked) {
            (Some(_), true) => false,
            (Some(_), false) => waiting.write() != Flushed::All,
            (None, _) => true,
        };
        drop(waiting);
        if needs_task {
            self.changed.notify_one();
        }
    }

    /// From now on the hub writes what comes. What waits is written at once.
    pub(crate) fn attach(&self, wire: Wire) -> Flushed {
        let mut waiting = self.waiting.lock();
        waiting.wire = Some(wire);
        waiting.write()
    }

    /// Goes on with a blocked socket, from its task.
    pub(crate) fn go_on(&self) -> Flushed {
        self.waiting.lock().write()
    }

    /// What is there for a reader who has no wire, without waiting.
    pub(crate) fn take(&self) -> Taken {
        let mut waiting = self.waiting.lock();
        let mut items = Vec::with_capacity(waiting.items.len());
        while let Some(item) = waiting.items.pop_front() {
            // A cursor may be ahead of the hub that the subscription began at.
            let Some(item) = item.after(waiting.position) else { continue };
            waiting.position = waiting.position.max(item.upto());
            items.push(item);
        }
        match waiting.end {
            Some(end) if items.is_empty() => Taken::Ended(end),
            _ if items.is_empty() => Taken::Nothing,
            _ => Taken::Items(items),
        }
    }

    /// Ends it; what waits can still be read.
    pub(crate) fn end(&self, end: End) {
        self.waiting.lock().end.get_or_insert(end);
        self.changed.notify_one();
    }

    pub(crate) fn ended(&self) -> Option<End> {
        self.waiting.lock().end
    }

    /// Completes after something changed that the reader's task should look at; it may complete once too often.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(crate) fn position(&self) -> Position {
        self.waiting.lock().position
    }

    /// Whatever is visible up to `position` was handed over by other means, unless something waits still.
    pub(crate) fn advance(&self, position: Position) -> Position {
        let mut waiting = self.waiting.lock();
        if waiting.items.is_empty() && waiting.end.is_none() {
            waiting.position = waiting.position.max(position);
        }
        waiting.position
    }

    /// Whatever is visible up to `position` was handed over before anything that waits.
    pub(crate) fn caught_up_to(&self, position: Position) {
        let mut waiting = self.waiting.lock();
        waiting.position = waiting.position.max(position);
    }
}

impl Waiting {
    /// Writes what waits, as far as the socket takes it.
    fn write(&mut self) -> Flushed {
        loop {
            self.skip_what_was_had();
            let Some(Wire { socket, framing }) = &self.wire else { return Flushed::Ended };
            if self.items.is_empty() {
                self.blocked = false;
                self.items.shrink_to(KEPT);
                if self.end.is_some() {
                    self.wire = None;
                    return Flushed::Ended;
                }
                return Flushed::All;
            }
            let wrote = if self.items.len() == 1 {
                socket.try_write(&self.items[0].bytes(*framing)[self.written..])
            } else {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let mut skip = self.written;
                for (slice, item) in slices.iter_mut().zip(&self.items) {
                    *slice = IoSlice::new(&item.bytes(*framing)[skip..]);
                    skip = 0;
                }
                socket.try_write_vectored(&slices[..self.items.len().min(SLICES)])
            };
            match wrote {
                Ok(bytes) => self.wrote(bytes, *framing),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.blocked = true;
                    return Flushed::Blocked;
                }
                Err(_) => {
                    self.broken = true;
                    return Flushed::Broken;
                }
            }
        }
    }

    /// A cursor may be ahead of the hub that the subscription began at.
    fn skip_what_was_had(&mut self) {
        while self.written == 0
            && let Some(first) = self.items.front()
        {
            let had = match first {
                Item::Run(run) => run.first().position <= self.position,
                Item::Beat(_) | Item::Signal(_) => false,
            };
            let nothing = first.sse().is_none();
            if !had && !nothing {
                return;
            }
            let Some(first) = self.items.pop_front() else { return };
            let upto = first.upto();
            match first.after(self.position).filter(|rest| rest.sse().is_some()) {
                Some(rest) => return self.items.push_front(rest),
                None => self.position = self.position.max(upto),
            }
        }
    }

    fn wrote(&mut self, bytes: usize, framing: Framing) {
        self.written += bytes;
        while let Some(first) = self.items.front() {
            let length = first.bytes(framing).len();
            if self.written < length {
                return;
            }
            self.written -= length;
            self.position = self.position.max(first.upto());
            self.items.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
