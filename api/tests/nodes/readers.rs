//! Those who follow the channel, over one transport or the other, and go on at the other node after each cut.
//!
//! They use the transports raw: the SDK's own stream would hide a frame that came twice.

use std::time::Duration;

use client::live::sse::{Item, Parser, SseEvent};
use client::live::{Frame, Polled};
use client::{Client, Cursor, Event};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::cast::{Cast, Player};
use crate::chance::Chance;
use crate::node::PATIENCE;
use crate::writers::passes;

pub(crate) const READERS: usize = 6;
/// A reader that hears nothing for so long connects again.
const SILENCE: Duration = Duration::from_secs(3);
const POLL_WAIT: Duration = Duration::from_secs(2);
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

/// What one reader saw, all its connections together: each went on from the cursor of the one before.
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
    /// Two of three begin with streams, the third with polls; half of them begin at either node.
    pub(crate) fn start(cast: &Cast, chance: &mut Chance) -> Self {
        let (end, _) = watch::channel(None);
        let mut tasks = JoinSet::new();
        for number in 0..READERS {
            let reader = Reader {
                player: cast.players[number % cast.players.len()].clone(),
                at_a: number < READERS / 2,
                http: reqwest::Client::new(),
                channel: cast.channel,
                cursor: cast.start.clone(),
                end: end.subscribe(),
                followed: Followed::default(),
                streams: number % 3 != 2,
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
    at_a: bool,
    http: reqwest::Client,
    channel: Uuid,
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
            let read = if self.streams { self.stream().await } else { self.poll().await };
            if let Err(Cut) = read {
                self.followed.interruptions += 1;
                self.at_a = !self.at_a;
                if self.chance.one_in(3) {
                    self.streams = !self.streams;
                }
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

    fn client(&self) -> &Client {
        if self.at_a { &self.player.client } else { &self.player.elsewhere }
    }

    /// Follows a stream to its end, or to the end of all.
    async fn stream(&mut self) -> Result<(), Cut> {
        let url = format!("{}v1/events/stream", self.client().base());
        let request = self.http.get(url).bearer_auth(&self.player.token);
        let sent = request.header("last-event-id", self.cursor.as_str()).send();
        let mut response = tokio::time::timeout(SILENCE, sent).await.map_err(|_| Cut)?.map_err(|_| Cut)?;
        match response.status().as_u16() {
            200 => {}
            503 => return Err(Cut),
            other => panic!("a stream was refused with {other}: {:?}", response.text().await),
        }
        let mut parser = Parser::new(MAX_FRAME);
        let mut items = Vec::new();
        while !self.at_end() {
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
            "hello" | "bye" | "presence" => {}
            "heartbeat" => {
                if let Some(id) = &event.id {
                    self.cursor = Cursor(id.clone());
                }
            }
            "reset" => panic!("a cursor of the other node was not honoured: {}", event.data),
            name => {
                let frame: Frame = serde_json::from_str(&event.data).expect("a frame");
                assert_eq!((event.id.as_deref(), name), (Some(frame.id.as_str()), frame.kind.as_str()));
                self.take(frame);
            }
        }
    }

    async fn poll(&mut self) -> Result<(), Cut> {
        let polled = self.client().poll_events(Some(&self.cursor), POLL_WAIT, None).await;
        let answer = match polled {
            Ok(answer) => answer,
            Err(error) if passes(&error) => return Err(Cut),
            Err(error) => panic!("a poll was refused: {}", error.explain()),
        };
        for polled in answer.events {
            match polled {
                Polled::Frame(frame) => self.take(frame),
                // That others come and go.
                Polled::Signal(_) => {}
                other => panic!("a cursor of the other node was not honoured: {other:?}"),
            }
        }
        self.cursor = answer.next.expect("a poll says where to go on");
        Ok(())
    }

    fn take(&mut self, frame: Frame) {
        self.cursor = frame.id.clone();
        if let Event::MessagePosted(message) = frame.event().expect("frames are what the contract says")
            && message.channel_id == self.channel
        {
            let seen =
                Seen { kind: frame.kind, message: message.id, content: message.content, frame: frame.id };
            self.followed.seen.push(seen);
        }
    }
}
