//! XChaCha20-Poly1305 with 256-bit keys: text under a key, and keys under keys.
//!
//! Nonces are random; 192 bits make a repetition under one key improbable for any number of messages.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::random;

pub(crate) const NONCE: usize = 24;

/// A key, wiped when dropped.
#[derive(Clone)]
pub(crate) struct SecretKey(Zeroizing<[u8; 32]>);

impl SecretKey {
    pub(crate) fn new(bytes: [u8; 32]) -> SecretKey {
        SecretKey(Zeroizing::new(bytes))
    }

    pub(crate) fn random() -> SecretKey {
        SecretKey::new(random::bytes())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }

    pub(crate) fn encrypt(&self, aad: &[u8], plain: &[u8]) -> ([u8; NONCE], Vec<u8>) {
        let nonce = random::bytes();
        let ciphertext = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad })
            .expect("a text in memory is shorter than the cipher's 256 GiB");
        (nonce, ciphertext)
    }

    /// `None` when ciphertext, nonce or `aad` aren't those of one `encrypt` under this key.
    pub(crate) fn decrypt(&self, nonce: &[u8; NONCE], aad: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
        self.cipher().decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad }).ok()
    }

    /// `key` sealed under this one: nonce, then ciphertext. It only opens for the same id and owner.
    pub(crate) fn wrap(&self, key_id: Uuid, owner: Uuid, key: &SecretKey) -> Vec<u8> {
        let (nonce, ciphertext) = self.encrypt(&wrapping_aad(key_id, owner), &*key.0);
        [&nonce[..], &ciphertext].concat()
    }

    pub(crate) fn unwrap(&self, key_id: Uuid, owner: Uuid, wrapped: &[u8]) -> Option<SecretKey> {
        let (nonce, ciphertext) = wrapped.split_first_chunk()?;
        let plain = Zeroizing::new(self.decrypt(nonce, &wrapping_aad(key_id, owner), ciphertext)?);
        Some(SecretKey::new(plain.as_slice().try_into().ok()?))
    }
}

/// The label keeps apart what an account's key does twice: wrap keys, and seal texts (`Binding::aad`).
fn wrapping_aad(key_id: Uuid, owner: Uuid) -> Vec<u8> {
    [b"echoverse vault key\0", &key_id.as_bytes()[..], owner.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Uuid = Uuid::from_u128(1);
    const B: Uuid = Uuid::from_u128(2);

    #[test]
    fn a_wrapped_key_opens_only_in_its_own_place() {
        let (outer, inner) = (SecretKey::random(), SecretKey::random());
        let wrapped = outer.wrap(A, B, &inner);
        assert_eq!(wrapped.len(), 72);
        assert_eq!(*outer.unwrap(A, B, &wrapped).unwrap().0, *inner.0);
        assert!(outer.unwrap(B, A, &wrapped).is_none());
        assert!(outer.unwrap(A, A, &wrapped).is_none());
        assert!(inner.unwrap(A, B, &wrapped).is_none());
        assert!(outer.unwrap(A, B, &wrapped[..20]).is_none());
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let key = SecretKey::random();
        let (nonce, ciphertext) = key.encrypt(b"place", b"text");
        assert_eq!(key.decrypt(&nonce, b"place", &ciphertext).unwrap(), b"text");
        for index in 0..ciphertext.len() {
            let mut changed = ciphertext.clone();
            changed[index] ^= 1;
            assert!(key.decrypt(&nonce, b"place", &changed).is_none(), "byte {index}");
        }
        assert!(key.decrypt(&nonce, b"plac", &ciphertext).is_none());
    }
}
