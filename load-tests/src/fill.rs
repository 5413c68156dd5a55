//! Fills a channel with many messages over REST, on as many connections as the server's batches need to be large: what
//! is there afterwards came in as everybody's does, sealed, with its idempotency key, and projected.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

use crate::http::Target;
use crate::poster::Poster;
use crate::progress::Progress;
use crate::world::World;

/// A server that is slower than this has a fault that no figure is worth waiting for.
const SLOWEST: u64 = 250;
/// For a connection to open, and for the read model to come after the last post.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What to post.
#[derive(Debug, Clone)]
pub(crate) struct Filling {
    /// The messages' numbers, which no other message of these accounts has. Every connection takes a run of them and
    /// posts it in order.
    pub(crate) numbers: Range<u64>,
    pub(crate) connections: usize,
    /// Characters of a message.
    pub(crate) length: usize,
}

impl Filling {
    /// The run of numbers that the n-th connection posts.
    fn run(&self, n: usize) -> Range<u64> {
        let share = self.share();
        let from = self.numbers.start.saturating_add(share.saturating_mul(n as u64));
        from.min(self.numbers.end)..from.saturating_add(share).min(self.numbers.end)
    }

    /// Which connection posts `number`.
    pub(crate) fn poster(&self, number: u64) -> u64 {
        (number - self.numbers.start) / self.share()
    }

    fn share(&self) -> u64 {
        let count = self.numbers.end - self.numbers.start;
        count.div_ceil(self.connections.max(1) as u64).max(1)
    }
}

/// Posts all of `filling` to the n-th channel and waits until it can be read. Returns how long the posts took.
pub(crate) async fn fill(
    target: &Target,
    world: &World,
    channel: usize,
    filling: &Filling,
) -> Result<Duration> {
    let world = World {
        community: world.community.clone(),
        logins: world.logins.clone(),
        channels: vec![world.channels[channel].clone()],
    };
    let count = filling.numbers.end - filling.numbers.start;
    let patience = PATIENCE + Duration::from_secs(count / SLOWEST);
    let posted = tokio::time::timeout(patience, post(target, &world, filling));
    let (posters, taken) =
        posted.await.with_context(|| format!("{count} messages were not posted within {patience:?}"))??;
    // One read model holds all channels: when the newest of every connection is there, so is everything.
    let begun = Instant::now();
    for poster in posters {
        while let Err(error) = poster.check_last().await {
            if begun.elapsed() > PATIENCE {
                return Err(error.context("the read model does not catch up"));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
    Ok(taken)
}

async fn post(target: &Target, world: &World, filling: &Filling) -> Result<(Vec<Poster>, Duration)> {
    let progress = Progress::steps("posting", usize::try_from(filling.numbers.end - filling.numbers.start)?);
    let progress = std::sync::Arc::new(progress);
    let mut tasks = JoinSet::new();
    let begun = Instant::now();
    for n in 0..filling.connections {
        let run = filling.run(n);
        if run.is_empty() {
            break;
        }
        let mut poster = Poster::open(target, world, n, filling.length).await?;
        let progress = progress.clone();
        tasks.spawn(async move {
            for number in run {
                poster.post(number).await?;
                progress.step();
            }
            anyhow::Ok(poster)
        });
    }
    let mut posters = Vec::new();
    while let Some(done) = tasks.join_next().await {
        posters.push(done.context("a task")??);
    }
    Ok((posters, begun.elapsed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_posted_by_one_connection() {
        for (count, connections) in [(1_000, 64), (1, 64), (63, 64), (65, 64), (100, 1), (128, 64)] {
            let filling = Filling { numbers: 500..500 + count, connections, length: 20 };
            let mut posted = Vec::new();
            for n in 0..connections {
                let run = filling.run(n);
                assert!(run.clone().all(|number| filling.poster(number) == n as u64));
                posted.extend(run);
            }
            assert_eq!(posted, filling.numbers.clone().collect::<Vec<_>>(), "{count} by {connections}");
        }
    }
}
