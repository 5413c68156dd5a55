//! Memory of a server that does nothing, and of each reader that only listens.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::http::Target;
use crate::process::{self, Memory};
use crate::progress::Progress;
use crate::report::{Machine, Report, Table, mebibytes};
use crate::server::{Server, ServerOptions};
use crate::sse::Stream;
use crate::usage::Watched;
use crate::world::{Size, World, accounts_for};

/// What was needed only to start or to connect is given back within this.
const CALM: Duration = Duration::from_secs(3);
const SETTLE: Duration = Duration::from_secs(10);
/// Connections that are being opened at the same time.
const OPENING: usize = 32;

#[derive(Debug, Clone, clap::Args, Serialize)]
pub(crate) struct Options {
    /// SSE streams that are open and idle
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    readers: u32,
    /// Accounts among which the readers are dealt [default: one for 50 readers, and 8 at least]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    accounts: Option<u16>,
    /// Seconds to hold the streams before memory is read: two heartbeats and their buffers by default
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=600))]
    seconds: u16,
}

/// Memory at one moment.
#[derive(Debug, Clone, Serialize)]
struct Moment {
    when: &'static str,
    readers: u32,
    server: Memory,
    postgres: Memory,
}

impl Moment {
    async fn look(watched: &Watched, when: &'static str, readers: u32) -> Result<Moment> {
        watched.settle(SETTLE).await;
        tokio::time::sleep(CALM).await;
        let server = watched.server.and_then(process::memory);
        let server = server.context("the server's memory cannot be read: on Linux, name it with --pid")?;
        let postgres = watched.postgres().into_iter().filter_map(process::memory);
        let none = Memory::default();
        Ok(Moment { when, readers, server, postgres: postgres.fold(none, |sum, one| sum + one) })
    }

    fn row(&self) -> Vec<String> {
        let sizes = [self.server.rss_bytes, self.server.pss_bytes, self.postgres.pss_bytes].map(mebibytes);
        let mut row = vec![self.when.to_owned(), self.readers.to_string()];
        row.extend(sizes);
        row
    }
}

pub(crate) async fn run(server: &ServerOptions, options: &Options) -> Result<Report> {
    let machine = Machine::look(&server.scratch);
    let server = Server::start(server).await?;
    let watched = &server.watched;
    let started = Moment::look(watched, "after the start", 0).await?;
    let accounts = match options.accounts {
        Some(accounts) => accounts.into(),
        None => accounts_for(usize::try_from(options.readers)?),
    };
    let world = World::make(&server.target, Size { accounts, channels: 1 }).await?;
    let before = Moment::look(watched, "with accounts", 0).await?;

    let held = Duration::from_secs(options.seconds.into());
    let half_count = options.readers / 2;
    let mut readers = Readers::new();
    readers.open(&server.target, &world, half_count).await?;
    let _ = Progress::during("holding half of the streams", held, tokio::time::sleep(held)).await;
    let half = Moment::look(watched, "half of the readers", half_count).await?;
    readers.open(&server.target, &world, options.readers - half_count).await?;
    let meter = watched.start();
    let _ = Progress::during("holding all streams", held, tokio::time::sleep(held)).await;
    let usage = meter.stop();
    let all = Moment::look(watched, "all readers", options.readers).await?;
    let heartbeats = readers.close().await?;
    let after = Moment::look(watched, "after they left", 0).await?;

    let each = per_reader(&before, &all);
    let marginal = per_reader(&half, &all);
    let moments = [&started, &before, &half, &all, &after];
    let cell = |value: f64| format!("{value:.0} B");
    let mut notes = machine.doubts(&usage);
    notes.push("the kernel's memory of the sockets is in no process's figure".to_owned());
    notes.push(
        "memory that hashing passwords left behind can hide the first readers: trust the second half"
            .to_owned(),
    );
    Ok(Report {
        scenario: "idle",
        machine,
        settings: serde_json::to_value(options)?,
        plots: Vec::new(),
        tables: vec![
            Table::new("Memory", ["", "readers", "server RSS", "server PSS", "Postgres PSS"])
                .rows(moments.map(Moment::row)),
            Table::new("A reader, of the server's PSS", ["", "bytes"])
                .row(vec!["all readers".to_owned(), cell(each)])
                .row(vec!["the second half".to_owned(), cell(marginal)]),
            Table::new("CPU while holding all", ["", "CPU", "cores", "a reader"])
                .rows(usage.rows(options.readers.into())),
        ],
        figures: json!({
            "moments": moments, "bytes_per_reader": each, "bytes_per_reader_of_second_half": marginal,
            "heartbeats": heartbeats, "usage_while_held": usage,
        }),
        notes,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a rounded figure for people")]
fn per_reader(from: &Moment, to: &Moment) -> f64 {
    let grown = to.server.pss_bytes as f64 - from.server.pss_bytes as f64;
    grown / f64::from(to.readers - from.readers)
}

/// Open streams that are read and not looked into.
struct Readers {
    tasks: JoinSet<Result<u64>>,
    closing: watch::Sender<bool>,
}

impl Readers {
    fn new() -> Readers {
        Readers { tasks: JoinSet::new(), closing: watch::Sender::new(false) }
    }

    async fn open(&mut self, target: &Target, world: &World, count: u32) -> Result<()> {
        let count = usize::try_from(count)?;
        let progress = Progress::steps("opening streams", count);
        let mut opening = JoinSet::new();
        for n in 0..count {
            if opening.len() >= OPENING {
                self.keep(opening.join_next().await)?;
            }
            let (target, login) = (target.clone(), world.login(n).clone());
            opening.spawn(async move { Stream::open(&target, &login).await });
            progress.step();
        }
        while !opening.is_empty() {
            self.keep(opening.join_next().await)?;
        }
        Ok(())
    }

    fn keep(&mut self, opened: Option<Result<Result<Stream>, tokio::task::JoinError>>) -> Result<()> {
        let Some(opened) = opened else { return Ok(()) };
        let mut stream = opened.context("a task")??;
        let mut closing = self.closing.subscribe();
        self.tasks.spawn(async move {
            let mut frames = 0;
            loop {
                tokio::select! {
                    more = stream.read(|_| frames += 1) => {
                        more?.context("the server ended an idle stream")?;
                    }
                    _ = closing.wait_for(|closing| *closing) => return Ok(frames),
                }
            }
        });
        Ok(())
    }

    /// Closes all and says how many frames they were sent; all must have been open until now.
    async fn close(mut self) -> Result<u64> {
        self.closing.send_replace(true);
        let mut frames = 0;
        while let Some(closed) = self.tasks.join_next().await {
            frames += closed.context("a task")??;
        }
        ensure!(frames > 0, "no stream had a heartbeat");
        Ok(frames)
    }
}
