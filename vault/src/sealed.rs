//! What a sealed text is, and to what place it is bound.

use bytes::Bytes;
use uuid::Uuid;

use crate::cipher::NONCE;

/// Where a sealed text stands. It opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// The event's type, or whatever else names the kind of text.
    pub kind: &'a str,
    /// The event's stream.
    pub stream: &'a str,
}

/// A text that only its key opens; the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedText {
    pub key_id: Uuid,
    pub nonce: [u8; NONCE],
    /// 16 bytes longer than the text.
    pub ciphertext: Bytes,
}

/// A sealed text, borrowed from wherever it is kept.
#[derive(Debug, Clone, Copy)]
pub struct OpenRequest<'a> {
    pub key_id: Uuid,
    pub nonce: &'a [u8; NONCE],
    pub ciphertext: &'a [u8],
    pub binding: Binding<'a>,
}

/// What became of a sealed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    Text(Vec<u8>),
    /// Its key is gone: a tombstone, for ever.
    Erased,
    /// Its key exists and refuses it: altered, moved from another place, or the stored key was altered.
    Corrupt,
}

impl Binding<'_> {
    /// Kind, stream and the key's owner. The lengths keep `("ab", "c")` apart from `("a", "bc")`.
    pub(crate) fn aad(&self, owner: Uuid) -> Vec<u8> {
        let mut aad = b"echoverse vault text\0".to_vec();
        for part in [self.kind.as_bytes(), self.stream.as_bytes(), owner.as_bytes()] {
            aad.extend_from_slice(&(part.len() as u64).to_le_bytes());
            aad.extend_from_slice(part);
        }
        aad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_be_shifted_between_kind_and_stream() {
        let aad = |kind, stream| Binding { kind, stream }.aad(Uuid::nil());
        assert_ne!(aad("ab", "c"), aad("a", "bc"));
        assert_ne!(aad("", "abc"), aad("abc", ""));
        assert_eq!(aad("a", "bc"), aad("a", "bc"));
        assert_ne!(Binding { kind: "a", stream: "b" }.aad(Uuid::max()), aad("a", "b"));
    }
}
