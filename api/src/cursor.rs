//! Cursors: positions in the log, sealed.
//!
//! A cursor is one AES-256 block, `b"ev1\0"` · the first four bytes of SHA-256 of the log's id · the position, big
//! endian, as 22 characters of base64url. It is opaque and cannot be made up: a changed character gives a block whose
//! first four bytes are not ours but once in four thousand million tries. It is deterministic, the same for every
//! reader, so that a frame which carries one is encoded once for all.

use std::fmt;

use aes::Aes256;
use aes::cipher::{Block, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use event_store::{LogId, Position};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

const MAGIC: [u8; 4] = *b"ev1\0";

/// A sealed position in the log: opaque, to be sent back as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(
    min_length = 22,
    max_length = 22,
    pattern = "^[A-Za-z0-9_-]{22}$",
    example = "q2V4YW1wbGVfY3Vyc29yMQ"
)]
pub(crate) struct Cursor(pub(crate) String);

impl Cursor {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CursorError {
    /// No cursor of this server.
    #[error("this is not a cursor of this server")]
    Invalid,
    /// A cursor of this server's, from before its log was replaced.
    #[error("this cursor belongs to another log")]
    ForeignLog,
}

/// Seals and opens the cursors of one log.
#[derive(Clone)]
pub(crate) struct Cursors {
    cipher: Aes256,
    log: [u8; 4],
}

impl Cursors {
    /// The nodes of one installation share `key`.
    pub(crate) fn new(key: [u8; 32], log: LogId) -> Self {
        let digest = Sha256::digest(log.0.as_bytes());
        let log = [digest[0], digest[1], digest[2], digest[3]];
        Self { cipher: Aes256::new(&key.into()), log }
    }

    pub(crate) fn seal(&self, position: Position) -> Cursor {
        let mut block = Block::<Aes256>::default();
        block[..4].copy_from_slice(&MAGIC);
        block[4..8].copy_from_slice(&self.log);
        block[8..].copy_from_slice(&position.0.to_be_bytes());
        self.cipher.encrypt_block(&mut block);
        Cursor(URL_SAFE_NO_PAD.encode(block))
    }

    /// The position in a cursor from outside.
    ///
    /// # Errors
    /// It was not sealed here, or not for this log.
    pub(crate) fn open(&self, text: &str) -> Result<Position, CursorError> {
        let mut bytes = [0; 16];
        // The length first: a short buffer is an error of its own in the decoder.
        if text.len() != 22 || URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) != Ok(16) {
            return Err(CursorError::Invalid);
        }
        let mut block = Block::<Aes256>::from(bytes);
        self.cipher.decrypt_block(&mut block);
        if block[..4] != MAGIC {
            return Err(CursorError::Invalid);
        }
        if block[4..8] != self.log {
            return Err(CursorError::ForeignLog);
        }
        let mut position = [0; 8];
        position.copy_from_slice(&block[8..]);
        Ok(Position(u64::from_be_bytes(position)))
    }
}

impl fmt::Debug for Cursors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursors").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn cursors(log: u128) -> Cursors {
        Cursors::new(KEY, LogId(Uuid::from_u128(log)))
    }

    #[test]
    fn what_was_sealed_opens() {
        let cursors = cursors(1);
        for position in [0, 1, 255, 1 << 40, u64::MAX] {
            let cursor = cursors.seal(Position(position));
            assert_eq!(cursor.as_str().len(), 22);
            assert_eq!(cursors.open(cursor.as_str()), Ok(Position(position)));
            assert_eq!(cursors.seal(Position(position)), cursor, "the same for every reader");
        }
    }

    #[test]
    fn no_changed_character_opens() {
        let cursors = cursors(1);
        let cursor = cursors.seal(Position(77)).0;
        for index in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last character carries four bits only, so that some changes aren't base64 at all.
            assert_eq!(cursors.open(&changed), Err(CursorError::Invalid), "{changed}");
        }
    }

    #[test]
    fn other_texts_do_not_open() {
        let cursors = cursors(1);
        let cursor = cursors.seal(Position(77)).0;
        for text in
            ["", "0", &cursor[..21], &format!("{cursor}A"), &format!("{cursor}=="), "ééééééééééé", "77"]
        {
            assert_eq!(cursors.open(text), Err(CursorError::Invalid), "{text}");
        }
    }

    #[test]
    fn a_cursor_of_another_log_is_told_from_one_of_another_server() {
        let cursor = cursors(2).seal(Position(77));
        assert_eq!(cursors(1).open(cursor.as_str()), Err(CursorError::ForeignLog));
        let elsewhere = Cursors::new([8; 32], LogId(Uuid::from_u128(1))).seal(Position(77));
        assert_eq!(cursors(1).open(elsewhere.as_str()), Err(CursorError::Invalid));
    }
}
