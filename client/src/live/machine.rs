//! What a live stream does with what it receives: pure, with the time passed in. The driver does the I/O.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::frame::{Frame, PollAnswer, Polled, reason};
use super::recovery::Recovery;
use super::seen::Seen;
use super::signal::Signal;
use super::sse::{Item, SseEvent};
use super::{LiveEvent, LiveOptions, Transport, TransportState};
use crate::cursor::Cursor;
use crate::error::Error;

/// Answers in a row that cannot be understood, after which waiting is pointless.
const UNDECODABLE: u32 = 5;
/// The time between heartbeats until `hello` has told it.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// What comes later than this after the opening was not part of the first burst.
const SETTLED: Duration = Duration::from_secs(2);

/// What to do next.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Wait(Instant),
    Stream,
    Poll { wait: Duration },
    End,
}

/// Why a stream or a poll gave nothing (more).
#[derive(Debug)]
pub(super) enum Failure {
    /// No connection, or a server that asks for patience.
    Unreachable {
        retry_after: Option<Duration>,
    },
    /// It broke off.
    Cut,
    /// An answer that isn't a stream.
    Unusable,
    Undecodable(String),
    /// The server won't have this caller.
    Fatal(Error),
}

/// Whether the connection is of further use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connection {
    Keep,
    Close,
}

#[derive(Debug)]
pub(super) struct Machine {
    options: LiveOptions,
    recovery: Recovery,
    /// Where to go on: after the last frame shown, or further.
    cursor: Option<Cursor>,
    seen: Seen,
    stream: Option<Stream>,
    undecodable: u32,
    /// Whether frames from before the connection may still come.
    behind: bool,
    shown: Option<TransportState>,
    told: VecDeque<Result<LiveEvent, Error>>,
    ended: bool,
}

#[derive(Debug)]
struct Stream {
    opened: Instant,
    heard: Instant,
    hello: bool,
    /// Whether anything came some time after `hello`: a proxy may let the first bytes through and hold the rest.
    alive: bool,
    heartbeat: Duration,
}

#[cfg(test)]
mod tests;

#[derive(Deserialize)]
struct Hello {
    #[serde(default)]
    heartbeat_seconds: Option<f64>,
    #[serde(default)]
    cursor: Option<Cursor>,
}

impl Machine {
    pub(super) fn new(
        options: LiveOptions,
        after: Option<Cursor>,
        seed: u64,
        now: Instant,
        avoid_sse_until: Option<Instant>,
    ) -> Self {
        let recovery = Recovery::new(&options, seed, now, avoid_sse_until);
        let mut machine = Self {
            options,
            recovery,
            cursor: after,
            seen: Seen::default(),
            stream: None,
            undecodable: 0,
            behind: true,
            shown: None,
            told: VecDeque::new(),
            ended: false,
        };
        machine.show(TransportState::Connecting);
        machine
    }

    pub(super) fn recovery(&mut self) -> &mut Recovery {
        &mut self.recovery
    }

