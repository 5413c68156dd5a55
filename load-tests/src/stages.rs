//! Where the time of a post goes, from the server's own metrics: how long each stage took, before and after a turn.

use std::collections::HashMap;

use serde::Serialize;

/// The histograms of a post's way, in its order: what it is called here, and its series in the metrics.
const STAGES: [(&str, &str, &str); 10] = [
    ("head to handler: edge, limits, auth", "echoverse_command_stage_seconds", "{stage=\"arrive\"}"),
    ("reading and checking the body", "echoverse_command_stage_seconds", "{stage=\"body\"}"),
    ("a key for the text", "echoverse_command_stage_seconds", "{stage=\"key\"}"),
    ("states, permissions, decision", "echoverse_command_stage_seconds", "{stage=\"decide\"}"),
    ("sealing", "echoverse_command_stage_seconds", "{stage=\"seal\"}"),
    ("the append, until it is durable", "echoverse_command_stage_seconds", "{stage=\"append\"}"),
    ("  of it, waiting for the appender", "log_append_queue_seconds", ""),
    ("  a batch: until it has the lock", "log_append_lock_seconds", ""),
    ("  a batch: until it is inserted", "log_append_insert_seconds", ""),
    ("  a batch: until it is committed", "log_append_commit_seconds", ""),
];
const WHOLE: (&str, &str) = (
    "echoverse_http_request_seconds",
    "{method=\"POST\",route=\"/v1/channels/{id}/messages\",status=\"201\"}",
);
/// Such a stage is a part of one before it; the others follow one another and make up the whole, with what is left.
const PART: &str = "  ";

/// What the metrics said at one time.
#[derive(Debug)]
pub(crate) struct Reading(HashMap<String, f64>);

/// One stage over a stretch of time.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Stage {
    pub(crate) stage: String,
    pub(crate) count: f64,
    pub(crate) mean_us: f64,
    /// The histogram's bound that 99 of 100 stay below, where it has buckets that far.
    pub(crate) p99_below_us: Option<f64>,
}

impl Reading {
    /// Reads the text of `/metrics`.
    pub(crate) fn of(text: &str) -> Reading {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let values = lines.filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            Some((series.to_owned(), value.parse().ok()?))
        });
        Reading(values.collect())
    }

    /// The stages of the posts between `earlier` and this.
    pub(crate) fn since(&self, earlier: &Reading) -> Vec<Stage> {
        let named = |(stage, name, labels): &(&str, &str, &str)| self.stage(earlier, stage, name, labels);
        let mut stages: Vec<Stage> = STAGES.iter().filter_map(named).collect();
        let Some(whole) = self.stage(earlier, "the whole request", WHOLE.0, WHOLE.1) else { return stages };
        let in_turn = stages.iter().filter(|stage| !stage.stage.starts_with(PART));
        let known: f64 = in_turn.map(|stage| stage.mean_us).sum();
        let rest = "the rest: waking, writing the answer".to_owned();
        let mean_us = (whole.mean_us - known).max(0.0);
        stages.push(Stage { stage: rest, count: whole.count, mean_us, p99_below_us: None });
        stages.push(whole);
        stages
    }

    fn stage(&self, earlier: &Reading, stage: &str, name: &str, labels: &str) -> Option<Stage> {
        let grown = |series: &str| {
            let now = self.0.get(series)?;
            Some(now - earlier.0.get(series).copied().unwrap_or_default())
        };
        let count = grown(&format!("{name}_count{labels}")).filter(|count| *count > 0.0)?;
        let seconds = grown(&format!("{name}_sum{labels}"))?;
        let bucket = format!("{name}_bucket{{{}", labels.trim_matches(['{', '}']));
        let bounds = self.0.keys().filter_map(|series| {
            let bound = series.strip_prefix(&bucket)?.trim_start_matches(',').strip_prefix("le=\"")?;
            let bound: f64 = bound.strip_suffix("\"}")?.parse().ok()?;
            (grown(series)? >= 0.99 * count).then_some(bound)
        });
        let p99 = bounds.fold(f64::INFINITY, f64::min);
        Some(Stage {
            stage: stage.to_owned(),
            count,
            mean_us: seconds * 1e6 / count,
            p99_below_us: p99.is_finite().then_some(p99 * 1e6),
        })
    }
}

impl Stage {
    pub(crate) fn cells(&self) -> Vec<String> {
        let p99 = self.p99_below_us.map(|bound| format!("< {:.1} ms", bound / 1e3)).unwrap_or_default();
        vec![self.stage.clone(), format!("{:.0}", self.count), format!("{:.1} µs", self.mean_us), p99]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "# TYPE echoverse_command_stage_seconds histogram\n\
        echoverse_command_stage_seconds_bucket{stage=\"body\",le=\"0.001\"} 10\n\
        echoverse_command_stage_seconds_sum{stage=\"body\"} 0.5\n\
        echoverse_command_stage_seconds_count{stage=\"body\"} 10\n";
    const AFTER: &str = "echoverse_command_stage_seconds_bucket{stage=\"body\",le=\"0.001\"} 12\n\
        echoverse_command_stage_seconds_bucket{stage=\"body\",le=\"0.0025\"} 14\n\
        echoverse_command_stage_seconds_bucket{stage=\"body\",le=\"+Inf\"} 14\n\
        echoverse_command_stage_seconds_sum{stage=\"body\"} 0.504\n\
        echoverse_command_stage_seconds_count{stage=\"body\"} 14\n\
        echoverse_http_request_seconds_sum{method=\"POST\",route=\"/v1/channels/{id}/messages\",status=\"201\"} 0.008\n\
        echoverse_http_request_seconds_count{method=\"POST\",route=\"/v1/channels/{id}/messages\",status=\"201\"} 4\n";

    #[test]
    fn stages_are_what_was_added_between_two_readings() {
        let stages = Reading::of(AFTER).since(&Reading::of(BEFORE));
        let told: Vec<_> = stages.iter().map(|stage| (stage.count, stage.mean_us.round())).collect();
        assert_eq!(told, [(4.0, 1_000.0), (4.0, 1_000.0), (4.0, 2_000.0)]);
        // Four took part, two within a millisecond and four within two and a half.
        assert_eq!(stages[0].p99_below_us.map(f64::round), Some(2_500.0));
    }

    #[test]
    fn what_did_not_happen_has_no_stage() {
        assert!(Reading::of(AFTER).since(&Reading::of(AFTER)).is_empty());
    }
}
