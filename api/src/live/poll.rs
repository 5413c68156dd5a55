//! Long-polling: the same frames, one answer at a time.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use event_store::Position;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use super::Hub;
use super::frame::Frame;
use super::item::Item;
use super::outlet::End;
use super::routing::{Kind, MAX_PER_ACCOUNT, Reader};
use super::signal::SignalFrame;
use super::sse::read_within;
use super::subscription::{Delivery, SubscribeError, Subscription};
use crate::auth::{Authenticated, ended};
use crate::cursor::{Cursor, CursorError};
use crate::error::{ApiError, FieldError, Problem, codes};
use crate::extract::{Fields, FromFields, Query, parse};
use crate::state::AppState;

const MAX_WAIT_SECONDS: u64 = 55;
const DEFAULT_WAIT_SECONDS: u64 = 25;
const MAX_LIMIT: u64 = 1_000;
const DEFAULT_LIMIT: u64 = 500;
/// An answer that has signals only waits so long for more, or for a frame: one poll for each would be many.
const GATHER: Duration = Duration::from_millis(250);

codes! {
    TOO_MANY_STREAMS = TOO_MANY_REQUESTS "too_many_streams" "Too many live streams";
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PollQuery {
    /// The cursor to go on from; without it the answer has no events and says where now is.
    after: Option<String>,
    /// Seconds to wait for a first frame.
    #[param(minimum = 0, maximum = 55, default = 25)]
    wait: Option<u64>,
    /// Most frames in the answer.
    #[param(minimum = 1, maximum = 1000, default = 500)]
    limit: Option<u64>,
}

impl FromFields for PollQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let after = fields.optional("after", parse::string);
        let wait = fields.optional("wait", parse::digits(0, MAX_WAIT_SECONDS));
        let limit = fields.optional("limit", parse::digits(1, MAX_LIMIT));
        Some(Self { after: after?, wait: wait?, limit: limit? })
    }
}

/// Frames after a cursor, and the cursor after them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Events {
    /// In log order; then signals, if there are any, which have no `id` and count in no limit.
    #[schema(value_type = Vec<FrameShape>)]
    events: Vec<Box<RawValue>>,
    /// Where the next call goes on.
    next: Cursor,
}

/// One event of the log. A signal has no `id`; `reset` has neither `id`, `time` nor `topic`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Frame)]
pub(crate) struct FrameShape {
    /// Such as `message.posted`.
    #[serde(rename = "type")]
    #[schema(example = "message.posted")]
    kind: String,
    /// The cursor after this event; a signal has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Cursor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    time: Option<String>,
    /// Whom it concerns, such as `channel:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    /// Its content, by type.
    #[schema(value_type = Object)]
    data: serde_json::Value,
}

/// Wait for events that concern you.
///
/// Answers at once when there are events after the cursor; otherwise waits for the first. The fallback where
/// Server-Sent Events do not come through.
#[utoipa::path(
    get,
    path = "/events",
    operation_id = "pollEvents",
    tag = "live",
    params(PollQuery),
    responses(
        (status = 200, description = "Frames, or none after the wait", body = Events),
        (status = 401, description = "`unauthenticated`", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = Problem,
            content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`, `too_many_streams`", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`, `not_caught_up`", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn poll_events(
    State(state): State<AppState>,
    caller: Authenticated,
    Query(query): Query<PollQuery>,
) -> Result<Response, ApiError> {
    let wait = Duration::from_secs(query.wait.unwrap_or(DEFAULT_WAIT_SECONDS));
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT) as usize;
    let hub = Arc::clone(&state.hub);
    let after = match from_cursor(&hub, "after", query.after.as_deref()).await? {
        Start::Here(position) if query.after.is_none() => {
            return Ok(answer(&hub, &[], &[], position));
        }
        Start::Here(position) => position,
        Start::Reset(reason, head) => {
            let reset = json!({"type": "reset", "data": {"reason": reason.as_str()}});
            let events = vec![raw(reset.to_string())];
            return Ok(respond(&Events { events, next: hub.encoder.cursors.seal(head) }));
        }
    };
    let mut subscription = subscribe(&state, &caller, after, Kind::Poll).await?;
    let mut deadline = Instant::now() + wait;
    let mut collected: Vec<Arc<Frame>> = Vec::new();
    let mut signals: Vec<Arc<SignalFrame>> = Vec::new();
    let mut upto = after;
    loop {
        // While catching up there is something to read, however short the wait.
        let patience = if subscription.is_live() {
            deadline.saturating_duration_since(Instant::now())
        } else {
            READ_PATIENCE
        };
        match read_within(&mut subscription, patience).await {
            Some(Delivery::Items { items, upto: reached }) => {
                collected.extend(items.iter().flat_map(frames));
                signals.extend(items.iter().filter_map(signal));
                upto = reached;
                if !signals.is_empty() {
                    deadline = deadline.min(Instant::now() + GATHER);
                }
            }
            Some(Delivery::Ended(End::SessionEnded)) => return Err(ended()),
            Some(Delivery::Ended(_)) | None => break,
        }
        if !collected.is_empty() && (subscription.is_live() || collected.len() >= limit) {
            break;
        }
    }
    if collected.is_empty() && subscription.is_live() {
        let (late, reached) = subscription.waiting();
        collected.extend(late.iter().flat_map(frames));
        signals.extend(late.iter().filter_map(signal));
        upto = upto.max(reached);
    }
    if collected.len() > limit {
        collected.truncate(limit);
        upto = collected.last().map_or(upto, |frame| frame.position);
    }
    Ok(answer(&hub, &collected, &signals, upto))
}

