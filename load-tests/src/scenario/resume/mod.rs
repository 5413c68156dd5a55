//! Many clients that were away come back at once and catch up from their cursors.
//!
//! Timed from the first client's connecting to the last one's being caught up: with what they missed still in the
//! server's memory of recent frames, over both transports, and again from the log: others have posted more since than
//! the server remembers, and it was killed and started anew before each round, so that it knows no key either. Each
//! client checks each frame: once, in the log's order, nothing else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::client::{CaughtUp, Missed, Transport, catch_up};
use crate::fill::{Filling, fill};
use crate::footprint::Footprint;
use crate::progress::Progress;
use crate::report::{Machine, Plot, Report, Series, Table};
use crate::sampler::Sampler;
use crate::server::{Server, ServerOptions};
use crate::sse::Stream;
use crate::statistics::{Latencies, Summary, median};
use crate::usage::Usage;
use crate::world::{Size, World, accounts_for};

mod client;

/// Neither round pays for what the one before left to do.
const SETTLE: Duration = Duration::from_secs(10);
/// What the server keeps in memory is about this many frames: those who missed more are served from the log.
const REMEMBERED: u32 = 16_384;
/// Connections that post what will be missed.
const POSTERS: usize = 32;
/// A round that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Debug, Clone, clap::Args, Serialize)]
pub(crate) struct Options {
    /// Clients that come back at once
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=15_000))]
    clients: u16,
    /// Events that each of them missed
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    events: u32,
    /// How often each variant is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// Frames that a long-poll asks for at a time; the SDK asks for 500
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
    /// Messages that others post before the rounds from the log: more than the server remembers, even when it has read
    /// its newest events again at the start
    #[arg(long, default_value_t = 17_000, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    others: u32,
    /// Characters of a message
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u16).range(20..=4000))]
    length: u16,
    /// Measure only what is in the server's memory, without starting it again
    #[arg(long)]
    no_log: bool,
}

/// Where the server finds what was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Memory,
    Log,
}

/// One way of catching up.
struct Variant {
    source: Source,
    transport: Transport,
    rounds: Vec<Round>,
}

impl Variant {
    fn name(&self) -> &'static str {
        match (self.source, self.transport) {
            (Source::Memory, Transport::Sse) => "memory_sse",
            (Source::Memory, Transport::LongPoll(_)) => "memory_long_poll",
            (Source::Log, Transport::Sse) => "log_sse",
            (Source::Log, Transport::LongPoll(_)) => "log_long_poll",
        }
    }

    fn title(&self) -> &'static str {
        match (self.source, self.transport) {
            (Source::Memory, Transport::Sse) => "from memory, SSE",
            (Source::Memory, Transport::LongPoll(_)) => "from memory, long-poll",
            (Source::Log, Transport::Sse) => "from the log, SSE",
            (Source::Log, Transport::LongPoll(_)) => "from the log, long-poll",
        }
    }
}

/// All clients, once.
struct Round {
    frames: u64,
    seconds: f64,
    took: Latencies,
    /// When each was caught up, in seconds from the beginning.
    at: Vec<f64>,
    usage: Usage,
}

impl Round {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    fn rate(&self) -> f64 {
        self.frames as f64 / self.seconds
    }
}

pub(crate) async fn run(server: &ServerOptions, options: &Options) -> Result<Report> {
    let machine = Machine::look(&server.scratch);
    let mut server = Server::start(server).await?;
    let accounts = accounts_for(usize::from(options.clients));
    let world = World::make(&server.target, Size { accounts, channels: 1 }).await?;
    let (cursor, missed) = post(&server, &world, options).await?;
    let sampler = Sampler::start(&server.watched);
    let before = Footprint::look(&server.watched);

    let transports = [Transport::Sse, Transport::LongPoll(options.limit)];
    let sources = match options.no_log || !server.is_own() {
        true => vec![Source::Memory],
        false => vec![Source::Memory, Source::Log],
    };
    let mut variants = Vec::new();
    for source in sources {
        if source == Source::Log {
            forget(&server, options).await?;
        }
        for transport in transports {
            let mut variant = Variant { source, transport, rounds: Vec::new() };
            for number in 1..=options.rounds {
                if source == Source::Log {
                    server.kill()?;
                    server.start_again().await?;
                    sampler.watch(&server.watched);
                }
                let stage = format!("{}: round {number} of {}", variant.title(), options.rounds);
                let progress = Progress::steps(&stage, usize::from(options.clients));
                server.watched.settle(SETTLE).await;
                let round = round(&server, &world, options, transport, &cursor, &missed, &progress);
                let round = timeout(PATIENCE, round).await;
                variant.rounds.push(round.with_context(|| format!("{stage} took more than {PATIENCE:?}"))??);
            }
            variants.push(variant);
        }
    }
    let after = Footprint::look(&server.watched);
    report(machine, options, &variants, [before, after], sampler.stop()?)
}

