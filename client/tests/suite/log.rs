//! A log served by both transports, with streams that go wrong in the order a test lists.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::server::{Asked, Reply};

/// What the next stream does; without a plan it behaves.
#[derive(Debug, Clone)]
pub(crate) enum Plan {
    Behave,
    /// Holds everything back, as a buffering proxy does.
    Buffer,
    /// Says hello and then nothing more.
    FallSilent,
    /// Sends one frame and half of the next.
    CutMidFrame,
    /// Starts from the first frame, sends each twice, and ends without a word.
    Repeat,
    Bye(&'static str),
    Reset(&'static str),
    /// Another status, with a `Retry-After`.
    Refuse(u16, u64),
    /// A page in place of a stream.
    Page,
}

/// The log. Frame `n` has the id `c{n}`; the first is `c1`.
pub(crate) struct Log {
    frames: watch::Sender<usize>,
    plans: Mutex<VecDeque<Plan>>,
    heartbeat: Duration,
}

impl Log {
    pub(crate) fn new(frames: usize, plans: impl IntoIterator<Item = Plan>) -> Arc<Self> {
        Self::beating(Duration::from_millis(100), frames, plans)
    }

    pub(crate) fn beating(
        heartbeat: Duration,
        frames: usize,
        plans: impl IntoIterator<Item = Plan>,
    ) -> Arc<Self> {
        let plans = Mutex::new(plans.into_iter().collect());
        Arc::new(Self { frames: watch::Sender::new(frames), plans, heartbeat })
    }

    pub(crate) fn append(&self, frames: usize) {
        self.frames.send_modify(|count| *count += frames);
    }

    pub(crate) fn plan(&self, plan: Plan) {
        self.plans.lock().unwrap().push_back(plan);
    }

    pub(crate) async fn answer(self: Arc<Self>, asked: Asked) -> Reply {
        match asked.call().as_str() {
            "GET /v1/events/stream" => self.stream(&asked),
            "GET /v1/events" => self.poll(&asked).await,
            call => panic!("not served: {call}"),
        }
    }

    fn stream(self: Arc<Self>, asked: &Asked) -> Reply {
        let plan = self.plans.lock().unwrap().pop_front().unwrap_or(Plan::Behave);
        if let Plan::Refuse(status, wait) = plan {
            return Reply::problem(status, "refused").with("retry-after", wait);
        }
        if let Plan::Page = plan {
            return Reply::bytes(200, "text/html", "<p>Log in to the hotel's network");
        }
        let after = self.after(asked);
        let (sender, reply) = Reply::stream();
        // The stream ends with the test: nobody reads it then.
        tokio::spawn(async move { self.feed(plan, after, &sender).await });
        reply
    }

    async fn feed(&self, plan: Plan, after: usize, to: &Sender) -> Option<()> {
        if let Plan::Buffer = plan {
            to.closed().await;
            return None;
        }
        let hello = json!({"transport": "sse", "heartbeat_seconds": self.heartbeat.as_secs_f64(),
            "cursor": format!("c{after}")});
        send(to, &format!("retry: 20\n\nevent: hello\ndata: {hello}\n\n: padding\n\n")).await?;
        let count = *self.frames.borrow();
        match plan {
            Plan::FallSilent => to.closed().await,
            Plan::CutMidFrame => {
                send(to, &frame_text(after + 1)).await?;
                let next = frame_text(after + 2);
                // Inside the snowman, and before the blank line that makes it an event.
                let half = next.find('☃').unwrap() + 1;
                to.send(Ok(Bytes::copy_from_slice(&next.as_bytes()[..half]))).await.ok()?;
                // An error makes hyper drop what it has not written yet.
                tokio::time::sleep(Duration::from_millis(50)).await;
                to.send(Err(std::io::Error::other("cut"))).await.ok()?;
            }
            Plan::Repeat => {
                for n in 1..=count {
                    send(to, &frame_text(n)).await?;
                    send(to, &frame_text(n)).await?;
                }
            }
            Plan::Bye(reason) => {
                for n in after + 1..=count {
                    send(to, &frame_text(n)).await?;
                }
                send(to, &format!("event: bye\ndata: {}\n\n", json!({"reason": reason}))).await?;
            }
            Plan::Reset(reason) => {
                send(to, &format!("event: reset\ndata: {}\n\n", json!({"reason": reason}))).await?;
            }
            _ => return self.follow(after, to).await,
        }
        Some(())
    }

    async fn follow(&self, mut after: usize, to: &Sender) -> Option<()> {
        let mut frames = self.frames.subscribe();
        loop {
            let count = *frames.borrow_and_update();
            for n in after + 1..=count {
                send(to, &frame_text(n)).await?;
            }
            after = count;
            if tokio::time::timeout(self.heartbeat, frames.changed()).await.is_err() {
                send(to, &format!("event: heartbeat\nid: c{after}\ndata: {{}}\n\n")).await?;
            }
        }
    }

    async fn poll(&self, asked: &Asked) -> Reply {
        if let Some(Plan::Reset(reason)) = self.plans.lock().unwrap().front() {
            let reset = json!({"type": "reset", "data": {"reason": reason}});
            return Reply::json(200, &json!({"events": [reset], "next": null}));
        }
        let after = self.after(asked);
        let wait = asked.query("wait").map_or(25, |wait| wait.parse().unwrap());
        let limit = asked.query("limit").map_or(500, |limit| limit.parse().unwrap());
        let mut frames = self.frames.subscribe();
        let more = frames.wait_for(|count| *count > after);
        let count = tokio::time::timeout(Duration::from_secs(wait), more)
            .await
            .map_or(after, |count| (*count.unwrap()).min(after + limit));
        let events: Vec<_> = (after + 1..=count).map(frame).collect();
        Reply::json(200, &json!({"events": events, "next": format!("c{count}")}))
    }

    /// Where a request resumes: the header is what a stream's own reconnection sends.
    fn after(&self, asked: &Asked) -> usize {
        let cursor = asked.header("last-event-id").or(asked.query("after"));
        cursor.map_or(*self.frames.borrow(), |cursor| cursor[1..].parse().unwrap())
    }
}

type Sender = mpsc::Sender<Result<Bytes, std::io::Error>>;

/// In small chunks, cut anywhere.
async fn send(to: &Sender, text: &str) -> Option<()> {
    for chunk in text.as_bytes().chunks(61) {
        to.send(Ok(Bytes::copy_from_slice(chunk))).await.ok()?;
    }
    Some(())
}

pub(crate) fn frame(n: usize) -> Value {
    json!({"type": "test.counted", "id": format!("c{n}"), "time": "2026-01-01T00:00:00.000000Z",
        "topic": "channel:1", "data": {"count": n, "text": "☃"}})
}

fn frame_text(n: usize) -> String {
    format!("event: test.counted\nid: c{n}\ndata: {}\n\n", frame(n))
}
