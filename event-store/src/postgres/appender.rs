//! The one task of a process that writes to the log.

use std::{error::Error, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::Instant,
};
use tokio_postgres::Config;
use tokio_util::sync::CancellationToken;

use super::{
    backoff::Backoff,
    batch::{self, Answers, Committed},
    recall::Recall,
    session::{Failure, Session},
    window::Window,
};
use crate::{Append, AppendError, Appended, Position, Unavailable};

/// Appends that may wait for the next batch.
const QUEUE: usize = 4_096;
/// How long a writer waits for a place among them.
const ENTRY: Duration = Duration::from_secs(5);
/// A batch is full at any of these.
const MAX_APPENDS: usize = 512;
const MAX_EVENTS: usize = 2_000;
const MAX_BYTES: usize = 8 << 20;

type Answer = Result<Appended, AppendError>;

/// Where the log ended before a batch, and what became of the batch.
type Done = (Position, Answers, Committed);

struct Waiting {
    append: Append,
    since: Instant,
    reply: oneshot::Sender<Answer>,
}

/// The writers' end of the queue.
#[derive(Clone)]
pub(super) struct Appends(mpsc::Sender<Waiting>);

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("too many appends are waiting")]
    QueueFull,
    #[error("the log is shutting down")]
    ShuttingDown,
}

fn unavailable(error: impl Error + Send + Sync + 'static) -> Unavailable {
    Unavailable(Arc::new(error))
}

impl Appends {
    pub(super) async fn append(&self, append: Append) -> Answer {
        let started = Instant::now();
        let (reply, answer) = oneshot::channel();
        self.0.send_timeout(Waiting { append, since: started, reply }, ENTRY).await.map_err(|error| {
            match error {
                mpsc::error::SendTimeoutError::Timeout(_) => unavailable(Refused::QueueFull),
                mpsc::error::SendTimeoutError::Closed(_) => unavailable(Refused::ShuttingDown),
            }
        })?;
        let answer = answer.await.map_err(|_| unavailable(Refused::ShuttingDown))?;
        metrics::histogram!("log_append_seconds").record(started.elapsed().as_secs_f64());
        answer
    }
}

/// Writes batch after batch: while one is being committed the next gathers in the queue.
pub(super) struct Appender {
    queue: mpsc::Receiver<Waiting>,
    /// An append that found the last batch full.
    left_over: Option<Waiting>,
    config: Config,
    session: Option<Session>,
    recall: Recall,
    backoff: Backoff,
    window: Arc<Window>,
    /// Asks the follower to fill a hole before the window.
    hint: Arc<Notify>,
    /// What other nodes are told.
    committed: watch::Sender<Position>,
    /// A batch failed since the last one that did not.
    failing: bool,
}

impl Appender {
    pub(super) fn new(
        config: Config,
        session: Session,
        window: Arc<Window>,
        hint: Arc<Notify>,
        committed: watch::Sender<Position>,
    ) -> (Appends, Self) {
        let (sender, queue) = mpsc::channel(QUEUE);
        let appender = Self {
            queue,
            left_over: None,
            config,
            session: Some(session),
            recall: Recall::default(),
            backoff: Backoff::default(),
            window,
            hint,
            committed,
            failing: false,
        };
        (Appends(sender), appender)
    }

