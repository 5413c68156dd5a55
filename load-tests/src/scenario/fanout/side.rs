//! One side of the comparison: its subscribers, its publishers, and a turn of them.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use super::tally::{self, Tally};
use super::{Options, Rate, Transport};
use crate::footprint::Footprint;
use crate::http::Target;
use crate::longpoll::{LongPoll, Place};
use crate::pace::Pace;
use crate::peer::nchan::Nchan;
use crate::poster;
use crate::progress::Progress;
use crate::repeat::{Repeat, Request};
use crate::server::Server;
use crate::sse::Stream;
use crate::statistics::Latencies;
use crate::usage::{Usage, Watched};
use crate::world::World;

/// The first of a turn is not timed: buffers grow, caches fill.
const WARM_UP: Duration = Duration::from_secs(2);
/// How long subscribers may take for the rest when all was posted.
const GRACE: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_secs(10);
/// A server whose memory has not shrunk for so long has given back what it needed only for a while; nobody waits
/// longer for it than the patience.
const CALM: Duration = Duration::from_secs(4);
const CALM_PATIENCE: Duration = Duration::from_secs(40);
/// Streams are opened anew when a turn could find them this old: our server rotates them after eight minutes.
const FRESH: Duration = Duration::from_secs(7 * 60);
/// Connections that are being opened at the same time.
const OPENING: usize = 32;
/// The channel at nchan.
const CHANNEL: &str = "fanout";

/// Who is measured.
pub(super) enum System {
    Product { server: Server, world: Box<World> },
    Nchan { nchan: Nchan, message: String },
}

impl System {
    pub(super) fn watched(&self) -> &Watched {
        match self {
            System::Product { server, .. } => &server.watched,
            System::Nchan { nchan, .. } => &nchan.watched,
        }
    }

    pub(super) fn version(&self) -> Option<&str> {
        match self {
            System::Product { .. } => None,
            System::Nchan { nchan, .. } => Some(&nchan.version),
        }
    }

    fn target(&self) -> &Target {
        match self {
            System::Product { server, .. } => &server.target,
            System::Nchan { nchan, .. } => &nchan.target,
        }
    }

    fn request(&self, n: usize, options: &Options) -> Result<Request> {
        match self {
            System::Product { server, world } => {
                let length = usize::from(options.length);
                poster::request(&server.target, world.login(n), world.channel(n), length)
            }
            System::Nchan { nchan, message } => nchan.publishing(CHANNEL, message),
        }
    }

    /// Where polls of a peer begin; our server's know it by themselves.
    async fn place(&self, transport: Transport) -> Result<Place> {
        match (self, transport) {
            (System::Nchan { nchan, .. }, Transport::LongPoll) => nchan.end(CHANNEL).await,
            _ => Ok(Place::Beginning),
        }
    }

    async fn subscriber(&self, n: usize, transport: Transport, place: &Place) -> Result<Subscriber> {
        Ok(match (self, transport) {
            (System::Product { server, world }, Transport::Sse) => {
                Subscriber::Stream(Stream::open(&server.target, world.login(n)).await?)
            }
            (System::Product { server, world }, Transport::LongPoll) => {
                Subscriber::Poll(LongPoll::open(&server.target, world.login(n), None).await?)
            }
            (System::Nchan { nchan, .. }, Transport::Sse) => Subscriber::Stream(nchan.stream(CHANNEL).await?),
            (System::Nchan { nchan, .. }, Transport::LongPoll) => {
                Subscriber::Poll(nchan.poll(CHANNEL, place.clone()).await?)
            }
        })
    }
}

enum Subscriber {
    Stream(Stream),
    Poll(LongPoll),
}

impl Subscriber {
    /// Counts what comes, for as long as it lasts.
    async fn listen(self, subscriber: usize, tally: Arc<Tally>) -> Result<()> {
        match self {
            Subscriber::Stream(mut stream) => loop {
                // All frames of one read came at one time.
                let mut now = None;
                let more = stream.read(|frame| {
                    if let Some(number) = frame.sequence() {
                        tally.see(subscriber, number, *now.get_or_insert_with(Instant::now));
                    }
                });
                more.await?.context("the server ended a stream")?;
            },
            Subscriber::Poll(mut poll) => loop {
                let mut now = None;
                let answer =
                    poll.poll(|number| tally.see(subscriber, number, *now.get_or_insert_with(Instant::now)));
                answer.await?;
            },
        }
    }
}

