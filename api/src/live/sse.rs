//! Server-Sent Events: <https://html.spec.whatwg.org/multipage/server-sent-events.html>.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use event_store::Position;
use futures_util::stream;
use serde_json::json;
use tokio::time::{Instant, timeout};
use utoipa::IntoParams;

use super::beats::HEARTBEAT;
use super::direct::Detachable;
use super::framed::Framed;
use super::item::{Beat, Item};
use super::outlet::End;
use super::poll;
use super::poll::{Reset, Start, from_cursor};
use super::routing::Kind;
use super::subscription::{Delivery, Subscription};
use crate::auth::Authenticated;
use crate::error::{ApiError, Problem};
use crate::extract::{Fields, FromFields, Query, parse};
use crate::state::AppState;

/// What a browser sends when it resumes.
const LAST_EVENT_ID: &str = "Last-Event-ID";
/// How soon a client should come back, in milliseconds.
const RETRY: u32 = 2_000;
/// How long an interrupted read waits before it is tried again, and how often it is.
const READ_AGAIN: Duration = Duration::from_millis(500);
const READ_TRIES: u32 = 10;

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamQuery {
    /// The cursor to go on from; without it and `Last-Event-ID` the stream starts now.
    after: Option<String>,
}

impl FromFields for StreamQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let after = fields.optional("after", parse::string);
        Some(Self { after: after? })
    }
}

