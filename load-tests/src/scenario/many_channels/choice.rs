//! Which channel a post goes to.

/// Channels drawn by a power law (Zipf): the n-th is drawn in proportion to 1/n^skew. The number of a post decides, so
/// that whoever reads it knows where it must have been posted.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// The sum of the weights up to each channel, from 0 to 1.
    upto: Vec<f64>,
}

impl Choice {
    /// A `skew` of 0 draws all channels alike; 1 is what is often seen among people.
    #[expect(clippy::cast_precision_loss, reason = "channels are few")]
    pub(super) fn new(channels: usize, skew: f64) -> Choice {
        let mut sum = 0.0;
        let mut upto: Vec<f64> = (1..=channels)
            .map(|rank| {
                sum += (rank as f64).powf(-skew);
                sum
            })
            .collect();
        upto.iter_mut().for_each(|weight| *weight /= sum);
        Choice { upto }
    }

    pub(super) fn channel(&self, post: u64) -> usize {
        let drawn = fraction(scatter(post));
        self.upto.partition_point(|&upto| upto <= drawn).min(self.upto.len() - 1)
    }
}

/// A number that looks like chance, another for every `number`: the finaliser of SplitMix64
/// (<https://doi.org/10.1145/2714064.2660195>).
pub(super) fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// From 0 up to, but not including, 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
fn fraction(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(choice: &Choice, posts: u64) -> Vec<u64> {
        let mut counts = vec![0; choice.upto.len()];
        (0..posts).for_each(|post| counts[choice.channel(post)] += 1);
        counts
    }

    #[test]
    fn without_skew_all_channels_get_about_as_much() {
        for count in counts(&Choice::new(100, 0.0), 100_000) {
            assert!((850..1_150).contains(&count), "{count} of 100,000 over 100 channels");
        }
    }

    #[test]
    fn with_skew_the_second_gets_half_as_much_and_the_tenth_a_tenth() {
        let counts = counts(&Choice::new(1_000, 1.0), 1_000_000);
        let about = |count: u64, expected: u64| count.abs_diff(expected) < expected / 20;
        assert!(about(counts[1], counts[0] / 2), "{} and {}", counts[0], counts[1]);
        assert!(about(counts[9], counts[0] / 10), "{} and {}", counts[0], counts[9]);
    }

    #[test]
    fn one_channel_gets_everything() {
        assert_eq!(counts(&Choice::new(1, 1.0), 1_000), [1_000]);
    }
}
