//! What a subscriber has seen, small enough for thousands of them.

use super::choice::scatter;

/// How many numbers, and which, whatever their order. Two tallies are equal if, but for one chance in 2^64, each number
/// is in both as often: one missed, one twice and one that strayed in all show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) count: u64,
    sum: u64,
}

impl Tally {
    pub(super) fn add(&mut self, number: u64) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(scatter(number));
    }
}

/// In which order they came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Order(u64);

impl Order {
    pub(super) fn add(&mut self, number: u64) {
        self.0 = scatter(self.0 ^ scatter(number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(numbers: &[u64]) -> (Tally, Order) {
        let (mut tally, mut order) = (Tally::default(), Order::default());
        for &number in numbers {
            tally.add(number);
            order.add(number);
        }
        (tally, order)
    }

    #[test]
    fn the_same_numbers_in_another_order_differ_in_order_alone() {
        let (one, other) = (tally(&[1, 2, 3]), tally(&[1, 3, 2]));
        assert_eq!(one.0, other.0);
        assert_ne!(one.1, other.1);
        assert_eq!(one, tally(&[1, 2, 3]));
    }

    #[test]
    fn what_is_missed_or_twice_or_strayed_shows() {
        let expected = tally(&[1, 2, 3]).0;
        for seen in [&[1, 2][..], &[1, 2, 3, 3], &[1, 2, 2], &[1, 2, 4], &[0, 2, 4]] {
            assert_ne!(tally(seen).0, expected, "{seen:?}");
        }
    }
}