/// A system under load.
pub(super) struct Side {
    pub(super) system: System,
    tally: Arc<Tally>,
    subscribers: JoinSet<Result<()>>,
    opened: Instant,
    publishers: Vec<Repeat>,
    /// The number of the next post.
    next: u64,
    /// With half of the subscribers and with all of them, idle.
    pub(super) half: Footprint,
    pub(super) full: Footprint,
}

/// What one turn of one side found.
pub(super) struct Turn {
    pub(super) posts: u64,
    pub(super) deliveries: u64,
    pub(super) deliveries_per_second: f64,
    pub(super) each: Latencies,
    pub(super) last: Latencies,
    /// From when a post was due to its answer, and to its sending.
    pub(super) answered: Latencies,
    pub(super) late: Latencies,
    pub(super) faults: tally::Faults,
    /// From the first post until the side was quiet again.
    pub(super) usage: Usage,
}

impl Turn {
    /// CPU of a delivery, by all processes of the side, in microseconds.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub(super) fn cpu(&self) -> f64 {
        let seconds =
            self.usage.server_seconds.unwrap_or_default() + self.usage.postgres_seconds.unwrap_or_default();
        seconds * 1e6 / self.deliveries.max(1) as f64
    }
}

/// What publishers of a turn found.
struct Published {
    publishers: Vec<Repeat>,
    answered: Latencies,
    late: Latencies,
}

impl Side {
    pub(super) async fn open(system: System, publishers: u16, options: &Options) -> Result<Side> {
        let subscribers = usize::from(options.subscribers);
        let mut side = Side {
            half: Footprint::look(system.watched()),
            full: Footprint::look(system.watched()),
            system,
            tally: Arc::new(Tally::new(subscribers)),
            subscribers: JoinSet::new(),
            opened: Instant::now(),
            publishers: Vec::new(),
            // Posts before the first turn were numbered 0.
            next: 1,
        };
        side.half = side.subscribe(0..subscribers / 2, options).await?;
        side.full = side.subscribe(subscribers / 2..subscribers, options).await?;
        for n in 0..usize::from(publishers) {
            let request = side.system.request(n, options)?;
            side.publishers.push(Repeat::open(side.system.target(), request).await?);
        }
        Ok(side)
    }

    /// Opens these subscribers; the footprint with them when all is quiet.
    async fn subscribe(&mut self, mut numbers: Range<usize>, options: &Options) -> Result<Footprint> {
        let progress = Progress::steps("opening subscribers", numbers.len());
        let place = self.system.place(options.transport).await?;
        loop {
            let some = numbers.by_ref().take(OPENING).map(async |n| {
                let subscriber = self.system.subscriber(n, options.transport, &place).await?;
                progress.step();
                anyhow::Ok((n, subscriber))
            });
            let opened = futures_util::future::try_join_all(some.collect::<Vec<_>>()).await?;
            if opened.is_empty() {
                break;
            }
            for (n, subscriber) in opened {
                self.subscribers.spawn(subscriber.listen(n, Arc::clone(&self.tally)));
            }
        }
        self.system.watched().settle(SETTLE).await;
        Ok(calm(self.system.watched()).await)
    }

