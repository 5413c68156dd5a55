//! The key above all others, and the keys that are derived from it.

mod file;

pub use file::MasterKeyError;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The server's 32-byte master key, wiped when dropped.
///
/// Whoever has it and a copy of the vault's database can read everything; whoever loses it has lost all personal text.
/// It is never used itself: every use derives a key of its own (HKDF-SHA256, RFC 5869).
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    pub fn from_bytes(bytes: [u8; 32]) -> MasterKey {
        MasterKey(Zeroizing::new(bytes))
    }

    /// `scope` is the vault's own word, `purpose` the caller's: a caller can't ask for one of the vault's keys.
    pub(crate) fn derive(&self, scope: Scope, purpose: &str) -> [u8; 32] {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, &*self.0)
            .expand_multi_info(&[scope.label(), purpose.as_bytes()], &mut key)
            .expect("32 bytes are a valid length for HKDF-SHA256");
        key
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope {
    /// The vault's own uses: `wrap`, `check`, `password`, `session`.
    Internal,
    /// `Vault::derive_key`.
    Derived,
    /// `Vault::digest`.
    Digest,
}

impl Scope {
    /// No label is the beginning of another, so scope and purpose can't be confused when they are joined.
    fn label(self) -> &'static [u8] {
        match self {
            Scope::Internal => b"echoverse vault\0internal\0",
            Scope::Derived => b"echoverse vault\0derived\0",
            Scope::Digest => b"echoverse vault\0digest\0",
        }
    }
}

/// HMAC-SHA256 over `parts`, which must be of fixed length, all but the last.
pub(crate) fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_and_purpose_has_a_key_of_its_own() {
        let master = MasterKey::from_bytes([7; 32]);
        let mut keys: Vec<_> = [Scope::Internal, Scope::Derived, Scope::Digest]
            .into_iter()
            .flat_map(|scope| ["wrap", "check", ""].map(|purpose| master.derive(scope, purpose)))
            .chain([MasterKey::from_bytes([8; 32]).derive(Scope::Internal, "wrap"), [7; 32]])
            .collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 11);
    }

    /// What is derived seals data that outlives the program.
    #[test]
    fn the_derivation_never_changes() {
        let key = MasterKey::from_bytes([7; 32]).derive(Scope::Derived, "cursor");
        assert_eq!(key[..4], [247, 116, 161, 36]);
    }

    #[test]
    fn debug_shows_no_byte_of_the_key() {
        assert_eq!(format!("{:?}", MasterKey::from_bytes([7; 32])), "MasterKey(…)");
    }
}
