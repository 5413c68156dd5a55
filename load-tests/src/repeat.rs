//! One request, sent again and again over one connection with another number each time.
//!
//! The bytes are made once and only the digits change; an answer is taken apart no further than to its end. That is
//! about a quarter of what a general client costs, and on a machine that is shared with the server every microsecond
//! that the load generator takes is one the server lacks.

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::http::Target;
use crate::marker::{DIGITS, write_digits};

/// An answer larger than this is none to what we ask.
const LARGEST: usize = 64 * 1024;

/// A request that is made once, with places for a number.
#[derive(Debug)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Request {
    /// `text` is complete with its head; every occurrence of `placeholder`, as long as a number, is replaced.
    pub(crate) fn new(text: &str, placeholder: &str) -> Result<Request> {
        ensure!(placeholder.len() == DIGITS, "a placeholder has {DIGITS} characters");
        let places = text.match_indices(placeholder).map(|(place, _)| place).collect();
        Ok(Request { bytes: text.into(), places })
    }

    fn write(&self, number: u64, sent: &mut Vec<u8>) {
        sent.clear();
        sent.extend_from_slice(&self.bytes);
        for &place in &self.places {
            write_digits(&mut sent[place..place + DIGITS], number);
        }
    }
}

/// A connection on which one request follows the other.
#[derive(Debug)]
pub(crate) struct Line {
    socket: TcpStream,
    sent: Vec<u8>,
    answer: Vec<u8>,
}

impl Line {
    pub(crate) async fn open(target: &Target) -> Result<Line> {
        let socket = TcpStream::connect(target.address)
            .await
            .with_context(|| format!("connecting to {}", target.address))?;
        socket.set_nodelay(true).context("setting TCP_NODELAY")?;
        Ok(Line { socket, sent: Vec::with_capacity(1024), answer: Vec::with_capacity(4096) })
    }

    /// Sends `request` with `number`; returns the body of the answer, which must have status 201, or 202 as nchan's to a
    /// message that nobody waits for.
    pub(crate) async fn send(&mut self, request: &Request, number: u64) -> Result<&[u8]> {
        request.write(number, &mut self.sent);
        self.socket.write_all(&self.sent).await.context("sending a request")?;
        self.answer.clear();
        let (head, end) = loop {
            ensure!(self.answer.len() < LARGEST, "an answer does not end");
            let read = self.socket.read_buf(&mut self.answer).await.context("reading an answer")?;
            ensure!(read > 0, "the server closed a connection");
            if let Some(bounds) = bounds(&self.answer)? {
                break bounds;
            }
        };
        ensure!(self.answer.len() == end, "more came than was asked for");
        let taken = [&b"HTTP/1.1 201 "[..], b"HTTP/1.1 202 "];
        if !taken.iter().any(|status| self.answer.starts_with(status)) {
            bail!("a post was refused: {}", String::from_utf8_lossy(&self.answer));
        }
        Ok(&self.answer[head..end])
    }
}

/// A connection and its one request.
#[derive(Debug)]
pub(crate) struct Repeat {
    line: Line,
    request: Request,
}

impl Repeat {
    pub(crate) async fn open(target: &Target, request: Request) -> Result<Repeat> {
        Ok(Repeat { line: Line::open(target).await?, request })
    }

    /// A new connection in the old one's place: servers close those that say nothing for long.
    pub(crate) async fn reopen(&mut self, target: &Target) -> Result<()> {
        self.line = Line::open(target).await?;
        Ok(())
    }

    /// As [`Line::send`].
    pub(crate) async fn send(&mut self, number: u64) -> Result<&[u8]> {
        self.line.send(&self.request, number).await
    }
}

/// Where the body of an answer begins and ends; `None` until all of it is there.
fn bounds(answer: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let mut lines = answer[..head].split(|&byte| byte == b'\n');
    let length = lines.find_map(|line| {
        let (name, value) = line.split_at_checked(CONTENT_LENGTH.len())?;
        name.eq_ignore_ascii_case(CONTENT_LENGTH).then_some(value)
    });
    let length = length.and_then(|value| str::from_utf8(value).ok()?.trim().parse::<usize>().ok());
    let Some(length) = length else {
        bail!("an answer has no length: {}", String::from_utf8_lossy(&answer[..head]));
    };
    let end = head + 4 + length;
    Ok((answer.len() >= end).then_some((head + 4, end)))
}

const CONTENT_LENGTH: &[u8] = b"content-length:";

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nx-request-id: 1\r\n\r\nhello";

    #[test]
    fn an_answer_is_complete_with_its_last_byte() {
        for length in 0..ANSWER.len() {
            assert_eq!(bounds(&ANSWER[..length]).unwrap(), None, "{length} bytes");
        }
        assert_eq!(bounds(ANSWER).unwrap(), Some((ANSWER.len() - 5, ANSWER.len())));
    }

    #[test]
    fn an_answer_without_a_length_is_refused() {
        assert!(bounds(b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(bounds(b"HTTP/1.1 201 Created\r\ncontent-length: x\r\n\r\n").is_err());
    }

    /// Answers each request of one connection by `answer`, cut in two, and returns what was asked.
    async fn serve(listener: tokio::net::TcpListener, requests: usize, answer: Vec<u8>) -> Vec<String> {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        for _ in 0..requests {
            let mut buffer = vec![0; 1024];
            let read = socket.read(&mut buffer).await.unwrap();
            asked.push(String::from_utf8_lossy(&buffer[..read]).into_owned());
            let (head, tail) = answer.split_at(answer.len() / 2);
            socket.write_all(head).await.unwrap();
            tokio::task::yield_now().await;
            socket.write_all(tail).await.unwrap();
        }
        asked
    }

    #[tokio::test]
    async fn each_request_carries_its_number_wherever_the_placeholder_stood() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::new(listener.local_addr().unwrap()).unwrap();
        let server = tokio::spawn(serve(listener, 2, ANSWER.to_vec()));
        let request = Request::new("k: NNNNNNNNNNNN\r\n\r\n<NNNNNNNNNNNN>", "NNNNNNNNNNNN").unwrap();
        let mut repeat = Repeat::open(&target, request).await.unwrap();
        assert_eq!(repeat.send(7).await.unwrap(), b"hello");
        assert_eq!(repeat.send(123_456).await.unwrap(), b"hello");
        let asked = server.await.unwrap();
        assert_eq!(asked, ["k: 000000000007\r\n\r\n<000000000007>", "k: 000000123456\r\n\r\n<000000123456>"]);
    }

    #[tokio::test]
    async fn a_refusal_is_an_error_that_says_it() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::new(listener.local_addr().unwrap()).unwrap();
        let refusal = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 4\r\n\r\nslow".to_vec();
        let server = tokio::spawn(serve(listener, 1, refusal));
        let request = Request::new("NNNNNNNNNNNN", "NNNNNNNNNNNN").unwrap();
        let mut repeat = Repeat::open(&target, request).await.unwrap();
        assert!(repeat.send(1).await.unwrap_err().to_string().contains("429"));
        server.await.unwrap();
    }
}
