//! Durable posts per second: closed loops on keep-alive connections, in turn with pgbench's bare inserts, so that
//! whatever else slows the machine slows both.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;

use crate::database::Work;
use crate::peer::pgbench::{self, Pgbench};
use crate::poster::Poster;
use crate::progress::Progress;
use crate::report::{Machine, Report, Table};
use crate::server::{Server, ServerOptions};
use crate::stages::{Reading, Stage};
use crate::statistics::{Latencies, Summary, median};
use crate::usage::Usage;
use crate::world::{Size, World};

/// Neither side pays for what the other left to do.
const SETTLE: Duration = Duration::from_secs(10);
/// The first of both fills caches and makes connections.
const WARM_UP: Duration = Duration::from_secs(2);
/// Room for the numbers of one connection's posts.
const NUMBERS: u64 = 1_000_000_000;

#[derive(Debug, Clone, clap::Args, Serialize)]
pub(crate) struct Options {
    /// Connections, each of which posts again as soon as it is answered; pgbench has as many clients
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=90))]
    connections: u16,
    /// Accounts that post
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    accounts: u16,
    /// Channels posted to
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    channels: u16,
    /// How often product and peer take turns
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    pairs: u16,
    /// Seconds of each turn
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=600))]
    seconds: u16,
    /// Characters of a message
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u16).range(20..=4000))]
    length: u16,
    /// Measure the product alone
    #[arg(long)]
    no_peer: bool,
}

/// A turn of the product.
struct Turn {
    posts: u64,
    seconds: f64,
    latencies: Latencies,
    usage: Usage,
    /// How long the server was still at work after the last answer.
    settled: Duration,
}

impl Turn {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    fn rate(&self) -> f64 {
        self.posts as f64 / self.seconds
    }
}

pub(crate) async fn run(server: &ServerOptions, options: &Options) -> Result<Report> {
    let machine = Machine::look(&server.scratch);
    let scratch = &server.scratch;
    let mut server = server.clone();
    server.metrics = true;
    let server = Server::start(&server).await?;
    let peer = match options.no_peer {
        true => None,
        false => Some(Pgbench::start(scratch, usize::from(options.connections)).await?),
    };
    let size = Size { accounts: usize::from(options.accounts), channels: usize::from(options.channels) };
    let world = World::make(&server.target, size).await?;
    let mut posters = Vec::new();
    for n in 0..usize::from(options.connections) {
        let poster = Poster::open(&server.target, &world, n, usize::from(options.length)).await?;
        posters.push(Numbered { poster, next: u64::try_from(n)? * NUMBERS });
    }
    Progress::during("warming up", WARM_UP, turn(&server, &mut posters, WARM_UP)).await?;
    if let Some(peer) = &peer {
        Progress::during("warming up pgbench", WARM_UP, peer.run(WARM_UP)).await?;
    }
    let before = server.work().await?;
    let stages_before = reading(&server).await?;
    let duration = Duration::from_secs(options.seconds.into());
    let (mut turns, mut runs) = (Vec::new(), Vec::new());
    for pair in 1..=options.pairs {
        let stage = format!("pair {pair} of {}: posts", options.pairs);
        turns.push(Progress::during(&stage, duration, turn(&server, &mut posters, duration)).await?);
        if let Some(peer) = &peer {
            let stage = format!("pair {pair} of {}: pgbench", options.pairs);
            runs.push(Progress::during(&stage, duration, peer.run(duration)).await?);
            peer.watched.settle(SETTLE).await;
        }
    }
    let work = before.zip(server.work().await?).map(|(before, after)| after.since(&before));
    let stages = stages_before.zip(reading(&server).await?).map(|(before, after)| after.since(&before));
    for numbered in &posters {
        numbered.poster.check_last().await?;
    }
    if let Some(peer) = peer {
        peer.stop().await?;
    }
    report(machine, options, &turns, &runs, work, &stages.unwrap_or_default())
}

async fn reading(server: &Server) -> Result<Option<Reading>> {
    Ok(server.metrics().await?.map(|text| Reading::of(&text)))
}

struct Numbered {
    poster: Poster,
    next: u64,
}

