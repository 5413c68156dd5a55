//! Which frames were shown.

use std::collections::{HashSet, VecDeque};

use crate::cursor::Cursor;

/// The ids of the last frames shown. A server resumes after the last of them, so a repeat is a recent one.
#[derive(Debug, Default)]
pub(super) struct Seen {
    order: VecDeque<Cursor>,
    ids: HashSet<Cursor>,
}

impl Seen {
    /// Twice the frames of the largest poll that the client asks for by default.
    const MOST: usize = 1024;

    /// Whether it is the first time.
    pub(super) fn insert(&mut self, id: &Cursor) -> bool {
        if !self.ids.insert(id.clone()) {
            return false;
        }
        self.order.push_back(id.clone());
        if self.order.len() > Self::MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }

    /// Whether a frame was shown after the one with this id.
    pub(super) fn passed(&self, id: &Cursor) -> bool {
        self.ids.contains(id) && self.order.back() != Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_forgets_the_oldest() {
        let mut seen = Seen::default();
        for n in 0..3 * Seen::MOST {
            assert!(seen.insert(&Cursor(n.to_string())));
        }
        assert_eq!(seen.order.len(), Seen::MOST);
        assert_eq!(seen.ids.len(), Seen::MOST);
        let last = 3 * Seen::MOST - 1;
        assert!(!seen.insert(&Cursor(last.to_string())));
        assert!(!seen.passed(&Cursor(last.to_string())));
        assert!(seen.passed(&Cursor((last - 1).to_string())));
        assert!(!seen.passed(&Cursor("0".to_owned())));
    }
}
