//! Frames of Server-Sent Events, found in place among the bytes of a stream.
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::marker;

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

    /// Adds it to `frames`, with the blank line behind it.
    pub(crate) fn keep(self, frames: &mut Vec<u8>) {
        frames.extend_from_slice(self.0);
        frames.extend_from_slice(BLANK_LINE);
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const STREAM: &[u8] = b"retry: 2000\nevent: hello\ndata: {\"cursor\":\"c0\"}\n\nevent: heartbeat\nid: c1\ndata: {}\n\n\
        : a comment\n\nevent: message.posted\nid: c2\ndata: {\"data\":{\"content\":\"seq-000000000042 hi\"}}\n\ndata: x\n\n";

    /// The name of the event, its id and its number.
    pub(crate) type Seen = (String, Option<String>, Option<u64>);

    pub(crate) fn look(frame: Frame<'_>) -> Seen {
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

    pub(crate) fn expected() -> Vec<Seen> {
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
}
