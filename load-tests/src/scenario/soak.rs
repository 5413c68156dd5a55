//! An hour of moderate load: whether memory, open files and latencies stay flat, and nothing is lost or comes twice.
//!
//! Posts are due at fixed times; some are edited or deleted later. Streams and polls follow all of it, visitors come and
//! go and resume from their cursors, somebody scrolls back through the channels. Every follower, visitors included, must
//! have seen everything once, in the one order of the log. The server's bounded caches are filled before the beginning,
//! so that what grows afterwards is none of them.

mod follow;
mod ledger;
mod meters;
mod pages;
mod schedule;
mod show;
mod verdict;
mod write;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::fill::{Filling, fill};
use crate::footprint::Footprint;
use crate::http::Target;
use crate::progress::Progress;
use crate::report::{Machine, Report};
use crate::server::{Server, ServerOptions};
use crate::usage::{Usage, Watched};
use crate::world::{Size, World, accounts_for};
use follow::{Followed, Follower, Way};
use ledger::{Delivery, FILLING};
use meters::{Meters, Sample, Sampler, descriptors, gauge, network_sockets};
use schedule::Schedule;
use write::{Writers, Written};

/// How long everybody has to see the rest when all is written.
const GRACE: Duration = Duration::from_secs(120);
const SETTLE: Duration = Duration::from_secs(30);
/// The server notices within this that its clients are gone.
const CLOSING: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Samples of a run, where no interval is given.
const SAMPLES: u32 = 120;
const FILLING_CONNECTIONS: usize = 64;
const SUBSCRIPTIONS: &str = "echoverse_live_subscriptions";

#[derive(Debug, Clone, clap::Args, Serialize)]
pub(crate) struct Options {
    /// How long
    #[arg(long, default_value_t = 60.0, value_parser = minutes)]
    minutes: f64,
    /// Posts a second
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=5_000))]
    rate: u16,
    /// Connections that post
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=500))]
    posters: u16,
    /// SSE streams that stay
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=2_000))]
    readers: u16,
    /// Clients that long-poll
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=2_000))]
    pollers: u16,
    /// Clients that come and go, by stream and by poll in turn
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=2_000))]
    visitors: u16,
    /// Pages of the channels' history, a second
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pages: u16,
    /// Messages that are posted first, as fast as it goes
    #[arg(long, default_value_t = 150_000, value_parser = clap::value_parser!(u64).range(0..=10_000_000))]
    fill: u64,
    /// Text channels
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=200))]
    channels: u16,
    /// Characters of a message
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u16).range(20..=4000))]
    length: u16,
    /// Seconds between samples [default: a 120th of the run, one at least]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=3_600))]
    interval: Option<u16>,
}

/// From six seconds to a week.
fn minutes(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
    let range = 0.1..=10_080.0;
    range.contains(&minutes).then_some(minutes).ok_or_else(|| format!("{minutes} is not in {range:?}"))
}

impl Options {
    fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.minutes * 60.0)
    }

    fn interval(&self) -> Duration {
        let given = self.interval.map(|seconds| Duration::from_secs(seconds.into()));
        given.unwrap_or(self.duration() / SAMPLES).max(Duration::from_secs(1))
    }

    fn followers(&self) -> impl Iterator<Item = Way> + use<> {
        let ways = [(Way::Stream, self.readers), (Way::Poll, self.pollers), (Way::Visit, self.visitors)];
        ways.into_iter().flat_map(|(way, count)| std::iter::repeat_n(way, count.into()))
    }
}

/// What a run came to.
struct Found {
    samples: Vec<Sample>,
    delivery: Delivery,
    written: Written,
    resumed: u64,
    failures: u64,
    /// One of them, as an example.
    failure: Option<String>,
    pages: u64,
    usage: Usage,
}

/// The server with nobody connected to it.
#[derive(Debug, Clone, Copy, Serialize)]
struct AtRest {
    memory: Footprint,
    /// Open files, sockets included.
    descriptors: Option<u32>,
    /// Of these, what listens and what leads to clients.
    network_sockets: Option<u32>,
    /// Streams and polls that the server delivers to.
    subscriptions: Option<f64>,
}

impl AtRest {
    async fn look(server: &Server) -> Result<AtRest> {
        let pid = server.watched.server;
        // Before the metrics are asked for, which takes a connection.
        let network_sockets = pid.and_then(network_sockets);
        Ok(AtRest {
            memory: Footprint::look(&server.watched),
            descriptors: pid.and_then(descriptors),
            network_sockets,
            subscriptions: server.metrics().await?.and_then(|text| gauge(&text, SUBSCRIPTIONS)),
        })
    }

