//! One of the many: reads its stream, goes on from its last cursor when it is cut off, and checks every number.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::recovery::{Recovery, Return};
use crate::http::{Login, Target};
use crate::sse::{Frame, Refused, Stream};

/// From opening a stream to its hello; the SDK calls the stream unusable then.
const HELLO: Duration = Duration::from_secs(4);
/// A stream that says nothing for two and a half heartbeats is dead.
const SILENCE: Duration = Duration::from_millis(37_500);

/// What all clients are told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    Read,
    /// Close the stream, without a word, and come back.
    Leave(Return),
    /// No message after this number comes: read up to it and be done.
    Finish(u64),
}

/// How a client came back.
#[derive(Debug)]
pub(super) struct Back {
    /// When it tried, in order; the last try is the one that went well.
    pub(super) tries: Vec<Instant>,
    pub(super) hello: Instant,
    /// When a cursor said that nothing was missing any more.
    pub(super) live: Instant,
    pub(super) failed: Failed,
}

/// Why tries failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct Failed {
    /// Nobody listened, or the connection broke before its hello.
    pub(super) unreachable: u64,
    /// 429: too many at once.
    pub(super) told_to_wait: u64,
    /// 503, or another answer of 500 and above.
    pub(super) unavailable: u64,
    pub(super) no_hello: u64,
    /// Cut off again between the hello and being live.
    pub(super) cut_again: u64,
}

impl Back {
    /// When it could first come back: at its first try, or at the first after the server was `ready`; a try that was
    /// under way then counts from there.
    pub(super) fn could(&self, ready: Option<Instant>) -> Instant {
        match ready {
            None => self.tries.first().copied().unwrap_or(self.hello),
            Some(ready) => {
                let after = self.tries.iter().copied().find(|&tried| tried >= ready);
                after.unwrap_or(ready).min(self.live)
            }
        }
    }
}

impl Failed {
    pub(super) fn add(&mut self, other: &Failed) {
        self.unreachable += other.unreachable;
        self.told_to_wait += other.told_to_wait;
        self.unavailable += other.unavailable;
        self.no_hello += other.no_hello;
        self.cut_again += other.cut_again;
    }

    pub(super) fn sum(&self) -> u64 {
        self.unreachable + self.told_to_wait + self.unavailable + self.no_hello + self.cut_again
    }
}

/// What a client read: all numbers in order, one after the other, or its faults.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Read {
    next: u64,
    pub(super) missed: u64,
    pub(super) repeated: u64,
}

impl Read {
    pub(super) fn add(&mut self, number: u64) {
        if number < self.next {
            self.repeated += 1;
        } else {
            self.missed += number - self.next;
            self.next = number + 1;
        }
    }

    /// Adds another client's faults.
    pub(super) fn merge(&mut self, other: &Read) {
        self.missed += other.missed;
        self.repeated += other.repeated;
    }

    /// What is missing at the end, when `last` was the last.
    pub(super) fn finish(mut self, last: u64) -> Read {
        self.missed += (last + 1).saturating_sub(self.next);
        self
    }
}

/// A client and what it knows.
pub(super) struct Client {
    target: Target,
    login: Login,
    recovery: Recovery,
    cursor: String,
    read: Read,
    live: bool,
    backs: mpsc::Sender<Back>,
}

impl Client {
    /// Opens its first stream, before anything is posted.
    pub(super) async fn open(
        target: &Target,
        login: &Login,
        seed: u64,
        backs: mpsc::Sender<Back>,
    ) -> Result<(Client, Stream)> {
        let mut client = Client {
            target: target.clone(),
            login: login.clone(),
            recovery: Recovery::new(seed),
            cursor: String::new(),
            read: Read::default(),
            live: false,
            backs,
        };
        let mut stream = Stream::open_at(target, login, None).await?;
        while !client.live {
            if client.take(&mut stream).await?.is_none() {
                bail!("the server ended a stream at once");
            }
        }
        Ok((client, stream))
    }

    /// Reads until it is told to finish and has read the last. Whoever calls bounds the time.
    pub(super) async fn run(mut self, stream: Stream, mut orders: watch::Receiver<Order>) -> Result<Read> {
        let mut stream = stream;
        orders.mark_unchanged();
        loop {
            if let Order::Finish(last) = *orders.borrow()
                && self.read.next > last
            {
                return Ok(self.read.finish(last));
            }
            let how = tokio::select! {
                biased;
                changed = orders.changed() => {
                    changed?;
                    match *orders.borrow_and_update() {
                        Order::Leave(how) => how,
                        Order::Read | Order::Finish(_) => continue,
                    }
                }
                more = timeout(SILENCE, self.take(&mut stream)) => match more {
                    Ok(Ok(Some(()))) => continue,
                    // Cut off without an order: by a server that died, or that ended the stream.
                    Ok(Ok(None) | Err(_)) | Err(_) => Return::AsTheSdk,
                },
            };
            drop(stream);
            stream = self.come_back(how).await?;
        }
    }

