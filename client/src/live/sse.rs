//! A parser of `text/event-stream` (HTML Standard, 9.2.6), fed by chunks cut anywhere, with bounded memory.

use std::time::Duration;

/// What a stream says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Event(SseEvent),
    /// A block with an `id` and without data: not an event, but the place to resume from.
    Id(String),
    /// How long to wait before reconnecting.
    Retry(Duration),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SseEvent {
    /// `message` if the stream names none.
    pub name: String,
    pub data: String,
    /// The `id` of this very event; it is not carried over from earlier ones.
    pub id: Option<String>,
}

/// An event or line that is larger than the parser was told to keep. The parser is of no use afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than allowed")]
pub struct TooLarge;

/// State between chunks. What is incomplete when the stream ends is dropped with it, as the standard says.
#[derive(Debug)]
pub struct Parser {
    most: usize,
    line: Vec<u8>,
    /// A line ended with CR at the end of what came so far: an LF next belongs to it.
    after_cr: bool,
    first_line: bool,
    name: String,
    data: String,
    /// Distinguishes "no data" from one empty data line.
    has_data: bool,
    id: Option<String>,
}

impl Parser {
    /// `most`: bytes of one event.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            line: Vec::new(),
            after_cr: false,
            first_line: true,
            name: String::new(),
            data: String::new(),
            has_data: false,
            id: None,
        }
    }

    /// Takes the next bytes and adds what they complete to `items`.
    pub fn push(&mut self, mut chunk: &[u8], items: &mut Vec<Item>) -> Result<(), TooLarge> {
        while !chunk.is_empty() {
            if std::mem::take(&mut self.after_cr) && chunk[0] == b'\n' {
                chunk = &chunk[1..];
                continue;
            }
            let Some(end) = chunk.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
                return self.keep(chunk);
            };
            self.keep(&chunk[..end])?;
            self.after_cr = chunk[end] == b'\r';
            chunk = &chunk[end + 1..];
            let line = std::mem::take(&mut self.line);
            self.end_line(&line, items)?;
            self.line = line;
            self.line.clear();
        }
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), TooLarge> {
        if self.line.len() + bytes.len() > self.most {
            return Err(TooLarge);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self, line: &[u8], items: &mut Vec<Item>) -> Result<(), TooLarge> {
        // Line ends are ASCII, so decoding line by line gives what decoding the whole stream would.
        let text = String::from_utf8_lossy(line);
        let mut text = &*text;
        if std::mem::take(&mut self.first_line) {
            text = text.strip_prefix('\u{feff}').unwrap_or(text);
        }
        if text.is_empty() {
            self.end_block(items);
            return Ok(());
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if self.data.len() + value.len() + 1 > self.most {
                    return Err(TooLarge);
                }
                if self.has_data {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.has_data = true;
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                if let Ok(milliseconds) = value.parse() {
                    items.push(Item::Retry(Duration::from_millis(milliseconds)));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end_block(&mut self, items: &mut Vec<Item>) {
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        let id = self.id.take();
        if std::mem::take(&mut self.has_data) {
            let name = if name.is_empty() { "message".to_owned() } else { name };
            items.push(Item::Event(SseEvent { name, data, id }));
        } else if let Some(id) = id {
            items.push(Item::Id(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        Parser::new(1000).push(text, &mut items).unwrap();
        items
    }

    fn event(name: &str, data: &str, id: Option<&str>) -> Item {
        Item::Event(SseEvent { name: name.to_owned(), data: data.to_owned(), id: id.map(str::to_owned) })
    }

    #[test]
    fn all_three_line_ends_end_a_line() {
        let expected = [event("a", "x\ny", Some("1")), event("message", "z", None)];
        for end in ["\n", "\r", "\r\n"] {
            let text = "event: a|data: x|data: y|id: 1||data:z||".replace('|', end);
            assert_eq!(parse(text.as_bytes()), expected, "{end:?}");
        }
    }

    #[test]
    fn the_examples_of_the_standard() {
        assert_eq!(parse(b"data: YHOO\ndata: +2\ndata: 10\n\n"), [event("message", "YHOO\n+2\n10", None)]);
        let text =
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n";
        assert_eq!(
            parse(text),
            [
                event("message", "first event", Some("1")),
                event("message", "second event", Some("")),
                event("message", " third event", None),
            ]
        );
        assert_eq!(
            parse(b"data\n\ndata\ndata\n\ndata:"),
            [event("message", "", None), event("message", "\n", None)]
        );
        assert_eq!(
            parse(b"data:test\n\ndata: test\n\n"),
            [event("message", "test", None), event("message", "test", None)]
        );
    }

    #[test]
    fn a_byte_order_mark_is_skipped_once() {
        assert_eq!(parse(b"\xef\xbb\xbfdata: x\n\n"), [event("message", "x", None)]);
        assert_eq!(parse(b"\n\xef\xbb\xbfdata: x\n\n"), []);
    }

    #[test]
    fn ids_with_nul_and_odd_retries_are_ignored() {
        assert_eq!(parse(b"id: a\0b\ndata: x\n\n"), [event("message", "x", None)]);
        assert_eq!(
            parse(b"retry: 1500\nretry: -1\nretry: 1.5\nretry\n"),
            [Item::Retry(Duration::from_millis(1500))]
        );
        assert_eq!(parse(b"retry: 99999999999999999999999\n"), []);
    }

    #[test]
    fn an_id_without_data_is_a_place_and_no_event() {
        assert_eq!(parse(b"event: heartbeat\nid: 9\n\n"), [Item::Id("9".to_owned())]);
        assert_eq!(parse(b"event: x\n\n: comment\n\nunknown: y\n\n"), []);
    }

    #[test]
    fn what_is_incomplete_is_not_told() {
        assert_eq!(parse(b"data: x\n"), []);
        assert_eq!(parse(b"data: x"), []);
    }

    #[test]
    fn bad_utf8_becomes_the_replacement_character() {
        assert_eq!(parse(b"data: \xff\xc3\n\n"), [event("message", "\u{fffd}\u{fffd}", None)]);
    }

    #[test]
    fn large_lines_and_large_events_are_refused() {
        let mut items = Vec::new();
        let mut parser = Parser::new(10);
        assert_eq!(parser.push(b"data: 45678", &mut items), Err(TooLarge));
        let mut parser = Parser::new(10);
        assert_eq!(parser.push(b"data: 1234\ndata: 1234\ndata: 1\n", &mut items), Err(TooLarge));
        let mut parser = Parser::new(10);
        for _ in 0..1000 {
            parser.push(b":12345678\n", &mut items).unwrap();
        }
    }
}