    pub(super) fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// Whether a stream has got as far as its `hello`.
    pub(super) fn streams(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.hello)
    }

    /// What to show, in order.
    pub(super) fn tell(&mut self) -> Option<Result<LiveEvent, Error>> {
        self.told.pop_front()
    }

    pub(super) fn step(&self, now: Instant) -> Step {
        if self.ended {
            Step::End
        } else if now < self.recovery.not_before() {
            Step::Wait(self.recovery.not_before())
        } else if self.recovery.transport() == Transport::Sse {
            Step::Stream
        } else if self.behind {
            // Answers at once: the first poll shows whether polls work at all.
            Step::Poll { wait: Duration::ZERO }
        } else {
            Step::Poll { wait: self.options.poll_wait }
        }
    }

    pub(super) fn stream_opening(&mut self, now: Instant) {
        self.stream =
            Some(Stream { opened: now, heard: now, hello: false, alive: false, heartbeat: HEARTBEAT });
    }

    /// When to call [`Machine::deadline_passed`] unless something comes first.
    pub(super) fn deadline(&self, now: Instant) -> Instant {
        let Some(stream) = &self.stream else { return now };
        if !stream.hello {
            stream.opened + self.options.hello_timeout
        } else if self.behind {
            stream.heard + self.options.quiet.min(stream.silence())
        } else {
            stream.heard + stream.silence()
        }
    }

    pub(super) fn deadline_passed(&mut self, now: Instant) -> Connection {
        let Some(stream) = &self.stream else { return Connection::Close };
        if stream.hello && now < stream.heard + stream.silence() {
            self.caught_up();
            return Connection::Keep;
        }
        if stream.hello && stream.alive {
            self.stream_failed(now, Failure::Cut);
        } else {
            self.stream_failed(now, Failure::Unusable);
        }
        Connection::Close
    }

    /// Bytes came, whether or not they complete an item.
    pub(super) fn heard(&mut self, now: Instant) {
        if let Some(stream) = &mut self.stream {
            stream.heard = now;
            let settled = stream.opened + (stream.heartbeat / 2).min(SETTLED);
            stream.alive |= stream.hello && now >= settled;
        }
    }

    pub(super) fn stream_item(&mut self, now: Instant, item: Item) -> Connection {
        let Some(stream) = &mut self.stream else { return Connection::Close };
        match item {
            Item::Retry(wait) => self.recovery.server_retry(wait),
            Item::Id(id) => self.advance(&Cursor(id)),
            Item::Event(event) => match event.name.as_str() {
                "hello" => {
                    stream.hello = true;
                    self.hello(&event);
                }
                "heartbeat" => {
                    // Without an id it is only a sign of life: the server may still be reading the backlog.
                    if let Some(id) = event.id {
                        self.advance(&Cursor(id));
                        self.caught_up();
                    }
                }
                "bye" => return self.bye(now, &event),
                "reset" => {
                    self.reset(&serde_json::from_str(&event.data).unwrap_or_default());
                    return Connection::Close;
                }
                // Without an id it is no event of the log: nothing is lost with what cannot be read.
                _ if event.id.is_none() => {
                    if let Ok(signal) = serde_json::from_str(&event.data) {
                        self.signal(signal);
                    }
                }
                _ => match serde_json::from_str(&event.data) {
                    Ok(frame) => self.frame(frame),
                    Err(error) => {
                        self.stream_failed(now, Failure::Undecodable(error.to_string()));
                        return Connection::Close;
                    }
                },
            },
        }
        Connection::Keep
    }

    pub(super) fn stream_failed(&mut self, now: Instant, failure: Failure) {
        self.stream = None;
        match failure {
            Failure::Unusable => {
                self.behind = true;
                self.recovery.unusable(now);
                if self.shown != Some(TransportState::Connecting) {
                    self.show(TransportState::Reconnecting);
                }
            }
            failure => self.failed(now, failure),
        }
    }

    pub(super) fn poll_answered(&mut self, now: Instant, asked: Instant, wait: Duration, answer: PollAnswer) {
        self.recovery.works();
        self.show(TransportState::LongPoll);
        let (empty, mut frames) = (answer.events.is_empty(), 0);
        for polled in answer.events {
            match polled {
                Polled::Frame(frame) => {
                    frames += 1;
                    self.frame(frame);
                }
                Polled::Signal(signal) => self.signal(signal),
                Polled::Reset(reset) => return self.reset(&reset.data),
            }
        }
        if let Some(next) = &answer.next {
            self.advance(next);
        }
        if frames < self.options.poll_limit as usize {
            self.caught_up();
        }
        if empty && !wait.is_zero() && now.duration_since(asked) < (wait / 2).min(Duration::from_secs(1)) {
            self.recovery.hasty(now);
        }
    }

    pub(super) fn poll_failed(&mut self, now: Instant, failure: Failure) {
        self.failed(now, failure);
    }

    fn failed(&mut self, now: Instant, failure: Failure) {
        self.behind = true;
        match failure {
            Failure::Unreachable { retry_after } => self.recovery.unreachable(now, retry_after),
            Failure::Cut | Failure::Unusable => self.recovery.cut(now),
            Failure::Undecodable(reason) => {
                self.undecodable += 1;
                if self.undecodable >= UNDECODABLE {
                    return self.end(Error::Decode(reason));
                }
                self.recovery.cut(now);
            }
            Failure::Fatal(error) => return self.end(error),
        }
        self.show(TransportState::Reconnecting);
    }

    fn hello(&mut self, event: &SseEvent) {
        if let Ok(hello) = serde_json::from_str::<Hello>(&event.data) {
            if let (Some(stream), Some(seconds)) = (&mut self.stream, hello.heartbeat_seconds)
                && let Ok(heartbeat) = Duration::try_from_secs_f64(seconds)
            {
                stream.heartbeat = heartbeat.clamp(Duration::from_millis(10), Duration::from_mins(2));
            }
            // Without a cursor of our own, what happens before the first frame would be lost with the connection.
            if self.cursor.is_none() {
                self.cursor = hello.cursor;
            }
        }
        self.recovery.works();
        self.show(TransportState::Sse);
    }

    fn bye(&mut self, now: Instant, event: &SseEvent) -> Connection {
        let lived = self.stream.take().map_or(Duration::ZERO, |stream| now.duration_since(stream.opened));
        if reason(&serde_json::from_str(&event.data).unwrap_or_default()) == "session_ended" {
            self.end(Error::SessionEnded);
        } else {
            self.recovery.said_goodbye(now, lived);
        }
        Connection::Close
    }

    fn frame(&mut self, frame: Frame) {
        self.undecodable = 0;
        // A repeat never moves the cursor back: a connection lost right after it would show the rest again.
        if self.seen.insert(&frame.id) {
            self.cursor = Some(frame.id.clone());
            self.told.push_back(Ok(LiveEvent::Frame(frame)));
        }
    }

    fn signal(&mut self, signal: Signal) {
        self.told.push_back(Ok(LiveEvent::Signal(signal)));
    }

    fn advance(&mut self, to: &Cursor) {
        if !self.seen.passed(to) {
            self.cursor = Some(to.clone());
        }
    }

    fn caught_up(&mut self) {
        if std::mem::take(&mut self.behind) {
            self.told.push_back(Ok(LiveEvent::CaughtUp));
        }
    }

    fn reset(&mut self, data: &serde_json::Value) {
        self.stream = None;
        self.ended = true;
        self.told.push_back(Ok(LiveEvent::Reset { reason: reason(data) }));
    }

    fn end(&mut self, error: Error) {
        self.ended = true;
        self.told.push_back(Err(error));
    }

    fn show(&mut self, state: TransportState) {
        if self.shown != Some(state) {
            self.shown = Some(state);
            self.told.push_back(Ok(LiveEvent::Transport(state)));
        }
    }
}

impl Stream {
    /// How long nothing may come before the stream is dead.
    fn silence(&self) -> Duration {
        self.heartbeat.mul_f64(2.5)
    }
}
