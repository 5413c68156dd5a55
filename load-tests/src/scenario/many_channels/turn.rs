//! One turn: some post, all listen, until each has heard the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::SETTLE;
use super::board::{Board, NUMBERS, POSTS, Seen, Whom};
use crate::http::Target;
use crate::pace::{Pace, Rate};
use crate::process;
use crate::progress::Progress;
use crate::repeat::{Line, Request};
use crate::server::Server;
use crate::sse::Stream;
use crate::statistics::Latencies;
use crate::usage::Usage;

/// How long subscribers may take for the rest when all was posted.
const GRACE: Duration = Duration::from_secs(60);

/// A stream of an account that sees the channels of one community, and the one that all see.
pub(super) struct Subscriber {
    pub(super) stream: Stream,
    pub(super) community: usize,
}

/// What is posted.
pub(super) struct Load {
    pub(super) whom: Arc<Whom>,
    /// A post to each channel.
    pub(super) requests: Arc<Vec<Request>>,
    pub(super) rate: Rate,
}

/// All subscribers, from turn to turn.
pub(super) struct Audience {
    subscribers: Vec<Subscriber>,
    communities: usize,
    /// The number of the next turn's first post.
    first: u64,
}

/// What a turn found.
pub(super) struct Turned {
    pub(super) posts: u64,
    pub(super) deliveries: u64,
    /// From the first post to the last delivery.
    pub(super) seconds: f64,
    /// From when a post was due to its arrival at each who gets it, to its answer, and to its sending.
    pub(super) delivered: Latencies,
    pub(super) answered: Latencies,
    pub(super) late: Latencies,
    /// Until the server was quiet again.
    pub(super) usage: Usage,
    /// Of the server's threads.
    pub(super) switches: Option<u64>,
}

impl Turned {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub(super) fn deliveries_per_second(&self) -> f64 {
        self.deliveries as f64 / self.seconds.max(1e-9)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub(super) fn posts_per_second(&self) -> f64 {
        self.posts as f64 / self.seconds.max(1e-9)
    }
}

impl Audience {
    pub(super) fn new(subscribers: Vec<Subscriber>) -> Audience {
        let communities = subscribers.iter().map(|one| one.community + 1).max().unwrap_or_default();
        Audience { subscribers, communities, first: 0 }
    }

    /// Posts for so long by `publishers` connections, and holds what every subscriber got against what it should have.
    pub(super) async fn turn(
        &mut self,
        stage: &str,
        server: &Server,
        load: &Load,
        publishers: usize,
        length: Duration,
    ) -> Result<Turned> {
        let board = Arc::new(Board::new(Arc::clone(&load.whom), self.first));
        self.first += NUMBERS;
        let mut lines = Vec::with_capacity(publishers);
        for _ in 0..publishers {
            lines.push(Line::open(&server.target).await?);
        }
        let switches = || server.watched.server.and_then(process::context_switches);
        let (meter, switched) = (server.watched.start(), switches());
        let mut listening = JoinSet::new();
        for subscriber in self.subscribers.drain(..) {
            listening.spawn(listen(subscriber, Arc::clone(&board)));
        }
        let begun = Instant::now();
        let posting = timeout(length + GRACE, post(lines, load, &board, length, &server.target));
        let posted = Progress::during(stage, length, posting).await;
        let (answered, late) = posted.context("the posts took far longer than they should")??;
        let heard = timeout(GRACE, self.hear(listening)).await;
        let heard = heard.with_context(|| {
            format!("not every subscriber has heard the end within {GRACE:?}: something is missing")
        })??;
        let (delivered, last) = board.delivered();
        // What is left to do behind the answers belongs to the posts' cost.
        server.watched.settle(SETTLE).await;
        let (usage, switched) = (meter.stop(), switches().zip(switched).map(|(now, then)| now - then));
        check(&board, self.communities, &heard)?;
        Ok(Turned {
            posts: board.posts(),
            deliveries: delivered.summary().count,
            seconds: last.map(|last| (last - begun).as_secs_f64()).unwrap_or_default(),
            delivered,
            answered,
            late,
            usage,
            switches: switched,
        })
    }

