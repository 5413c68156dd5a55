//! Posts to the channel that all clients read, one after the other, so that their numbers are in the log's order.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until, timeout};

use crate::http::Target;
use crate::poster::Poster;
use crate::world::World;

/// How long a server that was killed is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
const ANSWER: Duration = Duration::from_secs(20);
const TRY_AGAIN: Duration = Duration::from_millis(100);

pub(super) struct Posts {
    task: JoinHandle<Result<Posted>>,
    stopping: watch::Sender<bool>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Posted {
    /// The number of the last message; the first is 0.
    pub(super) last: u64,
    /// Posts that were sent again, with the same key, because the server died before it answered.
    pub(super) again: u64,
}

/// Posts `rate` messages a second from now on. Those that a dead server could not take follow when it is back.
pub(super) fn start(target: &Target, world: &World, rate: u16, length: usize) -> Posts {
    let (stopping, stopped) = watch::channel(false);
    let world = World {
        community: world.community.clone(),
        logins: vec![world.login(0).clone()],
        channels: vec![world.channel(0).to_owned()],
    };
    let task = tokio::spawn(post(target.clone(), world, rate, length, stopped));
    Posts { task, stopping }
}

impl Posts {
    pub(super) async fn stop(self) -> Result<Posted> {
        self.stopping.send_replace(true);
        self.task.await.context("a task")?
    }
}

async fn post(
    target: Target,
    world: World,
    rate: u16,
    length: usize,
    mut stopped: watch::Receiver<bool>,
) -> Result<Posted> {
    let begun = Instant::now();
    let mut posted = Posted { last: 0, again: 0 };
    let mut poster = None;
    for number in 0.. {
        let due = begun + Duration::from_secs_f64(number as f64 / f64::from(rate));
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => break,
            () = sleep_until(due.into()) => {}
        }
        let tried = Instant::now();
        while let Err(error) = once(&mut poster, &target, &world, length, number).await {
            if tried.elapsed() > PATIENCE {
                bail!("message {number} could not be posted: {error:#}");
            }
            poster = None;
            posted.again += 1;
            sleep(TRY_AGAIN).await;
        }
        posted.last = number;
    }
    Ok(posted)
}

/// Posts message `number`, by a new connection where there is none.
async fn once(
    poster: &mut Option<Poster>,
    target: &Target,
    world: &World,
    length: usize,
    number: u64,
) -> Result<()> {
    let posting = async {
        let poster = match poster {
            Some(poster) => poster,
            closed => closed.insert(Poster::open(target, world, 0, length).await?),
        };
        poster.post(number).await
    };
    timeout(ANSWER, posting).await.context("a post was not answered")?
}
