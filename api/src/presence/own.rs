//! What one chose to show oneself.

use account_data::SightChange;
use axum::Json;
use axum::extract::State;
use domain::presence::{Presence, PresenceError, Status, StatusText};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Authenticated;
use crate::error::{ApiError, FieldError};
use crate::extract::{CaughtUp, Fields, FromFields, Json as Body, parse};
use crate::signal::{OwnSignal, Signal};
use crate::state::AppState;

impl From<PresenceError> for ApiError {
    fn from(error: PresenceError) -> Self {
        let code = match error {
            PresenceError::NothingExpires => "nothing_expires",
            PresenceError::ExpiryInThePast => "in_the_past",
            PresenceError::ExpiryTooFar => "too_far",
        };
        Self::invalid(vec![FieldError::pointer("/expires_at".to_owned(), code, error.to_string())])
    }
}

/// What you chose to show while you are connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct OwnPresence {
    #[schema(value_type = StatusName)]
    status: Status,
    #[schema(max_length = 128, example = "in a meeting")]
    text: Option<String>,
    #[schema(example = "📅")]
    emoji: Option<String>,
    /// From then on there is neither text nor emoji; the status stays.
    expires_at: Option<Timestamp>,
}

/// `dnd` is do not disturb; `invisible` is shown to others as `offline`.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the domain's type")]
pub(crate) enum StatusName {
    Online,
    Away,
    Dnd,
    Invisible,
}

impl From<Presence> for OwnPresence {
    fn from(Presence { status, text, emoji, expires_at }: Presence) -> Self {
        Self { status, text, emoji, expires_at }
    }
}

/// Your presence as it is now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PresenceAnswer {
    presence: OwnPresence,
}

/// What you show from now on. What is left out or null is not kept from before.
#[derive(ToSchema)]
pub(crate) struct SetPresence {
    /// `online`, if left out.
    #[schema(value_type = Option<StatusName>)]
    status: Option<Status>,
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128, example = "in a meeting")]
    text: Option<StatusText>,
    /// An emoji or its shortcode.
    #[schema(value_type = Option<String>, example = "📅")]
    emoji: Option<String>,
    /// When text and emoji end, in the next 365 days; without it they hold until you change them.
    expires_at: Option<Timestamp>,
}

impl FromFields for SetPresence {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let known = Status::ALL.map(Status::as_str);
        let status = fields.optional("status", parse::name(Status::parse, &known));
        let text = fields.optional("text", parse::text(StatusText::parse));
        let emoji = fields.optional("emoji", parse::emoji);
        let expires_at = fields.optional("expires_at", parse::time);
        Some(Self { status: status?, text: text?, emoji: emoji?, expires_at: expires_at? })
    }
}

/// Show what you chose to show, whether you are connected or not.
#[utoipa::path(
    get, path = "/me/presence", operation_id = "showOwnPresence", tag = "presence",
    responses((status = 200, description = "What you chose", body = OwnPresence)),
)]
pub(crate) async fn show_own_presence(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
) -> Result<Json<OwnPresence>, ApiError> {
    let presence = app.account_data.presence(caller.account).await?;
    Ok(Json(presence.at(app.clock.now()).into()))
}

/// Choose what you show while you are connected: it takes the place of what you chose before.
///
/// You are connected while you have a stream or a waiting poll, and for 30 s more. Those who share a community or a
/// conversation with you get the signal `presence` when what they see changes; your own devices get `own_presence`.
#[utoipa::path(
    put, path = "/me/presence", operation_id = "setPresence", tag = "presence",
    request_body = SetPresence,
    responses((status = 200, description = "Kept", body = PresenceAnswer)),
)]
pub(crate) async fn set_presence(
    State(app): State<AppState>,
    caller: Authenticated,
    Body(SetPresence { status, text, emoji, expires_at }): Body<SetPresence>,
) -> Result<Json<PresenceAnswer>, ApiError> {
    let (now, account) = (app.clock.now(), caller.account);
    let (status, text) = (status.unwrap_or_default(), text.map(StatusText::into_string));
    let presence = Presence { status, text, emoji, expires_at }.check(now)?;
    let change: Option<SightChange> = app.account_data.set_presence(account, &presence, now).await?;
    app.teller.tell(change.into_iter().collect()).await;
    let presence = OwnPresence::from(presence);
    let own = OwnSignal { account_id: account, time: now, data: presence.clone() };
    app.signals.tell(Signal::OwnPresence(own));
    Ok(Json(PresenceAnswer { presence }))
}
