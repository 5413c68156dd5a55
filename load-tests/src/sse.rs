//! Reading many Server-Sent Event streams cheaply: frames are found in place and looked into only where asked.
//!
//! A stream is a socket and little else. All streams of a thread are read through one buffer, so ten thousand that are
//! idle take no more than their sockets; a library's buffers for each connection would be most of the generator. It
//! reads our server and nchan alike, chunked or not.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Poll, ready};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use memchr::memmem::Finder;
use serde::Deserialize;
use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::http::{Login, Target};
use crate::marker;
use crate::wire::{Body, Head};

/// A stream's opening frame must come within this.
const HELLO_PATIENCE: Duration = Duration::from_secs(30);
/// What one read takes at most; more than a socket holds of frames that wait.
const BUFFER: usize = 256 * 1024;

thread_local! {
    static SHARED: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER]);
}

/// One frame, without the blank line behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a>(&'a [u8]);

impl<'a> Frame<'a> {
    /// The number in its content ([`marker`]), if it has one.
    pub(crate) fn sequence(self) -> Option<u64> {
        marker::sequence(self.0)
    }

    /// The name of the event; `message` where the frame gives none, as the standard has it.
    pub(crate) fn event(self) -> &'a [u8] {
        self.field(b"event:").unwrap_or(b"message")
    }

    /// What to send in `Last-Event-ID` to go on behind it.
    pub(crate) fn id(self) -> Option<&'a [u8]> {
        self.field(b"id:")
    }

    /// Its content, which is one line from our server and from nchan; `None` of a comment.
    pub(crate) fn data(self) -> Option<&'a [u8]> {
        self.field(b"data:")
    }

    /// Its bytes, with the blank line behind it.
    pub(crate) fn length(self) -> usize {
        self.0.len() + BLANK_LINE.len()
    }

    fn field(self, name: &[u8]) -> Option<&'a [u8]> {
        let value = self.0.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name))?;
        Some(value.strip_prefix(b" ").unwrap_or(value))
    }
}

/// Cuts a stream that comes in pieces of any size into frames. Lines end in a line feed alone, as our server and
/// nchan write them.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    /// The beginning of a frame whose end has not come yet.
    rest: Vec<u8>,
}

impl Scanner {
    /// Calls `each` for every frame that ends in `chunk`.
    pub(crate) fn feed(&mut self, mut chunk: &[u8], mut each: impl FnMut(Frame<'_>)) {
        if !self.rest.is_empty() {
            // Only the frame that was cut is put together again.
            let end = match (self.rest.last(), chunk.first()) {
                (Some(b'\n'), Some(b'\n')) => Some(1),
                _ => frame_end(chunk),
            };
            let Some(end) = end else { return self.rest.extend_from_slice(chunk) };
            let (head, tail) = chunk.split_at(end);
            self.rest.extend_from_slice(head);
            each(Frame(without_blank_line(&self.rest)));
            self.rest.clear();
            chunk = tail;
        }
        while let Some(end) = frame_end(chunk) {
            let (frame, tail) = chunk.split_at(end);
            each(Frame(without_blank_line(frame)));
            chunk = tail;
        }
        self.rest.extend_from_slice(chunk);
    }
}

fn without_blank_line(frame: &[u8]) -> &[u8] {
    frame.strip_suffix(BLANK_LINE).unwrap_or(frame)
}

const BLANK_LINE: &[u8] = b"\n\n";

/// Where the first frame of `bytes` ends, behind its blank line.
fn frame_end(bytes: &[u8]) -> Option<usize> {
    static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(BLANK_LINE));
    FINDER.find(bytes).map(|at| at + BLANK_LINE.len())
}

/// The answer to a stream that was asked for, where it is no stream.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// As far as it came.
    answer: String,
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a stream was refused: {}", self.answer)
    }
}

/// An open stream on a connection of its own.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: TcpStream,
    body: Body,
    scanner: Scanner,
    /// Whole frames that came with the answer's head or the hello and that nobody has seen yet.
    early: Vec<u8>,
    /// Kept only where asked for.
    cursor: Option<String>,
}

