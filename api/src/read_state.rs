//! Read states: up to where an account has read its channels, and how much it has not. Moving a read marker is no command:
//! nothing is appended, the marker is there at once and the account's other connections are told.

use std::collections::HashMap;

use account_data::{Move, Place, ReadMarker, Start};
use axum::Json;
use axum::extract::State;
use domain::message::MessageError;
use domain::{ChannelId, MessageId};
use event_store::Position;
use projections::{Mark, Range, ReadStart, UnreadRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Authenticated;
use crate::error::{ApiError, FieldError};
use crate::extract::{self, CaughtUp, Fields, FromFields, Ids, parse, wait_until_readable};
use crate::page::Page;
use crate::receipt::note_read;
use crate::signal::{OwnSignal, Signal};
use crate::state::{App, AppState};

/// How much of a channel you have read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ReadState {
    #[schema(value_type = Uuid)]
    pub(crate) channel_id: ChannelId,
    /// The newest message that you have read; null: none since you came.
    #[schema(value_type = Option<Uuid>)]
    last_read_message_id: Option<MessageId>,
    /// How many messages of others, deleted ones left out, are behind that; 100 stands for more, too.
    #[schema(maximum = 100)]
    unread: u32,
    /// The first of them.
    #[schema(value_type = Option<Uuid>)]
    first_unread_message_id: Option<MessageId>,
    /// How many messages of others behind the marker mention you, by a role or with everybody too; 100 stands for more.
    #[schema(maximum = 100)]
    mentions: u32,
}

impl ReadState {
    fn new(marker: Option<&ReadMarker>, unread: UnreadRow) -> Self {
        Self {
            channel_id: unread.channel_id,
            last_read_message_id: marker.and_then(|marker| marker.message),
            unread: unread.unread,
            first_unread_message_id: unread.first_unread,
            mentions: unread.mentions,
        }
    }
}

/// The markers of an account, as the read model takes them.
pub(crate) fn marks(markers: &[ReadMarker]) -> Vec<Mark> {
    markers.iter().map(mark).collect()
}

fn mark(marker: &ReadMarker) -> Mark {
    let ReadMarker { place, position, moved_at, .. } = marker;
    Mark { channel_id: place.channel, position: Position(*position), at: *moved_at }
}

/// The states of the channels that have a marker or something unread. A channel that may not be seen any more has no row,
/// and so no state.
pub(crate) fn read_states(markers: &[ReadMarker], unread: Vec<UnreadRow>) -> Vec<ReadState> {
    let markers: HashMap<ChannelId, &ReadMarker> =
        markers.iter().map(|marker| (marker.place.channel, marker)).collect();
    let states = unread.into_iter().map(|row| {
        let marker = markers.get(&row.channel_id).copied();
        (marker.is_some(), ReadState::new(marker, row))
    });
    states.filter(|(marked, state)| *marked || state.unread > 0).map(|(_, state)| state).collect()
}

/// A channel's read state.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReadStateAnswer {
    read_state: ReadState,
}

/// Where the read marker is to be.
#[derive(ToSchema)]
pub(crate) struct MoveReadMarker {
    /// A message of the channel, of no thread.
    #[schema(value_type = Uuid)]
    message: MessageId,
    /// `true`: this message and what is behind it are to be unread. If left out or `false`, it and all before it were
    /// read.
    #[schema(value_type = Option<bool>)]
    unread: bool,
}

impl FromFields for MoveReadMarker {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let message = fields.required("message", parse::id);
        let unread = fields.optional("unread", parse::boolean);
        Some(Self { message: message?, unread: unread?.unwrap_or(false) })
    }
}

/// List how much you have read of the channels in which you have a read marker or something unread.
///
/// Of one who joined later, what was there before counts as read.
#[utoipa::path(
    get, path = "/me/read-states", operation_id = "listReadStates", tag = "account-data",
    responses((status = 200, description = "All of them, on one page", body = Page<ReadState>)),
)]
pub(crate) async fn list_read_states(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
) -> Result<Json<Page<ReadState>>, ApiError> {
    let markers = app.account_data.read_markers(caller.account, false).await?;
    let unread = app.read.unread(caller.account, &marks(&markers)).await?;
    Ok(Json(Page::whole(read_states(&markers, unread))))
}

