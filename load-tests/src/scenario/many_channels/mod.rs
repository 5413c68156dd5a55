//! Many channels, of which each subscriber has a few: what it costs that a post concerns some and not others.
//!
//! The channels belong to communities; each subscriber's account is a member of one, and sees all its channels and no
//! other. Posts are dealt over all channels. Every subscriber must get exactly the messages of its own channels, none
//! of the others', all subscribers of a community in one order.
//!
//! In the same run, for comparison, the same subscribers get as many deliveries a second from one channel that all of
//! them see. Two equations then have two unknowns: what a post costs, and what a delivery.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use self::board::Whom;
use self::choice::Choice;
use self::turn::{Audience, Load, Subscriber, Turned};
use crate::footprint::Footprint;
use crate::http::{Login, Target};
use crate::pace::Rate;
use crate::poster;
use crate::progress::Progress;
use crate::repeat::Request;
use crate::report::{Machine, Report};
use crate::sampler::Sampler;
use crate::server::{Server, ServerOptions};
use crate::sse::Stream;
use crate::world::{Size, World};

mod board;
mod choice;
mod report;
mod tally;
mod turn;

const SETTLE: Duration = Duration::from_secs(10);
/// Before each turn that is measured, one of this length is made and checked, but not told.
const WARM_UP: Duration = Duration::from_secs(2);
/// Streams that are being opened at the same time.
const OPENING: usize = 32;
/// Streams that one account may have open; the server allows 64.
const STREAMS_OF_AN_ACCOUNT: usize = 60;

#[derive(Debug, Clone, clap::Args, Serialize)]
pub(crate) struct Options {
    /// SSE streams, each of which sees the channels of one community
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=9_000))]
    subscribers: u16,
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    communities: u16,
    /// Channels of each community
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
    channels: u16,
    /// Accounts of each community, among which its subscribers are dealt
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=100))]
    accounts: u16,
    /// Connections that post
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    publishers: u16,
    /// Posts a second over all channels, at fixed times; or `max`: each connection again as soon as it is answered
    #[arg(long, default_value = "500")]
    rate: Rate,
    /// How unevenly the posts are dealt over the channels: 0 is evenly; by 1 the second channel gets half as much as
    /// the first, the third a third
    #[arg(long, default_value_t = 0.0, value_parser = parse_skew)]
    skew: f64,
    /// Seconds of a turn
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=120))]
    seconds: u16,
    /// Characters of a message
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u16).range(20..=4000))]
    length: u16,
    /// Leave out the channel that all see
    #[arg(long)]
    no_comparison: bool,
}

fn parse_skew(text: &str) -> Result<f64, String> {
    let skew = text.parse().ok().filter(|skew| (0.0..=3.0).contains(skew));
    skew.ok_or_else(|| "a number from 0 to 3".to_owned())
}

/// What was made for the test.
struct Place {
    target: Target,
    /// A post to each channel. The n-th channel is one of the n-th community, counted in turn.
    requests: Arc<Vec<Request>>,
    /// A post to the channel that all see.
    plaza: Arc<Vec<Request>>,
    /// Who may see what: the accounts of each community.
    members: Vec<Vec<Login>>,
}

impl Place {
    async fn make(target: &Target, options: &Options) -> Result<Place> {
        let size = Size { accounts: options.accounts.into(), channels: options.channels.into() };
        let worlds = World::make_many(target, options.communities.into(), size).await?;
        let everybody: Vec<Login> = worlds.iter().flat_map(|world| world.logins.clone()).collect();
        let plaza = World::of(target, everybody, 1).await?;
        let length = usize::from(options.length);
        let request = |world: &World, channel: usize| {
            poster::request(target, world.login(0), &world.channels[channel], length)
        };
        let channels = worlds.len() * usize::from(options.channels);
        let requests: Result<Vec<Request>> = (0..channels)
            .map(|number| request(&worlds[number % worlds.len()], number / worlds.len()))
            .collect();
        Ok(Place {
            target: target.clone(),
            requests: Arc::new(requests?),
            plaza: Arc::new(vec![request(&plaza, 0)?]),
            members: worlds.into_iter().map(|world| world.logins).collect(),
        })
    }

    async fn subscribe(&self, count: usize) -> Result<Vec<Subscriber>> {
        let progress = Progress::steps("opening streams", count);
        let mut subscribers = Vec::with_capacity(count);
        for first in (0..count).step_by(OPENING) {
            let opening = (first..count.min(first + OPENING)).map(async |n| {
                let community = n % self.members.len();
                let members = &self.members[community];
                let login = &members[(n / self.members.len()) % members.len()];
                let stream = Stream::open(&self.target, login).await?;
                progress.step();
                anyhow::Ok(Subscriber { stream, community })
            });
            subscribers.extend(futures_util::future::try_join_all(opening).await?);
        }
        Ok(subscribers)
    }
}

pub(crate) async fn run(server: &ServerOptions, options: &Options) -> Result<Report> {
    let machine = Machine::look(&server.scratch);
    let (communities, accounts) = (usize::from(options.communities), usize::from(options.accounts));
    let subscribers = usize::from(options.subscribers);
    ensure!(
        subscribers.div_ceil(communities).div_ceil(accounts) <= STREAMS_OF_AN_ACCOUNT,
        "an account would have more than {STREAMS_OF_AN_ACCOUNT} streams: give --accounts more"
    );
    let server = Server::start(server).await?;
    let place = Place::make(&server.target, options).await?;
    server.watched.settle(SETTLE).await;
    let before = Footprint::look(&server.watched);
    let streams = place.subscribe(subscribers).await?;
    server.watched.settle(SETTLE).await;
    let open = Footprint::look(&server.watched);

    let sampler = Sampler::start(&server.watched);
    let mut audience = Audience::new(streams);
    let choice = Choice::new(communities * usize::from(options.channels), options.skew);
    let own = Whom::Own { choice, communities };
    let own = measure(&mut audience, &server, options, own, &place.requests, options.rate).await?;
    let all = match options.no_comparison {
        true => None,
        false => {
            // As many deliveries, by as many posts as that takes where each goes to all.
            let rate = Rate::PerSecond(own.deliveries_per_second() / f64::from(options.subscribers));
            Some(measure(&mut audience, &server, options, Whom::All, &place.plaza, rate).await?)
        }
    };
    let after = Footprint::look(&server.watched);
    let memory = [("before the streams", before), ("all streams open", open), ("at the end", after)];
    report::report(machine, options, &own, all.as_ref(), memory, sampler.stop()?)
}

/// A turn that warms everything up, and the one that counts.
async fn measure(
    audience: &mut Audience,
    server: &Server,
    options: &Options,
    whom: Whom,
    requests: &Arc<Vec<Request>>,
    rate: Rate,
) -> Result<Turned> {
    let title = whom.title();
    let load = Load { whom: Arc::new(whom), requests: Arc::clone(requests), rate };
    let publishers = usize::from(options.publishers);
    let warming = audience.turn(&format!("warming up: {title}"), server, &load, publishers, WARM_UP).await;
    warming.with_context(|| format!("warming up: {title}"))?;
    let seconds = Duration::from_secs(options.seconds.into());
    audience.turn(title, server, &load, publishers, seconds).await.context(title)
}
