//! Threads: the messages below a message, who follows them, and how much is read.

use account_data::{Move, Place as MarkerPlace, ReadMarker, Start};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::message::MessageError;
use domain::thread::ThreadError;
use domain::{ChannelId, MessageId};
use event_store::Position;
use jiff::Timestamp;
use projections::FollowedThread;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::history::{HistoryQuery, Place, listed};
use super::mention::NewestQuery;
use super::{Message, THREAD_IN_THREAD, UNKNOWN};
use crate::answer::Done;
use crate::auth::Authenticated;
use crate::error::{ApiError, FieldError};
use crate::extract::{self, Bare, CaughtUp, Fields, FromFields, Ids, Query, parse, wait_until_readable};
use crate::page::{self, Linked, Page};
use crate::signal::{OwnSignal, Signal};
use crate::state::AppState;

impl From<ThreadError> for ApiError {
    fn from(error: ThreadError) -> Self {
        let code = match error {
            ThreadError::Unknown => UNKNOWN,
            ThreadError::InThread => THREAD_IN_THREAD,
        };
        Self::told(code, error)
    }
}

/// A thread that you follow.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Followed {
    /// Its first message.
    message: Message,
    /// How many messages of others, deleted ones left out, you have not read; 100 stands for more, too.
    #[schema(maximum = 100)]
    unread: u32,
}

impl Followed {
    fn of_row(row: FollowedThread, now: Timestamp) -> Self {
        Self { message: Message::of_row(row.root, now), unread: row.unread }
    }
}

/// List the messages of a thread, newest first, deleted ones included; the thread's first message is not among them.
///
/// The thread of a deleted message can still be read; nothing more is posted in it.
#[utoipa::path(
    get, path = "/messages/{id}/thread", operation_id = "listThread", tag = "message",
    params(("id" = Uuid, Path, description = "The thread's first message"), HistoryQuery),
    responses(
        (status = 200, description = "A page; `next` leads to older messages", body = Page<Message>),
        (status = 404, description = "`message_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn list_thread(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<MessageId>,
    Query(query): Query<HistoryQuery>,
) -> Result<Response, ApiError> {
    let root = app.read.message_place(caller.account, id).await?.ok_or(MessageError::Unknown)?;
    let limit = query.limit();
    let place = Place { app: &app, caller: &caller, channel: root.channel_id, thread: Some(id) };
    let range = query.range(&place).await?;
    let found = app.read.thread(caller.account, id, range, limit as usize).await?;
    let found = found.ok_or(MessageError::Unknown)?;
    Ok(listed(&app, found, format!("/v1/messages/{id}/thread"), limit))
}

/// Follow a thread.
///
/// Without a word from you, you follow the threads below your messages and those in which you posted or were mentioned by
/// name.
#[utoipa::path(
    put, path = "/messages/{id}/thread/follow", operation_id = "followThread", tag = "message",
    params(("id" = Uuid, Path, description = "The thread's first message")),
    responses(
        (status = 200, description = "You follow it", body = Done),
        (status = 404, description = "`message_not_found`, `not_found`"),
        (status = 409, description = "`message_thread_in_thread`"),
    ),
)]
pub(crate) async fn follow_thread(
    State(app): State<AppState>,
    Ids(id): Ids<MessageId>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.follow_thread(&context, id, true).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}

/// Follow a thread no longer, whatever comes of it, until you say otherwise.
#[utoipa::path(
    delete, path = "/messages/{id}/thread/follow", operation_id = "unfollowThread", tag = "message",
    params(("id" = Uuid, Path, description = "The thread's first message")),
    responses(
        (status = 200, description = "You do not follow it", body = Done),
        (status = 404, description = "`message_not_found`, `not_found`"),
        (status = 409, description = "`message_thread_in_thread`"),
    ),
)]
pub(crate) async fn unfollow_thread(
    State(app): State<AppState>,
    Ids(id): Ids<MessageId>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.follow_thread(&context, id, false).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}

