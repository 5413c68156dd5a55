//! Long-polling clients: one keep-alive connection each, on which every answer is followed at once by the request for
//! what comes behind it. Our server says in an answer's body where to go on, nchan in its fields.

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::http::{Call, Connection, Login, Target};
use crate::marker;
use crate::wire::{Body, Head};

/// Seconds that our server waits for a first frame. Behind them the answer is empty, and the next request goes out.
const WAIT: u8 = 25;
/// Room for one read; answers of many messages make more as they need it.
const READ: usize = 16 * 1024;
/// An answer larger than this is none to what we ask: 1,000 frames of the longest messages have 20 MB.
const LARGEST: usize = 32 * 1024 * 1024;
/// A client that once had a large answer does not keep its buffer.
const KEPT: usize = 64 * 1024;
/// In the last bytes of our server's answer stands the cursor.
const NEXT: &[u8] = br#""next":""#;

/// Where a client goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Our server's.
    Cursor(String),
    /// nchan's first message that there still is.
    Beginning,
    /// nchan's: the fields `Last-Modified` and `Etag` of an answer.
    Behind { modified: String, tag: String },
}

/// A client and its connection.
#[derive(Debug)]
pub(crate) struct LongPoll {
    socket: TcpStream,
    path: String,
    fields: String,
    place: Place,
    answer: Vec<u8>,
}

impl LongPoll {
    /// Polls our server for everything that concerns `login`, behind the cursor `after` or from now on.
    pub(crate) async fn open(target: &Target, login: &Login, after: Option<&str>) -> Result<LongPoll> {
        let after = match after {
            Some(after) => after.to_owned(),
            None => now(target, login).await?,
        };
        let fields = format!("authorization: {}\r\n", login.authorization()?);
        LongPoll::ask(target, &format!("/v1/events?wait={WAIT}"), &fields, Place::Cursor(after)).await
    }

    /// Polls `path`, which has a query, from `place` on. Each of `fields` ends its line.
    pub(crate) async fn ask(target: &Target, path: &str, fields: &str, place: Place) -> Result<LongPoll> {
        let socket = TcpStream::connect(target.address)
            .await
            .with_context(|| format!("connecting to {}", target.address))?;
        socket.set_nodelay(true).context("setting TCP_NODELAY")?;
        let fields = format!("host: {}\r\n{fields}", target.address);
        Ok(LongPoll { socket, path: path.to_owned(), fields, place, answer: Vec::new() })
    }

    /// Behind all that was answered so far.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Asks once, waits for the whole answer, and calls `each` with the numbers ([`marker`]) of its messages in order.
    /// Not to be dropped half-way: the answer would come to nobody.
    pub(crate) async fn poll(&mut self, each: impl FnMut(u64)) -> Result<()> {
        let request = self.request();
        self.socket.write_all(request.as_bytes()).await.context("sending a request")?;
        self.answer.clear();
        let mut head = None;
        let (begin, end) = loop {
            ensure!(self.answer.len() < LARGEST, "an answer does not end");
            self.answer.reserve(READ.max(self.answer.len()));
            let read = self.socket.read_buf(&mut self.answer).await.context("reading an answer")?;
            ensure!(read > 0, "the server closed a connection");
            if head.is_none() {
                head = self.read_head()?;
            }
            if let Some((begin, end)) = head
                && self.answer.len() >= end
            {
                break (begin, end);
            }
        };
        ensure!(self.answer.len() == end, "more came than was asked for");
        let body = &self.answer[begin..end];
        if let Place::Cursor(cursor) = &mut self.place {
            let next = next(body).context("an answer has no cursor")?;
            next.clone_into(cursor);
        }
        marker::sequences(body).for_each(each);
        if self.answer.capacity() > KEPT {
            self.answer = Vec::new();
        }
        Ok(())
    }

    fn request(&self) -> String {
        let LongPoll { path, fields, place, .. } = self;
        match place {
            Place::Cursor(cursor) => format!("GET {path}&after={cursor} HTTP/1.1\r\n{fields}\r\n"),
            Place::Beginning => format!("GET {path} HTTP/1.1\r\n{fields}\r\n"),
            Place::Behind { modified, tag } => format!(
                "GET {path} HTTP/1.1\r\n{fields}if-modified-since: {modified}\r\nif-none-match: {tag}\r\n\r\n"
            ),
        }
    }

