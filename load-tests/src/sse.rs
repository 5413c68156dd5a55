//! Reading many Server-Sent Event streams cheaply: frames are found in place and looked into only where asked.
//!
//! A stream is a socket and little else. All streams of a thread are read through one buffer, so ten thousand that are
//! idle take no more than their sockets; a library's buffers for each connection would be most of the generator. It
//! reads our server and nchan alike, chunked or not.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::frames::Scanner;
use crate::http::{Login, Target};
use crate::wire::{Body, Head};

pub(crate) use crate::frames::Frame;

/// A stream's opening frame must come within this.
const HELLO_PATIENCE: Duration = Duration::from_secs(30);
/// What one read takes at most; more than a socket holds of frames that wait.
const BUFFER: usize = 256 * 1024;

thread_local! {
    static SHARED: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER]);
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
            let more = stream.pull(|frame| frame.keep(&mut early)).await?;
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
        body.feed(&begin[head.length..], |part| scanner.feed(part, |frame| frame.keep(early)))?;
        Ok(stream)
    }

    /// Whether the hello is among the early frames; if so, it and what came before it are taken away.
    fn take_hello(&mut self) -> Result<bool> {
        let mut hello = None;
        let mut behind = Vec::new();
        Scanner::default().feed(&std::mem::take(&mut self.early), |frame| {
            if hello.is_some() {
                frame.keep(&mut behind);
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
    use crate::frames::tests::{STREAM, expected, look};

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