impl Stream {
    /// Opens the stream of everything that concerns `login`, from now on, and waits for its `hello`.
    pub(crate) async fn open(target: &Target, login: &Login) -> Result<Stream> {
        let mut stream = timeout(HELLO_PATIENCE, Stream::greeted(target, login, None)).await;
        if let Ok(Ok(stream)) = &mut stream {
            stream.cursor = None;
        }
        stream.context("a stream said no hello in time")?
    }

    /// Opens the stream behind the cursor `after`, or from now on, waits for its `hello`, and keeps the
    /// [`Stream::cursor`] from there. Frames that came with the hello are the first that [`Stream::read`] finds.
    pub(crate) async fn open_at(target: &Target, login: &Login, after: Option<&str>) -> Result<Stream> {
        let stream = timeout(HELLO_PATIENCE, Stream::greeted(target, login, after)).await;
        stream.context("a stream said no hello in time")?
    }

    async fn greeted(target: &Target, login: &Login, after: Option<&str>) -> Result<Stream> {
        let after = after.map(|after| format!("last-event-id: {after}\r\n")).unwrap_or_default();
        let request = format!(
            "GET /v1/events/stream HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\naccept: text/event-stream\r\n{after}\r\n",
            target.address,
            login.authorization()?,
        );
        let mut stream = Stream::ask(target, &request).await?;
        while !stream.take_hello()? {
            let mut early = Vec::new();
            let more = stream.pull(|frame| keep(&mut early, frame)).await?;
            stream.early = early;
            more.context("a stream ended before its hello")?;
        }
        Ok(stream)
    }

    /// Sends `request`, complete with its head, and reads the head of the answer, which must have status 200. Whoever
    /// calls bounds the time.
    pub(crate) async fn ask(target: &Target, request: &str) -> Result<Stream> {
        let mut socket = TcpStream::connect(target.address)
            .await
            .with_context(|| format!("connecting to {}", target.address))?;
        socket.set_nodelay(true).context("setting TCP_NODELAY")?;
        socket.write_all(request.as_bytes()).await.context("sending a request")?;
        let mut begin = Vec::with_capacity(1024);
        let mut retry_after = None;
        let head = loop {
            let read = socket.read_buf(&mut begin).await.context("reading an answer")?;
            ensure!(read > 0, "the server closed a connection");
            let head = Head::parse(&begin, |name, value| {
                if name.eq_ignore_ascii_case("retry-after") {
                    retry_after = str::from_utf8(value).ok().and_then(|seconds| seconds.trim().parse().ok());
                }
            });
            if let Some(head) = head? {
                break head;
            }
        };
        if head.status != 200 {
            let answer = String::from_utf8_lossy(&begin).into_owned();
            let retry_after = retry_after.map(Duration::from_secs);
            return Err(Refused { status: head.status, retry_after, answer }.into());
        }
        let mut stream =
            Stream { socket, body: head.body, scanner: Scanner::default(), early: Vec::new(), cursor: None };
        let Stream { body, scanner, early, .. } = &mut stream;
        body.feed(&begin[head.length..], |part| scanner.feed(part, |frame| keep(early, frame)))?;
        Ok(stream)
    }

    /// Whether the hello is among the early frames; if so, it and what came before it are taken away.
    fn take_hello(&mut self) -> Result<bool> {
        let mut hello = None;
        let mut behind = Vec::new();
        Scanner::default().feed(&std::mem::take(&mut self.early), |frame| {
            if hello.is_some() {
                keep(&mut behind, frame);
            } else if frame.event() == b"hello" {
                hello = Some(frame.data().unwrap_or_default().to_vec());
            }
        });
        let Some(hello) = hello else { return Ok(false) };
        let hello: Hello = serde_json::from_slice(&hello).context("a hello has no cursor")?;
        self.cursor = Some(hello.cursor);
        self.early = behind;
        Ok(true)
    }

