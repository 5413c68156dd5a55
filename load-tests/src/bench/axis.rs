//! One axis of a plot: from values to places, and what is written beside it.

use super::number::number;

/// How places are dealt out along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    Linear,
    /// Each tenfold takes as much room as the next. Values are positive.
    Logarithmic,
}

/// Linear axes show about so many ticks.
const TICKS: f64 = 5.0;
/// From this quotient of the largest and the smallest value on, a linear axis would hide the small ones.
const WIDE: f64 = 50.0;

/// A titled axis that covers all its values.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) label: String,
    pub(super) ticks: Vec<(f64, String)>,
    scale: Scale,
    low: f64,
    high: f64,
}

impl Axis {
    /// From zero, or from the least value where that is far from zero and `from_zero` is not asked for.
    pub(super) fn linear(label: &str, values: &[f64], from_zero: bool) -> Axis {
        let (least, most) = bounds(values);
        let low = if from_zero { least.min(0.0) } else { least };
        let high = if most > low { most } else { low + 1.0 };
        let step = step((high - low) / TICKS);
        let low = (low / step).floor() * step;
        let high = (high / step).ceil() * step;
        let mut ticks = Vec::new();
        let mut tick = low;
        while tick <= high + step / 2.0 {
            // A sum of steps may miss zero by a hair.
            let value = if tick.abs() < step / 1e6 { 0.0 } else { tick };
            ticks.push((value, number(value)));
            tick += step;
        }
        Axis { label: label.to_owned(), ticks, scale: Scale::Linear, low, high }
    }

    /// Whole tenfolds around all values that are above zero.
    pub(super) fn logarithmic(label: &str, values: &[f64]) -> Axis {
        let positive: Vec<f64> = values.iter().copied().filter(|&value| value > 0.0).collect();
        let (least, most) = if positive.is_empty() { (1.0, 10.0) } else { bounds(&positive) };
        let low = least.log10().floor();
        let high = most.log10().ceil().max(low + 1.0);
        let mut ticks = Vec::new();
        let mut power = low;
        while power <= high {
            let value = 10_f64.powf(power);
            ticks.push((value, number(value)));
            power += 1.0;
        }
        let (low, high) = (10_f64.powf(low), 10_f64.powf(high));
        Axis { label: label.to_owned(), ticks, scale: Scale::Logarithmic, low, high }
    }

    /// Logarithmic where the values differ so much that a linear axis would hide the small ones.
    pub(super) fn fitting(label: &str, values: &[f64]) -> Axis {
        let positive = values.iter().all(|&value| value > 0.0) && !values.is_empty();
        let (least, most) = bounds(values);
        if positive && most / least > WIDE {
            Axis::logarithmic(label, values)
        } else {
            Axis::linear(label, values, true)
        }
    }

    /// Names at the whole numbers from 0, with room for half a place at either end.
    pub(super) fn named(label: &str, names: impl IntoIterator<Item = String>) -> Axis {
        let mut ticks = Vec::new();
        let mut place = 0.0;
        for name in names {
            ticks.push((place, name));
            place += 1.0;
        }
        Axis { label: label.to_owned(), ticks, scale: Scale::Linear, low: -0.5, high: place.max(1.0) - 0.5 }
    }

    /// Where `value` stands: 0 at the axis' beginning, 1 at its end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let along = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => (value.max(self.low) / self.low).log10() / (self.high / self.low).log10(),
        };
        along.clamp(0.0, 1.0)
    }
}

fn bounds(values: &[f64]) -> (f64, f64) {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (least, most) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    if least <= most { (least, most) } else { (0.0, 1.0) }
}

/// The next of 1, 2, 5, 10, 20, 50 … that is at least `rough`.
fn step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    let fits = [1.0, 2.0, 5.0].into_iter().map(|factor| factor * power);
    // A hair of room, so that a step of exactly 2 does not become 5.
    fits.into_iter().find(|&step| step * (1.0 + 1e-9) >= rough).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn a_linear_axis_covers_its_values_in_round_steps_from_zero() {
        let axis = Axis::linear("posts/s", &[310.0, 940.0], true);
        assert_eq!(labels(&axis), ["0", "200", "400", "600", "800", "1,000"]);
        assert!((axis.place(500.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_logarithmic_axis_gives_each_tenfold_the_same_room() {
        let axis = Axis::logarithmic("ms", &[0.5, 400.0]);
        assert_eq!(labels(&axis), ["0.1", "1", "10", "100", "1,000"]);
        assert!((axis.place(1.0) - 0.25).abs() < 1e-9);
        assert!((axis.place(10.0) - 0.5).abs() < 1e-9);
        assert!(axis.place(0.0).abs() < 1e-9, "what cannot be shown stands at the beginning");
    }

    #[test]
    fn the_scale_fits_the_values() {
        assert_eq!(Axis::fitting("ms", &[1.0, 40.0]).scale, Scale::Linear);
        assert_eq!(Axis::fitting("ms", &[1.0, 400.0]).scale, Scale::Logarithmic);
        assert_eq!(Axis::fitting("ms", &[0.0, 400.0]).scale, Scale::Linear);
    }

    #[test]
    fn an_axis_of_one_value_or_none_still_has_a_length() {
        for values in [&[][..], &[0.0], &[7.0], &[f64::NAN]] {
            for axis in [
                Axis::linear("", values, true),
                Axis::linear("", values, false),
                Axis::logarithmic("", values),
            ] {
                assert!(axis.low < axis.high, "{values:?}");
                assert!(axis.ticks.len() >= 2, "{values:?}");
            }
        }
    }

    #[test]
    fn names_stand_in_the_middle_of_equal_parts() {
        let axis = Axis::named("pair", ["1".to_owned(), "2".to_owned()]);
        assert!((axis.place(0.0) - 0.25).abs() < 1e-9);
        assert!((axis.place(1.0) - 0.75).abs() < 1e-9);
    }
}
