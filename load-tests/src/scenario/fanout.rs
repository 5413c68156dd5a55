//! One channel, many subscribers: how many deliveries a second, how late, and what each costs, beside nchan, which
//! keeps messages in memory and knows no accounts.
//!
//! Both sides have the same subscribers, opened by the same code and kept open over all turns, and frames of about the
//! same bytes: nchan is given the JSON that our frame carries. They take turns, so that whatever else slows the machine
//! slows both, and each pair has its ratio. Every post must come to every subscriber once, in one order.
//!
//! By `--rate N` the loop is open: posts are due at fixed times whether or not earlier ones were answered, and latency
//! counts from the time a post was due (no coordinated omission). By `--rate max` each publisher posts again as soon as
//! it is answered, as long as subscribers are no more than `--ahead` posts behind on average.

mod side;
mod table;
mod tally;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use self::side::{Side, System, Turn};
use crate::marker;
use crate::pace::Rate;
use crate::peer::nchan::Nchan;
use crate::poster;
use crate::repeat::Repeat;
use crate::report::{Machine, Report};
use crate::server::{Server, ServerOptions};
use crate::sse::Stream;
use crate::world::{Size, World, accounts_for};

/// A message of our own comes back within this.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

#[derive(Debug, Clone, clap::Args, Serialize)]
pub(crate) struct Options {
    /// Clients that listen to the channel; both sides' are open at the same time
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=9_000))]
    subscribers: u16,
    /// Connections that post
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    publishers: u16,
    /// Connections that post to the peer [default: as many]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    peer_publishers: Option<u16>,
    /// How subscribers listen
    #[arg(long, default_value = "sse")]
    transport: Transport,
    /// Posts a second, at fixed times; or `max`
    #[arg(long, default_value = "50")]
    rate: Rate,
    /// At `max`, posts that subscribers may be behind on average before publishers wait
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=8_192))]
    ahead: u16,
    /// Seconds of each turn that are timed, after 2 s of warming up
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=240))]
    seconds: u16,
    /// How often product and peer take turns
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    pairs: u16,
    /// Accounts among which publishers and subscribers are dealt [default: one for 50, and 8 at least]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    accounts: Option<u16>,
    /// Characters of a message
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u16).range(20..=4000))]
    length: u16,
    /// Measure the product alone
    #[arg(long)]
    no_peer: bool,
}

impl Options {
    fn peer_publishers(&self) -> u16 {
        self.peer_publishers.unwrap_or(self.publishers)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum Transport {
    /// Server-Sent Events
    Sse,
    /// One request for each answer, on connections that are kept
    LongPoll,
}

/// Both sides of one pair.
struct Pair {
    product: Turn,
    peer: Option<Turn>,
}

pub(crate) async fn run(server: &ServerOptions, options: &Options) -> Result<Report> {
    let machine = Machine::look(&server.scratch);
    let nchan = match options.no_peer {
        true => None,
        false => Some(Nchan::start(server).await?),
    };
    let server = Server::start(server).await?;
    let accounts = options.accounts.map_or_else(|| accounts_for(options.subscribers.into()), usize::from);
    let world = World::make(&server.target, Size { accounts, channels: 1 }).await?;
    let (frame, message) = sample(&server, &world, options).await?;
    let mut frames = [Some(frame), None];
    let product = System::Product { server, world: Box::new(world) };
    let mut product = Side::open(product, options.publishers, options).await?;
    let mut peer = None;
    if let Some(nchan) = nchan {
        frames[1] = Some(nchan.frame_length(&message).await?);
        peer = Some(Side::open(System::Nchan { nchan, message }, options.peer_publishers(), options).await?);
    }
    let mut pairs = Vec::new();
    for pair in 1..=options.pairs {
        let stage = |who: &str| format!("pair {pair} of {}: {who}", options.pairs);
        let turn = product.turn(&stage("product"), options).await?;
        let faults = turn.faults;
        ensure!(
            faults == tally::Faults::default(),
            "of {} deliveries {} were missed and {} came twice, in {} other orders",
            turn.posts * u64::from(options.subscribers),
            faults.missed,
            faults.strays,
            faults.other_orders
        );
        let peer_turn = match &mut peer {
            Some(peer) => Some(peer.turn(&stage("nchan"), options).await?),
            None => None,
        };
        pairs.push(Pair { product: turn, peer: peer_turn });
    }
    table::report(machine, options, frames, &product, peer.as_ref(), &pairs)
}

/// How many bytes a frame of ours has, and the JSON in it with the placeholder for its number.
async fn sample(server: &Server, world: &World, options: &Options) -> Result<(usize, String)> {
    let mut stream = Stream::open(&server.target, world.login(0)).await?;
    let length = usize::from(options.length);
    let request = poster::request(&server.target, world.login(0), world.channel(0), length)?;
    Repeat::open(&server.target, request).await?.send(0).await?;
    let mut found = None;
    let seeing = async {
        while found.is_none() {
            let more = stream.read(|frame| {
                if frame.sequence() == Some(0) {
                    let data = frame.data().unwrap_or_default();
                    found = Some((frame.length(), String::from_utf8_lossy(data).into_owned()));
                }
            });
            more.await?.context("a stream ended at its first message")?;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, seeing).await.context("a message came to no stream")??;
    let (length, json) = found.context("a message came")?;
    let number = format!("seq-{:0width$}", 0, width = marker::DIGITS);
    Ok((length, json.replace(&number, &format!("seq-{}", marker::PLACEHOLDER))))
}
