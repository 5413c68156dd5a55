//! Load tests: how fast, how late, how large, beside others who do the same.
//!
//! `cargo run -p load-tests --release -- SCENARIO` starts its own server (`cargo build --release -p api`) on a data
//! directory that vanishes, with fsync as in production and rate limits off; loads it over the loopback; checks that
//! nothing was lost; prints tables, and JSON with `--json`. Everything is bounded in time.
//!
//! - [`server`] starts and stops the product; [`world`] fills it over REST; [`peer`] are those it is held against
//! - [`http`], [`sse`], [`longpoll`] and [`wire`] are connections made to be cheap: on one machine, what the load
//!   costs the server lacks. [`poster`] writes messages by [`repeat`], and [`marker`] finds them again in a stream
//! - [`fill`] posts many messages to a channel; [`footprint`] is the memory of server and Postgres at a moment,
//!   [`sampler`] memory and CPU over a run
//! - [`pin`] keeps load generator and server from each other's cores
//! - [`process`] and [`usage`] read CPU and memory, [`database`] Postgres' counters; [`statistics`] and [`report`] make figures and tables of it
//! - [`scenario`] has one file for each question; [`bench`] asks them all and writes the report
//!
//! The load generator runs on one thread. When "load generator" nears one core in the table of CPU times, it is the
//! generator that was measured.

mod bench;
mod database;
mod fill;
mod footprint;
mod frames;
mod http;
mod longpoll;
mod marker;
mod pace;
mod peer;
mod pin;
mod poster;
mod process;
mod progress;
mod repeat;
mod report;
mod sampler;
mod scenario;
mod server;
mod sse;
mod stages;
mod statistics;
mod usage;
mod wire;
mod world;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::pin::Pinning;
use crate::scenario::Scenario;
use crate::server::ServerOptions;

/// Measures EchoVerse on this machine.
#[derive(Debug, Parser)]
#[command(name = "load-tests", version)]
struct Options {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    server: ServerOptions,
    /// Write the figures to this file as JSON, too
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    #[command(flatten)]
    Scenario(Scenario),
    /// All of them one after the other, and the report
    Bench(bench::Options),
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
async fn main() -> Result<()> {
    let options = Options::parse();
    allow_many_connections()?;
    let Options { command, mut server, json } = options;
    let scenario = match command {
        Command::Scenario(scenario) => scenario,
        Command::Bench(bench) => return until_interrupted(bench::run(&server, &bench)).await,
    };
    let pinning = Pinning::start(server.pin.unwrap_or(scenario.pin()))?;
    server.pinning = pinning.clone();
    let mut report = until_interrupted(scenario.run(&server)).await?;
    report.machine.pinned(pinning);
    println!("{}", report.text());
    if let Some(file) = &json {
        let json = serde_json::to_string_pretty(&report).context("writing JSON")?;
        std::fs::write(file, json + "\n").with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

/// Gives up on Ctrl-C and SIGTERM, so that whatever was started is stopped.
async fn until_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    tokio::select! {
        done = work => done,
        interrupt = tokio::signal::ctrl_c() => {
            interrupt.context("listening for Ctrl-C")?;
            bail!("interrupted");
        }
        _ = terminate.recv() => bail!("terminated"),
    }
}

/// Raises the limit of open files as far as it goes, for us and the server we start.
fn allow_many_connections() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("raising the limit of open files")
}
