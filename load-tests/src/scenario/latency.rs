//! From a post to its arrival on every SSE stream of the channel.
//!
//! Open loop: posts are due at fixed times whether or not earlier ones were answered, and every latency counts from
//! the time a post was due. A server that stalls is charged for the posts that had to wait (no coordinated omission).

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use serde_json::json;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::poster::Poster;
use crate::progress::Progress;
use crate::report::{Machine, Report, Table};
use crate::server::{Server, ServerOptions};
use crate::sse::Stream;
use crate::statistics::{Latencies, Summary};
use crate::world::{Size, World, accounts_for};

/// Posts of the first moments are made and checked, but not timed.
const WARM_UP: Duration = Duration::from_secs(3);
/// How long a reader waits for the rest when all was posted.
const GRACE: Duration = Duration::from_secs(10);
const SETTLE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, clap::Args, Serialize)]
pub(crate) struct Options {
    /// SSE streams that read the channel
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..))]
    readers: u16,
    /// Posts a second
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    rate: u16,
    /// Seconds that are timed, after 3 s of warming up
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=3_600))]
    seconds: u16,
    /// Connections that post
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    posters: u16,
    /// Accounts among which posters and readers are dealt [default: one for 50 readers, and 8 at least]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    accounts: Option<u16>,
    /// Characters of a message
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u16).range(20..=4000))]
    length: u16,
}

/// When each post is due.
#[derive(Debug, Clone, Copy)]
struct Schedule {
    begin: Instant,
    interval: Duration,
    /// All posts, and how many of the first are not timed.
    posts: u64,
    untimed: u64,
}

impl Schedule {
    fn new(options: &Options) -> Schedule {
        let rate = u64::from(options.rate);
        let untimed = rate * WARM_UP.as_secs();
        Schedule {
            begin: Instant::now() + Duration::from_millis(200),
            interval: Duration::from_secs(1) / u32::from(options.rate),
            posts: untimed + rate * u64::from(options.seconds),
            untimed,
        }
    }

    fn due(&self, sequence: u64) -> Instant {
        self.begin + self.interval.mul_f64(count(sequence))
    }

    fn end(&self) -> Instant {
        self.due(self.posts)
    }

