//! What was typed and the server doesn't have yet.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::mpsc;
use uuid::Uuid;

use super::login::explain;
use crate::chance::{self, Jitter};
use crate::client::Client;
use crate::error::Error;
use crate::message::{Message, NewMessage};
use crate::retry;

/// Lines that may wait while the server is away.
const WAITING: usize = 200;
/// Own messages remembered per channel, for `/edit` and `/delete`.
const REMEMBERED: usize = 100;

/// Something to send. Jobs are done in their order, each until the server has answered it, always with the key it got
/// when it was typed: whatever is lost on the way, each has one effect.
#[derive(Debug)]
pub(super) enum Job {
    Post {
        channel: Uuid,
        message: NewMessage,
    },
    EditLast {
        channel: Uuid,
        content: String,
    },
    DeleteLast {
        channel: Uuid,
    },
    /// Nothing to send: this message is the caller's own.
    Own {
        channel: Uuid,
        message: Uuid,
    },
}

/// What became of a job.
#[derive(Debug)]
pub(super) enum Outcome {
    Posted(Message),
    Changed(Message),
    Refused(String),
    /// It stays in the outbox until the server is back.
    Waits,
    SessionEnded,
}

#[derive(Debug)]
pub(super) struct Outbox {
    jobs: mpsc::Sender<(Job, String)>,
    outcomes: mpsc::Receiver<Outcome>,
    /// Jobs without an outcome yet.
    pending: usize,
}

impl Outbox {
    pub(super) fn start(client: Client) -> Self {
        let (jobs, queue) = mpsc::channel(WAITING);
        let (tell, outcomes) = mpsc::channel(WAITING);
        tokio::spawn(Worker { client, tell, own: HashMap::new() }.work(queue));
        Self { jobs, outcomes, pending: 0 }
    }

    /// False if too much waits already.
    pub(super) fn put(&mut self, job: Job) -> bool {
        let counts = !matches!(job, Job::Own { .. });
        let taken = self.jobs.try_send((job, chance::idempotency_key())).is_ok();
        self.pending += usize::from(taken && counts);
        taken
    }

    /// The next outcome; pends while there is nothing to send.
    pub(super) async fn outcome(&mut self) -> Outcome {
        match self.outcomes.recv().await {
            Some(outcome) => {
                if !matches!(outcome, Outcome::Waits) {
                    self.pending = self.pending.saturating_sub(1);
                }
                outcome
            }
            None => std::future::pending().await,
        }
    }

    pub(super) fn pending(&self) -> usize {
        self.pending
    }
}

struct Worker {
    client: Client,
    tell: mpsc::Sender<Outcome>,
    own: HashMap<Uuid, Vec<Uuid>>,
}

impl Worker {
    /// Ends with the outbox.
    async fn work(mut self, mut queue: mpsc::Receiver<(Job, String)>) {
        while let Some((job, key)) = queue.recv().await {
            if let Job::Own { channel, message } = job {
                self.remember(channel, message);
                continue;
            }
            let mut jitter = Jitter::new(chance::seed());
            let mut attempt = 0;
            let outcome = loop {
                match self.send(&job, &key).await {
                    Err(error) if retry::passes(&error) => {
                        if attempt == 0 && self.tell.send(Outcome::Waits).await.is_err() {
                            return;
                        }
                        let (first, most) = (Duration::from_millis(300), Duration::from_secs(5));
                        let wait = chance::backoff(&mut jitter, attempt, first, most);
                        attempt += 1;
                        tokio::select! {
                            () = tokio::time::sleep(wait) => {}
                            () = self.tell.closed() => return,
                        }
                    }
                    Err(error) if error.status() == Some(401) => break Outcome::SessionEnded,
                    Err(error) => break Outcome::Refused(explain(&error)),
                    Ok(outcome) => break outcome,
                }
            };
            if self.tell.send(outcome).await.is_err() {
                return;
            }
        }
    }

    async fn send(&mut self, job: &Job, key: &str) -> Result<Outcome, Error> {
        Ok(match job {
            Job::Post { channel, message } => {
                let answer = self.client.post_message(*channel, message).idempotency_key(key).await?;
                self.remember(*channel, answer.message.id);
                Outcome::Posted(answer.message)
            }
            Job::EditLast { channel, content } => match self.last(*channel) {
                None => nothing(),
                Some(id) => Outcome::Changed(
                    self.client.edit_message(id, content).idempotency_key(key).await?.message,
                ),
            },
            Job::DeleteLast { channel } => match self.last(*channel) {
                None => nothing(),
                Some(id) => {
                    let answer = self.client.delete_message(id).idempotency_key(key).await?;
                    self.own.entry(*channel).or_default().retain(|own| *own != id);
                    Outcome::Changed(answer.message)
                }
            },
            Job::Own { .. } => nothing(),
        })
    }

    fn last(&self, channel: Uuid) -> Option<Uuid> {
        self.own.get(&channel)?.last().copied()
    }

    fn remember(&mut self, channel: Uuid, message: Uuid) {
        let own = self.own.entry(channel).or_default();
        if !own.contains(&message) {
            own.push(message);
            if own.len() > REMEMBERED {
                own.remove(0);
            }
        }
    }
}

fn nothing() -> Outcome {
    Outcome::Refused("You have no message here yet.".to_owned())
}