/// Posts what will be missed. Returns the cursor in front of it, and the order in which a stream showed it.
async fn post(server: &Server, world: &World, options: &Options) -> Result<(Arc<str>, Missed)> {
    let mut stream = Stream::open_at(&server.target, world.login(0), None).await?;
    let cursor: Arc<str> = stream.cursor().context("a stream opened at a cursor has one")?.into();
    let count = usize::try_from(options.events)?;
    let seen = tokio::spawn(async move {
        let mut seen = Vec::with_capacity(count);
        while seen.len() < count {
            stream
                .read(|frame| seen.extend(frame.sequence()))
                .await?
                .context("the server ended a stream that was read")?;
        }
        anyhow::Ok(Arc::from(seen))
    });
    let numbers = 0..u64::from(options.events);
    let filling = Filling { numbers, connections: POSTERS, length: usize::from(options.length) };
    fill(&server.target, world, 0, &filling).await?;
    let missed = timeout(PATIENCE, seen).await.context("a stream did not show all that was posted")?;
    Ok((cursor, missed.context("a task")??))
}

/// Pushes what was missed out of the server's memory, by messages that none of the clients sees.
async fn forget(server: &Server, options: &Options) -> Result<()> {
    let elsewhere = World::make(&server.target, Size { accounts: 2, channels: 1 }).await?;
    let numbers = 0..u64::from(options.others);
    let filling = Filling { numbers, connections: POSTERS, length: usize::from(options.length) };
    fill(&server.target, &elsewhere, 0, &filling).await.map(drop)
}

async fn round(
    server: &Server,
    world: &World,
    options: &Options,
    transport: Transport,
    cursor: &Arc<str>,
    missed: &Missed,
    progress: &Progress,
) -> Result<Round> {
    let mut clients = JoinSet::new();
    let meter = server.watched.start();
    let began = Instant::now();
    for n in 0..usize::from(options.clients) {
        let (target, login) = (server.target.clone(), world.login(n).clone());
        clients.spawn(catch_up(target, login, Arc::clone(cursor), Arc::clone(missed), transport));
    }
    // Who is caught up stays, as people do.
    let mut caught_up: Vec<CaughtUp> = Vec::new();
    while let Some(client) = clients.join_next().await {
        caught_up.push(client.context("a task")??);
        progress.step();
    }
    let usage = meter.stop();
    let mut took = Latencies::new();
    caught_up.iter().for_each(|client| took.record(client.took));
    let at: Vec<f64> = caught_up.iter().map(|client| (client.at - began).as_secs_f64()).collect();
    let seconds = at.iter().copied().fold(0.0, f64::max);
    Ok(Round { frames: u64::from(options.clients) * u64::from(options.events), seconds, took, at, usage })
}

