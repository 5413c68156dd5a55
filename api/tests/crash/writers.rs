//! Those who post, edit and react, each thing again and again until it is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use client::{Error, MessageAnswer, NewMessage};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::cast::{Cast, Player};
use crate::chance::Chance;
use crate::verdict::{EDITED, POSTED, REACTED};

pub(crate) const WRITERS: usize = 32;
/// A message that isn't answered by then never will be.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the server said that happened to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    /// The event's type.
    pub(crate) kind: &'static str,
    pub(crate) id: Uuid,
    /// The text, where there is one.
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
            let player = cast.players[number % cast.players.len()].clone();
            let http = cast.http.clone();
            let (channel, shared, chance) = (cast.channel, Arc::clone(&shared), chance.fork());
            tasks.spawn(Writer { number, player, http, channel, shared, chance }.run());
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
    player: Player,
    http: reqwest::Client,
    channel: Uuid,
    shared: Arc<Shared>,
    chance: Chance,
}

impl Writer {
    async fn run(mut self) -> Vec<Answered> {
        let mut answered = Vec::new();
        while !self.shared.stop.load(Ordering::Relaxed) {
            let key = format!("{}-{}", self.number, answered.len());
            let content = format!("message {} of writer {}", answered.len(), self.number);
            let message = self.post(&content, &key).await;
            assert_eq!(message.message.content.as_deref(), Some(content.as_str()), "another's answer");
            let id = message.message.id;
            answered.push(Answered { kind: POSTED, id, content });
            self.shared.answered.send_modify(|answered| *answered += 1);
            if self.chance.one_in(3) {
                let content = format!("{key}, edited");
                self.edit(id, &content, &format!("{key}-edit")).await;
                answered.push(Answered { kind: EDITED, id, content });
            }
            if self.chance.one_in(3) {
                self.react(id, &format!("{key}-react")).await;
                answered.push(Answered { kind: REACTED, id, content: String::new() });
            }
        }
        answered
    }

    async fn post(&mut self, content: &str, key: &str) -> MessageAnswer {
        let (begun, message) = (Instant::now(), NewMessage::text(content));
        loop {
            let post = self.player.client.post_message(self.channel, &message).idempotency_key(key);
            match post.await {
                Ok(answer) => return answer,
                Err(error) => self.missed(begun, &passing(&error)).await,
            }
        }
    }

    async fn edit(&mut self, id: Uuid, content: &str, key: &str) {
        let begun = Instant::now();
        loop {
            match self.player.client.edit_message(id, content).idempotency_key(key).await {
                Ok(_) => return,
                Err(error) => self.missed(begun, &passing(&error)).await,
            }
        }
    }

    async fn react(&mut self, id: Uuid, key: &str) {
        let begun = Instant::now();
        let url = format!("{}v1/messages/{id}/reactions/%F0%9F%91%8D", self.player.client.base());
        loop {
            let react = self.http.put(&url).bearer_auth(&self.player.token).header("idempotency-key", key);
            match react.send().await.map(|answer| answer.status().as_u16()) {
                Ok(200) => return,
                Ok(503) => self.missed(begun, "busy").await,
                Ok(status) => panic!("a reaction was refused with {status}"),
                Err(error) => self.missed(begun, &error.to_string()).await,
            }
        }
    }

    /// A try failed, as it may when something was killed: another comes after a moment.
    async fn missed(&mut self, begun: Instant, error: &str) {
        assert!(begun.elapsed() < PATIENCE, "writer {}: no answer in time: {error}", self.number);
        self.shared.failures.fetch_add(1, Ordering::Relaxed);
        self.chance.back_off().await;
    }
}

/// The words of an error that may pass.
fn passing(error: &Error) -> String {
    assert!(passes(error), "{}", error.explain());
    error.explain()
}

/// What a killed server or database may cause: no answer, or one that says to come again.
pub(crate) fn passes(error: &Error) -> bool {
    matches!(error, Error::Transport(_)) || error.status() == Some(503)
}
