//! Signals: what is told at once and not kept, such as that somebody types.
//!
//! ```text
//! handler ─► Signals ─┬─► this node's readers (live::Hub)
//!                     └─► bus ─ NOTIFY ─► the other nodes' buses ─► their readers
//! ```
//!
//! A signal is not an event: it has no position and no cursor, it is in no log and no table, and nobody may rely on it.
//! Every queue on its way is short, and where one is full the signal is dropped and counted: telling that somebody types
//! never waits, and never holds up a message.

mod bus;
mod letter;
mod own;
mod presence;
mod receipt;
#[cfg(test)]
mod tests;
mod typing;

use domain::{AccountId, ChannelId};
use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_postgres::Config;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::bus::Bus;
use crate::draft::DraftChange;
use crate::message::thread::ThreadReadState;
use crate::notification_setting::NotificationSetting;
use crate::presence::OwnPresence;
use crate::privacy::Privacy;
use crate::read_state::ReadState;
use crate::saved_message::SavedChange;
use crate::scheduled_message::ScheduledChange;

pub(crate) use own::OwnSignal;
pub(crate) use presence::Presence;
pub(crate) use receipt::Receipt;
pub(crate) use typing::Typing;

/// Signals that wait for this node's readers, and as many for the other nodes.
const QUEUE: usize = 1_024;
/// What is said again within this time was said.
const REPEATED: SignedDuration = SignedDuration::from_secs(3);
/// Who typed where last, for that; one that is forgotten may be told once too often.
const REMEMBERED: usize = 16_384;

/// Something told, by its name in the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Signal {
    Typing(Typing),
    ReadMarker(OwnSignal<ReadState>),
    ThreadReadMarker(OwnSignal<ThreadReadState>),
    Receipt(Receipt),
    Privacy(OwnSignal<Privacy>),
    NotificationSettings(OwnSignal<NotificationSetting>),
    Presence(Presence),
    OwnPresence(OwnSignal<OwnPresence>),
    Draft(OwnSignal<DraftChange>),
    SavedMessage(OwnSignal<SavedChange>),
    ScheduledMessage(OwnSignal<ScheduledChange>),
}

/// Tells signals to this node's readers and to the other nodes. Never waits.
pub(crate) struct Signals {
    here: mpsc::Sender<Signal>,
    elsewhere: mpsc::Sender<Signal>,
    typed: Cache<(AccountId, ChannelId), Timestamp>,
}

impl Signals {
    /// Signals of this node, which calls itself `node`, and of those that share the database of `config`. The task is
    /// the way to the others, until `shutdown`; the receiver has what this node's readers are to be told.
    pub(crate) fn new(
        config: Config,
        node: Uuid,
        shutdown: CancellationToken,
    ) -> (Self, mpsc::Receiver<Signal>, impl Future<Output = ()> + Send + 'static) {
        let (here, heard) = mpsc::channel(QUEUE);
        let (elsewhere, outbound) = mpsc::channel(QUEUE);
        let bus = Bus::new(config, node, here.clone(), outbound);
        (Self { here, elsewhere, typed: Cache::new(REMEMBERED) }, heard, bus.run(shutdown))
    }

    /// Tells that somebody types, unless that was told just now.
    pub(crate) fn typing(&self, typing: Typing) {
        let (key, now) = ((typing.account_id, typing.channel_id), typing.time);
        // A clock that was set back makes nobody silent.
        let again = |last: Timestamp| last <= now && now.duration_since(last) < REPEATED;
        if self.typed.get(&key).is_some_and(again) {
            return;
        }
        self.typed.insert(key, now);
        self.tell(Signal::Typing(typing));
    }

    /// A message ends its author's typing: what comes next is told at once.
    pub(crate) fn posted(&self, author: AccountId, channel: ChannelId) {
        self.typed.remove(&(author, channel));
    }

    /// Tells a signal to all whom it concerns.
    pub(crate) fn tell(&self, signal: Signal) {
        metrics::counter!("echoverse_signals_total", "from" => "here").increment(1);
        offer(&self.elsewhere, signal.clone(), "elsewhere");
        offer(&self.here, signal, "here");
    }
}

/// Puts `signal` into a queue if there is room.
fn offer(queue: &mpsc::Sender<Signal>, signal: Signal, way: &'static str) {
    if queue.try_send(signal).is_err() {
        dropped(way, 1);
    }
}

fn dropped(way: &'static str, signals: u64) {
    metrics::counter!("echoverse_signals_dropped_total", "way" => way).increment(signals);
}