    /// Takes in what comes next; `None` when the server ended the stream.
    async fn take(&mut self, stream: &mut Stream) -> Result<Option<()>> {
        let Client { read, live, .. } = self;
        let more = stream.read(|frame: Frame<'_>| match frame.sequence() {
            Some(number) => read.add(number),
            None => *live |= frame.event() == b"heartbeat" && frame.id().is_some(),
        });
        let more = more.await?;
        if let Some(cursor) = stream.cursor() {
            cursor.clone_into(&mut self.cursor);
        }
        Ok(more)
    }

    /// Tries until it is live again, and tells how it went.
    async fn come_back(&mut self, how: Return) -> Result<Stream> {
        let mut wait = self.recovery.cut(how);
        let (mut tries, mut failed) = (Vec::new(), Failed::default());
        loop {
            sleep(wait).await;
            tries.push(Instant::now());
            let opening = Stream::open_at(&self.target, &self.login, Some(&self.cursor));
            let mut stream = match timeout(HELLO, opening).await {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => {
                    let retry_after = failed.count(&error)?;
                    wait = self.recovery.failed(retry_after);
                    continue;
                }
                Err(_) => {
                    failed.no_hello += 1;
                    wait = self.recovery.failed(None);
                    continue;
                }
            };
            let hello = Instant::now();
            self.recovery.works();
            self.live = false;
            while !self.live {
                match timeout(SILENCE, self.take(&mut stream)).await {
                    Ok(Ok(Some(()))) => {}
                    Ok(Ok(None) | Err(_)) | Err(_) => break,
                }
            }
            if self.live {
                let back = Back { tries, hello, live: Instant::now(), failed };
                // The run has ended if nobody takes it: then nobody counts.
                let _ = self.backs.send(back).await;
                return Ok(stream);
            }
            failed.cut_again += 1;
            wait = self.recovery.failed(None);
        }
    }
}

impl Failed {
    /// What a try failed by, and how long the server asked to wait. An answer that waiting cannot mend is an error.
    fn count(&mut self, error: &anyhow::Error) -> Result<Option<Duration>> {
        let Some(Refused { status, retry_after, .. }) = error.downcast_ref() else {
            self.unreachable += 1;
            return Ok(None);
        };
        match status {
            429 => self.told_to_wait += 1,
            500.. => self.unavailable += 1,
            _ => bail!("{error:#}"),
        }
        Ok(*retry_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(numbers: impl IntoIterator<Item = u64>, last: u64) -> (u64, u64) {
        let mut read = Read::default();
        numbers.into_iter().for_each(|number| read.add(number));
        let Read { missed, repeated, .. } = read.finish(last);
        (missed, repeated)
    }

    #[test]
    fn all_numbers_in_order_are_no_fault() {
        assert_eq!(read(0..10, 9), (0, 0));
    }

    #[test]
    fn what_is_missed_or_repeated_is_counted() {
        assert_eq!(read([0, 1, 4, 5], 5), (2, 0));
        assert_eq!(read([0, 1, 1, 0, 2], 2), (0, 2));
        assert_eq!(read([0, 1], 4), (3, 0), "the last ones");
        assert_eq!(read([], 0), (1, 0));
    }

    #[test]
    fn a_client_could_come_back_at_its_first_try_that_a_ready_server_could_take() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let back = |tries: &[u64]| {
            let tries = tries.iter().map(|&tried| at(tried)).collect();
            Back { tries, hello: at(20), live: at(21), failed: Failed::default() }
        };
        assert_eq!(back(&[2, 5, 9]).could(None), at(2));
        assert_eq!(back(&[2, 5, 9]).could(Some(at(4))), at(5));
        assert_eq!(back(&[2, 5, 9]).could(Some(at(5))), at(5));
        assert_eq!(back(&[2]).could(Some(at(4))), at(4), "its connection waited for the server");
    }

    #[test]
    fn a_server_that_is_not_there_is_tried_again() {
        let mut failed = Failed::default();
        assert_eq!(failed.count(&anyhow::anyhow!("connecting")).unwrap(), None);
        assert_eq!((failed.unreachable, failed.sum()), (1, 1));
    }
}
