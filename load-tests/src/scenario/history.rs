//! Pages of short and of very long channels: a page's time must not grow with the history behind it.
//!
//! Every channel is filled by itself, so that its messages lie together in the tables: that favours the long channels
//! least. The channels are then walked from end to end, which proves that each message is found once and in order, and
//! gives the cursors of the pages that are timed. Channels take turns, A B C A B C …, so that noise hits all alike.

mod channel;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use serde_json::json;

use crate::fill::{Filling, fill};
use crate::footprint::Footprint;
use crate::http::Connection;
use crate::progress::Progress;
use crate::report::{Machine, Plot, Report, Series, Table};
use crate::server::{Server, ServerOptions};
use crate::statistics::{Latencies, Summary, median};
use crate::usage::Usage;
use crate::world::{Size, World};
use channel::{Channel, Place};
use turn::{Turn, turn};

/// The longest channel's p99 may be this many times the shortest one's.
const GOAL: f64 = 1.3;
/// After the fill, Postgres vacuums and writes out what it has.
const SETTLE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, clap::Args, Serialize)]
pub(crate) struct Options {
    /// Messages in each of the channels
    #[arg(
        long, value_delimiter = ',', default_values_t = [1_000, 100_000, 1_000_000],
        value_parser = clap::value_parser!(u64).range(200..=10_000_000)
    )]
    sizes: Vec<u64>,
    /// Messages of a page
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=100))]
    limit: u16,
    /// Connections, each of which asks again as soon as it is answered
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=90))]
    connections: u16,
    /// How often each channel has a turn, after one that is not timed
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    rounds: u16,
    /// Seconds of each turn
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=600))]
    seconds: u16,
    /// Connections that fill the channels
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..=900))]
    posters: u16,
    /// Characters of a message
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u16).range(20..=4000))]
    length: u16,
}

pub(crate) async fn run(server: &ServerOptions, options: &Options) -> Result<Report> {
    let machine = Machine::look(&server.scratch);
    let server = Server::start(server).await?;
    let size = Size { accounts: 8, channels: options.sizes.len() };
    let world = World::make(&server.target, size).await?;
    let (fillings, fill_seconds) = fill_all(&server, &world, options).await?;
    server.watched.settle(SETTLE).await;
    let filled = Footprint::look(&server.watched);

    let mut connection = Connection::open(&server.target).await?;
    let mut channels = Vec::new();
    for (n, filling) in fillings.iter().enumerate() {
        let (login, limit) = (world.login(n).clone(), usize::from(options.limit));
        let walked = Channel::walk(&mut connection, login, &world.channels[n], filling, limit).await;
        channels.push(Arc::new(walked.with_context(|| format!("the channel of {}", options.sizes[n]))?));
    }
    let rounds = measure(&server, &channels, options).await?;
    let after = Footprint::look(&server.watched);
    report(machine, options, &rounds, fill_seconds, [("filled", filled), ("after the pages", after)])
}

async fn fill_all(server: &Server, world: &World, options: &Options) -> Result<(Vec<Filling>, f64)> {
    let (mut fillings, mut next, mut seconds) = (Vec::new(), 0, 0.0);
    for (n, &count) in options.sizes.iter().enumerate() {
        let filling = Filling {
            numbers: next..next + count,
            connections: options.posters.into(),
            length: options.length.into(),
        };
        next += count;
        seconds += fill(&server.target, world, n, &filling).await?.as_secs_f64();
        fillings.push(filling);
    }
    Ok((fillings, seconds))
}

/// The turns of each channel.
type Rounds = Vec<Vec<Turn>>;

async fn measure(server: &Server, channels: &[Arc<Channel>], options: &Options) -> Result<Rounds> {
    let mut connections = Vec::new();
    for _ in 0..options.connections {
        connections.push(Connection::open(&server.target).await?);
    }
    let duration = Duration::from_secs(options.seconds.into());
    let mut rounds: Rounds = channels.iter().map(|_| Vec::new()).collect();
    for round in 0..=options.rounds {
        for (channel, turns) in channels.iter().zip(&mut rounds) {
            let stage = match round {
                0 => "warming up".to_owned(),
                _ => format!("round {round} of {}: {} messages", options.rounds, channel.len()),
            };
            let running = turn(&server.watched, &mut connections, channel, duration);
            let turn = Progress::during(&stage, duration, running).await?;
            if round > 0 {
                turns.push(turn);
            }
        }
    }
    Ok(rounds)
}

/// What all turns of one channel come to.
#[derive(Debug, Serialize)]
struct Figures {
    messages: u64,
    all: Summary,
    places: Vec<(Place, Summary)>,
    usage: Usage,
}

impl Figures {
    fn of(messages: u64, turns: &[Turn]) -> Result<Figures> {
        let mut usage = Usage::default();
        let (mut all, mut places) = (Latencies::new(), Place::ALL.map(|place| (place, Latencies::new())));
        for turn in turns {
            usage.add(&turn.usage);
            for ((_, sum), latencies) in places.iter_mut().zip(&turn.latencies) {
                sum.merge(latencies)?;
                all.merge(latencies)?;
            }
        }
        let places = places.iter().map(|(place, latencies)| (*place, latencies.summary())).collect();
        Ok(Figures { messages, all: all.summary(), places, usage })
    }
}