    /// Waits until the server has noticed that its clients are gone, as far as `before` tells.
    async fn after(server: &Server, before: &AtRest) -> Result<AtRest> {
        let begun = Instant::now();
        loop {
            let now = AtRest::look(server).await?;
            if now.has_returned_to(before) || begun.elapsed() > CLOSING {
                return Ok(now);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// No client's socket is left and nobody is delivered to, where these can be seen.
    fn has_returned_to(&self, before: &AtRest) -> bool {
        self.network_sockets <= before.network_sockets && self.subscriptions.is_none_or(|count| count == 0.0)
    }
}

pub(crate) async fn run(server: &ServerOptions, options: &Options) -> Result<Report> {
    let machine = Machine::look(&server.scratch);
    let mut server = server.clone();
    server.metrics = true;
    let server = Server::start(&server).await?;
    let (watched, target) = (&server.watched, &server.target);
    let size =
        Size { accounts: accounts_for(options.followers().count()), channels: usize::from(options.channels) };
    let world = Arc::new(World::make(target, size).await?);
    fill_all(target, &world, options).await?;
    watched.settle(SETTLE).await;
    let before = AtRest::look(&server).await?;

    let patience = options.duration() + GRACE;
    let running = tokio::time::timeout(patience, load(target, watched, &world, options));
    let found = Progress::during("soaking", options.duration(), running).await;
    let found = found.context("somebody waits for what does not come")??;
    found.delivery.ensure()?;
    let after = AtRest::after(&server, &before).await?;
    show::report(machine, options, &found, [before, after])
}

async fn fill_all(target: &Target, world: &World, options: &Options) -> Result<()> {
    let channels = u64::from(options.channels);
    for n in 0..channels {
        let numbers = FILLING + options.fill * n / channels..FILLING + options.fill * (n + 1) / channels;
        let filling = Filling { numbers, connections: FILLING_CONNECTIONS, length: options.length.into() };
        fill(target, world, usize::try_from(n)?, &filling).await?;
    }
    Ok(())
}

async fn load(target: &Target, watched: &Watched, world: &Arc<World>, options: &Options) -> Result<Found> {
    let meters = Arc::new(Mutex::new(Meters::new()));
    let announced = watch::Sender::new(None);
    let begin = follow::cursor(target, world.login(0)).await?;
    let schedule = Schedule::new(options.rate, options.duration());
    let mut followers = JoinSet::new();
    for (n, way) in options.followers().enumerate() {
        let follower = Follower {
            target: target.clone(),
            login: world.login(n).clone(),
            way,
            number: n as u64,
            cursor: begin.clone(),
            schedule,
            meters: meters.clone(),
            written: announced.subscribe(),
        };
        followers.spawn(follower.run());
    }
    let writing = async {
        let (posters, length) = (options.posters.into(), options.length.into());
        let writers = Writers { target, world, schedule, meters: &meters, posters, length };
        let written = writers.run().await?;
        announced.send_replace(Some(written.ledger.posts));
        anyhow::Ok(written)
    };
    let following = async {
        let mut followed: Vec<Followed> = Vec::new();
        while let Some(done) = followers.join_next().await {
            followed.push(done.context("a task")??);
        }
        anyhow::Ok(followed)
    };
    let reading = pages::read(target, world, options.pages, &meters, announced.subscribe());
    let sampling = async {
        anyhow::Ok(Sampler::start(watched, &meters).run(options.interval(), options.duration()).await)
    };
    let meter = watched.start();
    let (written, followed, pages, samples) = tokio::try_join!(writing, following, reading, sampling)?;
    let usage = meter.stop();
    let resumed = followed.iter().map(|one| one.resumed).sum();
    let failures = followed.iter().map(|one| one.failures).sum();
    let failure = followed.iter().find_map(|one| one.failure.clone());
    let verdicts: Vec<_> = followed.into_iter().map(|one| one.seen.check(&written.ledger)).collect();
    ensure!(!samples.is_empty(), "there is no sample");
    let delivery = Delivery::of(&verdicts, &written.ledger);
    Ok(Found { samples, delivery, resumed, failures, failure, written, pages, usage })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_from_six_seconds_to_a_week() {
        assert_eq!(minutes("0.1"), Ok(0.1));
        assert_eq!(minutes("10080"), Ok(10_080.0));
        for wrong in ["0.09", "10081", "NaN", "-1", "x"] {
            assert!(minutes(wrong).is_err(), "{wrong}");
        }
    }
}
