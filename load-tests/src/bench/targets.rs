//! The goals, each with the run and the figure that decides it.

use super::figure::{Spread, pick};
use super::results::{Found, Results};

/// Where a goal's figure comes from: pointers into the figures of a run (see [`pick`]).
#[derive(Debug)]
pub(super) enum Figure {
    /// As it is; of several values, one for each pair, their median.
    Of(&'static str),
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
    let values = match figure {
        Figure::Of(pointer) => pick(&found.figures, pointer),
        Figure::Difference(one, other) => {
            let (one, other) = (pick(&found.figures, one), pick(&found.figures, other));
            // Pairs that are not whole would be compared with the wrong turn.
            let whole = one.len() == other.len();
            one.into_iter().zip(other).filter(|_| whole).map(|(one, other)| one - other).collect()
        }
    };
    if values.iter().all(|value| value.is_finite()) { values } else { Vec::new() }
}

pub(super) const TARGETS: &[Target] = &[
    Target {
        short: "deliveries/s, 1,000 readers",
        claim: "Deliveries a second to 1,000 SSE readers, as fast as it goes, times nchan's",
        run: "fanout-1000",
        figure: Figure::Of("/pairs/deliveries_per_second/ratios"),
        bound: Bound::AtLeast(3.0),
        unit: " ×",
    },
    Target {
        short: "deliveries/s, 100 readers",
        claim: "Deliveries a second to 100 SSE readers, as fast as it goes, times nchan's",
        run: "fanout-100",
        figure: Figure::Of("/pairs/deliveries_per_second/ratios"),
        bound: Bound::AtLeast(2.0),
        unit: " ×",
    },
    Target {
        short: "deliveries/s, 5,000 readers",
        claim: "Deliveries a second to 5,000 SSE readers, as fast as it goes, times nchan's",
        run: "fanout-5000",
        figure: Figure::Of("/pairs/deliveries_per_second/ratios"),
        bound: Bound::AtLeast(2.0),
        unit: " ×",
    },
    Target {
        short: "CPU for each delivery, paced",
        claim: "CPU for each delivery at 50 messages a second to 1,000 readers, times nchan's",
        run: "fanout-paced",
        figure: Figure::Of("/pairs/cpu_us_per_delivery/ratios"),
        bound: Bound::Below(1.0),
        unit: " ×",
    },
    Target {
        short: "latency above nchan's, paced",
        claim: "p99 at 50 messages a second to 1,000 readers, less nchan's; allowed is one commit: a page forced to the disk",
        run: "fanout-paced",
        figure: Figure::Difference("/pairs/p99_ms/products", "/pairs/p99_ms/peers"),
        bound: Bound::OneCommit,
        unit: " ms",
    },
    Target {
        short: "p99 at 2,000 posts/s",
        claim: "p99 of one channel at 2,000 durable posts a second to 1,000 readers",
        run: "fanout-2000",
        figure: Figure::Of("/pairs/p99_ms/products"),
        bound: Bound::Below(50.0),
        unit: " ms",
    },
    Target {
        short: "lost at 2,000 posts/s",
        claim: "Deliveries lost there",
        run: "fanout-2000",
        figure: Figure::Of("/product/faults/missed"),
        bound: Bound::AtMost(0.0),
        unit: "",
    },
    Target {
        short: "memory of an idle reader",
        claim: "Memory of the server for an idle SSE reader, of the second 5,000 of 10,000, times nchan's",
        run: "idle",
        figure: Figure::Of("/ratio"),
        bound: Bound::AtMost(1.0),
        unit: " ×",
    },
    Target {
        short: "durable posts/s, beside bare inserts",
        claim: "Durable posts a second on 64 connections, times pgbench's bare inserts",
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
        short: "storm, spread: all live",
        claim: "5,000 clients come back spread over 10 s: all live, from when the last may come back",
        run: "storm",
        figure: Figure::Of("/spread/live_after_last_seconds"),
        bound: Bound::AtMost(5.0),
        unit: " s",
    },
    Target {
        short: "storm, spread: others' p99",
        claim: "p99 of others' requests meanwhile",
        run: "storm",
        figure: Figure::Of("/spread/others/all/p99_ms"),
        bound: Bound::Below(250.0),
        unit: " ms",
    },
    Target {
        short: "storm, as the SDK: all live",
        claim: "5,000 clients come back as the SDK does: all live, from when the last may come back",
        run: "storm",
        figure: Figure::Of("/sdk/live_after_last_seconds"),
        bound: Bound::AtMost(5.0),
        unit: " s",
    },
    Target {
        short: "storm, as the SDK: others' p99",
        claim: "p99 of others' requests meanwhile",
        run: "storm",
        figure: Figure::Of("/sdk/others/all/p99_ms"),
        bound: Bound::Below(250.0),
        unit: " ms",
    },
    Target {
        short: "storm, at once: all live",
        claim: "5,000 clients come back all at once: all live, from when the last may come back",
        run: "storm",
        figure: Figure::Of("/at_once/live_after_last_seconds"),
        bound: Bound::AtMost(5.0),
        unit: " s",
    },
    Target {
        short: "storm, at once: others' p99",
        claim: "p99 of others' requests meanwhile",
        run: "storm",
        figure: Figure::Of("/at_once/others/all/p99_ms"),
        bound: Bound::Below(250.0),
        unit: " ms",
    },
    Target {
        short: "storm, after a kill: all live",
        claim: "5,000 clients come back after the server was killed: all live, from when the last may come back",
        run: "storm",
        figure: Figure::Of("/kill/live_after_last_seconds"),
        bound: Bound::AtMost(5.0),
        unit: " s",
    },
    Target {
        short: "storm, after a kill: others' p99",
        claim: "p99 of others' requests meanwhile",
        run: "storm",
        figure: Figure::Of("/kill/others/all/p99_ms"),
        bound: Bound::Below(250.0),
        unit: " ms",
    },
    Target {
        short: "storm: missed",
        claim: "Messages missed over all storms",
        run: "storm",
        figure: Figure::Of("/read/missed"),
        bound: Bound::AtMost(0.0),
        unit: "",
    },
    Target {
        short: "history page p99, long channel",
        claim: "p99 of a history page at 1,000,000 messages, times that at 1,000",
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bench::plan::PLAN;

    fn found(figures: serde_json::Value) -> Found {
        Found { figures, tables: Vec::new(), plots: Vec::new(), notes: Vec::new() }
    }

    fn verdict(bound: Bound, value: f64) -> (Option<bool>, Option<f64>) {
        let limit = match bound {
            Bound::AtLeast(limit) | Bound::AtMost(limit) | Bound::Below(limit) => limit,
            Bound::OneCommit => 2.0,
        };
        let figure = Figure::Of("/figure");
        let target: &'static Target =
            Box::leak(Box::new(Target { short: "", claim: "", run: "", figure, bound, unit: "" }));
        let verdict = Verdict { target, spread: Spread::of(vec![value]), bound: Some(limit) };
        (verdict.met(), verdict.times())
    }

    #[test]
    fn a_bound_is_met_at_its_edge_unless_it_must_be_undercut() {
        assert_eq!(verdict(Bound::AtLeast(3.0), 3.0), (Some(true), Some(1.0)));
        assert_eq!(verdict(Bound::AtLeast(3.0), 2.999).0, Some(false));
        assert_eq!(verdict(Bound::AtMost(1.3), 1.3).0, Some(true));
        assert_eq!(verdict(Bound::AtMost(1.3), 1.301).0, Some(false));
        assert_eq!(verdict(Bound::Below(50.0), 50.0).0, Some(false));
        assert_eq!(verdict(Bound::Below(50.0), 25.0), (Some(true), Some(2.0)));
        assert_eq!(verdict(Bound::OneCommit, 2.0).0, Some(true));
    }

    #[test]
    fn what_has_no_quotient_is_still_judged() {
        assert_eq!(verdict(Bound::AtMost(0.0), 0.0), (Some(true), None));
        assert_eq!(verdict(Bound::AtMost(0.0), 1.0), (Some(false), None));
        assert_eq!(verdict(Bound::OneCommit, -0.5), (Some(true), None));
    }

    #[test]
    fn differences_are_those_of_whole_pairs() {
        let figure = Figure::Difference("/ours", "/theirs");
        let values = |figures| values(&figure, &found(figures));
        assert_eq!(values(json!({"ours": [5.0, 7.0], "theirs": [4.0, 8.0]})), [1.0, -1.0]);
        assert!(values(json!({"ours": [5.0, 7.0], "theirs": [4.0]})).is_empty());
        assert!(values(json!({"ours": [5.0, 7.0]})).is_empty());
    }

    #[test]
    fn every_target_is_of_a_run_of_the_plan() {
        for target in TARGETS {
            assert!(PLAN.iter().any(|run| run.name == target.run), "{}", target.claim);
        }
    }
}
