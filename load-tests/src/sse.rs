//! Reading many Server-Sent Event streams cheaply: frames are found in place and looked into only where asked.

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::Uri;
use hyper::body::Incoming;

use crate::http::{Connection, Login, Target};
use crate::marker;

/// A stream's opening frame must come within this.
const HELLO_PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

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
    frame.strip_suffix(b"\n\n").unwrap_or(frame)
}

/// Where the first frame of `bytes` ends, behind its blank line. Looks at every second byte only.
fn frame_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'\n' {
            if bytes[at - 1] == b'\n' {
                return Some(at + 1);
            }
            if bytes.get(at + 1) == Some(&b'\n') {
                return Some(at + 2);
            }
        }
        at += 2;
    }
    None
}

/// An open stream on a connection of its own.
pub(crate) struct Stream {
    _connection: Connection,
    body: Incoming,
    scanner: Scanner,
}

impl Stream {
    /// Opens the stream of everything that concerns `login`, from now on, and waits for its `hello`.
    pub(crate) async fn open(target: &Target, login: &Login) -> Result<Stream> {
        let mut connection = Connection::open(target).await?;
        let body = connection.stream(Uri::from_static("/v1/events/stream"), login).await?;
        let mut stream = Stream { _connection: connection, body, scanner: Scanner::default() };
        let greeted = tokio::time::timeout(HELLO_PATIENCE, async {
            let mut greeted = false;
            while !greeted {
                let Some(()) = stream.read(|frame| greeted |= frame.event() == b"hello").await? else {
                    bail!("a stream ended before its hello");
                };
            }
            Ok(())
        });
        greeted.await.context("a stream said no hello in time")??;
        Ok(stream)
    }

    /// Waits for bytes and calls `each` for every frame they end; `None` when the server ended the stream.
    ///
    /// Nothing is lost when the future is dropped before it is ready.
    pub(crate) async fn read(&mut self, each: impl FnMut(Frame<'_>)) -> Result<Option<()>> {
        let Some(chunk) = self.chunk().await? else { return Ok(None) };
        self.scanner.feed(&chunk, each);
        Ok(Some(()))
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>> {
        loop {
            let Some(part) = self.body.frame().await else { return Ok(None) };
            if let Ok(chunk) = part.context("a stream broke")?.into_data() {
                return Ok(Some(chunk));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"retry: 2000\nevent: hello\ndata: {}\n\nevent: heartbeat\nid: c1\ndata: {}\n\n\
        event: message.posted\nid: c2\ndata: {\"data\":{\"content\":\"seq-000000000042 hi\"}}\n\ndata: x\n\n";

    fn scan<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<(String, Option<u64>)> {
        let mut scanner = Scanner::default();
        let mut seen = Vec::new();
        for piece in pieces {
            scanner.feed(piece, |frame| {
                seen.push((String::from_utf8_lossy(frame.event()).into_owned(), frame.sequence()));
            });
        }
        assert!(scanner.rest.is_empty());
        seen
    }

    fn expected() -> Vec<(String, Option<u64>)> {
        [("hello", None), ("heartbeat", None), ("message.posted", Some(42)), ("message", None)]
            .map(|(event, sequence)| (event.to_owned(), sequence))
            .to_vec()
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
}
