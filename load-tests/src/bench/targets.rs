//! The goals, each with the run and the figure that decides it.

use super::figure::{Spread, pick};
use super::results::{Found, Results};

/// Where a goal's figure comes from: pointers into the figures of a run (see [`pick`]).
#[derive(Debug)]
pub(super) enum Figure {
    /// As it is; of several values, one for each pair, their median.
    Of(&'static str),
    /// The first for each of the second, pair by pair.
    Quotient(&'static str, &'static str),
    /// The first, less the second, pair by pair.
    Difference(&'static str, &'static str),
}

#[derive(Debug)]
pub(super) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
    /// At most one commit, in milliseconds: what the calibration took to force a page to the disk.
    OneCommit,
}

#[derive(Debug)]
pub(super) struct Target {
    /// A few words, for the picture.
    pub(super) short: &'static str,
    pub(super) claim: &'static str,
    pub(super) run: &'static str,
    pub(super) figure: Figure,
    pub(super) bound: Bound,
    /// Behind the numbers, with its space: ` ms`.
    pub(super) unit: &'static str,
}

/// What became of a target.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) target: &'static Target,
    /// `None` where it was not measured.
    pub(super) spread: Option<Spread>,
    /// The bound as a number, if it is known.
    pub(super) bound: Option<f64>,
}

impl Verdict {
    /// Decided by the median.
    pub(super) fn met(&self) -> Option<bool> {
        let (median, bound) = (self.spread.as_ref()?.median, self.bound?);
        Some(match self.target.bound {
            Bound::AtLeast(_) => median >= bound,
            Bound::AtMost(_) | Bound::OneCommit => median <= bound,
            Bound::Below(_) => median < bound,
        })
    }

    /// How many times better than asked for; `None` where that is no quotient.
    pub(super) fn times(&self) -> Option<f64> {
        let (median, bound) = (self.spread.as_ref()?.median, self.bound?);
        let times = match self.target.bound {
            Bound::AtLeast(_) => median / bound,
            _ => bound / median,
        };
        (bound > 0.0 && median > 0.0 && times.is_finite()).then_some(times)
    }
}

/// All of `targets`, in their order.
pub(super) fn judge(targets: &'static [Target], results: &Results) -> Vec<Verdict> {
    let commit = || {
        let samples = results.calibrations().into_iter().map(|(_, sample)| 1_000.0 / sample.disk);
        Spread::of(samples.collect()).map(|spread| spread.median)
    };
    let verdict = |target: &'static Target| {
        let values = results.found(target.run).map(|found| values(&target.figure, found));
        let bound = match target.bound {
            Bound::AtLeast(bound) | Bound::AtMost(bound) | Bound::Below(bound) => Some(bound),
            Bound::OneCommit => commit(),
        };
        Verdict { target, spread: values.and_then(Spread::of), bound }
    };
    targets.iter().map(verdict).collect()
}

fn values(figure: &Figure, found: &Found) -> Vec<f64> {
    let both = |one: &str, other: &str, of: fn(f64, f64) -> f64| {
        let (one, other) = (pick(&found.figures, one), pick(&found.figures, other));
        // Pairs that are not whole would be compared with the wrong turn.
        if one.len() != other.len() {
            return Vec::new();
        }
        one.into_iter().zip(other).map(|(one, other)| of(one, other)).collect()
    };
    let values = match figure {
        Figure::Of(pointer) => pick(&found.figures, pointer),
        Figure::Quotient(one, other) => both(one, other, |one, other| one / other),
        Figure::Difference(one, other) => both(one, other, |one, other| one - other),
    };
    if values.iter().all(|value| value.is_finite()) { values } else { Vec::new() }
}

pub(super) const TARGETS: &[Target] = &[
    Target {
        short: "durable posts/s, beside bare inserts",
        claim: "Durable posts a second on 64 connections, for each of pgbench's bare inserts",
        run: "post",
        figure: Figure::Of("/ratios"),
        bound: Bound::AtLeast(0.5),
        unit: " ×",
    },
    Target {
        short: "catching up from memory, frames/s",
        claim: "Frames a second to 1,000 clients who each missed 1,000 events, from memory",
        run: "resume",
        figure: Figure::Of("/memory_sse/rounds/*/frames_per_second"),
        bound: Bound::AtLeast(300_000.0),
        unit: "",
    },
    Target {
        short: "catching up from the log, frames/s",
        claim: "The same from the log, after the server was killed",
        run: "resume",
        figure: Figure::Of("/log_sse/rounds/*/frames_per_second"),
        bound: Bound::AtLeast(300_000.0),
        unit: "",
    },
    Target {
        short: "history page p99, long channel",
        claim: "p99 of a history page at 1,000,000 messages, for that at 1,000",
        run: "history",
        figure: Figure::Of("/p99_ratios_by_round"),
        bound: Bound::AtMost(1.3),
        unit: " ×",
    },
    Target {
        short: "rebuild, events/s",
        claim: "Events a second of a rebuild",
        run: "rebuild",
        figure: Figure::Of("/turns/*/events_per_second"),
        bound: Bound::AtLeast(50_000.0),
        unit: "",
    },
];
