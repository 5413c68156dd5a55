//! Whether a measure is flat, by rules that are stated before the run.
//!
//! - Memory: the Theil–Sen slope, the median of the slopes of all pairs of samples, is at most [`SLOPE`]. It is not moved
//!   by single samples, and a leak of a few dozen bytes a post shows within the hour.
//!   Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", 1968.
//! - Open files: the median of the last third is at most [`DESCRIPTORS`] above that of the first.
//! - Latencies: the median p99 of the last third is at most [`RATIO`] times that of the first.
//!
//! The first tenth is left out: connections are opened and caches are filled there. Slopes and ratios of less than
//! [`SHORTEST`] are shown and not judged.

use std::time::Duration;

use serde::Serialize;

use super::meters::Sample;
use crate::statistics::median;

/// Kibibytes a minute.
const SLOPE: f64 = 100.0;
const DESCRIPTORS: f64 = 8.0;
const RATIO: f64 = 1.5;
const SHORTEST: Duration = Duration::from_secs(600);

/// How one measure went.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Judgement {
    pub(super) measure: &'static str,
    pub(super) unit: &'static str,
    /// The medians of the first and of the last third.
    pub(super) first: f64,
    pub(super) last: f64,
    pub(super) slope_per_minute: f64,
    pub(super) rule: String,
    /// `None` where the run was too short to tell.
    pub(super) flat: Option<bool>,
}

#[derive(Clone, Copy)]
enum Rule {
    Slope,
    Difference,
    Ratio,
}

type Measure = (&'static str, &'static str, Rule, fn(&Sample) -> Option<f64>);

const MEASURES: [Measure; 7] = [
    ("server RSS", "KiB", Rule::Slope, |s| s.memory.server.map(|memory| kibibytes(memory.rss_bytes))),
    ("Postgres private", "KiB", Rule::Slope, |s| s.postgres_private.map(kibibytes)),
    ("server's open files", "", Rule::Difference, |s| s.descriptors.map(f64::from)),
    ("p99 of a post", "ms", Rule::Ratio, |s| timed(&s.posts)),
    ("p99 to a stream", "ms", Rule::Ratio, |s| timed(&s.streams)),
    ("p99 to a poll", "ms", Rule::Ratio, |s| timed(&s.polls)),
    ("p99 of a page", "ms", Rule::Ratio, |s| timed(&s.pages)),
];

fn timed(summary: &crate::statistics::Summary) -> Option<f64> {
    (summary.count > 0).then_some(summary.p99_ms)
}

#[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^52")]
fn kibibytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0
}

/// Judges all measures that could be taken.
pub(super) fn judge(samples: &[Sample], duration: Duration) -> Vec<Judgement> {
    let samples = &samples[samples.len() / 10..];
    let judged = MEASURES.iter().filter_map(|(measure, unit, rule, of)| {
        let points: Vec<(f64, f64)> =
            samples.iter().filter_map(|sample| Some((sample.minutes, of(sample)?))).collect();
        let third = points.len() / 3;
        let middle = |points: &[(f64, f64)]| median(&points.iter().map(|(_, y)| *y).collect::<Vec<f64>>());
        let (first, last) = (middle(points.get(..third)?)?, middle(&points[points.len() - third..])?);
        let slope_per_minute = theil_sen(&points)?;
        let (rule, is_flat) = match rule {
            Rule::Slope => (format!("slope at most {SLOPE} KiB/min"), slope_per_minute <= SLOPE),
            Rule::Difference => (format!("at most {DESCRIPTORS} more"), last - first <= DESCRIPTORS),
            Rule::Ratio => (format!("at most {RATIO} times"), last <= first * RATIO),
        };
        let flat = (duration >= SHORTEST).then_some(is_flat);
        Some(Judgement { measure, unit, first, last, slope_per_minute, rule, flat })
    });
    judged.collect()
}

