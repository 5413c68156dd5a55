//! HTTP/1.1 answers as they come off a socket, taken apart without a copy: the head once, the body in pieces of any
//! size. <https://www.rfc-editor.org/rfc/rfc9112>

use anyhow::{Context as _, Result, bail, ensure};

/// Our server's heads have about ten fields, nginx' fewer.
const MOST_FIELDS: usize = 32;
/// A head larger than this is none to what we ask.
const LARGEST_HEAD: usize = 16 * 1024;
/// Digits of a chunk's size: more would not be a size that anybody sends.
const MOST_DIGITS: u8 = 8;

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) body: Body,
    /// How many bytes it took.
    pub(crate) length: usize,
}

impl Head {
    /// `None` until all of it is there. Calls `each` with the fields of a head that is.
    pub(crate) fn parse(bytes: &[u8], mut each: impl FnMut(&str, &[u8])) -> Result<Option<Head>> {
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut response = httparse::Response::new(&mut fields);
        let httparse::Status::Complete(length) = response.parse(bytes).context("an answer is no HTTP")?
        else {
            ensure!(bytes.len() < LARGEST_HEAD, "the head of an answer does not end");
            return Ok(None);
        };
        let status = response.code.context("an answer has no status")?;
        let field = |name: &str| {
            let found = response.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
            found.map(|field| field.value.trim_ascii())
        };
        let body = match (field("transfer-encoding"), field("content-length")) {
            _ if matches!(status, 204 | 304) => Body::Length(0),
            (Some(coding), _) if coding.eq_ignore_ascii_case(b"chunked") => Body::Chunked(Chunk::BEGIN),
            (Some(_), _) => bail!("an answer is coded in a way we did not ask for"),
            (None, Some(digits)) => {
                let digits = str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
                Body::Length(digits.context("an answer has no proper length")?)
            }
            (None, None) => Body::UntilClose,
        };
        for field in response.headers.iter() {
            each(field.name, field.value);
        }
        Ok(Some(Head { status, body, length }))
    }
}

/// How far a body has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    Chunked(Chunk),
    /// So many bytes are still to come.
    Length(u64),
    /// The server ends it by closing the connection.
    UntilClose,
}

/// Where in its chunks a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// Among the digits of a size.
    Size {
        size: u64,
        digits: u8,
    },
    /// Behind a size, before the end of its line.
    SizeLine {
        size: u64,
    },
    /// So many bytes of the chunk are still to come.
    Data {
        left: u64,
    },
    /// Behind a chunk's data, before the end of the line.
    DataEnd,
    /// In a line behind the last chunk; an empty line is the last.
    Trailer {
        empty: bool,
    },
    End,
}

impl Chunk {
    const BEGIN: Chunk = Chunk::Size { size: 0, digits: 0 };
}

impl Body {
    /// Calls `each` with every stretch of the body that `bytes` holds, and says how many bytes belonged to it: fewer
    /// than all of them only when the body has ended.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) -> Result<usize> {
        match self {
            Body::UntilClose => {
                each(bytes);
                Ok(bytes.len())
            }
            Body::Length(left) => {
                let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= taken as u64;
                each(&bytes[..taken]);
                Ok(taken)
            }
            Body::Chunked(chunk) => chunk.feed(bytes, each),
        }
    }

    /// Whether all of it has come. One that the server ends by closing never says so.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self, Body::Length(0) | Body::Chunked(Chunk::End))
    }
}

