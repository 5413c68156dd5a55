//! What the turns found, as tables, figures and curves.

use anyhow::Result;
use serde_json::{Value, json};

use super::Options;
use super::turn::Turned;
use crate::footprint::Footprint;
use crate::report::{Machine, Plot, Report, Table};
use crate::statistics::Summary;
use crate::usage::Usage;

const OWN: &str = "a few of many channels";
const ALL: &str = "one channel that all see";

pub(super) fn report(
    machine: Machine,
    options: &Options,
    own: &Turned,
    all: Option<&Turned>,
    memory: [(&'static str, Footprint); 3],
    plots: Vec<Plot>,
) -> Result<Report> {
    let turns: Vec<(&str, &Turned)> = [(OWN, Some(own)), (ALL, all)]
        .into_iter()
        .filter_map(|(name, turned)| turned.map(|turned| (name, turned)))
        .collect();
    let mut usage = Usage::default();
    let columns = ["", "posts", "posts/s", "deliveries", "deliveries/s", "a post goes to"];
    let mut rates = Table::new("Rates", columns);
    let mut latencies = Table::new("From when a post was due", ["", ""].into_iter().chain(Summary::COLUMNS));
    let columns = ["", "", "in all", "for each post", "for each delivery"];
    let mut costs = Table::new("CPU, and context switches of the server", columns);
    let solved = all.map(|all| Cost::both(own, all));
    for (name, turned) in &turns {
        usage.add(&turned.usage);
        rates = rates.row(vec![
            (*name).to_owned(),
            turned.posts.to_string(),
            format!("{:.0}", turned.posts_per_second()),
            turned.deliveries.to_string(),
            format!("{:.0}", turned.deliveries_per_second()),
            format!("{:.1}", count(turned.deliveries) / count(turned.posts).max(1.0)),
        ]);
        let kinds =
            [("delivered", &turned.delivered), ("answered", &turned.answered), ("sent", &turned.late)];
        for (number, (kind, found)) in kinds.into_iter().enumerate() {
            let name = if number == 0 { *name } else { "" };
            latencies =
                latencies.row([vec![name.to_owned(), kind.to_owned()], found.summary().cells()].concat());
        }
        costs = costs.rows(cost_rows(name, turned));
    }
    if let Some(solved) = &solved {
        let cell = |value: Option<f64>, unit: &str| {
            value.map(|value| format!("{value:.2}{unit}")).unwrap_or_default()
        };
        let row = |what: &str, cost: &Cost, unit: &str| {
            let mut row = vec!["alone, from both".to_owned(), what.to_owned(), String::new()];
            row.extend([cell(cost.post, unit), cell(cost.delivery, unit)]);
            row
        };
        costs = costs.row(row("CPU", &solved.0, " µs")).row(row("switches", &solved.1, ""));
    }
    let mut notes = machine.doubts(&usage);
    notes.push("every subscriber got exactly the messages of its channels, once and in one order".to_owned());
    if solved.is_some() {
        notes.push(
            "\"alone, from both\": what one post and one delivery cost, if both turns paid the same for each"
                .to_owned(),
        );
    }
    let each = usize::from(options.communities) * usize::from(options.channels);
    notes.push(format!("{each} channels, {} for each subscriber", options.channels));
    Ok(Report {
        scenario: "many-channels",
        machine,
        settings: serde_json::to_value(options)?,
        figures: json!({
            "own": figure(own), "all": all.map(figure),
            "from_both": solved.map(|(cpu, switches)| json!({
                "cpu_us_per_post": cpu.post, "cpu_us_per_delivery": cpu.delivery,
                "switches_per_post": switches.post, "switches_per_delivery": switches.delivery,
            })),
            "missed": 0, "repeated": 0, "strayed": 0,
            "memory": memory.iter().map(|(when, size)| json!([when, size])).collect::<Vec<_>>(),
        }),
        tables: vec![rates, latencies, costs, Footprint::table(memory)],
        plots,
        notes,
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn count(number: u64) -> f64 {
    number as f64
}

/// CPU seconds of the server and its Postgres.
fn cpu(turned: &Turned) -> Option<f64> {
    Some(turned.usage.server_seconds? + turned.usage.postgres_seconds.unwrap_or_default())
}

fn cost_rows(name: &str, turned: &Turned) -> Vec<Vec<String>> {
    let (posts, deliveries) = (count(turned.posts).max(1.0), count(turned.deliveries).max(1.0));
    let Usage { server_seconds, postgres_seconds, load_seconds, .. } = turned.usage;
    let sides =
        [("server", server_seconds), ("postgres", postgres_seconds), ("load generator", load_seconds)];
    let times = sides.into_iter().filter_map(|(side, seconds)| {
        let seconds = seconds?;
        let (post, delivery) = (seconds * 1e6 / posts, seconds * 1e6 / deliveries);
        Some([
            side.to_owned(),
            format!("{seconds:.2} s"),
            format!("{post:.0} µs"),
            format!("{delivery:.2} µs"),
        ])
    });
    let switches = turned.switches.map(count).map(|switches| {
        let (post, delivery) = (switches / posts, switches / deliveries);
        ["switches".to_owned(), format!("{switches:.0}"), format!("{post:.1}"), format!("{delivery:.2}")]
    });
    let rows = times.chain(switches).enumerate();
    rows.map(|(number, cells)| {
        let name = if number == 0 { name } else { "" };
        [vec![name.to_owned()], cells.to_vec()].concat()
    })
    .collect()
}

/// What one post and one delivery cost.
#[derive(Debug, PartialEq)]
struct Cost {
    post: Option<f64>,
    delivery: Option<f64>,
}

impl Cost {
    const UNKNOWN: Cost = Cost { post: None, delivery: None };

    /// CPU in microseconds, and context switches.
    fn both(own: &Turned, all: &Turned) -> (Cost, Cost) {
        let counts = [own, all].map(|turned| [count(turned.posts), count(turned.deliveries)]);
        let solve = |costs: [Option<f64>; 2]| match costs {
            [Some(own), Some(all)] => Cost::solve(counts, [own, all]),
            _ => Cost::UNKNOWN,
        };
        let micros = [own, all].map(|turned| cpu(turned).map(|seconds| seconds * 1e6));
        (solve(micros), solve([own, all].map(|turned| turned.switches.map(count))))
    }

    /// From two turns with so many posts and deliveries each, and what they cost in all. Unknown where the turns are too
    /// much alike to tell the two apart.
    fn solve([[posts, deliveries], [posts_, deliveries_]]: [[f64; 2]; 2], [cost, cost_]: [f64; 2]) -> Cost {
        let determinant = posts * deliveries_ - posts_ * deliveries;
        if determinant.abs() < 0.05 * posts * deliveries_ {
            return Cost::UNKNOWN;
        }
        Cost {
            post: Some((cost * deliveries_ - cost_ * deliveries) / determinant),
            delivery: Some((cost_ * posts - cost * posts_) / determinant),
        }
    }
}

fn figure(turned: &Turned) -> Value {
    let (posts, deliveries) = (count(turned.posts).max(1.0), count(turned.deliveries).max(1.0));
    json!({
        "posts": turned.posts, "deliveries": turned.deliveries, "seconds": turned.seconds,
        "posts_per_second": turned.posts_per_second(), "deliveries_per_second": turned.deliveries_per_second(),
        "delivery": turned.delivered.summary(), "answer": turned.answered.summary(),
        "send_delay": turned.late.summary(),
        "cpu_us_per_post": cpu(turned).map(|seconds| seconds * 1e6 / posts),
        "cpu_us_per_delivery": cpu(turned).map(|seconds| seconds * 1e6 / deliveries),
        "switches_per_post": turned.switches.map(|switches| count(switches) / posts),
        "switches_per_delivery": turned.switches.map(|switches| count(switches) / deliveries),
        "usage": turned.usage,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_post_and_a_delivery_cost_follows_from_two_turns() {
        // A post costs 150, a delivery 4.
        let counts = [[1_000.0, 10_000.0], [10.0, 10_000.0]];
        let cost = Cost::solve(counts, [190_000.0, 41_500.0]);
        assert!((cost.post.unwrap() - 150.0).abs() < 1e-6);
        assert!((cost.delivery.unwrap() - 4.0).abs() < 1e-6);
    }

    #[test]
    fn turns_that_are_alike_tell_nothing() {
        assert_eq!(Cost::solve([[100.0, 1_000.0], [101.0, 1_000.0]], [1.0, 1.0]), Cost::UNKNOWN);
    }
}