    /// Behind the last frame that was read, for [`Stream::open_at`]. `None` unless the stream was opened by it.
    pub(crate) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// Waits for bytes and calls `each` for every frame they end; `None` when the server ended the stream.
    ///
    /// Nothing is lost when the future is dropped before it is ready. `each` must not read another stream.
    pub(crate) async fn read(&mut self, mut each: impl FnMut(Frame<'_>)) -> Result<Option<()>> {
        if self.early.is_empty() {
            return self.pull(each).await;
        }
        let Stream { early, cursor, .. } = self;
        Scanner::default().feed(&std::mem::take(early), |frame| {
            follow(cursor, frame);
            each(frame);
        });
        Ok(Some(()))
    }

    /// [`Stream::read`] from the socket.
    async fn pull(&mut self, mut each: impl FnMut(Frame<'_>)) -> Result<Option<()>> {
        if self.body.has_ended() {
            return Ok(None);
        }
        let Stream { socket, body, scanner, cursor, .. } = self;
        let mut digest = |bytes: &[u8]| {
            if bytes.is_empty() {
                ensure!(*body == Body::UntilClose, "a stream broke off");
                return Ok(None);
            }
            let taken = body.feed(bytes, |part| {
                scanner.feed(part, |frame| {
                    follow(cursor, frame);
                    each(frame);
                });
            })?;
            ensure!(taken == bytes.len(), "more came than the stream");
            Ok(Some(()))
        };
        poll_fn(|context| {
            SHARED.with_borrow_mut(|buffer| {
                let mut buffer = ReadBuf::new(buffer);
                let read = ready!(Pin::new(&mut *socket).poll_read(context, &mut buffer));
                Poll::Ready(read.context("a stream broke").and_then(|()| digest(buffer.filled())))
            })
        })
        .await
    }
}

/// What is read of a hello.
#[derive(Deserialize)]
struct Hello {
    cursor: String,
}

fn keep(frames: &mut Vec<u8>, frame: Frame<'_>) {
    frames.extend_from_slice(frame.0);
    frames.extend_from_slice(BLANK_LINE);
}

fn follow(cursor: &mut Option<String>, frame: Frame<'_>) {
    if let Some(cursor) = cursor
        && let Some(id) = frame.id()
    {
        cursor.clear();
        cursor.push_str(&String::from_utf8_lossy(id));
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const STREAM: &[u8] = b"retry: 2000\nevent: hello\ndata: {\"cursor\":\"c0\"}\n\nevent: heartbeat\nid: c1\ndata: {}\n\n\
        : a comment\n\nevent: message.posted\nid: c2\ndata: {\"data\":{\"content\":\"seq-000000000042 hi\"}}\n\ndata: x\n\n";

    /// The name of the event, its id and its number.
    type Seen = (String, Option<String>, Option<u64>);

    fn look(frame: Frame<'_>) -> Seen {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(frame.event()), frame.id().map(text), frame.sequence())
    }

    fn scan<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
        let mut scanner = Scanner::default();
        let mut seen = Vec::new();
        for piece in pieces {
            scanner.feed(piece, |frame| seen.push(look(frame)));
        }
        assert!(scanner.rest.is_empty());
        seen
    }

    fn expected() -> Vec<Seen> {
        let seen =
            |event: &str, id: Option<&str>, sequence| (event.to_owned(), id.map(str::to_owned), sequence);
        vec![
            seen("hello", None, None),
            seen("heartbeat", Some("c1"), None),
            seen("message", None, None),
            seen("message.posted", Some("c2"), Some(42)),
            seen("message", None, None),
        ]
    }

    #[test]
    fn frames_are_found_in_one_piece() {
        assert_eq!(scan([STREAM]), expected());
    }

    #[test]
    fn frames_are_found_wherever_the_stream_is_cut() {
        for cut in 0..=STREAM.len() {
            let (head, tail) = STREAM.split_at(cut);
            assert_eq!(scan([head, tail]), expected(), "cut at {cut}");
        }
    }

    #[test]
    fn frames_are_found_in_pieces_of_any_size() {
        for size in 1..STREAM.len() {
            assert_eq!(scan(STREAM.chunks(size)), expected(), "pieces of {size}");
        }
    }

    #[test]
    fn the_end_of_a_frame_is_found_at_odd_and_even_offsets() {
        assert_eq!(frame_end(b"a\n\nb"), Some(3));
        assert_eq!(frame_end(b"ab\n\n"), Some(4));
        assert_eq!(frame_end(b"\n\n"), Some(2));
        assert_eq!(frame_end(b"a\nb\nc\n"), None);
        assert_eq!(frame_end(b""), None);
    }

    /// STREAM as an answer, in chunks of `size`.
    fn chunked(size: usize) -> Vec<u8> {
        let mut answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for piece in STREAM.chunks(size) {
            answer.extend(format!("{:x}\r\n", piece.len()).bytes());
            answer.extend(piece);
            answer.extend(b"\r\n");
        }
        answer.extend(b"0\r\n\r\n");
        answer
    }

    /// STREAM as an answer that ends with the connection.
    fn until_close() -> Vec<u8> {
        [b"HTTP/1.1 200 OK\r\n\r\n", STREAM].concat()
    }

    /// Answers one request by `answer`, of which the first `cut` bytes come before the others; returns the request.
    async fn serve(listener: TcpListener, answer: Vec<u8>, cut: usize) -> String {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            socket.read_buf(&mut request).await.unwrap();
        }
        let (head, tail) = answer.split_at(cut);
        socket.write_all(head).await.unwrap();
        tokio::task::yield_now().await;
        socket.write_all(tail).await.unwrap();
        String::from_utf8(request).unwrap()
    }

    async fn open(
        answer: Vec<u8>,
        cut: usize,
        after: Option<&str>,
    ) -> (Result<Stream>, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::new(listener.local_addr().unwrap()).unwrap();
        let server = tokio::spawn(serve(listener, answer, cut));
        (Stream::open_at(&target, &Login::new("t").unwrap(), after).await, server)
    }

    #[tokio::test]
    async fn all_that_follows_the_hello_is_read_wherever_the_answer_is_cut() {
        for answer in [chunked(STREAM.len()), chunked(7), until_close()] {
            for cut in 0..answer.len() {
                let (stream, _) = open(answer.clone(), cut, None).await;
                let mut stream = stream.unwrap();
                assert_eq!(stream.cursor(), Some("c0"));
                let mut seen = Vec::new();
                while stream.read(|frame| seen.push(look(frame))).await.unwrap().is_some() {}
                assert_eq!(seen, expected()[1..], "cut at {cut}");
                assert_eq!(stream.cursor(), Some("c2"));
            }
        }
    }

    #[tokio::test]
    async fn a_stream_goes_on_behind_its_cursor() {
        let (stream, server) = open(chunked(9), 0, Some("c7")).await;
        stream.unwrap();
        assert!(server.await.unwrap().contains("\r\nlast-event-id: c7\r\n"));
    }

    #[tokio::test]
    async fn a_stream_that_breaks_off_is_an_error() {
        let mut answer = chunked(STREAM.len());
        answer.truncate(answer.len() - 5);
        let (stream, _) = open(answer, 0, None).await;
        let mut stream = stream.unwrap();
        let error = loop {
            if let Err(error) = stream.read(|_| {}).await {
                break error;
            }
        };
        assert_eq!(error.to_string(), "a stream broke off");
    }

    #[tokio::test]
    async fn a_refused_stream_says_why() {
        let refusal = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 5\r\n\r\nlogin".to_vec();
        let (stream, _) = open(refusal, 0, None).await;
        assert!(stream.unwrap_err().to_string().contains("401 Unauthorized"));
    }

    #[tokio::test]
    async fn a_refusal_says_how_long_to_wait() {
        let refusal =
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\ncontent-length: 0\r\n\r\n".to_vec();
        let (stream, _) = open(refusal, 9, None).await;
        let error = stream.unwrap_err();
        let refused: &Refused = error.downcast_ref().unwrap();
        assert_eq!((refused.status, refused.retry_after), (503, Some(Duration::from_secs(7))));
    }
}
