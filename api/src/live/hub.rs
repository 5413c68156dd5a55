//! The one task that follows the log for all live subscriptions of this process.

use std::sync::Arc;
use std::time::Duration;

use event_store::{EventStore, Position, Record, Tail, Unavailable};
use parking_lot::RwLock;
use projections::ReadModel;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use vault::Vault;

use super::beats::Beats;
use super::encode::{EncodeError, Encoder};
use super::flush::flush;
use super::item::Beat;
use super::outlet::End;
use super::recent::{MAX_FRAMES, Recent};
use super::routing::{Dirty, Key, Kind, NotYet, Reader, Routing, Subscribed};
use super::run::Run;
use super::signal::SignalFrame;
use super::subscription::SubscribeError;
use crate::cursor::Cursors;
use crate::presence::Attendance;
use crate::signal::Signal;

/// Requests that wait for the hub's task.
const REQUESTS: usize = 1_024;
/// The wait after the log, the vault or the read model could not be reached.
const RETRY: Duration = Duration::from_millis(500);
/// Handing out pauses as long as the last round took, so long at most: under load many frames leave in one write, and
/// half of the time is left to those who write messages. A lone frame after a pause goes at once.
const MAX_PAUSE: Duration = Duration::from_millis(25);
/// Signals told in one round.
const SIGNALS: usize = 64;
/// Records from before the start whose frames are kept at hand, and how many are read at once.
const WARM: u64 = MAX_FRAMES as u64 / 2;
const WARM_PAGE: usize = 500;
/// Readers who catch up from the log at a time: the database's connections are for others, too.
const READERS: usize = 4;
/// How long a new subscription waits for the hub to reach what the read model has.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);
/// How often idle accounts are forgotten.
const SWEEP: Duration = Duration::from_secs(10);

#[derive(Debug)]
enum Request {
    Subscribe {
        reader: Reader,
        position: Position,
        snapshot: Option<projections::Access>,
        reply: oneshot::Sender<Result<(Place, Subscribed), NotYet>>,
    },
    Unsubscribe(Key),
}

/// Where live subscriptions come from.
pub(crate) struct Hub {
    requests: mpsc::Sender<Request>,
    head: watch::Receiver<Position>,
    recent: Arc<RwLock<Recent>>,
    /// Turns to read from the log for those who catch up.
    pub(super) reading: Semaphore,
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) encoder: Encoder,
}

impl Hub {
    /// Starts following the log from its present head.
    ///
    /// # Errors
    /// The log cannot be reached.
    pub(crate) async fn start(
        store: Arc<dyn EventStore>,
        vault: Vault,
        read: ReadModel,
        cursors: Cursors,
        signals: mpsc::Receiver<Signal>,
        attendance: Arc<Attendance>,
        shutdown: CancellationToken,
    ) -> Result<Arc<Self>, Unavailable> {
        let start = store.head().await?;
        let (requests, inbox) = mpsc::channel(REQUESTS);
        let (head_sender, head) = watch::channel(start);
        let recent = Arc::new(RwLock::new(Recent::new(start)));
        let revocations = vault.revocations();
        let encoder = Encoder { vault, read, cursors };
        let task = Task {
            tail: Arc::clone(&store).tail(start),
            encoder: encoder.clone(),
            routing: Routing::new(start, attendance),
            beats: Beats::new(),
            dirty: Dirty::new(),
            recent: Arc::clone(&recent),
            head: head_sender,
            inbox,
            requests: requests.downgrade(),
            signals,
            revocations,
            next_round: Instant::now(),
        };
        let warming = warm(Arc::clone(&store), encoder.clone(), Arc::clone(&recent), start);
        tokio::spawn(shutdown.clone().run_until_cancelled_owned(warming));
        tokio::spawn(task.run(shutdown));
        let reading = Semaphore::new(READERS);
        Ok(Arc::new(Self { requests, head, recent, reading, store, encoder }))
    }

