//! Thousands of streams are cut at the same moment and come back, while posts go on and others use the server.
//!
//! The clients read one channel. Storms follow one another, with calm between: the clients close all their sockets and
//! come back spread over some seconds, or as the SDK does, or all at once; or the server is killed and started again,
//! and they come back as the SDK does. Measured is
//!
//! - for each client the time from its first try to its hello, and to its being live: a heartbeat with a cursor, which
//!   the server sends when nothing is missing any more;
//! - for all of them the time from when the last one may come back to when the last one is live. A client may come back
//!   at its first try, or at its first try after a server that was killed is ready again;
//! - for the others, who read pages and post on connections of their own in open loop, how long that takes.
//!
//! Every client goes on from its last cursor and must see every number once and in order, over all storms.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::ValueEnum;
use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::client::{Back, Client, Order, Read};
use self::others::Others;
use self::recovery::Return;
use crate::fill::{Filling, fill};
use crate::footprint::Footprint;
use crate::progress::Progress;
use crate::report::{Machine, Report};
use crate::sampler::Sampler;
use crate::server::{Server, ServerOptions};
use crate::usage::Usage;
use crate::world::{Size, World, accounts_for};

mod client;
mod others;
mod posts;
mod recovery;
mod report;

const SETTLE: Duration = Duration::from_secs(10);
/// Streams that are being opened at the same time, before the first storm.
const OPENING: usize = 64;
/// Messages in the channel that the others read.
const HISTORY: u64 = 1_000;
/// Requests that are due so shortly before a cut may feel it: they count neither as calm nor as storm.
const UNDER_WAY: Duration = Duration::from_millis(500);
/// A storm is over within this, or it has failed; and so is the end, when all have read the last message.
const PATIENCE: Duration = Duration::from_secs(90);
/// Longer than the whole test can take.
const LONGEST: Duration = Duration::from_mins(15);

#[derive(Debug, Clone, clap::Args, Serialize)]
pub(crate) struct Options {
    /// SSE streams that are cut
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u16).range(1..=15_000))]
    clients: u16,
    /// What happens, in this order
    #[arg(long, value_delimiter = ',', default_value = "spread,sdk,at-once,kill", num_args = 1)]
    storms: Vec<Kind>,
    /// Seconds over which the clients of `spread` come back
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=60))]
    within: u16,
    /// Posts a second in the channel that all clients read
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    rate: u16,
    /// Requests a second of others: pages and posts, in turn
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(2..=1_000))]
    requests: u16,
    /// Seconds of calm before each storm
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=60))]
    calm: u16,
    /// Characters of a message
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u16).range(20..=4000))]
    length: u16,
}

/// A kind of storm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// The clients close their sockets and come back evenly spread over --within
    Spread,
    /// The clients close their sockets and come back as the SDK does, within 1 to 2 s
    Sdk,
    /// The clients close their sockets and come back at once
    AtOnce,
    /// The server is killed and started again, and the clients come back as the SDK does
    Kill,
}

/// What a storm did.
struct Storm {
    kind: Kind,
    /// When the streams were cut.
    cut: Instant,
    /// When a server that was killed answered again.
    ready: Option<Instant>,
    live: Instant,
    backs: Vec<Back>,
    /// From the cut, or from when the new server was ready, until all were live.
    usage: Usage,
}

pub(crate) async fn run(server: &ServerOptions, options: &Options) -> Result<Report> {
    let machine = Machine::look(&server.scratch);
    let mut server = Server::start(server).await?;
    let clients = usize::from(options.clients);
    let world = World::make(&server.target, Size { accounts: accounts_for(clients), channels: 1 }).await?;
    let others_world = Arc::new(World::make(&server.target, Size { accounts: 4, channels: 1 }).await?);
    let filling = Filling { numbers: 0..HISTORY, connections: 8, length: usize::from(options.length) };
    fill(&server.target, &others_world, 0, &filling).await?;
    let before = Footprint::look(&server.watched);
    let mut crowd = Crowd::open(&server, &world, clients).await?;
    server.watched.settle(SETTLE).await;
    let held = Footprint::look(&server.watched);

    let sampler = Sampler::start(&server.watched);
    let begun = Instant::now();
    let posts = posts::start(&server.target, &world, options.rate, usize::from(options.length));
    let rate = u32::from(options.requests);
    let others = Others::start(&server.target, &others_world, rate, LONGEST, HISTORY).await?;
    let calm = Duration::from_secs(options.calm.into());
    let (mut storms, mut calms) = (Vec::new(), Vec::new());
    for &kind in &options.storms {
        let from = Instant::now();
        Progress::during(&format!("calm before {}", kind.title()), calm, tokio::time::sleep(calm)).await;
        calms.push(from..Instant::now() - UNDER_WAY);
        if kind == Kind::Kill && !server.is_own() {
            continue;
        }
        storms.push(crowd.storm(kind, &mut server, &sampler, options).await?);
    }
    let posted = posts.stop().await?;
    let read = crowd.finish(posted.last).await?;
    let asked = others.stop().await?;
    let after = Footprint::look(&server.watched);
    ensure!(
        read.missed == 0 && read.repeated == 0,
        "of {} messages for each of {clients} clients {} were missed, {} came twice",
        posted.last + 1,
        read.missed,
        read.repeated
    );
    let memory = [("before the streams", before), ("all streams open", held), ("at the end", after)];
    let found =
        report::Found { begun, storms, calms, asked, posted, memory, plots: sampler.stop()?, machine };
    report::report(options, found)
}