    /// All publishers post and all subscribers listen; ends when the side is quiet again.
    pub(super) async fn turn(&mut self, stage: &str, options: &Options) -> Result<Turn> {
        let timed = Duration::from_secs(options.seconds.into());
        if self.opened.elapsed() + WARM_UP + timed + GRACE > FRESH {
            self.subscribers.shutdown().await;
            self.opened = Instant::now();
            self.subscribe(0..options.subscribers.into(), options).await?;
        }
        let watched = self.system.watched().clone();
        let meter = watched.start();
        let mut publishers = std::mem::take(&mut self.publishers);
        for publisher in &mut publishers {
            publisher.reopen(self.system.target()).await?;
        }
        let (tally, first) = (Arc::clone(&self.tally), self.next);
        let publishing = async {
            match options.rate {
                Rate::Max => {
                    let begin = Instant::now() + WARM_UP;
                    tally.begin(first, begin, begin + timed);
                    flat_out(publishers, &tally, begin + timed, options.ahead.into()).await
                }
                Rate::PerSecond(rate) => {
                    let posts = (rate * (WARM_UP + timed).as_secs_f64()).round().max(1.0);
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "rates are positive and bounded"
                    )]
                    let pace = Pace::new(rate, posts as u64);
                    let begin = pace.due(0) + WARM_UP;
                    tally.begin(first, begin, begin + timed);
                    on_schedule(publishers, &tally, pace).await
                }
            }
        };
        let work = async {
            let published = publishing.await?;
            // Late is a fault of the side, not of the test: the tally says it.
            let _ = tokio::time::timeout(GRACE, tally.all_arrived()).await;
            anyhow::Ok(published)
        };
        let published = tokio::select! {
            published = Progress::during(stage, WARM_UP + timed, work) => published?,
            Some(ended) = self.subscribers.join_next() => {
                ended.context("a task")?.context("a subscriber")?;
                bail!("a subscriber ended");
            }
        };
        // What is left to do behind the answers belongs to the posts' cost.
        watched.settle(SETTLE).await;
        let usage = meter.stop();
        let result = self.tally.end();
        self.next += result.posts;
        self.publishers = published.publishers;
        Ok(Turn {
            posts: result.posts,
            deliveries: result.deliveries,
            deliveries_per_second: tally::rate(result.timed_deliveries, timed),
            each: result.each,
            last: result.last,
            answered: published.answered,
            late: published.late,
            faults: result.faults,
            usage,
        })
    }
}

/// The footprint when the server's has not become smaller for a while: the memory of hashed passwords goes back late,
/// and would hide that of subscribers.
async fn calm(watched: &Watched) -> Footprint {
    let begun = Instant::now();
    let mut smallest = Footprint::look(watched);
    let mut since = begun;
    while since.elapsed() < CALM && begun.elapsed() < CALM_PATIENCE {
        tokio::time::sleep(CALM / 10).await;
        let now = Footprint::look(watched);
        let size = |footprint: Footprint| footprint.server.map(|memory| memory.pss_bytes);
        if size(now) < size(smallest) {
            (smallest, since) = (now, Instant::now());
        }
    }
    Footprint::look(watched)
}

/// Every publisher posts again as soon as it is answered, until `end`, unless subscribers are `ahead` posts behind:
/// without that bound a side that answers before it delivers would only pile up what is to be delivered.
async fn flat_out(
    publishers: Vec<Repeat>,
    tally: &Arc<Tally>,
    end: Instant,
    ahead: u64,
) -> Result<Published> {
    let mut tasks = JoinSet::new();
    for mut publisher in publishers {
        let tally = Arc::clone(tally);
        tasks.spawn(async move {
            let (mut answered, late) = (Latencies::new(), Latencies::new());
            while let Ok(number) = tokio::time::timeout_at(end.into(), tally.post_behind(ahead)).await {
                let sent = Instant::now();
                publisher.send(number).await?;
                answered.record(sent.elapsed());
                if Instant::now() >= end {
                    break;
                }
            }
            anyhow::Ok((publisher, answered, late))
        });
    }
    collect(tasks).await
}

/// Posts go out when they are due by whichever publisher is free.
async fn on_schedule(publishers: Vec<Repeat>, tally: &Arc<Tally>, pace: Pace) -> Result<Published> {
    let queue: Arc<Mutex<mpsc::Receiver<u64>>> = Arc::new(Mutex::new(pace.start()?));
    let mut tasks = JoinSet::new();
    for mut publisher in publishers {
        let (queue, tally) = (Arc::clone(&queue), Arc::clone(tally));
        tasks.spawn(async move {
            let (mut answered, mut late) = (Latencies::new(), Latencies::new());
            loop {
                let (due, number) = {
                    let mut queue = queue.lock().await;
                    let Some(place) = queue.recv().await else { break };
                    let due = pace.due(place);
                    (due, tally.post(due))
                };
                late.record(due.elapsed());
                publisher.send(number).await?;
                answered.record(due.elapsed());
            }
            anyhow::Ok((publisher, answered, late))
        });
    }
    collect(tasks).await
}

async fn collect(mut tasks: JoinSet<Result<(Repeat, Latencies, Latencies)>>) -> Result<Published> {
    let mut all = Published { publishers: Vec::new(), answered: Latencies::new(), late: Latencies::new() };
    while let Some(done) = tasks.join_next().await {
        let (publisher, answered, late) = done.context("a task")?.context("a publisher")?;
        all.publishers.push(publisher);
        all.answered.merge(&answered)?;
        all.late.merge(&late)?;
    }
    Ok(all)
}
