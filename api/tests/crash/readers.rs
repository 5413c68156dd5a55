//! Those who follow the channel, over both transports in turn, each from exactly where it stands.
//!
//! They use the transports raw: the SDK's own stream would hide a frame that came twice.

use std::time::{Duration, Instant};

use client::live::sse::{Item, Parser, SseEvent};
use client::live::{Frame, Polled};
use client::{Cursor, Event};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::cast::{Cast, Player};
use crate::chance::Chance;
use crate::verdict::REACTED;
use crate::writers::passes;

pub(crate) const READERS: usize = 8;
/// One read of a stream; a reader that hears nothing for so long connects again.
const SILENCE: Duration = Duration::from_secs(3);
const POLL_WAIT: Duration = Duration::from_secs(2);
/// From the end of writing to the last frame.
const PATIENCE: Duration = Duration::from_secs(60);
const MAX_FRAME: usize = 1 << 20;

/// A message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The event's type.
    pub(crate) kind: String,
    pub(crate) message: Uuid,
    pub(crate) content: Option<String>,
    pub(crate) frame: Cursor,
}

/// What one reader saw. Each connection went on from the cursor of the one before, so that the frames of all of them
/// together are one sequence; after a jump back, what followed the earlier cursor was taken from the list and had to
/// come again.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    pub(crate) seen: Vec<Seen>,
    pub(crate) interruptions: usize,
}

pub(crate) struct Readers {
    tasks: JoinSet<Followed>,
    end: watch::Sender<Option<Cursor>>,
}

impl Readers {
    pub(crate) fn start(cast: &Cast, chance: &mut Chance) -> Self {
        let (end, _) = watch::channel(None);
        let mut tasks = JoinSet::new();
        for number in 0..READERS {
            let reader = Reader {
                player: cast.players[number % cast.players.len()].clone(),
                http: reqwest::Client::new(),
                channel: cast.channel,
                start: cast.start.clone(),
                cursor: cast.start.clone(),
                end: end.subscribe(),
                followed: Followed::default(),
                streams: number % 2 == 0,
                chance: chance.fork(),
            };
            tasks.spawn(reader.run());
        }
        Self { tasks, end }
    }

    /// Lets everyone read up to `end`.
    pub(crate) async fn finish(self, end: Cursor) -> Vec<Followed> {
        self.end.send_replace(Some(end));
        tokio::time::timeout(PATIENCE, self.tasks.join_all()).await.expect("every reader reaches the end")
    }
}

struct Reader {
    player: Player,
    http: reqwest::Client,
    channel: Uuid,
    start: Cursor,
    cursor: Cursor,
    end: watch::Receiver<Option<Cursor>>,
    followed: Followed,
    streams: bool,
    chance: Chance,
}

/// A connection is over, as connections are.
struct Cut;

impl Reader {
    async fn run(mut self) -> Followed {
        while !self.at_end() {
            if self.chance.one_in(3) {
                self.streams = !self.streams;
            }
            if self.chance.one_in(5) {
                self.jump_back();
            }
            let frames = 1 + self.chance.below(200);
            let read = if self.streams { self.stream(frames).await } else { self.poll(frames).await };
            if let Err(Cut) = read {
                self.followed.interruptions += 1;
                self.chance.back_off().await;
            }
        }
        self.followed
    }

    /// A frame's id is the position that the command answered.
    fn at_end(&self) -> bool {
        let last = self.followed.seen.last().map(|seen| &seen.frame);
        last.is_some() && self.end.borrow().as_ref() == last
    }

    fn jump_back(&mut self) {
        let seen = &mut self.followed.seen;
        let kept = seen.len().saturating_sub(self.chance.below(100));
        seen.truncate(kept);
        self.cursor = seen.last().map_or(&self.start, |seen| &seen.frame).clone();
    }