/// List the threads that you follow and may see now, the one with the newest message first. What nobody has posted in yet
/// is no thread.
#[utoipa::path(
    get, path = "/me/threads", operation_id = "listThreads", tag = "message",
    params(NewestQuery),
    responses((status = 200, description = "A page; `next` leads to older ones", body = Page<Followed>)),
)]
pub(crate) async fn list_threads(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Query(NewestQuery { before, limit }): Query<NewestQuery>,
) -> Result<Response, ApiError> {
    let before = page::place(&app, "before", before.as_deref())?;
    let markers = app.account_data.read_markers(caller.account, true).await?;
    let mark = |marker: &ReadMarker| Some((marker.place.thread?, Position(marker.position)));
    let marks: Vec<_> = markers.iter().filter_map(mark).collect();
    let found = app.read.followed_threads(caller.account, &marks, before, limit as usize).await?;
    let now = app.clock.now();
    let items = found.items.into_iter().map(|row| Followed::of_row(row, now)).collect();
    let page = Page { items, next: found.next.map(|position| app.cursors.seal(position).0), prev: None };
    let path = "/v1/me/threads".to_owned();
    Ok(Linked { page, path, limit, next_parameter: "before", prev_parameter: "after" }.into_response())
}

/// How much of a thread you have read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ThreadReadState {
    /// The thread's first message.
    #[schema(value_type = Uuid)]
    thread_id: MessageId,
    #[schema(value_type = Uuid)]
    channel_id: ChannelId,
    /// The newest message that you have read.
    #[schema(value_type = Option<Uuid>)]
    last_read_message_id: Option<MessageId>,
    /// How many messages of others, deleted ones left out, are behind that; 100 stands for more, too.
    #[schema(maximum = 100)]
    unread: u32,
}

/// A thread's read state.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ThreadReadStateAnswer {
    read_state: ThreadReadState,
}

/// Up to where a thread was read.
#[derive(ToSchema)]
pub(crate) struct MoveThreadReadMarker {
    /// A message of the thread.
    #[schema(value_type = Uuid)]
    message: MessageId,
}

impl FromFields for MoveThreadReadMarker {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("message", parse::id).map(|message| Self { message })
    }
}

/// Say up to where you have read a thread.
///
/// The marker moves forward only. Your other connections get the signal `thread_read_marker`.
#[utoipa::path(
    put, path = "/messages/{id}/thread/read-marker", operation_id = "moveThreadReadMarker", tag = "account-data",
    params(("id" = Uuid, Path, description = "The thread's first message")),
    request_body = MoveThreadReadMarker,
    responses(
        (status = 200, description = "How it stands now", body = ThreadReadStateAnswer),
        (status = 404, description = "`message_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn move_thread_read_marker(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<MessageId>,
    extract::Json(MoveThreadReadMarker { message }): extract::Json<MoveThreadReadMarker>,
) -> Result<Json<ThreadReadStateAnswer>, ApiError> {
    let (channel_id, position) = place_in_thread(&app, &caller, id, message).await?;
    let now = app.clock.now();
    let place = MarkerPlace { channel: channel_id, thread: Some(id) };
    let to = ReadMarker { place, message: Some(message), position: position.0, moved_at: now };
    // Where following began is behind every message that can be marked, as far as the marker is concerned.
    let start = Start { position: 0, since: Timestamp::UNIX_EPOCH };
    let marked = app.account_data.move_read_marker(caller.account, &to, Move::Forward, start).await?;
    let marker = marked.marker.unwrap_or(to);
    let unread = app.read.unread_in_thread(caller.account, id, Position(marker.position)).await?;
    let read_state =
        ThreadReadState { thread_id: id, channel_id, last_read_message_id: marker.message, unread };
    if marked.moved {
        let said = OwnSignal { account_id: caller.account, time: now, data: read_state.clone() };
        app.signals.tell(Signal::ThreadReadMarker(said));
    }
    Ok(Json(ThreadReadStateAnswer { read_state }))
}

/// Where a message of a thread stands. What a client was told of live may be ahead of the read model: then that is waited
/// for.
async fn place_in_thread(
    app: &AppState,
    caller: &Authenticated,
    root: MessageId,
    message: MessageId,
) -> Result<(ChannelId, Position), ApiError> {
    let find = async || app.read.message_place(caller.account, message).await;
    let mut found = find().await?;
    if found.is_none() {
        wait_until_readable(app, app.store.head().await?).await?;
        found = find().await?;
    }
    match found {
        Some(place) if place.thread_id == Some(root) => Ok((place.channel_id, place.position)),
        _ if app.read.message_place(caller.account, root).await?.is_none() => {
            Err(MessageError::Unknown.into())
        }
        _ => {
            let detail = "is no message of this thread";
            Err(ApiError::invalid(vec![FieldError::pointer("/message".to_owned(), "not_found", detail)]))
        }
    }
}