fn report(
    machine: Machine,
    options: &Options,
    rounds: &Rounds,
    fill_seconds: f64,
    moments: [(&str, Footprint); 2],
) -> Result<Report> {
    let sizes = options.sizes.iter();
    let figures = sizes.zip(rounds).map(|(&size, turns)| Figures::of(size, turns));
    let figures = figures.collect::<Result<Vec<Figures>>>()?;
    let shortest = figures.iter().min_by_key(|channel| channel.messages).context("there is a channel")?;
    let longest = figures.iter().max_by_key(|channel| channel.messages).context("there is a channel")?;
    let ratio = |quantile: fn(&Summary) -> f64| quantile(&longest.all) / quantile(&shortest.all);
    let (p50_ratio, p99_ratio) = (ratio(|all| all.p50_ms), ratio(|all| all.p99_ms));

    let mut table =
        Table::new("A page, by channel", ["messages", "pages of"].into_iter().chain(Summary::COLUMNS));
    let mut usage = Usage::default();
    let mut cpu = Table::new("CPU of a page", ["messages", "server", "postgres", "load generator"]);
    for Figures { messages, all, places, usage: own } in &figures {
        let row = |of: &str, summary: &Summary| {
            [vec![messages.to_string(), of.to_owned()], summary.cells()].concat()
        };
        table = table.rows(places.iter().map(|(place, summary)| row(place.name(), summary)));
        table = table.row(row("all", all));
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let each = |seconds: Option<f64>| {
            seconds.map(|s| format!("{:.0} µs", s * 1e6 / all.count.max(1) as f64)).unwrap_or_default()
        };
        let sides = [own.server_seconds, own.postgres_seconds, own.load_seconds];
        cpu = cpu.row([vec![messages.to_string()], sides.map(each).to_vec()].concat());
        usage.add(own);
    }
    let p99s: Vec<Vec<f64>> = rounds.iter().map(|turns| turns.iter().map(Turn::p99_ms).collect()).collect();
    let by_round = round_ratios(&options.sizes, &p99s);
    let verdict = if p99_ratio <= GOAL { "held" } else { "missed" };
    let ratios = Table::new("The longest channel's time, times the shortest one's", ["", "ratio"])
        .row(vec!["p50".to_owned(), format!("{p50_ratio:.3}")])
        .row(vec!["p99".to_owned(), format!("{p99_ratio:.3}")])
        .row(vec![
            "p99, median of rounds".to_owned(),
            median(&by_round).map(|r| format!("{r:.3}")).unwrap_or_default(),
        ])
        .row(vec![format!("goal: p99 at most {GOAL}"), verdict.to_owned()]);
    let plot = Plot {
        title: "p99 of a page".to_owned(),
        x_label: "round".to_owned(),
        y_label: "ms".to_owned(),
        series: options.sizes.iter().zip(&p99s).map(|(size, p99s)| series(*size, p99s)).collect(),
    };
    let pages: u64 = figures.iter().map(|channel| channel.all.count).sum();
    let messages: u64 = options.sizes.iter().sum();
    ensure!(pages > 0, "no page was read");
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    let fill_rate = messages as f64 / fill_seconds.max(1e-9);
    let mut notes = machine.doubts(&usage);
    notes
        .push(format!("{messages} messages were posted over REST in {fill_seconds:.0} s ({fill_rate:.0}/s)"));
    notes.push(
        "every channel was walked from end to end: each message once, in the order of its posts".to_owned(),
    );
    Ok(Report {
        scenario: "history",
        notes,
        machine,
        settings: serde_json::to_value(options)?,
        figures: json!({
            "channels": figures, "p50_ratio": p50_ratio, "p99_ratio": p99_ratio, "p99_ratios_by_round": by_round,
            "goal": GOAL, "held": p99_ratio <= GOAL, "fill_per_second": fill_rate, "memory": moments,
        }),
        tables: vec![
            table,
            ratios,
            cpu,
            Table::new("CPU", ["", "CPU", "cores", "a page"]).rows(usage.rows(pages)),
            Footprint::table(moments),
        ],
        plots: vec![plot],
    })
}

/// The longest channel's p99 of each round, times the shortest one's of the same round.
fn round_ratios(sizes: &[u64], p99s: &[Vec<f64>]) -> Vec<f64> {
    let by_size = || sizes.iter().zip(p99s);
    let shortest = by_size().min_by_key(|(size, _)| **size);
    let longest = by_size().max_by_key(|(size, _)| **size);
    let pairs = longest.into_iter().zip(shortest);
    pairs
        .flat_map(|((_, long), (_, short))| long.iter().zip(short).map(|(long, short)| long / short))
        .collect()
}

fn series(size: u64, p99s: &[f64]) -> Series {
    let points = (1_u32..).zip(p99s).map(|(round, p99)| (f64::from(round), *p99)).collect();
    Series { name: format!("{size} messages"), points }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_compared_with_themselves_whatever_the_order_of_the_sizes() {
        let p99s = vec![vec![2.0, 9.0], vec![5.0, 5.0], vec![1.0, 3.0]];
        assert_eq!(round_ratios(&[1_000_000, 100_000, 1_000], &p99s), [2.0, 3.0]);
        assert_eq!(round_ratios(&[1_000], &[vec![4.0]]), [1.0]);
        assert!(round_ratios(&[], &[]).is_empty());
    }
}