    /// Follows a stream for about so many frames.
    async fn stream(&mut self, frames: usize) -> Result<(), Cut> {
        let url = format!("{}v1/events/stream", self.player.client.base());
        let request = self.http.get(url).bearer_auth(&self.player.token);
        let request = if self.chance.one_in(2) {
            request.header("last-event-id", self.cursor.as_str())
        } else {
            request.query(&[("after", self.cursor.as_str())])
        };
        let sent = tokio::time::timeout(SILENCE, request.send()).await;
        let mut response = sent.map_err(|_| Cut)?.map_err(|_| Cut)?;
        match response.status().as_u16() {
            200 => {}
            503 => return Err(Cut),
            other => panic!("a stream was refused with {other}: {:?}", response.text().await),
        }
        let goal = self.followed.seen.len() + frames;
        let mut parser = Parser::new(MAX_FRAME);
        let mut items = Vec::new();
        while self.followed.seen.len() < goal && !self.at_end() {
            let chunk = tokio::time::timeout(SILENCE, response.chunk()).await;
            let chunk = chunk.map_err(|_| Cut)?.map_err(|_| Cut)?.ok_or(Cut)?;
            parser.push(&chunk, &mut items).expect("frames are small");
            for item in items.drain(..) {
                match item {
                    Item::Event(event) => self.heard(&event),
                    Item::Id(id) => self.cursor = Cursor(id),
                    Item::Retry(_) => {}
                }
            }
        }
        Ok(())
    }

    fn heard(&mut self, event: &SseEvent) {
        match event.name.as_str() {
            // After these the server closes the connection, or goes on; and others come and go.
            "hello" | "bye" | "presence" => {}
            "heartbeat" => {
                if let Some(id) = &event.id {
                    self.cursor = Cursor(id.clone());
                }
            }
            "reset" => panic!("a cursor was not honoured: {}", event.data),
            name => {
                let frame: Frame = serde_json::from_str(&event.data).expect("a frame");
                assert_eq!(
                    event.id.as_deref(),
                    Some(frame.id.as_str()),
                    "one id for the line and the object"
                );
                assert_eq!(name, frame.kind);
                self.take(frame);
            }
        }
    }

    /// Polls until about so many frames came.
    async fn poll(&mut self, frames: usize) -> Result<(), Cut> {
        let goal = self.followed.seen.len() + frames;
        let begun = Instant::now();
        while self.followed.seen.len() < goal && !self.at_end() && begun.elapsed() < PATIENCE {
            let limit = 1 + u32::try_from(self.chance.below(300)).expect("a small number");
            let answer =
                match self.player.client.poll_events(Some(&self.cursor), POLL_WAIT, Some(limit)).await {
                    Ok(answer) => answer,
                    Err(error) if passes(&error) => return Err(Cut),
                    Err(error) => panic!("a poll was refused: {}", error.explain()),
                };
            for polled in answer.events {
                match polled {
                    Polled::Frame(frame) => self.take(frame),
                    // That others come and go.
                    Polled::Signal(_) => {}
                    Polled::Reset(reset) => panic!("a cursor was not honoured: {}", reset.data),
                }
            }
            self.cursor = answer.next.expect("a poll says where to go on");
        }
        Ok(())
    }

    fn take(&mut self, frame: Frame) {
        self.cursor = frame.id.clone();
        let kind = frame.kind.clone();
        let (channel, message, content) = match frame.event().expect("frames are what the contract says") {
            Event::MessagePosted(posted) => (posted.channel_id, posted.id, posted.content),
            Event::MessageEdited(edited) => (edited.channel_id, edited.id, edited.content),
            _ if kind == REACTED => {
                let id = |name: &str| frame.data[name].as_str().and_then(|id| id.parse().ok());
                let ids = id("channel_id").zip(id("message_id"));
                let (channel, message) = ids.expect("a reaction names its message");
                (channel, message, Some(String::new()))
            }
            _ => return,
        };
        if channel == self.channel {
            self.followed.seen.push(Seen { kind, message, content, frame: frame.id });
        }
    }
}
