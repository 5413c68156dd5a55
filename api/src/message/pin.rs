//! Pins: messages that a channel keeps at hand.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::message::MessageError;
use domain::{AccountId, ChannelId, MessageId};
use jiff::Timestamp;
use projections::PinRow;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::Message;
use crate::answer::Done;
use crate::auth::Authenticated;
use crate::error::ApiError;
use crate::extract::{Bare, CaughtUp, Fields, FromFields, Ids, Query, parse};
use crate::page::{self, Linked, Page};
use crate::state::AppState;

/// A pinned message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Pin {
    message: Message,
    #[schema(value_type = Uuid)]
    pinned_by: AccountId,
    pinned_at: Timestamp,
}

impl Pin {
    fn of_row(row: PinRow, now: Timestamp) -> Self {
        let PinRow { message, pinned_by, pinned_at, .. } = row;
        Self { message: Message::of_row(message, now), pinned_by, pinned_at }
    }
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PinsQuery {
    /// The `next` of a page.
    before: Option<String>,
    /// Most pins in the answer.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: u64,
}

impl FromFields for PinsQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let before = fields.optional("before", parse::string);
        let limit = page::limit(fields);
        Some(Self { before: before?, limit: limit? })
    }
}

/// Pin a message: in a community for those who manage messages, elsewhere for everyone who is there.
///
/// A channel may have any number of pins.
#[utoipa::path(
    put, path = "/messages/{id}/pin", operation_id = "pinMessage", tag = "message",
    params(("id" = Uuid, Path, description = "The message")),
    responses(
        (status = 200, description = "Pinned", body = Done),
        (status = 403, description = "`message_may_not_pin`"),
        (status = 404, description = "`message_not_found`, `not_found`"),
        (status = 409, description = "`message_deleted`"),
    ),
)]
pub(crate) async fn pin_message(
    State(app): State<AppState>,
    Ids(id): Ids<MessageId>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.pin_message(&context, id).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}

/// Unpin a message; for those who may pin it.
#[utoipa::path(
    delete, path = "/messages/{id}/pin", operation_id = "unpinMessage", tag = "message",
    params(("id" = Uuid, Path, description = "The message")),
    responses(
        (status = 200, description = "Not pinned any more", body = Done),
        (status = 403, description = "`message_may_not_pin`"),
        (status = 404, description = "`message_not_found`, `not_found`"),
        (status = 409, description = "`message_deleted`"),
    ),
)]
pub(crate) async fn unpin_message(
    State(app): State<AppState>,
    Ids(id): Ids<MessageId>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.unpin_message(&context, id).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}

/// List a channel's pins, the newest pin first.
#[utoipa::path(
    get, path = "/channels/{id}/pins", operation_id = "listPins", tag = "message",
    params(("id" = Uuid, Path, description = "The channel"), PinsQuery),
    responses(
        (status = 200, description = "A page; `next` leads to older pins", body = Page<Pin>),
        (status = 404, description = "`channel_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn list_pins(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<ChannelId>,
    Query(PinsQuery { before, limit }): Query<PinsQuery>,
) -> Result<Response, ApiError> {
    let before = page::place(&app, "before", before.as_deref())?;
    let found = app.read.pins(caller.account, id, before, limit as usize).await?;
    let found = found.ok_or(MessageError::UnknownChannel)?;
    let now = app.clock.now();
    let items = found.items.into_iter().map(|row| Pin::of_row(row, now)).collect();
    let page = Page { items, next: found.next.map(|position| app.cursors.seal(position).0), prev: None };
    let path = format!("/v1/channels/{id}/pins");
    Ok(Linked { page, path, limit, next_parameter: "before", prev_parameter: "after" }.into_response())
}
