//! What those who are not in the storm feel: pages read and messages posted on connections of their own, in open loop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hyper::Uri;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::http::{Call, Connection, Target};
use crate::pace::Pace;
use crate::poster::Poster;
use crate::world::World;

/// Requests that can be under way at the same time. At the rates asked for, more would be late by seconds.
const CONNECTIONS: usize = 64;
/// A request that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(15);
const LENGTH: usize = 120;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// 50 messages of a channel.
    Page,
    Post,
}

/// One request, from when it was due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) kind: Kind,
    pub(super) due: Instant,
    pub(super) took: Duration,
    pub(super) answered: bool,
}

/// Requests under way until they are stopped.
pub(super) struct Others {
    tasks: JoinSet<Result<Vec<Asked>>>,
    stopping: watch::Sender<bool>,
}

impl Others {
    /// `rate` requests a second, pages and posts in turn, for at most `longest`. Posts are numbered from `first` on.
    pub(super) async fn start(
        target: &Target,
        world: &Arc<World>,
        rate: u32,
        longest: Duration,
        first: u64,
    ) -> Result<Others> {
        let count = u64::from(rate) * longest.as_secs();
        let pace = Pace::new(f64::from(rate), count);
        let queue = Arc::new(Mutex::new(pace.start()?));
        let stopping = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        for n in 0..CONNECTIONS.min(usize::try_from(rate)?) {
            let mut asker = Asker {
                target: target.clone(),
                world: Arc::clone(world),
                n,
                reader: None,
                poster: None,
                asked: Vec::new(),
            };
            let (queue, mut stopping) = (Arc::clone(&queue), stopping.subscribe());
            tasks.spawn(async move {
                while let Some(number) = next(&queue, &mut stopping).await {
                    asker.ask(pace.due(number), first + number, number % 2 == 1).await;
                }
                Ok(asker.asked)
            });
        }
        Ok(Others { tasks, stopping })
    }

    /// Finishes what is under way.
    pub(super) async fn stop(mut self) -> Result<Vec<Asked>> {
        self.stopping.send_replace(true);
        let mut all = Vec::new();
        while let Some(done) = self.tasks.join_next().await {
            all.extend(done.context("a task")??);
        }
        ensure!(all.iter().any(|asked| asked.answered), "no request of the others was ever answered");
        all.sort_unstable_by_key(|asked| asked.due);
        Ok(all)
    }
}

async fn next(queue: &Mutex<mpsc::Receiver<u64>>, stopping: &mut watch::Receiver<bool>) -> Option<u64> {
    tokio::select! {
        biased;
        _ = stopping.wait_for(|stopping| *stopping) => None,
        number = async { queue.lock().await.recv().await } => number,
    }
}

/// One who asks; its connections are opened as needed and given up when they fail.
struct Asker {
    target: Target,
    world: Arc<World>,
    n: usize,
    reader: Option<Connection>,
    poster: Option<Poster>,
    asked: Vec<Asked>,
}

impl Asker {
    async fn ask(&mut self, due: Instant, number: u64, post: bool) {
        let kind = if post { Kind::Post } else { Kind::Page };
        let answered = timeout(PATIENCE, self.insist(kind, number)).await.is_ok_and(|asked| asked.is_ok());
        if !answered {
            self.give_up();
        }
        self.asked.push(Asked { kind, due, took: due.elapsed(), answered });
    }

    /// Asks once more, on a new connection, where one that was kept fails: the server may have ended it meanwhile. A
    /// post has a key, so that it can be sent again.
    async fn insist(&mut self, kind: Kind, number: u64) -> Result<()> {
        let kept = match kind {
            Kind::Page => self.reader.is_some(),
            Kind::Post => self.poster.is_some(),
        };
        let asked = self.once(kind, number).await;
        if asked.is_ok() || !kept {
            return asked;
        }
        self.give_up();
        self.once(kind, number).await
    }

    async fn once(&mut self, kind: Kind, number: u64) -> Result<()> {
        match kind {
            Kind::Page => self.page().await,
            Kind::Post => self.post(number).await,
        }
    }

    fn give_up(&mut self) {
        (self.reader, self.poster) = (None, None);
    }

    async fn page(&mut self) -> Result<()> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            closed => closed.insert(Connection::open(&self.target).await?),
        };
        let path = format!("/v1/channels/{}/messages?limit=50", self.world.channel(self.n));
        let uri: Uri = path.parse().context("an id makes a URI")?;
        reader.succeed(Call::get(uri, Some(self.world.login(self.n)))).await.map(drop)
    }

    async fn post(&mut self, number: u64) -> Result<()> {
        let poster = match &mut self.poster {
            Some(poster) => poster,
            closed => closed.insert(Poster::open(&self.target, &self.world, self.n, LENGTH).await?),
        };
        poster.post(number).await
    }
}