fn frames(item: &Item) -> impl Iterator<Item = Arc<Frame>> {
    let frames = match item {
        Item::Run(run) => run.frames.as_slice(),
        Item::Beat(_) | Item::Signal(_) => &[],
    };
    frames.iter().map(Arc::clone)
}

fn signal(item: &Item) -> Option<Arc<SignalFrame>> {
    match item {
        Item::Signal(signal) => Some(Arc::clone(signal)),
        // A poll hears no beats.
        Item::Run(_) | Item::Beat(_) => None,
    }
}

/// How long one read of the log may take.
const READ_PATIENCE: Duration = Duration::from_secs(20);

fn answer(hub: &Hub, frames: &[Arc<Frame>], signals: &[Arc<SignalFrame>], upto: Position) -> Response {
    let text = |json: &[u8]| raw(String::from_utf8_lossy(json).into_owned());
    let frames = frames.iter().map(|frame| text(frame.json()));
    let events = frames.chain(signals.iter().map(|signal| text(signal.json()))).collect();
    respond(&Events { events, next: hub.encoder.cursors.seal(upto) })
}

fn raw(json: String) -> Box<RawValue> {
    RawValue::from_string(json).expect("a frame is JSON")
}

fn respond(events: &Events) -> Response {
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"))];
    (no_store, axum::Json(events)).into_response()
}

/// Where a reader goes on.
pub(super) enum Start {
    Here(Position),
    /// Its cursor cannot be honoured; it starts at the head.
    Reset(Reset, Position),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reset {
    ForeignLog,
    AheadOfLog,
}

impl Reset {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::ForeignLog => "foreign_log",
            Self::AheadOfLog => "ahead_of_log",
        }
    }
}

pub(super) async fn from_cursor(hub: &Hub, parameter: &str, cursor: Option<&str>) -> Result<Start, ApiError> {
    let head = hub.head();
    let Some(cursor) = cursor else { return Ok(Start::Here(head)) };
    match hub.encoder.cursors.open(cursor) {
        Ok(position) if position <= head => Ok(Start::Here(position)),
        // The hub, or this node, may be a moment behind whoever handed the cursor out; the log itself is not.
        Ok(position) => match hub.store.head().await.map_err(ApiError::unavailable)? {
            newest if position <= newest => Ok(Start::Here(position)),
            _ => Ok(Start::Reset(Reset::AheadOfLog, head)),
        },
        Err(CursorError::ForeignLog) => Ok(Start::Reset(Reset::ForeignLog, head)),
        Err(CursorError::Invalid) => Err(invalid_cursor(parameter)),
    }
}

pub(super) fn invalid_cursor(parameter: &str) -> ApiError {
    let detail = "is not a cursor of this server: fetch the bootstrap and go on from its cursor";
    ApiError::invalid(vec![FieldError::parameter(parameter, "not_a_cursor", detail)])
}

/// Subscribes the caller, whose session is looked at once more: one that was revoked before the hub knew of this
/// subscription would otherwise never be told.
pub(super) async fn subscribe(
    state: &AppState,
    caller: &Authenticated,
    after: Position,
    kind: Kind,
) -> Result<Subscription, ApiError> {
    let reader = Reader { account: caller.account, session: caller.session.id, kind };
    let started = Subscription::start(Arc::clone(&state.hub), reader, after).await;
    let subscription = started.map_err(|error| match error {
        SubscribeError::TooMany => {
            let detail =
                format!("An account can have {MAX_PER_ACCOUNT} live streams at a time. Close one first.");
            ApiError::new(TOO_MANY_STREAMS, detail).retry_after(Duration::from_secs(30))
        }
        SubscribeError::NotCaughtUp => ApiError::not_caught_up(),
        // The server is going down, as it should.
        SubscribeError::Ended => ApiError::busy(),
        SubscribeError::Unavailable(_) => ApiError::unavailable(error),
    })?;
    caller.still_valid(state).await?;
    Ok(subscription)
}