    /// The position up to which every subscription was given its share.
    pub(crate) fn head(&self) -> Position {
        *self.head.borrow()
    }

    /// Waits until every subscription was given its share up to `position`.
    pub(crate) async fn reached(&self, position: Position) -> Result<(), SubscribeError> {
        let mut head = self.head.clone();
        let reached = head.wait_for(|head| *head >= position);
        match tokio::time::timeout(HEAD_PATIENCE, reached).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(SubscribeError::Ended),
            Err(_) => Err(SubscribeError::NotCaughtUp),
        }
    }

    pub(crate) fn recent(&self) -> &RwLock<Recent> {
        &self.recent
    }

    /// Registers a subscription for a reader who has had everything up to `position`; `None` when the hub has ended.
    pub(crate) async fn subscribe(
        &self,
        reader: Reader,
        position: Position,
        snapshot: Option<projections::Access>,
    ) -> Option<Result<(Place, Subscribed), NotYet>> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Subscribe { reader, position, snapshot, reply }).await.ok()?;
        answer.await.ok()
    }
}

/// A subscription's place at the hub: dropped, it is free. It travels with the hub's answer, which may find that nobody
/// waits for it any more.
#[derive(Debug)]
pub(crate) struct Place {
    key: Key,
    requests: mpsc::WeakSender<Request>,
}

impl Drop for Place {
    fn drop(&mut self) {
        // The hub has ended if nobody takes it: then there is nothing to end.
        let Some(requests) = self.requests.upgrade() else { return };
        if let Err(mpsc::error::TrySendError::Full(request)) =
            requests.try_send(Request::Unsubscribe(self.key))
        {
            // A full inbox is no harm: it waits for its turn.
            tokio::spawn(async move { requests.send(request).await.ok() });
        }
    }
}

/// Fills the memory of frames with the newest from before the start: after a restart all come back at once, and what
/// each of them missed is mostly the same.
async fn warm(store: Arc<dyn EventStore>, encoder: Encoder, recent: Arc<RwLock<Recent>>, start: Position) {
    let mut after = Position(start.0.saturating_sub(WARM));
    let mut older = Recent::new(after);
    while after < start {
        let read = store.read_all(after, WARM_PAGE).await.map_err(EncodeError::from);
        let encoded = match read {
            Ok(mut records) => {
                records.retain(|record| record.position <= start);
                encoder.encode(&records).await
            }
            Err(error) => Err(error),
        };
        match encoded {
            Ok(frames) => {
                after = frames.last().map_or(start, |frame| frame.position);
                frames.into_iter().for_each(|frame| older.push(frame));
            }
            // It costs those who come back a query more.
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the newest frames are not kept at hand"
                );
                return;
            }
        }
    }
    recent.write().extend_back(older, start);
}

struct Task {
    tail: Tail,
    encoder: Encoder,
    routing: Routing,
    beats: Beats,
    /// Those that are to be flushed.
    dirty: Dirty,
    recent: Arc<RwLock<Recent>>,
    head: watch::Sender<Position>,
    inbox: mpsc::Receiver<Request>,
    requests: mpsc::WeakSender<Request>,
    signals: mpsc::Receiver<Signal>,
    revocations: broadcast::Receiver<Uuid>,
    /// When frames are handed out again.
    next_round: Instant,
}

