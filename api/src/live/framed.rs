//! Bytes of a stream in the two shapes that HTTP/1.1 may want them in, made once for all readers.

use bytes::{Bytes, BytesMut};

/// Bytes as they are, and as one chunk of a chunked body (RFC 9112, section 7.1), in one allocation. Never empty: an
/// empty chunk would end the body.
#[derive(Debug, Clone)]
pub(crate) struct Framed {
    chunk: Bytes,
    start: usize,
}

const LINE_END: &[u8] = b"\r\n";

impl Framed {
    /// What `parts` are in one piece.
    pub(crate) fn new<'a>(parts: impl Iterator<Item = &'a [u8]> + Clone) -> Self {
        let length: usize = parts.clone().map(<[u8]>::len).sum();
        debug_assert_ne!(length, 0, "an empty chunk would end the body");
        let head = format!("{length:x}\r\n");
        let mut chunk = BytesMut::with_capacity(head.len() + length + LINE_END.len());
        chunk.extend_from_slice(head.as_bytes());
        parts.for_each(|part| chunk.extend_from_slice(part));
        chunk.extend_from_slice(LINE_END);
        Self { chunk: chunk.freeze(), start: head.len() }
    }

    /// As one chunk.
    pub(crate) fn chunk(&self) -> &[u8] {
        &self.chunk
    }

    /// As they are.
    pub(crate) fn plain(&self) -> &[u8] {
        &self.chunk[self.start..self.chunk.len() - LINE_END.len()]
    }

    /// As they are, shared.
    pub(crate) fn to_plain(&self) -> Bytes {
        self.chunk.slice(self.start..self.chunk.len() - LINE_END.len())
    }

    /// How many they are.
    pub(crate) fn len(&self) -> usize {
        self.plain().len()
    }
}

impl From<String> for Framed {
    fn from(text: String) -> Self {
        Self::new(std::iter::once(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_its_length_in_hexadecimal_and_its_bytes() {
        let framed = Framed::new([&b"0123456789"[..], b"abcdefgh"].into_iter());
        assert_eq!(framed.chunk(), b"12\r\n0123456789abcdefgh\r\n");
        assert_eq!(framed.plain(), b"0123456789abcdefgh");
        assert_eq!(framed.to_plain(), framed.plain());
        assert_eq!(framed.len(), 18);
    }
}