fn report(
    machine: Machine,
    options: &Options,
    variants: &[Variant],
    memory: [Footprint; 2],
    mut plots: Vec<Plot>,
) -> Result<Report> {
    let columns = ["", "round", "frames/s", "all caught up", "a client, p50", "p99", "max"];
    let mut times = Table::new("Catching up", columns);
    let columns = ["", "server, a frame", "Postgres, a frame", "server", "Postgres", "load generator"];
    let mut costs = Table::new("CPU: microseconds of a frame, and cores kept busy", columns);
    let mut figures = Map::new();
    let mut all = Usage::default();
    let mut curves = Vec::new();
    for variant in variants {
        let (mut took, mut usage, mut frames) = (Latencies::new(), Usage::default(), 0);
        let rates: Vec<f64> = variant.rounds.iter().map(Round::rate).collect();
        for (number, round) in variant.rounds.iter().enumerate() {
            let name = if number == 0 { variant.title() } else { "" };
            times =
                times.row(cells(name, &(number + 1).to_string(), round.rate(), round.seconds, &round.took));
            took.merge(&round.took)?;
            usage.add(&round.usage);
            frames += round.frames;
        }
        let seconds: Vec<f64> = variant.rounds.iter().map(|round| round.seconds).collect();
        let (rate, second) = (median(&rates).unwrap_or_default(), median(&seconds).unwrap_or_default());
        times = times.row(cells("", "median", rate, second, &took));
        costs = costs.row(cost(variant.title(), &usage, frames));
        all.add(&usage);
        let rounds: Vec<Value> = variant.rounds.iter().map(figures_of).collect();
        let figure = json!({
            "frames_per_second": rate, "seconds": second, "caught_up": took.summary(), "rounds": rounds,
            "server_us_per_frame": each(usage.server_seconds, frames),
            "postgres_us_per_frame": each(usage.postgres_seconds, frames), "usage": usage,
        });
        figures.insert(variant.name().to_owned(), figure);
        curves.extend(variant.rounds.first().map(|round| Series::counted(variant.title(), round.at.clone())));
    }
    plots.insert(
        0,
        Plot {
            title: "Clients that have caught up, first round".to_owned(),
            x_label: "s from the first client's connecting".to_owned(),
            y_label: "clients".to_owned(),
            series: curves,
        },
    );
    let mut notes = machine.doubts(&all);
    if options.events > REMEMBERED {
        notes.push(format!("the server remembers {REMEMBERED} frames at most: all came from the log"));
    }
    if options.others <= REMEMBERED && options.events <= REMEMBERED {
        notes.push(format!("\"from the log\" may be from memory: --others is below {REMEMBERED}"));
    }
    if variants.iter().all(|variant| variant.source == Source::Memory) {
        notes.push("not measured from the log: that takes a server that can be killed".to_owned());
    }
    let [before, after] = memory;
    figures.insert("memory".to_owned(), json!({"before": before, "after": after}));
    Ok(Report {
        scenario: "resume",
        machine,
        settings: serde_json::to_value(options)?,
        figures: Value::Object(figures),
        tables: vec![times, costs, Footprint::table([("before", before), ("after", after)])],
        plots,
        notes,
    })
}

fn cells(name: &str, round: &str, rate: f64, seconds: f64, took: &Latencies) -> Vec<String> {
    let Summary { p50_ms, p99_ms, max_ms, .. } = took.summary();
    let mut cells = vec![name.to_owned(), round.to_owned(), format!("{rate:.0}"), format!("{seconds:.2} s")];
    cells.extend([p50_ms, p99_ms, max_ms].map(|time| format!("{:.2} s", time / 1_000.0)));
    cells
}

fn cost(name: &str, usage: &Usage, frames: u64) -> Vec<String> {
    let sides = [usage.server_seconds, usage.postgres_seconds];
    let mut cells = vec![name.to_owned()];
    cells.extend(sides.map(|side| each(side, frames).map(|us| format!("{us:.2} µs")).unwrap_or_default()));
    let cores = [usage.server_seconds, usage.postgres_seconds, usage.load_seconds];
    let cores = cores.map(|side| side.map(|seconds| seconds / usage.wall_seconds.max(1e-9)));
    cells.extend(cores.map(|cores| cores.map(|cores| format!("{cores:.2}")).unwrap_or_default()));
    cells
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn each(seconds: Option<f64>, frames: u64) -> Option<f64> {
    Some(seconds? * 1e6 / frames.max(1) as f64)
}

fn figures_of(round: &Round) -> Value {
    json!({
        "frames": round.frames, "seconds": round.seconds, "frames_per_second": round.rate(),
        "caught_up": round.took.summary(), "usage": round.usage,
    })
}