impl Kind {
    fn title(self) -> &'static str {
        match self {
            Kind::Spread => "closed, back spread",
            Kind::Sdk => "closed, back as the SDK",
            Kind::AtOnce => "closed, back at once",
            Kind::Kill => "server killed",
        }
    }
}

/// All clients.
struct Crowd {
    clients: JoinSet<Result<Read>>,
    count: usize,
    orders: watch::Sender<Order>,
    backs: mpsc::Receiver<Back>,
}

impl Crowd {
    /// Opens all streams and waits until each is live.
    async fn open(server: &Server, world: &World, count: usize) -> Result<Crowd> {
        let progress = Progress::steps("opening streams", count);
        let (sender, backs) = mpsc::channel(count);
        let orders = watch::Sender::new(Order::Read);
        let (mut opening, mut clients) = (JoinSet::new(), JoinSet::new());
        let mut next = 0;
        while clients.len() < count {
            while next < count && opening.len() < OPENING {
                let (target, login) = (server.target.clone(), world.login(next).clone());
                let (seed, backs) = (u64::try_from(next)?, sender.clone());
                opening.spawn(async move { Client::open(&target, &login, seed, backs).await });
                next += 1;
            }
            let Some(opened) = opening.join_next().await else { break };
            let (client, stream) = opened.context("a task")??;
            clients.spawn(client.run(stream, orders.subscribe()));
            progress.step();
        }
        Ok(Crowd { clients, count, orders, backs })
    }

    /// Cuts all streams and waits until every client is live again.
    async fn storm(
        &mut self,
        kind: Kind,
        server: &mut Server,
        sampler: &Sampler,
        options: &Options,
    ) -> Result<Storm> {
        while self.backs.try_recv().is_ok() {}
        let cut = Instant::now();
        let mut ready = None;
        let mut meter = server.watched.start();
        let leave = match kind {
            Kind::Spread => Some(Return::Within(Duration::from_secs(options.within.into()))),
            Kind::Sdk => Some(Return::AsTheSdk),
            Kind::AtOnce => Some(Return::AtOnce),
            Kind::Kill => None,
        };
        if let Some(how) = leave {
            self.orders.send_replace(Order::Leave(how));
        } else {
            server.kill()?;
            server.start_again().await?;
            ready = Some(Instant::now());
            sampler.watch(&server.watched);
            meter = server.watched.start();
        }
        let progress = Progress::steps(&format!("storm: {}", kind.title()), self.count);
        let coming = timeout(PATIENCE, self.come_back(&progress)).await;
        let backs =
            coming.with_context(|| format!("not all clients were live again after {PATIENCE:?}"))??;
        Ok(Storm { kind, cut, ready, live: Instant::now(), backs, usage: meter.stop() })
    }

    async fn come_back(&mut self, progress: &Progress) -> Result<Vec<Back>> {
        let mut backs = Vec::with_capacity(self.count);
        while backs.len() < self.count {
            tokio::select! {
                back = self.backs.recv() => {
                    backs.push(back.context("all clients are gone")?);
                    progress.step();
                }
                Some(ended) = self.clients.join_next() => {
                    ended.context("a task")??;
                    bail!("a client was done before its time");
                }
            }
        }
        Ok(backs)
    }

    /// Waits until every client has read the last message, and sums up their faults.
    async fn finish(mut self, last: u64) -> Result<Read> {
        let progress = Progress::steps("reading the last messages", self.count);
        self.orders.send_replace(Order::Finish(last));
        let mut all = Read::default();
        let ending = timeout(PATIENCE, async {
            while let Some(done) = self.clients.join_next().await {
                all.merge(&done.context("a task")??);
                progress.step();
            }
            anyhow::Ok(())
        });
        ending.await.with_context(|| format!("message {last} did not reach all clients"))??;
        Ok(all)
    }
}
