//! Those who write: posts on schedule, and edits and deletions of some of them.

use std::sync::{Arc, Mutex as Guarded, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use super::ledger::{EDITS, Ledger, digest};
use super::meters::Meters;
use super::schedule::Schedule;
use crate::http::{Call, Connection, Login, Target};
use crate::marker::{self, DIGITS};
use crate::poster::Poster;
use crate::world::World;

/// One post in so many is edited, and one in so many deleted: never both, because the remainders differ.
const EDITED: (u64, u64) = (10, 3);
const DELETED: (u64, u64) = (20, 7);
/// Changes that wait; a poster waits where there are more.
const CHANGES: usize = 1_024;
/// A post that fails is sent again under the same key, so often in a row.
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_millis(500);

/// What is to be done to a message.
struct Change {
    /// By whom, as the world numbers its accounts.
    login: usize,
    id: String,
    /// The post's.
    number: u64,
}

pub(super) struct Writers<'a> {
    pub(super) target: &'a Target,
    pub(super) world: &'a Arc<World>,
    pub(super) schedule: Schedule,
    pub(super) meters: &'a Arc<Guarded<Meters>>,
    pub(super) posters: usize,
    /// Characters of a message.
    pub(super) length: usize,
}

/// All that was written, and how many posts had to be sent again.
pub(super) struct Written {
    pub(super) ledger: Ledger,
    pub(super) failures: u64,
}

impl Writers<'_> {
    /// Writes for as long as the schedule goes on; at last, when all else is done, one more post.
    pub(super) async fn run(self) -> Result<Written> {
        let (due, queue) = mpsc::channel(usize::try_from(self.schedule.posts)?.max(1));
        let schedule = self.schedule;
        // A thread, because tokio's timers round up to whole milliseconds.
        let pacer = std::thread::spawn(move || {
            for number in 0..schedule.posts {
                std::thread::sleep(schedule.due(number).saturating_duration_since(Instant::now()));
                if due.try_send(number).is_err() {
                    return;
                }
            }
        });
        let queue = Arc::new(Mutex::new(queue));
        let (changes, wanted) = mpsc::channel(CHANGES);
        let mut tasks = JoinSet::new();
        for n in 0..self.posters {
            let writer = self.writer(n).await?;
            tasks.spawn(post(writer, schedule, queue.clone(), self.meters.clone(), changes.clone()));
        }
        drop(changes);
        let changer = change(self.target.clone(), self.world.clone(), wanted, self.length);
        let posting = async {
            let mut failures = 0;
            while let Some(done) = tasks.join_next().await {
                failures += done.context("a task")??;
            }
            anyhow::Ok(failures)
        };
        let (mut failures, mut ledger) = tokio::try_join!(posting, changer)?;
        ensure!(pacer.join().is_ok(), "the pacing thread panicked");
        let mut last = self.writer(0).await?;
        failures += last.post(schedule.posts).await?;
        ledger.posts = schedule.posts + 1;
        Ok(Written { ledger, failures })
    }

    async fn writer(&self, n: usize) -> Result<Writer> {
        let (target, world, length) = (self.target.clone(), self.world.clone(), self.length);
        let poster = Poster::open(&target, &world, n, length).await?;
        Ok(Writer { target, world, n, length, poster })
    }
}

/// A poster that does not give up at once.
struct Writer {
    target: Target,
    world: Arc<World>,
    n: usize,
    length: usize,
    poster: Poster,
}

impl Writer {
    /// Returns how often it failed. The key makes sure that no try makes a second message.
    async fn post(&mut self, number: u64) -> Result<u64> {
        let mut failures = 0;
        let Err(mut error) = self.poster.post(number).await else { return Ok(failures) };
        for _ in 0..TRIES {
            failures += 1;
            tokio::time::sleep(PAUSE).await;
            let again = async {
                self.poster = Poster::open(&self.target, &self.world, self.n, self.length).await?;
                self.poster.post(number).await
            };
            match again.await {
                Ok(()) => return Ok(failures),
                Err(further) => error = further,
            }
        }
        Err(error.context(format!("post {number} failed {TRIES} times")))
    }
}

/// Posts what is due, whichever poster is free. Returns how often a post failed.
async fn post(
    mut writer: Writer,
    schedule: Schedule,
    queue: Arc<Mutex<mpsc::Receiver<u64>>>,
    meters: Arc<Guarded<Meters>>,
    changes: mpsc::Sender<Change>,
) -> Result<u64> {
    let mut failures = 0;
    loop {
        let next = queue.lock().await.recv().await;
        let Some(number) = next else { return Ok(failures) };
        failures += writer.post(number).await?;
        let late = schedule.due(number).elapsed();
        meters.lock().unwrap_or_else(PoisonError::into_inner).posts.record(late);
        if is_one_of(number, EDITED) || is_one_of(number, DELETED) {
            let change = Change { login: writer.n, id: writer.poster.last_id()?, number };
            changes.send(change).await.context("nobody makes changes any more")?;
        }
    }
}

fn is_one_of(number: u64, (of, remainder): (u64, u64)) -> bool {
    number % of == remainder
}

/// Edits and deletes until no more is wanted. A change has no key: one that fails ends the test.
async fn change(
    target: Target,
    world: Arc<World>,
    mut wanted: mpsc::Receiver<Change>,
    length: usize,
) -> Result<Ledger> {
    let mut ledger = Ledger::default();
    let mut connection = Connection::open(&target).await?;
    while let Some(Change { login, id, number }) = wanted.recv().await {
        let login: &Login = world.login(login);
        let uri = format!("/v1/messages/{id}").parse()?;
        if is_one_of(number, EDITED) {
            let numbered = format!("{:0width$}", EDITS + number, width = DIGITS);
            let body = json!({"content": marker::content(&numbered, length)}).to_string();
            connection.succeed(Call::patch(uri, Some(login), body)).await?;
            ledger.edited.push(number);
        } else {
            connection.succeed(Call::delete(uri, Some(login))).await?;
            ledger.deleted.push((digest(&id), number));
        }
    }
    Ok(ledger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_is_both_edited_and_deleted() {
        let both = |number: &u64| is_one_of(*number, EDITED) && is_one_of(*number, DELETED);
        assert_eq!((0..EDITED.0 * DELETED.0).find(both), None);
    }
}
