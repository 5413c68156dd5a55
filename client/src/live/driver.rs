//! The task behind a live stream: does the I/O that the machine asks for.

use std::future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::Response;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE};
use tokio::sync::mpsc::Sender;
use tokio::time::{sleep_until, timeout};

use super::machine::{Connection, Failure, Machine, Step};
use super::sse::{Item, Parser};
use super::{LiveEvent, LiveOptions};
use crate::chance;
use crate::client::Client;
use crate::cursor::Cursor;
use crate::error::Error;
use crate::retry;

type Probe = Pin<Box<dyn Future<Output = bool> + Send>>;

/// The reader of the queue is gone.
struct Gone;

struct Driver {
    client: Client,
    options: LiveOptions,
    machine: Machine,
    queue: Sender<Result<LiveEvent, Error>>,
    probe: Option<Probe>,
}

/// Feeds `queue` until the stream ends or nobody reads.
pub(super) async fn run(
    client: Client,
    after: Option<Cursor>,
    options: LiveOptions,
    queue: Sender<Result<LiveEvent, Error>>,
) {
    let machine =
        Machine::new(options.clone(), after, chance::seed(), Instant::now(), client.avoid_sse_until());
    let mut driver = Driver { client, options, machine, queue, probe: None };
    // That nobody reads any more is a reason to stop and no failure.
    let _gone = driver.run().await;
}

impl Driver {
    async fn run(&mut self) -> Result<(), Gone> {
        loop {
            self.flush().await?;
            match self.machine.step(Instant::now()) {
                Step::End => return Ok(()),
                Step::Wait(until) => sleep_until(until.into()).await,
                Step::Stream => {
                    self.probe = None;
                    self.stream().await?;
                }
                Step::Poll { wait } => self.poll(wait).await,
            }
        }
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        while let Some(event) = self.machine.tell() {
            self.queue.send(event).await.map_err(|_| Gone)?;
        }
        Ok(())
    }

    /// Tells the client's other streams what this network carries.
    fn note(&mut self) {
        if self.options.only.is_none() {
            self.client.set_avoid_sse_until(self.machine.recovery().avoid_sse_until());
        }
    }

    async fn stream(&mut self) -> Result<(), Gone> {
        self.machine.stream_opening(Instant::now());
        let opened = timeout(
            self.machine.deadline(Instant::now()).saturating_duration_since(Instant::now()),
            open(&self.client, self.machine.cursor()),
        );
        let response = match opened.await {
            Ok(Ok(response)) => response,
            Ok(Err(failure)) => {
                self.machine.stream_failed(Instant::now(), failure);
                return Ok(());
            }
            Err(_) => {
                self.machine.deadline_passed(Instant::now());
                return Ok(());
            }
        };
        let mut parser = Parser::new(self.options.max_frame);
        let mut items = Vec::new();
        let mut chunks = response.bytes_stream();
        let mut noted = false;
        loop {
            // What has come is looked at before the clock: a slow reader's own delay is not the server's silence.
            let chunk = tokio::select! {
                biased;
                chunk = chunks.next() => chunk,
                () = sleep_until(self.machine.deadline(Instant::now()).into()) => {
                    if self.machine.deadline_passed(Instant::now()) == Connection::Close {
                        return Ok(());
                    }
                    self.flush().await?;
                    continue;
                }
            };
            let now = Instant::now();
            let Some(Ok(chunk)) = chunk else {
                self.machine.stream_failed(now, Failure::Cut);
                return Ok(());
            };
            self.machine.heard(now);
            let parsed = parser.push(&chunk, &mut items);
            for item in items.drain(..) {
                if self.machine.stream_item(now, item) == Connection::Close {
                    return Ok(());
                }
            }
            if let Err(error) = parsed {
                self.machine.stream_failed(now, Failure::Undecodable(error.to_string()));
                return Ok(());
            }
            if !noted && self.machine.streams() {
                noted = true;
                self.note();
            }
            self.flush().await?;
        }
    }

    /// One poll, with a probe of SSE beside it when that is due. A poll has no effect until it is answered, so it may
    /// be dropped for the outcome of the probe.
    async fn poll(&mut self, wait: Duration) {
        let asked = Instant::now();
        if self.probe.is_none() && self.machine.recovery().probe_at().is_some_and(|at| at <= asked) {
            let probe = probe(self.client.clone(), self.machine.cursor().cloned(), self.options.clone());
            self.probe = Some(Box::pin(probe));
        }
        let poll = self
            .client
            .poll_events(self.machine.cursor(), wait, Some(self.options.poll_limit))
            .try_timeout(wait + self.options.poll_grace);
        let probe = async {
            match self.probe.as_mut() {
                Some(probe) => probe.await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            biased;
            answer = poll.into_future() => match answer {
                Ok(answer) => {
                    self.machine.poll_answered(Instant::now(), asked, wait, answer);
                    self.note();
                }
                Err(error) => self.machine.poll_failed(Instant::now(), poll_failure(error)),
            },
            works = probe => {
                self.probe = None;
                self.machine.recovery().probed(Instant::now(), works);
            }
        }
    }
}

async fn open(client: &Client, after: Option<&Cursor>) -> Result<Response, Failure> {
    let request = client.open_stream(after).without_timeout().build().map_err(Failure::Fatal)?;
    let response = request
        .header(ACCEPT, "text/event-stream")
        // A compressor may hold back what it was given.
        .header(ACCEPT_ENCODING, "identity")
        .send()
        .await
        .map_err(|error| if error.is_connect() { unreachable() } else { Failure::Cut })?;
    if !response.status().is_success() {
        return Err(stream_failure(retry::problem(response).await));
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream")) {
        Ok(response)
    } else {
        Err(Failure::Unusable)
    }
}

fn unreachable() -> Failure {
    Failure::Unreachable { retry_after: None }
}

fn stream_failure(error: Error) -> Failure {
    match error {
        Error::Problem(problem) => match problem.status {
            401 => Failure::Fatal(Error::Problem(problem)),
            408 | 429 | 500.. => Failure::Unreachable { retry_after: problem.retry_after },
            // A middlebox that forbids streams. If it is the server, it says the same to the poll.
            _ => Failure::Unusable,
        },
        _ => Failure::Cut,
    }
}

fn poll_failure(error: Error) -> Failure {
    match error {
        Error::Problem(problem) if matches!(problem.status, 300..=399 | 408 | 429 | 500..) => {
            Failure::Unreachable { retry_after: problem.retry_after }
        }
        Error::Transport(error) if error.is_builder() => Failure::Fatal(Error::Transport(error)),
        Error::Transport(_) => unreachable(),
        Error::Decode(reason) => Failure::Undecodable(reason),
        fatal => Failure::Fatal(fatal),
    }
}

/// Whether a stream gets as far as its `hello`.
async fn probe(client: Client, after: Option<Cursor>, options: LiveOptions) -> bool {
    let hello = async {
        let Ok(response) = open(&client, after.as_ref()).await else { return false };
        let mut parser = Parser::new(options.max_frame);
        let mut items = Vec::new();
        let mut chunks = response.bytes_stream();
        while let Some(Ok(chunk)) = chunks.next().await {
            let parsed = parser.push(&chunk, &mut items);
            if items.iter().any(|item| matches!(item, Item::Event(event) if event.name == "hello")) {
                return true;
            }
            if parsed.is_err() {
                return false;
            }
            items.clear();
        }
        false
    };
    timeout(options.hello_timeout, hello).await.unwrap_or(false)
}