impl Chunk {
    fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) -> Result<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if let Chunk::Data { left } = self {
                let rest = &bytes[at..];
                let taken = rest.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                each(&rest[..taken]);
                at += taken;
                *left -= taken as u64;
                if *left == 0 {
                    *self = Chunk::DataEnd;
                }
                continue;
            }
            if *self == Chunk::End {
                break;
            }
            *self = self.after(byte)?;
            at += 1;
        }
        Ok(at)
    }

    /// Where the body is behind `byte`, which is not of a chunk's data.
    fn after(self, byte: u8) -> Result<Chunk> {
        Ok(match (self, byte) {
            (Chunk::Size { size, digits: 1.. }, b'\r' | b';' | b' ' | b'\t') => Chunk::SizeLine { size },
            (Chunk::Size { size, digits }, _) => {
                let digit = char::from(byte).to_digit(16).context("the size of a chunk is no number")?;
                ensure!(digits < MOST_DIGITS, "a chunk is larger than any we asked for");
                Chunk::Size { size: size << 4 | u64::from(digit), digits: digits + 1 }
            }
            (Chunk::SizeLine { size: 0 }, b'\n') => Chunk::Trailer { empty: true },
            (Chunk::SizeLine { size }, b'\n') => Chunk::Data { left: size },
            (Chunk::SizeLine { size }, _) => Chunk::SizeLine { size },
            (Chunk::DataEnd, b'\r') => Chunk::DataEnd,
            (Chunk::DataEnd, b'\n') => Chunk::BEGIN,
            (Chunk::DataEnd, _) => bail!("a chunk is longer than its size"),
            (Chunk::Trailer { empty: true }, b'\n') => Chunk::End,
            (Chunk::Trailer { empty: false }, b'\n') => Chunk::Trailer { empty: true },
            (Chunk::Trailer { empty }, b'\r') => Chunk::Trailer { empty },
            (Chunk::Trailer { .. }, _) => Chunk::Trailer { empty: false },
            (Chunk::Data { .. } | Chunk::End, _) => unreachable!("data and the end are dealt with by `feed`"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNKED: &[u8] =
        b"5\r\nhello\r\n0A;name=value\r\n, wide wor\r\n2 \r\nld\r\n0\r\nx-trailer: 1\r\n\r\n";

    /// Feeds `body` in these pieces; what came out, and how many bytes of the last piece were left.
    fn decode<'a>(mut body: Body, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<(String, Body)> {
        let mut text = Vec::new();
        for piece in pieces {
            let taken = body.feed(piece, |part| text.extend_from_slice(part))?;
            assert_eq!(taken, piece.len());
        }
        Ok((String::from_utf8(text).unwrap(), body))
    }

    #[test]
    fn chunks_are_put_together_wherever_they_are_cut() {
        for cut in 0..=CHUNKED.len() {
            let (head, tail) = CHUNKED.split_at(cut);
            let (text, body) = decode(Body::Chunked(Chunk::BEGIN), [head, tail]).unwrap();
            assert_eq!((text.as_str(), body.has_ended()), ("hello, wide world", true), "cut at {cut}");
        }
    }

    #[test]
    fn chunks_are_put_together_from_pieces_of_any_size() {
        for size in 1..CHUNKED.len() {
            let (text, body) = decode(Body::Chunked(Chunk::BEGIN), CHUNKED.chunks(size)).unwrap();
            assert_eq!((text.as_str(), body.has_ended()), ("hello, wide world", true), "pieces of {size}");
        }
    }

    #[test]
    fn a_body_has_not_ended_before_its_last_byte() {
        for length in 0..CHUNKED.len() {
            let (_, body) = decode(Body::Chunked(Chunk::BEGIN), [&CHUNKED[..length]]).unwrap();
            assert!(!body.has_ended(), "{length} bytes");
        }
    }

    #[test]
    fn what_follows_a_body_is_left_alone() {
        for (mut body, bytes) in
            [(Body::Length(5), &b"hello"[..]), (Body::Chunked(Chunk::BEGIN), b"5\r\nhello\r\n0\r\n\r\n")]
        {
            let mut text = Vec::new();
            let both = [bytes, b"HTTP/1.1"].concat();
            assert_eq!(body.feed(&both, |part| text.extend_from_slice(part)).unwrap(), bytes.len());
            assert_eq!(text, b"hello");
            assert!(body.has_ended());
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for wrong in [&b"x\r\n"[..], b"\r\n", b"5\r\nhello!", b"123456789\r\n"] {
            assert!(decode(Body::Chunked(Chunk::BEGIN), [wrong]).is_err(), "{wrong:?}");
        }
    }

    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nServer: s\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[test]
    fn a_head_is_complete_with_its_last_byte() {
        for length in 0..HEAD.len() {
            assert_eq!(Head::parse(&HEAD[..length], |_, _| {}).unwrap(), None, "{length} bytes");
        }
        let more = [HEAD, b"5\r\n"].concat();
        let expected = Head { status: 200, body: Body::Chunked(Chunk::BEGIN), length: HEAD.len() };
        assert_eq!(Head::parse(&more, |_, _| {}).unwrap(), Some(expected));
    }

    #[test]
    fn the_head_says_how_the_body_ends_and_what_else_it_has() {
        let parse = |head: &str| Head::parse(head.as_bytes(), |_, _| {}).unwrap().unwrap().body;
        assert_eq!(parse("HTTP/1.1 200 OK\r\ncontent-LENGTH: 17\r\n\r\n"), Body::Length(17));
        assert_eq!(parse("HTTP/1.1 200 OK\r\n\r\n"), Body::UntilClose);
        assert_eq!(parse("HTTP/1.1 304 Not Modified\r\n\r\n"), Body::Length(0));
        let mut fields = Vec::new();
        Head::parse(HEAD, |name, value| fields.push((name.to_owned(), value.to_vec()))).unwrap();
        assert_eq!(fields[0], ("Server".to_owned(), b"s".to_vec()));
    }

    #[test]
    fn heads_that_mean_nothing_are_refused() {
        let wrong = [
            "SSH-2.0-OpenSSH_9.2\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
        ];
        for head in wrong {
            assert!(Head::parse(head.as_bytes(), |_, _| {}).is_err(), "{head}");
        }
        let endless = [b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'x'; LARGEST_HEAD]].concat();
        assert!(Head::parse(&endless, |_, _| {}).is_err());
    }
}
