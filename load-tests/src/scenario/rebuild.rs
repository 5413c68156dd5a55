//! How fast `echoverse rebuild` makes the read model anew, beside a server that goes on.
//!
//! The log is filled over REST, so that the vault holds a key for each message as in life: looking those up and opening
//! the texts is part of the work. Each turn is one run of the program, its start and the swap of the tables included.
//! In the end `--verify` compares what was built with what is in use.

mod program;

use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};

use crate::fill::{Filling, fill};
use crate::footprint::Footprint;
use crate::http::{Call, Connection};
use crate::process::Memory;
use crate::progress::Progress;
use crate::report::{Machine, Report, Table, mebibytes};
use crate::server::{Server, ServerOptions};
use crate::statistics::median;
use crate::usage::Usage;
use crate::world::{Size, World};
use program::{Program, Run};

/// Events a second on a quiet machine.
const GOAL: f64 = 50_000.0;
const CHANNELS: usize = 20;
/// After the fill and between the turns, Postgres vacuums and writes out what it has.
const SETTLE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, clap::Args, Serialize)]
pub(crate) struct Options {
    /// Messages in the log
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(1_000..=20_000_000))]
    events: u64,
    /// How often the read model is rebuilt
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    turns: u16,
    /// Connections that fill the log
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..=900))]
    posters: u16,
    /// Characters of a message
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u16).range(20..=4000))]
    length: u16,
}

/// One run and what it used.
#[derive(Debug, Serialize)]
struct Turn {
    #[serde(flatten)]
    run: Run,
    events_per_second: f64,
    /// The program counts as load generator, because we start it.
    usage: Usage,
}

pub(crate) async fn run(options: &ServerOptions, scenario: &Options) -> Result<Report> {
    let machine = Machine::look(&options.scratch);
    let server = Server::start(options).await?;
    let program = Program::of(options, &server)?;
    let world = World::make(&server.target, Size { accounts: 8, channels: CHANNELS }).await?;
    let fill_seconds = fill_all(&server, &world, scenario).await?;
    server.watched.settle(SETTLE).await;
    let filled = Footprint::look(&server.watched);

    let mut turns = Vec::new();
    for number in 1..=scenario.turns {
        let stage = format!("rebuilding, turn {number} of {}", scenario.turns);
        turns.push(turn(&server, &program, &stage, scenario, false).await?);
        server.watched.settle(SETTLE).await;
    }
    let verified = turn(&server, &program, "rebuilding and comparing", scenario, true).await?;
    for turn in turns.iter().chain([&verified]) {
        // Posts, accounts, memberships, channels, and no other.
        let events = turn.run.events;
        ensure!(events >= scenario.events, "of {} posts only {events} events were replayed", scenario.events);
    }
    check(&server, &world).await?;
    let after = Footprint::look(&server.watched);
    report(machine, scenario, &turns, &verified, fill_seconds, [("filled", filled), ("rebuilt", after)])
}

async fn fill_all(server: &Server, world: &World, options: &Options) -> Result<f64> {
    let (mut next, mut seconds) = (0, 0.0);
    for channel in 0..CHANNELS {
        let end = options.events * (channel as u64 + 1) / CHANNELS as u64;
        let filling = Filling {
            numbers: next..end,
            connections: options.posters.into(),
            length: options.length.into(),
        };
        seconds += fill(&server.target, world, channel, &filling).await?.as_secs_f64();
        next = end;
    }
    Ok(seconds)
}

async fn turn(
    server: &Server,
    program: &Program,
    stage: &str,
    options: &Options,
    verify: bool,
) -> Result<Turn> {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    let expected = Duration::from_secs_f64(options.events as f64 / GOAL);
    let meter = server.watched.start();
    let run = Progress::during(stage, expected, program.run(options.events, verify)).await?;
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    let events_per_second = run.events as f64 / run.seconds;
    Ok(Turn { events_per_second, usage: meter.stop(), run })
}

/// The server reads from the tables that the last turn left.
async fn check(server: &Server, world: &World) -> Result<()> {
    let mut connection = Connection::open(&server.target).await?;
    for (n, channel) in world.channels.iter().enumerate() {
        let uri = format!("/v1/channels/{channel}/messages?limit=1").parse()?;
        let page: Value =
            serde_json::from_slice(&connection.succeed(Call::get(uri, Some(world.login(n)))).await?)?;
        ensure!(page.pointer("/items/0").is_some(), "after the rebuilding, channel {channel} is empty");
    }
    Ok(())
}

fn report(
    machine: Machine,
    options: &Options,
    turns: &[Turn],
    verified: &Turn,
    fill_seconds: f64,
    moments: [(&str, Footprint); 2],
) -> Result<Report> {
    let mut usage = Usage::default();
    let columns = ["turn", "events", "seconds", "events/s", "program", "Postgres", "program's peak PSS"];
    let mut table = Table::new("Rebuilding, with the CPU of each event", columns);
    let row = |name: String, Turn { run, events_per_second, usage }: &Turn| {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let each = |seconds: Option<f64>| {
            seconds.map(|s| format!("{:.1} µs", s * 1e6 / run.events.max(1) as f64)).unwrap_or_default()
        };
        let mut cells = vec![name, run.events.to_string(), format!("{:.2}", run.seconds)];
        cells.push(format!("{events_per_second:.0}"));
        cells.extend([each(usage.load_seconds), each(usage.postgres_seconds)]);
        cells.push(run.peak.map(|Memory { pss_bytes, .. }| mebibytes(pss_bytes)).unwrap_or_default());
        cells
    };
    for (number, turn) in turns.iter().enumerate() {
        table = table.row(row((number + 1).to_string(), turn));
        usage.add(&turn.usage);
    }
    let rates: Vec<f64> = turns.iter().map(|turn| turn.events_per_second).collect();
    let rate = median(&rates);
    let held = rate.is_some_and(|rate| rate >= GOAL);
    let middle = rate.map(|rate| format!("{rate:.0}")).unwrap_or_default();
    table = table.row(row("with --verify".to_owned(), verified)).row(vec![
        "median".to_owned(),
        String::new(),
        String::new(),
        middle,
    ]);
    let events: u64 = turns.iter().map(|turn| turn.run.events).sum();
    let mut notes = machine.doubts(&usage);
    notes.push(format!("goal: {GOAL} events/s, {}", if held { "held" } else { "missed" }));
    notes.push("the read model as rebuilt and as kept up by the projector had equal checksums".to_owned());
    Ok(Report {
        scenario: "rebuild",
        notes,
        machine,
        settings: serde_json::to_value(options)?,
        figures: json!({
            "events_per_second": rate, "goal": GOAL, "held": held, "turns": turns, "verify": verified,
            "usage": usage, "fill_seconds": fill_seconds, "memory": moments,
        }),
        tables: vec![
            table,
            Table::new(
                "CPU (the load generator is `echoverse rebuild`, the server does nothing)",
                ["", "CPU", "cores", "an event"],
            )
            .rows(usage.rows(events)),
            Footprint::table(moments),
        ],
        plots: Vec::new(),
    })
}
