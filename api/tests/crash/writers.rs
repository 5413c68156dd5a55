//! Those who post, each message again and again until it is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use client::{Client, Error, MessageAnswer, NewMessage};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::cast::Cast;
use crate::chance::Chance;

pub(crate) const WRITERS: usize = 32;
/// A message that isn't answered by then never will be.
const PATIENCE: Duration = Duration::from_secs(60);

/// A message that the server said it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) id: Uuid,
    pub(crate) content: String,
}

pub(crate) struct Writers {
    tasks: JoinSet<Vec<Answered>>,
    shared: Arc<Shared>,
    answered: watch::Receiver<usize>,
}

struct Shared {
    stop: AtomicBool,
    failures: AtomicUsize,
    answered: watch::Sender<usize>,
}

impl Writers {
    pub(crate) fn start(cast: &Cast, chance: &mut Chance) -> Self {
        let (sender, answered) = watch::channel(0);
        let stop = AtomicBool::new(false);
        let shared = Arc::new(Shared { stop, failures: AtomicUsize::new(0), answered: sender });
        let mut tasks = JoinSet::new();
        for number in 0..WRITERS {
            let client = cast.players[number % cast.players.len()].client.clone();
            let (channel, shared, chance) = (cast.channel, Arc::clone(&shared), chance.fork());
            tasks.spawn(Writer { number, client, channel, shared, chance }.run());
        }
        Self { tasks, shared, answered }
    }

    /// Waits until more messages than now are answered, by one round of all writers.
    pub(crate) async fn progress(&self) {
        let mut answered = self.answered.clone();
        let goal = *answered.borrow_and_update() + WRITERS;
        let reached = tokio::time::timeout(PATIENCE, answered.wait_for(|answered| *answered >= goal)).await;
        reached.expect("messages are answered again in time").expect("the writers go on");
    }

    /// Lets each end with its present message. All that was answered, and how many tries failed.
    pub(crate) async fn finish(self) -> (Vec<Answered>, usize) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let answered = self.tasks.join_all().await.concat();
        (answered, self.shared.failures.load(Ordering::Relaxed))
    }
}

struct Writer {
    number: usize,
    client: Client,
    channel: Uuid,
    shared: Arc<Shared>,
    chance: Chance,
}

impl Writer {
    async fn run(mut self) -> Vec<Answered> {
        let mut answered = Vec::new();
        while !self.shared.stop.load(Ordering::Relaxed) {
            let content = format!("message {} of writer {}", answered.len(), self.number);
            let message = self.post(&content, &format!("{}-{}", self.number, answered.len())).await;
            assert_eq!(message.message.content.as_deref(), Some(content.as_str()), "another's answer");
            answered.push(Answered { id: message.message.id, content });
            self.shared.answered.send_modify(|answered| *answered += 1);
        }
        answered
    }

    async fn post(&mut self, content: &str, key: &str) -> MessageAnswer {
        let begun = Instant::now();
        loop {
            let message = NewMessage::text(content);
            match self.client.post_message(self.channel, &message).idempotency_key(key).await {
                Ok(answer) => return answer,
                Err(error) => {
                    assert!(passes(&error), "writer {}: {}", self.number, error.explain());
                    assert!(begun.elapsed() < PATIENCE, "no answer in time: {}", error.explain());
                    self.shared.failures.fetch_add(1, Ordering::Relaxed);
                    self.chance.back_off().await;
                }
            }
        }
    }
}

/// What a killed server or database may cause: no answer, or one that says to come again.
pub(crate) fn passes(error: &Error) -> bool {
    matches!(error, Error::Transport(_)) || error.status() == Some(503)
}