impl Task {
    async fn run(mut self, shutdown: CancellationToken) {
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next_round = self.next_round;
            let records = async {
                sleep_until(next_round).await;
                self.tail.next().await
            };
            let signals = async {
                sleep_until(next_round).await;
                next_signals(&mut self.signals).await
            };
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                revoked = self.revocations.recv() => self.revoke(revoked),
                request = self.inbox.recv() => match request {
                    Some(request) => self.answer(request),
                    None => break,
                },
                records = records => match records {
                    Ok(records) => self.deliver(&records, &shutdown).await,
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "live delivery waits for the log");
                        tokio::time::sleep(RETRY).await;
                    }
                },
                signals = signals => self.tell(&signals).await,
                () = self.beats.tick() => self.beat().await,
                now = sweep.tick() => self.routing.forget_idle(now),
            }
            metrics::gauge!("echoverse_live_subscriptions").set(self.routing.len() as f64);
        }
        self.routing.end_all(End::Shutdown);
    }

    fn answer(&mut self, request: Request) {
        match request {
            Request::Subscribe { reader, position, snapshot, reply } => {
                let subscribed = self.routing.subscribe(&reader, position, snapshot.as_ref());
                if let (Ok(subscribed), Kind::Stream) = (&subscribed, reader.kind) {
                    self.beats.add(subscribed.key);
                }
                let place = |key| Place { key, requests: self.requests.clone() };
                let answer = subscribed.map(|subscribed| (place(subscribed.key), subscribed));
                // Who does not wait for it any more gives the place back.
                let _ = reply.send(answer);
            }
            Request::Unsubscribe(key) => self.routing.end(key, End::Lagged),
        }
    }

    fn revoke(&mut self, revoked: Result<Uuid, broadcast::error::RecvError>) {
        match revoked {
            Ok(session) => self.routing.end_session(session),
            // Some revocations were missed: everybody proves anew who they are.
            Err(broadcast::error::RecvError::Lagged(_)) => self.routing.end_all(End::Rotate),
            Err(broadcast::error::RecvError::Closed) => {}
        }
    }

    /// Encodes and hands out; tries until it works, for no frame may be skipped.
    async fn deliver(&mut self, records: &[Arc<Record>], shutdown: &CancellationToken) {
        let started = Instant::now();
        let frames = loop {
            match self.encoder.encode(records).await {
                Ok(frames) => break frames,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "live delivery is halted");
                    metrics::counter!("echoverse_live_halts_total").increment(1);
                    tokio::select! {
                        () = shutdown.cancelled() => return,
                        () = tokio::time::sleep(RETRY) => {}
                    }
                }
            }
        };
        {
            let mut recent = self.recent.write();
            frames.iter().for_each(|frame| recent.push(Arc::clone(frame)));
        }
        Run::cut(&frames).iter().for_each(|run| self.routing.deliver(run, &mut self.dirty));
        self.hand_out().await;
        self.head.send_replace(self.routing.head());
        metrics::histogram!("echoverse_live_deliver_seconds").record(started.elapsed().as_secs_f64());
        metrics::counter!("echoverse_live_frames_total").increment(frames.len() as u64);
    }

    /// Tells signals. They wait behind frames, and like them for the last round's end.
    async fn tell(&mut self, signals: &[Signal]) {
        for signal in signals {
            self.routing.tell(&Arc::new(SignalFrame::of(signal)), &mut self.dirty);
        }
        self.hand_out().await;
    }

    /// Ends a round.
    async fn hand_out(&mut self) {
        let started = Instant::now();
        flush(&mut self.dirty).await;
        let now = Instant::now();
        self.next_round = now + now.duration_since(started).min(MAX_PAUSE);
    }

    /// Gives a sign of life to those whose turn it is.
    async fn beat(&mut self) {
        let upto = self.routing.head();
        let cursor = self.encoder.cursors.seal(upto);
        let beat = Arc::new(Beat::new(upto, Some(&cursor)));
        let (routing, dirty) = (&mut self.routing, &mut self.dirty);
        self.beats.due(|key| routing.beat(*key, &beat, dirty));
        flush(dirty).await;
    }
}

/// Those that wait, at least one, waiting for it. Cancel safe.
async fn next_signals(signals: &mut mpsc::Receiver<Signal>) -> Vec<Signal> {
    let mut told = Vec::new();
    if signals.recv_many(&mut told, SIGNALS).await == 0 {
        // Nobody is left to signal.
        std::future::pending::<()>().await;
    }
    told
}