/// All connections post for `duration`; posts under way at its end are finished and counted, as pgbench does.
async fn turn(server: &Server, posters: &mut Vec<Numbered>, duration: Duration) -> Result<Turn> {
    let mut tasks = JoinSet::new();
    let meter = server.watched.start();
    let begun = Instant::now();
    let end = begun + duration;
    for mut numbered in posters.drain(..) {
        tasks.spawn(async move {
            let mut latencies = Latencies::new();
            let mut sent = Instant::now();
            while sent < end {
                numbered.poster.post(numbered.next).await?;
                numbered.next += 1;
                let answered = Instant::now();
                latencies.record(answered - sent);
                sent = answered;
            }
            anyhow::Ok((numbered, latencies))
        });
    }
    let mut latencies = Latencies::new();
    while let Some(done) = tasks.join_next().await {
        let (numbered, own) = done.context("a task")??;
        latencies.merge(&own)?;
        posters.push(numbered);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let mut usage = meter.stop();
    let settled = server.watched.settle(SETTLE).await;
    // What was left to do belongs to the posts' cost.
    let Usage { server_seconds, postgres_seconds, .. } = meter.stop();
    (usage.server_seconds, usage.postgres_seconds) = (server_seconds, postgres_seconds);
    Ok(Turn { posts: latencies.summary().count, seconds, latencies, usage, settled })
}

fn report(
    machine: Machine,
    options: &Options,
    turns: &[Turn],
    runs: &[pgbench::Run],
    work: Option<Work>,
    stages: &[Stage],
) -> Result<Report> {
    let mut all = Latencies::new();
    let mut usage = Usage::default();
    let mut peer_usage = Usage::default();
    for turn in turns {
        all.merge(&turn.latencies)?;
        usage.add(&turn.usage);
    }
    for run in runs {
        peer_usage.add(&run.usage);
    }
    let rates: Vec<f64> = turns.iter().map(Turn::rate).collect();
    let bare: Vec<f64> = runs.iter().map(|run| run.inserts_per_second).collect();
    let ratios: Vec<f64> = rates.iter().zip(&bare).map(|(rate, bare)| rate / bare).collect();
    let latency = all.summary();

    let mut pairs = Table::new(
        "Durable, per second",
        ["pair", "posts", "p50", "p99", "settled", "bare inserts", "ratio"],
    );
    for (n, turn) in turns.iter().enumerate() {
        let Summary { p50_ms, p99_ms, .. } = turn.latencies.summary();
        let mut cells = vec![(n + 1).to_string(), format!("{:.0}", rates[n])];
        cells.extend([format!("{p50_ms:.2} ms"), format!("{p99_ms:.2} ms")]);
        cells.push(format!("{:.1} s", turn.settled.as_secs_f64()));
        cells.push(bare.get(n).map(|bare| format!("{bare:.0}")).unwrap_or_default());
        cells.push(ratios.get(n).map(|ratio| format!("{ratio:.3}")).unwrap_or_default());
        pairs = pairs.row(cells);
    }
    let cell =
        |value: Option<f64>, digits| value.map(|value| format!("{value:.digits$}")).unwrap_or_default();
    let mut medians = vec!["median".to_owned(), cell(median(&rates), 0)];
    medians.extend([format!("{:.2} ms", latency.p50_ms), format!("{:.2} ms", latency.p99_ms), String::new()]);
    medians.extend([cell(median(&bare), 0), cell(median(&ratios), 3)]);
    let mut tables = vec![
        pairs.row(medians),
        Table::new("Latency of a post", Summary::COLUMNS).row(latency.cells()),
        Table::new("CPU of the posts", ["", "CPU", "cores", "a post"]).rows(usage.rows(latency.count)),
    ];
    if !runs.is_empty() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rates are positive and small"
        )]
        let inserts = (bare.iter().sum::<f64>() * f64::from(options.seconds)) as u64;
        let heading = "CPU of the bare inserts (the load generator is pgbench)";
        tables.push(Table::new(heading, ["", "CPU", "cores", "an insert"]).rows(peer_usage.rows(inserts)));
    }
    if let Some(work) = &work {
        let heading = "What the server's Postgres did";
        tables.push(Table::new(heading, ["", "in all", "a post"]).rows(work.rows(latency.count)));
    }
    if !stages.is_empty() {
        let heading = "Where a post's time goes, as the server measures it";
        let columns = ["", "count", "mean", "99 of 100"];
        tables.push(Table::new(heading, columns).rows(stages.iter().map(Stage::cells)));
    }
    let turns = turns.iter().map(|turn| {
        json!({
            "posts": turn.posts, "seconds": turn.seconds, "posts_per_second": turn.rate(),
            "latency": turn.latencies.summary(), "settled_seconds": turn.settled.as_secs_f64(), "usage": turn.usage,
        })
    });
    Ok(Report {
        scenario: "post",
        notes: machine.doubts(&usage),
        machine,
        settings: serde_json::to_value(options)?,
        plots: Vec::new(),
        figures: json!({
            "posts_per_second": median(&rates), "inserts_per_second": median(&bare), "ratio": median(&ratios),
            "ratios": ratios, "latency": latency, "usage": usage, "postgres": work, "stages": stages, "turns": turns.collect::<Vec<_>>(), "peer": runs,
        }),
        tables,
    })
}
