//! The one place where the vault takes chance: keys, nonces, salts and tokens from the operating system.

use std::cell::RefCell;

use zeroize::Zeroize as _;

/// Bytes asked of the system at a time. A system call for each nonce would cost more than the nonce.
const BLOCK: usize = 1_024;

/// A block of the system's randomness. What was handed out is wiped here.
struct Block {
    bytes: [u8; BLOCK],
    left: usize,
}

thread_local! {
    static AHEAD: RefCell<Block> = const { RefCell::new(Block { bytes: [0; BLOCK], left: 0 }) };
}

/// `N` unpredictable bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// Fills `bytes` with what nobody can predict.
///
/// # Panics
/// When the operating system has no randomness.
pub fn fill(bytes: &mut [u8]) {
    if bytes.len() > BLOCK {
        return system(bytes);
    }
    AHEAD.with_borrow_mut(|block| {
        if block.left < bytes.len() {
            system(&mut block.bytes);
            block.left = BLOCK;
        }
        let end = block.left;
        block.left -= bytes.len();
        let taken = &mut block.bytes[block.left..end];
        bytes.copy_from_slice(taken);
        taken.zeroize();
    });
}

fn system(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("a running operating system has randomness");
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nothing_is_handed_out_twice() {
        let small: HashSet<[u8; 24]> = (0..10_000).map(|_| bytes()).collect();
        assert_eq!(small.len(), 10_000);
        let odd: HashSet<[u8; 1_000]> = (0..10).map(|_| bytes()).collect();
        let large: HashSet<[u8; BLOCK + 1]> = (0..10).map(|_| bytes()).collect();
        assert_eq!((odd.len(), large.len()), (10, 10));
        assert!(odd.iter().flatten().any(|byte| *byte != 0));
    }

    #[test]
    fn what_was_handed_out_is_not_kept() {
        let taken: [u8; 32] = bytes();
        AHEAD.with_borrow(|block| assert!(block.bytes.windows(32).all(|kept| kept != taken)));
    }
}
