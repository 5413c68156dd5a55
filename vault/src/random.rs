//! The one place where the vault takes chance: keys, nonces, salts and tokens from the operating system.

/// `N` unpredictable bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("a running operating system has randomness");
    bytes
}