/// The median of the slopes of all pairs; `None` of fewer than two points.
fn theil_sen(points: &[(f64, f64)]) -> Option<f64> {
    let pairs =
        points.iter().enumerate().flat_map(|(n, one)| points[..n].iter().map(move |other| (one, other)));
    let slopes: Vec<f64> =
        pairs.map(|((x, y), (u, v))| (y - v) / (x - u)).filter(|s| s.is_finite()).collect();
    median(&slopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::footprint::Footprint;
    use crate::process::Memory;
    use crate::statistics::Latencies;
    use crate::usage::Usage;

    const HOUR: Duration = Duration::from_secs(3_600);

    /// An hour of samples, of which each minute `n` has `server(n)` KiB and posts that take `post(n)` ms.
    fn hour(server: impl Fn(u64) -> u64, post: impl Fn(u64) -> u64) -> Vec<Sample> {
        let sample = |n: u32| {
            let mut posts = Latencies::new();
            posts.record(Duration::from_millis(post(n.into())));
            let none = Latencies::new().summary();
            let memory = Memory { rss_bytes: server(n.into()) * 1024, pss_bytes: 0 };
            Sample {
                minutes: n.into(),
                memory: Footprint { server: Some(memory), postgres: None },
                postgres_private: None,
                descriptors: Some(n / 20 * 9),
                posts: posts.summary(),
                streams: none.clone(),
                polls: none.clone(),
                pages: none,
                usage: Usage::default(),
            }
        };
        (0..60).map(sample).collect()
    }

    fn flat(samples: &[Sample], measure: &str) -> Option<bool> {
        judge(samples, HOUR).iter().find(|judgement| judgement.measure == measure).unwrap().flat
    }

    #[test]
    fn a_slope_up_to_the_limit_is_flat_and_one_above_is_not() {
        assert_eq!(flat(&hour(|n| 90_000 + 100 * n, |_| 5), "server RSS"), Some(true));
        assert_eq!(flat(&hour(|n| 90_000 + 101 * n, |_| 5), "server RSS"), Some(false));
        assert_eq!(flat(&hour(|n| 90_000 - 100 * n, |_| 5), "server RSS"), Some(true));
    }

    #[test]
    fn single_peaks_and_the_first_tenth_say_nothing() {
        let peaks = |n| if n == 30 || n == 59 { 500_000 } else { 90_000 };
        assert_eq!(flat(&hour(peaks, |_| 5), "server RSS"), Some(true));
        assert_eq!(flat(&hour(|n| if n < 6 { 0 } else { 90_000 }, |_| 5), "server RSS"), Some(true));
    }

    #[test]
    fn latencies_may_grow_by_half() {
        assert_eq!(flat(&hour(|_| 1, |n| if n < 30 { 100 } else { 149 }), "p99 of a post"), Some(true));
        assert_eq!(flat(&hour(|_| 1, |n| if n < 30 { 100 } else { 152 }), "p99 of a post"), Some(false));
    }

    #[test]
    fn files_that_stay_open_are_seen() {
        assert_eq!(flat(&hour(|_| 1, |_| 1), "server's open files"), Some(false));
    }

    #[test]
    fn what_was_not_measured_or_too_short_is_not_judged() {
        let samples = hour(|_| 1, |_| 1);
        let short = judge(&samples, Duration::from_secs(599));
        assert!(short.iter().all(|judgement| judgement.flat.is_none()));
        assert!(short.iter().all(|judgement| judgement.measure != "p99 of a page"));
        assert!(judge(&[], HOUR).is_empty());
        assert!(judge(&samples[..2], HOUR).is_empty());
    }

    #[test]
    fn the_slope_is_that_of_most_pairs() {
        assert_eq!(theil_sen(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0), (3.0, 7.0), (4.0, 70.0)]), Some(2.0));
        assert_eq!(theil_sen(&[(1.0, 1.0)]), None);
        assert_eq!(theil_sen(&[(1.0, 1.0), (1.0, 2.0)]), None);
    }
}
