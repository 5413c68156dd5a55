//! Memory of a server that does nothing, and of each reader that only listens, beside nchan with as many subscribers.
//!
//! One side after the other: the files that this process may open are enough for the readers of one.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Resource, getrlimit};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::footprint::Footprint;
use crate::http::Target;
use crate::peer::nchan::Nchan;
use crate::process::Memory;
use crate::progress::Progress;
use crate::report::{Machine, Report, Table, mebibytes};
use crate::server::{Server, ServerOptions};
use crate::sse::Stream;
use crate::usage::{Usage, Watched};
use crate::world::{Size, World, accounts_for};

/// What was needed only to start or to connect is given back within this.
const CALM: Duration = Duration::from_secs(3);
const SETTLE: Duration = Duration::from_secs(10);
/// Connections that are being opened at the same time.
const OPENING: usize = 32;
/// Files that are open besides the readers' sockets.
const OTHER_FILES: u64 = 256;
/// The channel at nchan.
const CHANNEL: &str = "idle";

#[derive(Debug, Clone, clap::Args, Serialize)]
pub(crate) struct Options {
    /// SSE streams that are open and idle
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2..=16_000))]
    readers: u32,
    /// Accounts among which the readers are dealt [default: one for 50 readers, and 8 at least]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    accounts: Option<u16>,
    /// Seconds to hold the streams before memory is read: two heartbeats and their buffers by default
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=600))]
    seconds: u16,
    /// Measure the product alone
    #[arg(long)]
    no_peer: bool,
}

/// Memory at one moment.
#[derive(Debug, Clone, Serialize)]
struct Moment {
    when: &'static str,
    readers: u32,
    server: Memory,
    postgres: Option<Memory>,
}

impl Moment {
    async fn look(watched: &Watched, when: &'static str, readers: u32) -> Result<Moment> {
        watched.settle(SETTLE).await;
        tokio::time::sleep(CALM).await;
        let Footprint { server, postgres } = Footprint::look(watched);
        let server = server.context("the server's memory cannot be read: on Linux, name it with --pid")?;
        Ok(Moment { when, readers, server, postgres })
    }

    fn row(&self) -> Vec<String> {
        let sizes = [self.server.rss_bytes, self.server.pss_bytes].map(mebibytes);
        let postgres = self.postgres.map(|memory| mebibytes(memory.pss_bytes)).unwrap_or_default();
        [vec![self.when.to_owned(), self.readers.to_string()], sizes.to_vec(), vec![postgres]].concat()
    }
}

/// Whose streams are held.
enum System<'a> {
    Product(&'a Target, &'a World),
    Nchan(&'a Nchan),
}

impl System<'_> {
    async fn open(&self, n: usize) -> Result<Stream> {
        match self {
            System::Product(target, world) => Stream::open(target, world.login(n)).await,
            System::Nchan(nchan) => nchan.stream(CHANNEL).await,
        }
    }
}

/// What holding readers showed.
struct Held {
    moments: Vec<Moment>,
    /// Bytes of the server for a reader: of all, and of the second half.
    each: f64,
    marginal: f64,
    heartbeats: u64,
    usage: Usage,
}

impl Held {
    fn json(&self) -> Value {
        json!({
            "moments": self.moments, "bytes_per_reader": self.each,
            "bytes_per_reader_of_second_half": self.marginal, "heartbeats": self.heartbeats,
            "usage_while_held": self.usage,
        })
    }

    fn tables(&self, side: &str, readers: u32) -> [Table; 2] {
        [
            Table::new(
                format!("Memory: {side}"),
                ["", "readers", "server RSS", "server PSS", "Postgres PSS"],
            )
            .rows(self.moments.iter().map(Moment::row)),
            Table::new(format!("CPU while holding all: {side}"), ["", "CPU", "cores", "a reader"])
                .rows(self.usage.rows(readers.into())),
        ]
    }
}

