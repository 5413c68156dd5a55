//! A model client: starts from the snapshot, then lives on frames.

use std::time::Duration;

use client::live::Transport;
use client::{Client, Cursor, Frame, Live, LiveEvent, LiveOptions};
use futures_util::FutureExt as _;
use serde_json::Value;

use crate::Broken;
use crate::http::Http;
use crate::scenario::{Habits, Over};
use crate::view::{View, text};

/// A frame that has not come by then never will.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Device {
    pub(crate) name: String,
    /// Index of its account.
    pub(crate) account: usize,
    client: Client,
    http: Http,
    habits: Habits,
    known: Known,
    /// After the last frame applied.
    cursor: Cursor,
    live: Option<Live>,
    /// All that ever came, in the order of coming.
    pub(crate) receipts: Vec<Frame>,
}

enum Known {
    Snapshot(Box<Value>),
    All(View),
}

impl Device {
    /// Takes the snapshot, at `at` or later.
    pub(crate) async fn start(
        name: String,
        account: usize,
        (client, http): (Client, Http),
        habits: Habits,
        at: &Cursor,
    ) -> Result<Self, Broken> {
        let bootstrap = http.get("/bootstrap", at).await?.ok_or("no bootstrap")?;
        let cursor = Cursor::from(text(&bootstrap, "cursor"));
        let known = Known::Snapshot(Box::new(bootstrap));
        let mut device =
            Self { name, account, client, http, habits, known, cursor, live: None, receipts: Vec::new() };
        if habits.prompt {
            device.complete().await?;
        }
        Ok(device)
    }

    /// Fetches what the snapshot doesn't hold.
    async fn complete(&mut self) -> Result<(), Broken> {
        if let Known::Snapshot(bootstrap) = &self.known {
            self.known = Known::All(View::complete(&self.http, bootstrap, &self.cursor).await?);
        }
        Ok(())
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.live.is_some()
    }

    /// Goes on from its cursor over the given transport.
    pub(crate) fn connect(&mut self, over: Over) {
        let (transport, poll_limit) = match over {
            Over::Sse => (Transport::Sse, 500),
            Over::LongPoll { limit } => (Transport::LongPoll, u32::from(limit)),
        };
        let options = LiveOptions {
            only: Some(transport),
            poll_limit,
            poll_wait: Duration::from_secs(5),
            backoff_first: Duration::from_millis(5),
            backoff_most: Duration::from_millis(100),
            queue: 4,
            ..LiveOptions::default()
        };
        self.live = Some(self.client.live_with(Some(self.cursor.clone()), options));
    }

    /// What has come and was not read comes again after the next connect.
    pub(crate) async fn disconnect(&mut self) -> Result<(), Broken> {
        self.read_what_came().await?;
        self.live = None;
        Ok(())
    }

    /// Between two commands.
    pub(crate) async fn look(&mut self) -> Result<(), Broken> {
        if self.habits.eager { self.read_what_came().await } else { Ok(()) }
    }

    async fn read_what_came(&mut self) -> Result<(), Broken> {
        while let Some(event) = self.live.as_mut().and_then(|live| live.next().now_or_never()) {
            self.take(event).await?;
        }
        Ok(())
    }

    /// Reads until the frame at `position`, which concerns this account, and no further.
    pub(crate) async fn follow_to(&mut self, position: &Cursor) -> Result<&View, Broken> {
        while self.cursor != *position {
            let Some(live) = &mut self.live else { return Err("not connected".to_owned()) };
            let event = tokio::time::timeout(PATIENCE, live.next()).await;
            let event = event.map_err(|_| format!("{}: a frame did not come", self.name))?;
            self.take(event).await?;
        }
        self.complete().await?;
        match &self.known {
            Known::All(view) => Ok(view),
            Known::Snapshot(_) => Err("incomplete".to_owned()),
        }
    }

    async fn take(&mut self, event: Result<LiveEvent, client::Error>) -> Result<(), Broken> {
        match event.map_err(|error| format!("{}: {}", self.name, error.explain()))? {
            LiveEvent::Frame(frame) => {
                self.complete().await?;
                self.receipts.push(frame.clone());
                self.cursor = frame.id.clone();
                let Known::All(view) = &mut self.known else { return Err("incomplete".to_owned()) };
                let applied = view.apply(&self.http, &frame).await;
                applied.map_err(|broken| format!("{}: {broken}, by {frame:?}", self.name))
            }
            // Signals, such as that somebody is there, have nothing to do with the log.
            LiveEvent::CaughtUp | LiveEvent::Transport(_) | LiveEvent::Signal(_) => Ok(()),
            other => Err(format!("{}: {other:?} though nothing happened to the log", self.name)),
        }
    }
}
