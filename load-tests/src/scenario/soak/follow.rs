//! Followers: streams that stay, long-polls that follow each other, and visitors who come, go, and resume from where
//! they were, each time over the other transport.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use hyper::Uri;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::ledger::Seen;
use super::meters::Meters;
use super::schedule::Schedule;
use crate::http::{Call, Connection, Login, Target};
use crate::sse::Stream;

/// A follower that is refused or cut off tries again, so often in a row, before it gives up.
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_millis(500);
/// An answer that was not due to wait.
const PATIENCE: Duration = Duration::from_secs(60);
const WAIT_SECONDS: u64 = 25;
/// The longest visit, and the longest absence, in milliseconds.
const LONGEST_VISIT: u64 = 5_000;
const LONGEST_ABSENCE: u64 = 4_000;

/// How somebody follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Stream,
    Poll,
    Visit,
}

/// One who follows everything.
pub(super) struct Follower {
    pub(super) target: Target,
    pub(super) login: Login,
    pub(super) way: Way,
    /// Tells the visits of one from those of another.
    pub(super) number: u64,
    pub(super) cursor: String,
    pub(super) schedule: Schedule,
    pub(super) meters: Arc<Mutex<Meters>>,
    /// How many posts there were, once all is written.
    pub(super) written: watch::Receiver<Option<u64>>,
}

/// What became of a follower.
pub(super) struct Followed {
    pub(super) seen: Seen,
    /// Connections that went on from where the one before had ended.
    pub(super) resumed: u64,
    /// Connections that were refused or broke, and why the last did.
    pub(super) failures: u64,
    pub(super) failure: Option<String>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
    next: String,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
}

/// Why a connection was left.
enum Left {
    /// All is seen.
    Done,
    /// The server ended it, or the visit was over.
    Over,
}

impl Follower {
    pub(super) async fn run(mut self) -> Result<Followed> {
        let mut followed = Followed { seen: Seen::new(), resumed: 0, failures: 0, failure: None };
        let (mut tries, mut connections) = (0, 0_u64);
        loop {
            let over_stream = match self.way {
                Way::Stream => true,
                Way::Poll => false,
                Way::Visit => connections.is_multiple_of(2),
            };
            let stay = match self.way {
                Way::Visit => self.chance(connections, LONGEST_VISIT),
                // A stream ends when the server rotates it, a poll when all is seen.
                Way::Stream | Way::Poll => Duration::MAX,
            };
            connections += 1;
            let left = match over_stream {
                true => self.stream(&mut followed.seen, stay).await,
                false => self.poll(&mut followed.seen, stay).await,
            };
            match left {
                Ok(Left::Done) => return Ok(followed),
                Ok(Left::Over) => tries = 0,
                Err(error) if tries < TRIES => {
                    tries += 1;
                    followed.failures += 1;
                    followed.failure = Some(format!("{error:#}"));
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(error.context(format!("{TRIES} tries in a row failed"))),
            }
            followed.resumed += 1;
            if self.way == Way::Visit {
                sleep(self.chance(connections, LONGEST_ABSENCE)).await;
            }
        }
    }

    /// Follows over one stream.
    async fn stream(&mut self, seen: &mut Seen, stay: Duration) -> Result<Left> {
        let mut stream = Stream::open_at(&self.target, &self.login, Some(&self.cursor)).await?;
        let mut leave = std::pin::pin!(sleep(stay));
        let left = loop {
            if self.is_done(seen) {
                break Left::Done;
            }
            let mut fault = None;
            let (schedule, meters, timed) = (&self.schedule, &self.meters, self.way == Way::Stream);
            let read = stream.read(|frame| {
                let arrived = Instant::now();
                match seen.note(frame.event(), frame.data().unwrap_or_default()) {
                    Ok(Some(number)) if timed && schedule.is_timed(number) => {
                        let late = arrived.saturating_duration_since(schedule.due(number));
                        meters.lock().unwrap_or_else(PoisonError::into_inner).streams.record(late);
                    }
                    Ok(_) => {}
                    Err(error) => fault = Some(error),
                }
            });
            let more = tokio::select! {
                more = read => more,
                _ = self.written.changed() => continue,
                () = &mut leave => break Left::Over,
            };
            // What was read is noted; only from behind it on may be asked again.
            if let Some(cursor) = stream.cursor() {
                cursor.clone_into(&mut self.cursor);
            }
            if let Some(fault) = fault {
                return Err(fault);
            }
            if more?.is_none() {
                break Left::Over;
            }
        };
        if let Some(cursor) = stream.cursor() {
            cursor.clone_into(&mut self.cursor);
        }
        Ok(left)
    }

    /// Follows by one poll after the other on one connection.
    async fn poll(&mut self, seen: &mut Seen, stay: Duration) -> Result<Left> {
        let mut connection = Connection::open(&self.target).await?;
        let mut leave = std::pin::pin!(sleep(stay));
        loop {
            if self.is_done(seen) {
                return Ok(Left::Done);
            }
            let uri: Uri = format!("/v1/events?after={}&wait={WAIT_SECONDS}", self.cursor).parse()?;
            let login = self.login.clone();
            let answer = timeout(PATIENCE, connection.succeed(Call::get(uri, Some(&login))));
            let answer = tokio::select! {
                answer = answer => answer.context("a poll was not answered")??,
                // The answer under way is lost with its connection, and asked for again by the next.
                _ = self.written.changed() => return Ok(Left::Over),
                () = &mut leave => return Ok(Left::Over),
            };
            let arrived = Instant::now();
            let answer: Answer<'_> = serde_json::from_slice(&answer).context("not an answer to a poll")?;
            for event in answer.events {
                let json = event.get();
                let kind: Kind<'_> = serde_json::from_str(json).context("a frame has no type")?;
                if let Some(number) = seen.note(kind.kind.as_bytes(), json.as_bytes())?
                    && self.way == Way::Poll
                    && self.schedule.is_timed(number)
                {
                    let late = arrived.saturating_duration_since(self.schedule.due(number));
                    self.meters.lock().unwrap_or_else(PoisonError::into_inner).polls.record(late);
                }
            }
            self.cursor = answer.next;
        }
    }

    fn is_done(&self, seen: &Seen) -> bool {
        self.written.borrow().is_some_and(|posts| seen.has_ended(posts))
    }

    /// A duration up to `most` milliseconds, the same in every run.
    fn chance(&self, turn: u64, most: u64) -> Duration {
        let mixed = (self.number << 32 | turn).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Duration::from_millis((mixed >> 32) % most + 1)
    }
}

/// A cursor at which everything so far has been.
pub(super) async fn cursor(target: &Target, login: &Login) -> Result<String> {
    #[derive(Deserialize)]
    struct Bootstrap {
        cursor: String,
    }
    let mut connection = Connection::open(target).await?;
    let answer = connection.succeed(Call::get(Uri::from_static("/v1/bootstrap"), Some(login))).await?;
    let bootstrap: Bootstrap = serde_json::from_slice(&answer).context("a bootstrap has no cursor")?;
    Ok(bootstrap.cursor)
}