pub(crate) async fn run(server: &ServerOptions, options: &Options) -> Result<Report> {
    let machine = Machine::look(&server.scratch);
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    ensure!(
        u64::from(options.readers) + OTHER_FILES <= files,
        "{} readers need more files than the {files} that may be open: raise `ulimit -n`",
        options.readers
    );
    let product = product(server, options).await?;
    let peer = match options.no_peer {
        true => None,
        false => {
            let nchan = Nchan::start(server).await?;
            let started = Moment::look(&nchan.watched, "after the start", 0).await?;
            let held = hold(&System::Nchan(&nchan), &nchan.watched, vec![started], options).await?;
            Some((held, nchan.version.clone()))
        }
    };

    let cell = |value: f64| format!("{value:.0} B");
    let mut usage = product.usage.clone();
    let mut each = vec!["all readers".to_owned(), cell(product.each)];
    let mut marginal = vec!["the second half".to_owned(), cell(product.marginal)];
    let mut tables = product.tables("product", options.readers).into_iter().collect::<Vec<_>>();
    let ratio = peer.as_ref().map(|(peer, _)| product.marginal / peer.marginal);
    if let Some((peer, _)) = &peer {
        usage.add(&peer.usage);
        each.extend([cell(peer.each), format!("{:.3}", product.each / peer.each)]);
        marginal.extend([cell(peer.marginal), format!("{:.3}", product.marginal / peer.marginal)]);
        tables.extend(peer.tables("nchan", options.readers));
    }
    let columns = ["", "product", "nchan", "ratio"];
    tables.push(Table::new("A reader, of the server's PSS", columns).row(each).row(marginal));
    let mut notes = machine.doubts(&usage);
    notes.push("the kernel's memory of the sockets is in no process's figure".to_owned());
    notes.push(
        "memory that hashing passwords left behind can hide the first readers: trust the second half"
            .to_owned(),
    );
    let peer_json = peer.as_ref().map(|(peer, _)| peer.json());
    notes.extend(
        peer.map(|(_, version)| format!("nchan ran in {version}, set by load-tests/peers/nchan.conf")),
    );
    let mut figures = product.json();
    figures["peer"] = peer_json.into();
    figures["ratio"] = ratio.into();
    Ok(Report {
        scenario: "idle",
        machine,
        settings: serde_json::to_value(options)?,
        plots: Vec::new(),
        tables,
        figures,
        notes,
    })
}

async fn product(server: &ServerOptions, options: &Options) -> Result<Held> {
    let server = Server::start(server).await?;
    let started = Moment::look(&server.watched, "after the start", 0).await?;
    let accounts = match options.accounts {
        Some(accounts) => accounts.into(),
        None => accounts_for(usize::try_from(options.readers)?),
    };
    let world = World::make(&server.target, Size { accounts, channels: 1 }).await?;
    let before = Moment::look(&server.watched, "with accounts", 0).await?;
    let system = System::Product(&server.target, &world);
    let held = hold(&system, &server.watched, vec![started, before], options).await?;
    ensure!(held.heartbeats > 0, "no stream had a heartbeat");
    Ok(held)
}

/// Opens half of the readers and then the others; `moments` are those before the first.
async fn hold(
    system: &System<'_>,
    watched: &Watched,
    mut moments: Vec<Moment>,
    options: &Options,
) -> Result<Held> {
    let time = Duration::from_secs(options.seconds.into());
    let half = options.readers / 2;
    let mut readers = Readers::new();
    readers.open(system, 0..half).await?;
    Progress::during("holding half of the streams", time, tokio::time::sleep(time)).await;
    moments.push(Moment::look(watched, "half of the readers", half).await?);
    readers.open(system, half..options.readers).await?;
    let meter = watched.start();
    Progress::during("holding all streams", time, tokio::time::sleep(time)).await;
    let usage = meter.stop();
    moments.push(Moment::look(watched, "all readers", options.readers).await?);
    let heartbeats = readers.close().await?;
    let [.., before, half, all] = moments.as_slice() else { unreachable!("three moments at least") };
    let (each, marginal) = (per_reader(before, all), per_reader(half, all));
    moments.push(Moment::look(watched, "after they left", 0).await?);
    Ok(Held { moments, each, marginal, heartbeats, usage })
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

    async fn open(&mut self, system: &System<'_>, numbers: std::ops::Range<u32>) -> Result<()> {
        let mut numbers = usize::try_from(numbers.start)?..usize::try_from(numbers.end)?;
        let progress = Progress::steps("opening streams", numbers.len());
        loop {
            let opening: Vec<_> = numbers.by_ref().take(OPENING).map(|n| system.open(n)).collect();
            if opening.is_empty() {
                return Ok(());
            }
            for stream in futures_util::future::try_join_all(opening).await? {
                self.tasks.spawn(listen(stream, self.closing.subscribe()));
                progress.step();
            }
        }
    }

    /// Closes all and says how many frames they were sent; all must have been open until now.
    async fn close(mut self) -> Result<u64> {
        self.closing.send_replace(true);
        let mut frames = 0;
        while let Some(closed) = self.tasks.join_next().await {
            frames += closed.context("a task")??;
        }
        Ok(frames)
    }
}

/// Reads until told to close; how many frames came.
async fn listen(mut stream: Stream, mut closing: watch::Receiver<bool>) -> Result<u64> {
    let mut frames = 0;
    loop {
        tokio::select! {
            more = stream.read(|_| frames += 1) => {
                more?.context("the server ended an idle stream")?;
            }
            _ = closing.wait_for(|closing| *closing) => return Ok(frames),
        }
    }
}