/// Follow everything that concerns you.
///
/// A `text/event-stream`. It opens with `hello`; each event of the log is one frame whose `id` is a cursor to resume
/// from; `heartbeat` comes every 15 s; `reset` says that a cursor cannot be honoured; `bye` ends the stream. The frames'
/// `data` are those of `GET /v1/events`.
#[utoipa::path(
    get,
    path = "/events/stream",
    operation_id = "streamEvents",
    tag = "live",
    params(
        StreamQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The cursor to go on from; wins over `after`"),
    ),
    responses(
        (status = 200, description = "Frames, for as long as both sides hold on", content_type = "text/event-stream",
            body = String, example = "event: hello\ndata: {\"transport\":\"sse\"}\n\n"),
        (status = 422, description = "`invalid`: not a cursor", body = Problem,
            content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`", body = Problem,
            content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`, `too_many_streams`", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`, `not_caught_up`", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn stream_events(
    State(state): State<AppState>,
    caller: Authenticated,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (parameter, last_seen) = match headers.get(LAST_EVENT_ID) {
        Some(value) => {
            let text = value.to_str().map_err(|_| poll::invalid_cursor(LAST_EVENT_ID))?;
            (LAST_EVENT_ID, Some(text.to_owned()))
        }
        None => ("after", query.after),
    };
    let hub = Arc::clone(&state.hub);
    let from = from_cursor(&hub, parameter, last_seen.as_deref()).await?;
    let after = match from {
        Start::Here(position) | Start::Reset(_, position) => position,
    };
    let subscription = poll::subscribe(&state, &caller, after, Kind::Stream).await?;
    let reset = match from {
        Start::Reset(reason, _) => Some(reason),
        Start::Here(_) => None,
    };
    let stream = EventStream::new(subscription, after, reset);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")),
        // nginx and those who follow it hold nothing back then.
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let detachable = Detachable::new(stream);
    let cell = detachable.clone();
    let body = Body::from_stream(stream::unfold(None, move |stream| {
        let stream = stream.or_else(|| cell.detach());
        async move {
            let mut stream: EventStream = stream?;
            let chunk = stream.next_chunk().await?;
            Some((Ok::<_, Infallible>(chunk.to_plain()), Some(stream)))
        }
    }));
    let mut response = (headers, body).into_response();
    response.extensions_mut().insert(detachable);
    Ok(response)
}

/// What one stream writes, whoever writes it.
pub(crate) struct EventStream {
    subscription: Subscription,
    after: Position,
    reset: Option<Reset>,
    opened: bool,
    ended: bool,
    /// When a reader who is catching up is told that we are there. One who is live hears it from the hub.
    beat_at: Instant,
    /// Written next, in one go.
    ready: VecDeque<Framed>,
}

impl EventStream {
    fn new(subscription: Subscription, after: Position, reset: Option<Reset>) -> Self {
        let beat_at = Instant::now() + HEARTBEAT;
        Self { subscription, after, reset, opened: false, ended: false, beat_at, ready: VecDeque::new() }
    }

    /// What to write next, shared with all who read the same. `None` after the last.
    pub(super) async fn next_chunk(&mut self) -> Option<Framed> {
        loop {
            if let Some(chunk) = self.ready.pop_front() {
                return Some(chunk);
            }
            if self.ended {
                return None;
            }
            self.refill().await;
        }
    }

    /// The subscription, when there is nothing left but to write what comes.
    pub(super) fn following(&self) -> Option<&Subscription> {
        let idle = self.opened && !self.ended && self.ready.is_empty() && self.subscription.is_live();
        Some(&self.subscription).filter(|subscription| idle && subscription.outlet().ended().is_none())
    }

    /// Waits for something to write.
    async fn refill(&mut self) {
        if !self.opened {
            self.opened = true;
            self.open();
            return;
        }
        let was_live = self.subscription.is_live();
        match read(&mut self.subscription).await {
            Some(Delivery::Items { items, .. }) => {
                self.take(&items);
                let caught_up = !was_live && self.subscription.is_live();
                // Caught up: the reader is told so by a cursor, also where there was nothing to show.
                if caught_up || (!was_live && Instant::now() >= self.beat_at) {
                    self.beat();
                }
            }
            Some(Delivery::Ended(End::SessionEnded)) => self.bye("session_ended"),
            Some(Delivery::Ended(End::Shutdown)) => self.bye("shutdown"),
            Some(Delivery::Ended(End::Rotate | End::Lagged)) | None => self.bye("rotate"),
        }
    }

    fn take(&mut self, items: &[Item]) {
        self.ready.extend(items.iter().filter_map(|item| item.sse().cloned()));
    }

    /// `hello` and a second tiny event at once: some proxies hold the first until a second comes.
    fn open(&mut self) {
        let cursor = self.subscription.hub().encoder.cursors.seal(self.after);
        let hello = json!({"transport": "sse", "heartbeat_seconds": HEARTBEAT.as_secs(), "cursor": cursor});
        self.ready.push_back(format!("retry: {RETRY}\nevent: hello\ndata: {hello}\n\n").into());
        if let Some(reason) = self.reset.take() {
            let reason = json!({"reason": reason.as_str()});
            self.ready.push_back(format!("event: reset\ndata: {reason}\n\n").into());
        }
        self.beat();
    }

    /// A sign of life; once live, with the cursor up to which nothing is missing.
    fn beat(&mut self) {
        self.beat_at = Instant::now() + HEARTBEAT;
        let (items, upto) = self.subscription.waiting();
        self.take(&items);
        let cursor = self.subscription.hub().encoder.cursors.seal(upto);
        let cursor = self.subscription.is_live().then_some(&cursor);
        self.ready.push_back(Beat::new(upto, cursor).sse);
    }

    fn bye(&mut self, reason: &str) {
        self.ended = true;
        if reason != "session_ended" {
            let (items, _) = self.subscription.waiting();
            self.take(&items);
        }
        self.ready.push_back(format!("event: bye\ndata: {}\n\n", json!({"reason": reason})).into());
    }
}

/// The next delivery; a passing failure of the storage is sat out. `None` when it does not pass.
async fn read(subscription: &mut Subscription) -> Option<Delivery> {
    for attempt in 1..=READ_TRIES {
        match subscription.next().await {
            Ok(delivery) => return Some(delivery),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    attempt,
                    "a stream waits for its events"
                );
                tokio::time::sleep(READ_AGAIN).await;
            }
        }
    }
    None
}

/// For those who only wait so long.
pub(crate) async fn read_within(subscription: &mut Subscription, patience: Duration) -> Option<Delivery> {
    timeout(patience, read(subscription)).await.ok().flatten()
}
