//! The report of a soak.

use anyhow::Result;
use serde_json::json;

use super::meters::Sample;
use super::verdict::{Judgement, judge};
use super::{AtRest, Found, Options};
use crate::footprint::Footprint;
use crate::report::{Machine, Plot, Report, Series, Table};

pub(super) fn report(
    machine: Machine,
    options: &Options,
    found: &Found,
    [before, after]: [AtRest; 2],
) -> Result<Report> {
    let Found { samples, delivery, written, resumed, failures, failure, pages, usage } = found;
    let judgements = judge(samples, options.duration());
    let returned = after.has_returned_to(&before);
    let flat = judgements.iter().map(|judgement| judgement.flat).collect::<Option<Vec<bool>>>();
    let all_flat = flat.map(|flat| flat.into_iter().all(|flat| flat) && returned);
    let mut notes = machine.doubts(usage);
    notes.push(match all_flat {
        Some(true) => "everything stayed flat".to_owned(),
        Some(false) => "not everything stayed flat".to_owned(),
        None => "less than ten minutes are too short to tell whether a measure is flat".to_owned(),
    });
    if !returned {
        notes.push("sockets or subscriptions are left when all clients have gone".to_owned());
    }
    notes.push(
        "connections to the database are kept: they may make more files than there were before".to_owned(),
    );
    notes.extend(failure.iter().map(|failure| format!("a follower's connection failed: {failure}")));
    let ledger = &written.ledger;
    let count = |name: &str, count: u64| vec![name.to_owned(), count.to_string()];
    Ok(Report {
        scenario: "soak",
        notes,
        machine,
        settings: serde_json::to_value(options)?,
        figures: json!({
            "held": all_flat, "judgements": judgements, "delivery": delivery, "posts": ledger.posts,
            "edits": ledger.edited.len(), "deletions": ledger.deleted.len(), "pages": pages, "resumed": resumed,
            "failures": {"posts": written.failures, "followers": failures}, "at_rest": [before, after],
            "returned": returned, "usage": usage, "samples": samples,
        }),
        tables: vec![
            Table::new("What happened", ["", "count"])
                .row(count("posts", ledger.posts))
                .row(count("edits", ledger.edited.len() as u64))
                .row(count("deletions", ledger.deleted.len() as u64))
                .row(count("frames delivered", delivery.frames))
                .row(count("of these lost", delivery.lost))
                .row(count("of these twice", delivery.repeated))
                .row(count("resumes from a cursor", *resumed))
                .row(count("pages read", *pages))
                .row(count("posts that were sent again", written.failures))
                .row(count("connections refused or broken", *failures)),
            Table::new("The first and the last third", ["", "first", "last", "slope a minute", "rule", ""])
                .rows(judgements.iter().map(row)),
            Table::new("CPU", ["", "CPU", "cores", "a frame"]).rows(usage.rows(delivery.frames)),
            Footprint::table([("before", before.memory), ("after all had gone", after.memory)]),
            Table::new("What the server holds", ["", "open files", "network sockets", "live subscriptions"])
                .rows([("before", before), ("after all had gone", after)].map(held)),
        ],
        plots: plots(samples),
    })
}

fn held((when, at): (&str, AtRest)) -> Vec<String> {
    let counts = [at.descriptors.map(f64::from), at.network_sockets.map(f64::from), at.subscriptions];
    let count = |count: Option<f64>| count.map(|count| count.to_string()).unwrap_or_default();
    [vec![when.to_owned()], counts.map(count).to_vec()].concat()
}

fn row(judgement: &Judgement) -> Vec<String> {
    let Judgement { measure, unit, first, last, slope_per_minute, rule, flat } = judgement;
    let said = match flat {
        Some(true) => "flat",
        Some(false) => "NOT FLAT",
        None => "",
    };
    let name = if unit.is_empty() { (*measure).to_owned() } else { format!("{measure}, {unit}") };
    let figures = [first, last, slope_per_minute].map(|figure| format!("{figure:.2}"));
    [vec![name], figures.to_vec(), vec![rule.clone(), said.to_owned()]].concat()
}

fn plots(samples: &[Sample]) -> Vec<Plot> {
    let plot = |title: &str, y_label: &str, series: Vec<Series>| Plot {
        title: title.to_owned(),
        x_label: "minutes".to_owned(),
        y_label: y_label.to_owned(),
        series: series.into_iter().filter(|series| !series.points.is_empty()).collect(),
    };
    let series = |name: &str, of: &dyn Fn(&Sample) -> Option<f64>| Series {
        name: name.to_owned(),
        points: samples.iter().filter_map(|sample| Some((sample.minutes, of(sample)?))).collect(),
    };
    let mut plots = vec![
        plot(
            "Memory",
            "MiB",
            vec![
                series("server RSS", &|s| s.memory.server.map(|memory| mebibytes(memory.rss_bytes))),
                series("Postgres PSS", &|s| s.memory.postgres.map(|memory| mebibytes(memory.pss_bytes))),
                series("Postgres private", &|s| s.postgres_private.map(mebibytes)),
            ],
        ),
        plot("Open files", "files", vec![series("server", &|s| s.descriptors.map(f64::from))]),
        plot(
            "CPU",
            "cores",
            vec![
                series("server", &|s| Some(s.usage.server_seconds? / s.usage.wall_seconds)),
                series("Postgres", &|s| Some(s.usage.postgres_seconds? / s.usage.wall_seconds)),
                series("load generator", &|s| Some(s.usage.load_seconds? / s.usage.wall_seconds)),
            ],
        ),
    ];
    type Of = fn(&Sample) -> &crate::statistics::Summary;
    let timed: [(&str, Of); 4] = [
        ("A post", |s| &s.posts),
        ("A post's way to a stream", |s| &s.streams),
        ("A post's way to a poll", |s| &s.polls),
        ("A page", |s| &s.pages),
    ];
    plots.extend(timed.map(|(title, of)| {
        let p50 = series("p50", &|s| (of(s).count > 0).then(|| of(s).p50_ms));
        let p99 = series("p99", &|s| (of(s).count > 0).then(|| of(s).p99_ms));
        plot(title, "ms", vec![p50, p99])
    }));
    plots
}

#[expect(clippy::cast_precision_loss, reason = "a rounded figure for people")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
