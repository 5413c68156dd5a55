//! Live delivery: one stream of frames over whichever transport works, and the calls below it.
//!
//! [`Live`] is a task (`driver`) that does what a pure state machine (`machine`) decides, and a bounded queue between
//! the task and [`Live::next`].

mod driver;
mod event;
mod frame;
mod machine;
mod recovery;
mod seen;
mod signal;
pub mod sse;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub use self::event::{
    ChannelChanged, ChannelRemoved, CommunityRemoved, CommunityRenamed, Event, Joined, MessageDeleted,
    MessageEdited, ProfileChanged, RolesChanged, Standing,
};
pub use self::frame::{Frame, PollAnswer, Polled, Reset};
pub use self::signal::{Signal, Typing, Typists};
use crate::account::Account;
use crate::client::Client;
use crate::community::Community;
use crate::conversation::Conversation;
use crate::cursor::Cursor;
use crate::error::Error;
use crate::read_state::ReadState;
use crate::request::Read;

/// How frames travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Server-Sent Events.
    Sse,
    LongPoll,
}

/// What a live stream waits for. The defaults are those of the design; tests shorten them.
#[derive(Debug, Clone)]
pub struct LiveOptions {
    /// Uses this transport alone.
    pub only: Option<Transport>,
    /// From opening a stream to its `hello`; a proxy that buffers never lets it through.
    pub hello_timeout: Duration,
    /// Two failures of streams within it lead to long-poll.
    pub failure_window: Duration,
    /// How long a network that doesn't carry SSE is spared before it is probed again.
    pub avoid_sse: Duration,
    /// How long the server may hold a poll; whole seconds, at most 55.
    pub poll_wait: Duration,
    /// What a poll may take beyond `poll_wait`.
    pub poll_grace: Duration,
    /// Frames of one poll, 1 to 1000.
    pub poll_limit: u32,
    pub backoff_first: Duration,
    pub backoff_most: Duration,
    /// A stream that has sent its `hello` and then nothing for this long has no backlog left.
    pub quiet: Duration,
    /// Bytes of one event on a stream.
    pub max_frame: usize,
    /// Frames that may wait for [`Live::next`] before the connection is no longer read from.
    pub queue: usize,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            only: None,
            hello_timeout: Duration::from_secs(4),
            failure_window: Duration::from_secs(30),
            avoid_sse: Duration::from_mins(10),
            poll_wait: Duration::from_secs(25),
            poll_grace: Duration::from_secs(10),
            poll_limit: 500,
            backoff_first: Duration::from_millis(500),
            backoff_most: Duration::from_secs(20),
            quiet: Duration::from_millis(300),
            max_frame: 1 << 20,
            queue: 64,
        }
    }
}

/// What a live stream tells.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum LiveEvent {
    /// The next event of the log, never the same one twice.
    Frame(Frame),
    /// Everything that had happened when the connection was made has been shown.
    CaughtUp,
    Transport(TransportState),
    /// Somebody types, or the like. Some are lost with a connection.
    Signal(Signal),
    /// The cursor cannot be honoured. Fetch the bootstrap, then call [`Live::resume_from`] with its cursor.
    Reset {
        reason: String,
    },
}

/// What a person may be told about the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportState {
    Connecting,
    Sse,
    LongPoll,
    /// The connection was lost. Nothing is missed: it goes on from where it was.
    Reconnecting,
}

/// The frames after a cursor, without end.
///
/// Dropping it closes the connection. Back-pressure reaches the server: who doesn't call [`Live::next`] doesn't read.
#[derive(Debug)]
pub struct Live {
    client: Client,
    options: LiveOptions,
    queue: mpsc::Receiver<Result<LiveEvent, Error>>,
    task: JoinHandle<()>,
    reset: bool,
}

impl Live {
    /// The next thing that happened. Waits as long as it takes; dropping the future loses nothing.
    ///
    /// # Errors
    /// 401 and [`Error::SessionEnded`] mean to log in again, other problems that the server won't have this caller.
    /// The stream has ended after any error.
    pub async fn next(&mut self) -> Result<LiveEvent, Error> {
        if self.reset {
            return Err(Error::ResetPending);
        }
        let event = self.queue.recv().await.unwrap_or(Err(Error::LiveEnded));
        self.reset = matches!(event, Ok(LiveEvent::Reset { .. }));
        event
    }

    /// Goes on from another cursor, whatever the state. What waited in the queue is dropped.
    pub fn resume_from(&mut self, cursor: Cursor) {
        *self = Self::start(self.client.clone(), Some(cursor), self.options.clone());
    }

    fn start(client: Client, after: Option<Cursor>, options: LiveOptions) -> Self {
        let (sender, queue) = mpsc::channel(options.queue.max(1));
        let task = tokio::spawn(driver::run(client.clone(), after, options.clone(), sender));
        Self { client, options, queue, task, reset: false }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One consistent snapshot of all that the caller sees, and the cursor at which it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bootstrap {
    pub account: Account,
    pub communities: Vec<Community>,
    /// The direct and group channels: the one where somebody posted last comes first.
    #[serde(default)]
    pub conversations: Vec<Conversation>,
    /// Of the channels that have a read marker or something unread.
    pub read_states: Vec<ReadState>,
    pub cursor: Cursor,
}

impl Client {
    /// `GET /bootstrap`
    pub fn bootstrap(&self) -> Read<Bootstrap> {
        Read::new(self, &["bootstrap"])
    }

    /// The frames after `after`; of what happens from the first connection on if that is `None`.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn live(&self, after: Option<Cursor>) -> Live {
        self.live_with(after, self.options().live.clone())
    }

    /// [`Client::live`] with options of its own.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn live_with(&self, after: Option<Cursor>, options: LiveOptions) -> Live {
        Live::start(self.clone(), after, options)
    }

    /// `GET /events`: one long-poll, sent once. [`Client::live`] is what most callers want.
    pub fn poll_events(
        &self,
        after: Option<&Cursor>,
        wait: Duration,
        limit: Option<u32>,
    ) -> Read<PollAnswer> {
        Read::new(self, &["events"])
            .query("after", after)
            .query("wait", Some(wait.as_secs()))
            .query("limit", limit)
            .try_timeout(wait + self.options().try_timeout)
            .once()
    }

    /// `GET /events/stream`
    pub(crate) fn open_stream(&self, after: Option<&Cursor>) -> Read<()> {
        Read::new(self, &["events", "stream"]).query("after", after)
    }
}