    /// Waits until each subscriber has heard the end; they are there again for the next turn.
    async fn hear(
        &mut self,
        mut listening: JoinSet<Result<(Subscriber, Seen)>>,
    ) -> Result<Vec<(usize, Seen)>> {
        let mut heard = Vec::new();
        while let Some(done) = listening.join_next().await {
            let (subscriber, seen) = done.context("a task")??;
            heard.push((subscriber.community, seen));
            self.subscribers.push(subscriber);
        }
        Ok(heard)
    }
}

async fn listen(mut subscriber: Subscriber, board: Arc<Board>) -> Result<(Subscriber, Seen)> {
    let mut seen = Seen::default();
    while !seen.ended {
        let Subscriber { stream, community } = &mut subscriber;
        // All frames of one read came at one time.
        let mut now = None;
        let more = stream.read(|frame| {
            if let Some(number) = frame.sequence() {
                board.see(*community, &mut seen, number, *now.get_or_insert_with(Instant::now));
            }
        });
        more.await?.context("the server ended a stream")?;
    }
    Ok((subscriber, seen))
}

/// Posts at the load's rate, then the messages that end the turn. Returns how late posts were answered, and sent.
async fn post(
    lines: Vec<Line>,
    load: &Load,
    board: &Arc<Board>,
    length: Duration,
    target: &Target,
) -> Result<(Latencies, Latencies)> {
    let work = match load.rate {
        Rate::Max => Work::Until(Instant::now() + length),
        Rate::PerSecond(rate) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "rates are positive and bounded"
            )]
            let pace = Pace::new(rate, (rate * length.as_secs_f64()).round().max(1.0) as u64);
            Work::Due(pace, Arc::new(Mutex::new(pace.start()?)))
        }
    };
    let mut posting = JoinSet::new();
    for mut line in lines {
        let (work, board, requests) = (work.clone(), Arc::clone(board), Arc::clone(&load.requests));
        posting.spawn(async move {
            let (mut answered, mut late) = (Latencies::new(), Latencies::new());
            while let Some((due, number, channel)) = work.next(&board).await {
                late.record(due.elapsed());
                line.send(&requests[channel], number).await?;
                answered.record(due.elapsed());
            }
            anyhow::Ok((answered, late))
        });
    }
    let (mut answered, mut late) = (Latencies::new(), Latencies::new());
    while let Some(done) = posting.join_next().await {
        let (own_answered, own_late) = done.context("a task")??;
        answered.merge(&own_answered)?;
        late.merge(&own_late)?;
    }
    ensure!(board.posts() < POSTS, "there are no more numbers for posts");
    let mut line = Line::open(target).await?;
    for (number, channel) in board.ends() {
        line.send(&load.requests[channel], number).await?;
    }
    Ok((answered, late))
}

/// Where the next post comes from.
#[derive(Clone)]
enum Work {
    Until(Instant),
    Due(Pace, Arc<Mutex<mpsc::Receiver<u64>>>),
}

impl Work {
    /// When it was due, its number and its channel.
    async fn next(&self, board: &Board) -> Option<(Instant, u64, usize)> {
        let due = match self {
            Work::Until(end) => Some(Instant::now()).filter(|now| now < end)?,
            Work::Due(pace, queue) => pace.due(queue.lock().await.recv().await?),
        };
        let (number, channel) = board.post(due);
        Some((due, number, channel))
    }
}

/// Every subscriber must have seen exactly what concerns it, in the order in which its neighbours did.
fn check(board: &Board, communities: usize, heard: &[(usize, Seen)]) -> Result<()> {
    let expected = board.expected(communities);
    let wrong =
        heard.iter().filter(|(community, seen)| !Board::is_right(&expected, *community, seen)).count();
    let strayed: u64 = heard.iter().map(|(_, seen)| seen.strayed).sum();
    ensure!(
        wrong == 0,
        "{wrong} of {} subscribers did not see exactly the messages of their channels; {strayed} were none of theirs",
        heard.len()
    );
    let mut orders = vec![None; communities];
    for (community, seen) in heard {
        let order = orders[*community].get_or_insert(seen.order);
        ensure!(*order == seen.order, "subscribers of a community saw its messages in different orders");
    }
    Ok(())
}