    /// Where the body of the answer begins and ends; `None` until all of the head is there. Goes on to the place it
    /// says.
    fn read_head(&mut self) -> Result<Option<(usize, usize)>> {
        let (mut modified, mut tag) = (None, None);
        let head = Head::parse(&self.answer, |name, value| {
            let value = || Some(String::from_utf8_lossy(value).into_owned());
            if name.eq_ignore_ascii_case("last-modified") {
                modified = value();
            } else if name.eq_ignore_ascii_case("etag") {
                tag = value();
            }
        })?;
        let Some(head) = head else { return Ok(None) };
        let Body::Length(length) = head.body else { bail!("an answer has no length") };
        if head.status != 200 {
            bail!("a poll was refused: {}", String::from_utf8_lossy(&self.answer));
        }
        if !matches!(self.place, Place::Cursor(_)) {
            let (Some(modified), Some(tag)) = (modified, tag) else { bail!("an answer says no place") };
            self.place = Place::Behind { modified, tag };
        }
        Ok(Some((head.length, head.length + usize::try_from(length)?)))
    }
}

/// The cursor of now: what our server answers who names none.
async fn now(target: &Target, login: &Login) -> Result<String> {
    let mut connection = Connection::open(target).await?;
    let answer =
        connection.succeed(Call::get(hyper::Uri::from_static("/v1/events?wait=0"), Some(login))).await?;
    Ok(next(&answer).context("an answer has no cursor")?.to_owned())
}

/// The last `next` of a body. Messages stand before it, and a quotation mark in one of them has a backslash.
fn next(body: &[u8]) -> Option<&str> {
    let begin = memchr::memmem::rfind(body, NEXT)? + NEXT.len();
    let cursor = &body[begin..];
    str::from_utf8(&cursor[..memchr::memchr(b'"', cursor)?]).ok()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Answers each request of one connection by the next of `answers`, its bytes one by one; returns the requests.
    async fn serve(listener: TcpListener, answers: Vec<String>) -> Vec<String> {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        let mut requests = Vec::new();
        for answer in answers {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                socket.read_buf(&mut request).await.unwrap();
            }
            requests.push(String::from_utf8(request).unwrap());
            for byte in answer.as_bytes().chunks(1) {
                socket.write_all(byte).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
        requests
    }

    fn answer(fields: &str, body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{fields}\r\n{body}", body.len())
    }

    async fn open(answers: Vec<String>, place: Place) -> (LongPoll, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::new(listener.local_addr().unwrap()).unwrap();
        let server = tokio::spawn(serve(listener, answers));
        (LongPoll::ask(&target, "/poll?x=1", "a: b\r\n", place).await.unwrap(), server)
    }

    #[tokio::test]
    async fn our_servers_answers_are_followed_by_their_cursors() {
        let frame = |number: u64| format!(r#"{{"data":{{"content":"seq-{number:012} \"next\":\"no"}}}}"#);
        let bodies = [
            format!(r#"{{"events":[{},{}],"next":"c2"}}"#, frame(3), frame(4)),
            r#"{"events":[],"next":"c3"}"#.to_owned(),
        ];
        let (mut poll, server) =
            open(bodies.map(|body| answer("", &body)).to_vec(), Place::Cursor("c1".to_owned())).await;
        let mut numbers = Vec::new();
        poll.poll(|number| numbers.push(number)).await.unwrap();
        poll.poll(|number| numbers.push(number)).await.unwrap();
        assert_eq!(numbers, [3, 4]);
        assert_eq!(poll.place(), &Place::Cursor("c3".to_owned()));
        let requests = server.await.unwrap();
        assert!(requests[0].starts_with("GET /poll?x=1&after=c1 HTTP/1.1\r\nhost: 127.0.0.1:"));
        assert!(requests[1].starts_with("GET /poll?x=1&after=c2 HTTP/1.1\r\n"));
        assert!(requests[1].contains("\r\na: b\r\n"));
    }

    #[tokio::test]
    async fn nchans_answers_are_followed_by_their_fields() {
        let fields = |tag: u8| format!("Last-Modified: Sat, 21 Nov 2026 13:27:31 GMT\r\nEtag: {tag}\r\n");
        let body = r#"{"content":"seq-000000000007 hi"}"#;
        let answers = vec![answer(&fields(0), "{}"), answer(&fields(2), &format!("{body}\n{body}"))];
        let (mut poll, server) = open(answers, Place::Beginning).await;
        let mut numbers = Vec::new();
        poll.poll(|number| numbers.push(number)).await.unwrap();
        poll.poll(|number| numbers.push(number)).await.unwrap();
        assert_eq!(numbers, [7, 7]);
        let requests = server.await.unwrap();
        assert!(!requests[0].contains("if-"));
        assert!(
            requests[1]
                .contains("\r\nif-modified-since: Sat, 21 Nov 2026 13:27:31 GMT\r\nif-none-match: 0\r\n\r\n")
        );
    }

    #[tokio::test]
    async fn a_refused_poll_says_why() {
        let refusal = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 5\r\n\r\nlogin".to_owned();
        let (mut poll, _server) = open(vec![refusal], Place::Beginning).await;
        assert!(poll.poll(|_| {}).await.unwrap_err().to_string().contains("401 Unauthorized"));
    }
}
