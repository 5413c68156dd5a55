//! A client that comes back and catches up, over either transport, and checks every frame on the way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hyper::Uri;

use crate::http::{Call, Connection, Login, Target};
use crate::marker;
use crate::sse::Stream;

/// What the clients missed: the numbers of the messages in the order of the log.
pub(super) type Missed = Arc<[u64]>;

/// How frames travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Sse,
    /// Polls of at most so many frames.
    LongPoll(u32),
}

/// Holds what arrives against what was missed.
#[derive(Debug)]
struct Check {
    missed: Missed,
    next: usize,
    wrong: Option<u64>,
}

impl Check {
    fn new(missed: &Missed) -> Check {
        Check { missed: Arc::clone(missed), next: 0, wrong: None }
    }

    fn see(&mut self, number: u64) {
        if self.missed.get(self.next) == Some(&number) {
            self.next += 1;
        } else {
            self.wrong.get_or_insert(number);
        }
    }

    /// Each exactly once, in the log's order, none else.
    fn finish(&self) -> Result<()> {
        let Check { missed, next, wrong } = self;
        ensure!(wrong.is_none(), "after {next} frames came message {wrong:?}, not {:?}", missed.get(*next));
        ensure!(*next == missed.len(), "said to be caught up after {next} of {} frames", missed.len());
        Ok(())
    }
}

/// A client that has caught up; its connection is open for as long as this lives.
pub(super) struct CaughtUp {
    pub(super) took: Duration,
    pub(super) at: Instant,
    _stream: Option<Stream>,
    _connection: Option<Connection>,
}

/// Connects, goes on behind `cursor`, and reads until the server says that nothing is missing any more.
pub(super) async fn catch_up(
    target: Target,
    login: Login,
    cursor: Arc<str>,
    missed: Missed,
    transport: Transport,
) -> Result<CaughtUp> {
    let began = Instant::now();
    let mut check = Check::new(&missed);
    let (mut stream, mut connection) = (None, None);
    match transport {
        Transport::Sse => stream = Some(follow(&target, &login, &cursor, &mut check).await?),
        Transport::LongPoll(limit) => {
            connection = Some(poll(&target, &login, &cursor, limit, &mut check).await?);
        }
    }
    let at = Instant::now();
    check.finish()?;
    Ok(CaughtUp { took: at - began, at, _stream: stream, _connection: connection })
}

async fn follow(target: &Target, login: &Login, cursor: &str, check: &mut Check) -> Result<Stream> {
    let mut stream = Stream::open_at(target, login, Some(cursor)).await?;
    let mut live = false;
    while !live {
        let more = stream.read(|frame| match frame.sequence() {
            Some(number) => check.see(number),
            // With a cursor: all up to it has been sent.
            None => live |= frame.event() == b"heartbeat" && frame.id().is_some(),
        });
        more.await?.context("the server ended a stream that was catching up")?;
    }
    Ok(stream)
}

/// Asks without waiting, as the SDK does while it is behind: an answer with fewer frames than asked for is the last.
async fn poll(
    target: &Target,
    login: &Login,
    cursor: &str,
    limit: u32,
    check: &mut Check,
) -> Result<Connection> {
    let mut connection = Connection::open(target).await?;
    let mut after = cursor.to_owned();
    loop {
        let path = format!("/v1/events?after={after}&limit={limit}&wait=0");
        let uri: Uri = path.parse().context("a cursor makes a URI")?;
        let answer = connection.succeed(Call::get(uri, Some(login))).await?;
        let mut frames = 0;
        for number in marker::sequences(&answer) {
            check.see(number);
            frames += 1;
        }
        after = next(&answer)?.to_owned();
        if frames < limit {
            return Ok(connection);
        }
    }
}

/// The cursor at the end of an answer: its last member is `"next":"…"`.
fn next(answer: &[u8]) -> Result<&str> {
    let text = str::from_utf8(answer).context("an answer is no text")?;
    let cursor = text.strip_suffix("\"}").and_then(|text| text.rsplit_once("\"next\":\""));
    cursor.map(|(_, cursor)| cursor).context("an answer does not end in its next cursor")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish(numbers: &[u64]) -> Result<()> {
        let mut check = Check::new(&Arc::from([4, 2, 9]));
        numbers.iter().for_each(|&number| check.see(number));
        check.finish()
    }

    #[test]
    fn only_each_frame_once_and_in_order_will_do() {
        assert!(finish(&[4, 2, 9]).is_ok());
        for wrong in [&[4, 2][..], &[4, 2, 9, 9], &[4, 4, 2, 9], &[2, 4, 9], &[4, 2, 7, 9], &[]] {
            assert!(finish(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_next_cursor_is_at_the_end_whatever_a_message_says() {
        let answer = br#"{"events":[{"data":{"content":"\"next\":\"x\"}"}}],"next":"q2V4-_1"}"#;
        assert_eq!(next(answer).unwrap(), "q2V4-_1");
        assert!(next(br#"{"events":[]}"#).is_err());
        assert!(next(br#"{"next":"a","events":[]}"#).is_err());
    }
}