/// Say up to where you have read a channel.
///
/// The marker moves forward only; with `unread` it moves back only, to just before the message. Where it is there or
/// beyond already, it stays. Your other connections get the signal `read_marker`; the participants of a direct or group
/// channel get `receipt`, unless you have switched read receipts off.
#[utoipa::path(
    put, path = "/channels/{id}/read-marker", operation_id = "moveReadMarker", tag = "account-data",
    params(("id" = Uuid, Path, description = "The channel")),
    request_body = MoveReadMarker,
    responses(
        (status = 200, description = "How it stands now", body = ReadStateAnswer),
        (status = 404, description = "`channel_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn move_read_marker(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<ChannelId>,
    extract::Json(body): extract::Json<MoveReadMarker>,
) -> Result<Json<ReadStateAnswer>, ApiError> {
    let (start, position) = place_of(&app, &caller, id, body.message).await?;
    let now = app.clock.now();
    let (to, direction) = if body.unread {
        let before = app.read.history(caller.account, id, Range::Before(position), 1).await?;
        let before = before.ok_or(MessageError::UnknownChannel)?.items.into_iter().next();
        // The newest before it, however far before.
        let position = position.0.saturating_sub(1);
        let message = before.map(|message| message.id);
        (ReadMarker { place: Place::channel(id), message, position, moved_at: now }, Move::Back)
    } else {
        let message = Some(body.message);
        let position = position.0;
        (ReadMarker { place: Place::channel(id), message, position, moved_at: now }, Move::Forward)
    };
    let begun = Start { position: start.position.0, since: start.since };
    let marked = app.account_data.move_read_marker(caller.account, &to, direction, begun).await?;
    if start.in_conversation && direction == Move::Forward {
        note_read(&app, &caller, id, (body.message, to.position)).await?;
    }
    let unread = app.read.unread_in(caller.account, id, &start, marked.marker.as_ref().map(mark)).await?;
    let read_state = ReadState::new(marked.marker.as_ref(), unread);
    if marked.moved {
        let said = OwnSignal { account_id: caller.account, time: now, data: read_state.clone() };
        app.signals.tell(Signal::ReadMarker(said));
    }
    Ok(Json(ReadStateAnswer { read_state }))
}

/// Where reading `channel` begins for the caller, and where a message of it stands. A client marks what it was told of
/// live, and that may be ahead of the read model: then the read model is waited for.
pub(crate) async fn place_of(
    app: &AppState,
    caller: &Authenticated,
    channel: ChannelId,
    message: MessageId,
) -> Result<(ReadStart, Position), ApiError> {
    if let Some(found) = find(app, caller, channel, message).await? {
        return Ok(found);
    }
    wait_until_readable(app, app.store.head().await?).await?;
    if let Some(found) = find(app, caller, channel, message).await? {
        return Ok(found);
    }
    if app.read.read_start(caller.account, channel).await?.is_none() {
        return Err(MessageError::UnknownChannel.into());
    }
    let detail = "is no message of this channel, or one of a thread";
    Err(ApiError::invalid(vec![FieldError::pointer("/message".to_owned(), "not_found", detail)]))
}

async fn find(
    app: &App,
    caller: &Authenticated,
    channel: ChannelId,
    message: MessageId,
) -> Result<Option<(ReadStart, Position)>, ApiError> {
    let (start, place) = tokio::try_join!(
        app.read.read_start(caller.account, channel),
        app.read.message_place(caller.account, message)
    )?;
    // Threads have markers of their own.
    let place = place.filter(|place| place.channel_id == channel && place.thread_id.is_none());
    Ok(start.zip(place.map(|place| place.position)))
}
