//! Those who post, each message again and again, at one node or the other, until it is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use client::{Error, MessageAnswer, NewMessage};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::cast::{Cast, Player};
use crate::chance::Chance;
use crate::node::PATIENCE;
use crate::verdict::POSTED;

pub(crate) const WRITERS: usize = 16;

/// A message that the server said it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    /// The event's type.
    pub(crate) kind: &'static str,
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
    /// Half of them begin at either node.
    pub(crate) fn start(cast: &Cast, chance: &mut Chance) -> Self {
        let (sender, answered) = watch::channel(0);
        let stop = AtomicBool::new(false);
        let shared = Arc::new(Shared { stop, failures: AtomicUsize::new(0), answered: sender });
        let mut tasks = JoinSet::new();
        for number in 0..WRITERS {
            let player = cast.players[number % cast.players.len()].clone();
            let (channel, shared, chance) = (cast.channel, Arc::clone(&shared), chance.fork());
            let at_a = number < WRITERS / 2;
            tasks.spawn(Writer { number, player, at_a, channel, shared, chance }.run());
        }
        Self { tasks, shared, answered }
    }

    /// Waits until more messages than now are answered, by some rounds of all writers.
    pub(crate) async fn progress(&self) {
        let mut answered = self.answered.clone();
        let goal = *answered.borrow_and_update() + 3 * WRITERS;
        let reached = tokio::time::timeout(PATIENCE, answered.wait_for(|answered| *answered >= goal)).await;
        reached.expect("messages are answered in time").expect("the writers go on");
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
    player: Player,
    at_a: bool,
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
            answered.push(Answered { kind: POSTED, id: message.message.id, content });
            self.shared.answered.send_modify(|answered| *answered += 1);
        }
        answered
    }

    async fn post(&mut self, content: &str, key: &str) -> MessageAnswer {
        let begun = Instant::now();
        loop {
            let client = if self.at_a { &self.player.client } else { &self.player.elsewhere };
            let message = NewMessage::text(content);
            match client.post_message(self.channel, &message).idempotency_key(key).await {
                Ok(answer) => return answer,
                Err(error) => {
                    assert!(passes(&error), "writer {}: {}", self.number, error.explain());
                    assert!(begun.elapsed() < PATIENCE, "no answer in time: {}", error.explain());
                    self.shared.failures.fetch_add(1, Ordering::Relaxed);
                    // The other node may have to answer what this one did before it died.
                    self.at_a = !self.at_a;
                    self.chance.back_off().await;
                }
            }
        }
    }
}

/// What a killed node may cause: no answer, or one that says to come again.
pub(crate) fn passes(error: &Error) -> bool {
    matches!(error, Error::Transport(_)) || error.status() == Some(503)
}