    fn is_timed(&self, sequence: u64) -> bool {
        (self.untimed..self.posts).contains(&sequence)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn count(number: u64) -> f64 {
    number as f64
}

pub(crate) async fn run(server: &ServerOptions, options: &Options) -> Result<Report> {
    let machine = Machine::look(&server.scratch);
    let server = Server::start(server).await?;
    let accounts = options.accounts.map_or_else(|| accounts_for(options.readers.into()), usize::from);
    let world = World::make(&server.target, Size { accounts, channels: 1 }).await?;
    let mut posters = Vec::new();
    for n in 0..usize::from(options.posters) {
        posters.push(Poster::open(&server.target, &world, n, usize::from(options.length)).await?);
    }
    let mut streams = Vec::new();
    let progress = Progress::steps("opening streams", usize::from(options.readers));
    for n in 0..usize::from(options.readers) {
        streams.push(Stream::open(&server.target, world.login(n)).await?);
        progress.step();
    }
    drop(progress);
    server.watched.settle(SETTLE).await;

    let meter = server.watched.start();
    let schedule = Schedule::new(options);
    let mut readers = JoinSet::new();
    for stream in streams {
        readers.spawn(read(stream, schedule));
    }
    let length = schedule.end() - Instant::now();
    let sending = Progress::during("posting", length, send(posters, schedule));
    let (late, answered) = sending.await?;
    let mut seen = Seen::default();
    while let Some(read) = readers.join_next().await {
        seen.add(&read.context("a task")??)?;
    }
    let usage = meter.stop();

    let expected = schedule.posts * u64::from(options.readers);
    ensure!(
        seen.frames == expected && seen.repeated == 0,
        "of {expected} deliveries {} arrived, {} of them twice",
        seen.frames,
        seen.repeated
    );
    ensure!(seen.orders.len() == 1, "readers saw the posts in {} different orders", seen.orders.len());

    let (delivered, answered, late) = (seen.latencies.summary(), answered.summary(), late.summary());
    let named = |name: &str, summary: &Summary| [vec![name.to_owned()], summary.cells()].concat();
    Ok(Report {
        scenario: "latency",
        notes: machine.doubts(&usage),
        machine,
        settings: serde_json::to_value(options)?,
        plots: Vec::new(),
        tables: vec![
            Table::new("From when a post was due", [""].into_iter().chain(Summary::COLUMNS))
                .row(named("to its arrival on a stream", &delivered))
                .row(named("to its answer", &answered))
                .row(named("to its sending", &late)),
            Table::new("CPU", ["", "CPU", "cores", "a delivery"]).rows(usage.rows(expected)),
        ],
        figures: json!({
            "delivery": delivered, "answer": answered, "send_delay": late, "posts": schedule.posts,
            "deliveries": expected, "missed": 0, "repeated": 0, "usage": usage,
        }),
    })
}

/// Posts on schedule by whichever connection is free. Returns how late posts were sent and how late they were
/// answered.
async fn send(posters: Vec<Poster>, schedule: Schedule) -> Result<(Latencies, Latencies)> {
    let (due, queue) = mpsc::channel(usize::try_from(schedule.posts)?);
    // A thread, because tokio's timers round up to whole milliseconds.
    let pacer = std::thread::spawn(move || {
        for sequence in 0..schedule.posts {
            std::thread::sleep(schedule.due(sequence).saturating_duration_since(Instant::now()));
            if due.try_send(sequence).is_err() {
                return;
            }
        }
    });
    let queue = Arc::new(Mutex::new(queue));
    let mut tasks = JoinSet::new();
    for mut poster in posters {
        let queue = Arc::clone(&queue);
        tasks.spawn(async move {
            let (mut late, mut answered) = (Latencies::new(), Latencies::new());
            loop {
                let next = queue.lock().await.recv().await;
                let Some(sequence) = next else { return anyhow::Ok((late, answered)) };
                let due = schedule.due(sequence);
                let sent = Instant::now();
                poster.post(sequence).await?;
                if schedule.is_timed(sequence) {
                    late.record(sent.saturating_duration_since(due));
                    answered.record(due.elapsed());
                }
            }
        });
    }
    let (mut late, mut answered) = (Latencies::new(), Latencies::new());
    while let Some(done) = tasks.join_next().await {
        let (own_late, own_answered) = done.context("a task")??;
        late.merge(&own_late)?;
        answered.merge(&own_answered)?;
    }
    ensure!(pacer.join().is_ok(), "the pacing thread panicked");
    Ok((late, answered))
}

/// What one reader saw.
struct Read {
    latencies: Latencies,
    frames: u64,
    repeated: u64,
    /// A digest of the sequence numbers in the order of their arrival.
    order: u64,
}

async fn read(mut stream: Stream, schedule: Schedule) -> Result<Read> {
    let mut seen = vec![false; usize::try_from(schedule.posts)?];
    let mut read = Read { latencies: Latencies::new(), frames: 0, repeated: 0, order: 0 };
    let mut order = DefaultHasher::new();
    let patience = schedule.end() + GRACE;
    while read.frames < schedule.posts {
        let more = stream.read(|frame| {
            let now = Instant::now();
            let Some(sequence) = frame.sequence() else { return };
            let slot = usize::try_from(sequence).ok().and_then(|sequence| seen.get_mut(sequence));
            // A number beyond the schedule is a message of somebody else.
            let Some(slot) = slot else { return };
            read.frames += 1;
            read.repeated += u64::from(std::mem::replace(slot, true));
            sequence.hash(&mut order);
            if schedule.is_timed(sequence) {
                read.latencies.record(now.saturating_duration_since(schedule.due(sequence)));
            }
        });
        match tokio::time::timeout_at(patience.into(), more).await {
            Ok(Ok(Some(()))) => {}
            Ok(Ok(None)) | Err(_) => break,
            Ok(Err(error)) => return Err(error),
        }
    }
    read.order = order.finish();
    Ok(read)
}

/// What all readers saw.
struct Seen {
    latencies: Latencies,
    frames: u64,
    repeated: u64,
    orders: std::collections::HashSet<u64>,
}

impl Default for Seen {
    fn default() -> Seen {
        Seen { latencies: Latencies::new(), frames: 0, repeated: 0, orders: std::collections::HashSet::new() }
    }
}

impl Seen {
    fn add(&mut self, read: &Read) -> Result<()> {
        self.frames += read.frames;
        self.repeated += read.repeated;
        self.orders.insert(read.order);
        self.latencies.merge(&read.latencies)
    }
}