    /// Runs until `shutdown`, then finishes what is queued and refuses the rest.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        while let Some(batch) = self.gather(&shutdown).await {
            metrics::gauge!("log_append_queue").set(self.queue.len() as f64);
            metrics::histogram!("log_append_batch").record(batch.len() as f64);
            let gathered = Instant::now();
            let waited = metrics::histogram!("log_append_queue_seconds");
            for waiting in &batch {
                waited.record(gathered - waiting.since);
            }
            let (appends, replies): (Vec<_>, Vec<_>) =
                batch.into_iter().map(|waiting| (waiting.append, waiting.reply)).unzip();
            match self.commit(appends).await {
                Ok(answers) => {
                    if std::mem::take(&mut self.failing) {
                        tracing::info!("the log can be appended to again");
                    }
                    for (reply, answer) in replies.into_iter().zip(answers) {
                        // A writer that went away needs no answer.
                        let _ = reply.send(answer);
                    }
                    // The writers just answered go first: what they append next may still join the batch.
                    tokio::task::yield_now().await;
                }
                Err(failure) => self.fail(replies, failure),
            }
        }
    }

    /// The next batch, at least one append; `None` at the end.
    async fn gather(&mut self, shutdown: &CancellationToken) -> Option<Vec<Waiting>> {
        let first = match self.left_over.take() {
            Some(waiting) => waiting,
            None => tokio::select! {
                biased;
                () = shutdown.cancelled(), if !self.queue.is_closed() => {
                    // What is in the queue stays there to be received; what comes now is refused.
                    self.queue.close();
                    self.queue.recv().await?
                }
                waiting = self.queue.recv() => waiting?,
            },
        };
        let (mut events, mut bytes) = (0, 0);
        let mut batch = Vec::new();
        let mut next = Some(first);
        while let Some(waiting) = next {
            events += waiting.append.events.len();
            bytes += waiting.append.size();
            if !batch.is_empty() && (events > MAX_EVENTS || bytes > MAX_BYTES) {
                self.left_over = Some(waiting);
                break;
            }
            batch.push(waiting);
            next = if batch.len() < MAX_APPENDS { self.queue.try_recv().ok() } else { None };
        }
        Some(batch)
    }

    /// Commits a batch and shows its records; answers come in the order of the appends.
    async fn commit(&mut self, appends: Vec<Append>) -> Result<Vec<Answer>, Failure> {
        // Session and recall are put back only in a known state: a failure, whatever it was, drops both.
        let mut recall = std::mem::take(&mut self.recall);
        let session = match self.session.take().filter(|session| !session.is_closed()) {
            Some(session) => session,
            None => {
                recall.forget();
                self.connect().await?
            }
        };
        let (before, answers, committed) = match at_once(&session, &mut recall, &appends).await? {
            Some(done) => done,
            None => looked_up(&session, &mut recall, &appends).await?,
        };
        (self.session, self.recall) = (Some(session), recall);

        let (answers, records) = answers.after(appends, &committed);
        // The records continue the log after `before`, because nobody else could append in between. They are shown
        // before the writers hear of them, so that a writer finds in the window what it wrote. If another node wrote
        // before that, the window refuses them and the follower fetches both.
        if !self.window.extend(before, records) {
            self.hint.notify_one();
        }
        if let Some(position) = committed.positions.last() {
            self.committed.send_replace(*position);
        }
        Ok(answers)
    }

    async fn connect(&mut self) -> Result<Session, Failure> {
        self.backoff.wait().await;
        let session = Session::open(&self.config).await;
        match &session {
            Ok(_) => self.backoff.reset(),
            Err(_) => self.backoff.failed(),
        }
        session
    }

    /// Tells the writers of a batch that its outcome is unknown. Without a connection those in the queue hear it too,
    /// rather than wait for attempt after attempt.
    fn fail(&mut self, replies: Vec<oneshot::Sender<Answer>>, failure: Failure) {
        if !std::mem::replace(&mut self.failing, true) {
            let failure: &dyn Error = &failure;
            tracing::warn!(error = failure, "the log cannot be appended to");
        }
        metrics::counter!("log_append_failed_batches").increment(1);
        let failure = unavailable(failure);
        let mut queued = Vec::new();
        if self.backoff.is_failing() {
            queued.extend(self.left_over.take());
            while let Ok(waiting) = self.queue.try_recv() {
                queued.push(waiting);
            }
        }
        for reply in replies.into_iter().chain(queued.into_iter().map(|waiting| waiting.reply)) {
            let _ = reply.send(Err(failure.clone().into()));
        }
    }
}

/// A batch about whose streams all is known, in one round trip; `None` when it must be looked up.
async fn at_once(
    session: &Session,
    recall: &mut Recall,
    appends: &[Append],
) -> Result<Option<Done>, Failure> {
    let Some((seen, newest)) = recall.of(appends) else { return Ok(None) };
    let (rows, answers) = batch::decide(appends, &seen);
    // A refusal counts only when the insertion confirms that the log ends where it was thought to.
    if rows.is_empty() {
        return Ok(None);
    }
    let Some(committed) = session.commit_unseen(&rows, newest).await? else {
        metrics::counter!("log_append_retried_batches").increment(1);
        recall.was_wrong();
        return Ok(None);
    };
    recall.appended(&rows, &committed);
    Ok(Some((newest.position, answers, committed)))
}

/// A batch in two round trips, what it names being looked up under the lock.
async fn looked_up(session: &Session, recall: &mut Recall, appends: &[Append]) -> Result<Done, Failure> {
    let (streams, ids) = batch::names(appends);
    let (seen, newest) = session.look_up(&streams, &ids).await?;
    recall.looked_up(&seen, newest);
    let (rows, answers) = batch::decide(appends, &seen);
    let committed = if rows.is_empty() {
        session.roll_back().await?;
        Committed { positions: Vec::new(), recorded_at: newest.recorded_at }
    } else {
        session.commit(&rows, newest).await?
    };
    recall.appended(&rows, &committed);
    Ok((newest.position, answers, committed))
}
