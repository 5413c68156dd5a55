//! Saved messages: those that one wants to find again.

use account_data::{Kept, MAX_SAVED};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{AccountId, MessageId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::auth::Authenticated;
use crate::error::{ApiError, FieldError, codes};
use crate::extract::{CaughtUp, Fields, FromFields, Ids, Query, parse};
use crate::message::Message;
use crate::page::{self, Linked, Page};
use crate::seen;
use crate::signal::{OwnSignal, Signal};
use crate::state::{App, AppState};

codes! {
    TOO_MANY = CONFLICT "saved_message_too_many" "Too many saved messages";
}

/// A message that you saved.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SavedMessage {
    message: Message,
    saved_at: Timestamp,
}

/// What the signal `saved_message` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedChange {
    message_id: MessageId,
    saved: bool,
}

fn tell(app: &App, account_id: AccountId, data: SavedChange) {
    app.signals.tell(Signal::SavedMessage(OwnSignal { account_id, time: app.clock.now(), data }));
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SavedQuery {
    /// The `next` of a page.
    before: Option<String>,
    /// Most messages in the answer.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: u64,
}

impl FromFields for SavedQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let before = fields.optional("before", parse::string);
        let limit = page::limit(fields);
        Some(Self { before: before?, limit: limit? })
    }
}

/// A place in the list, as a page's `next`. It names nothing that the list does not show.
fn place(saved: &account_data::SavedMessage) -> String {
    let mut bytes = saved.saved_at.as_microsecond().to_be_bytes().to_vec();
    bytes.extend_from_slice(saved.message.0.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn place_from(text: &str) -> Option<account_data::SavedMessage> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (time, id) = bytes.split_at_checked(8)?;
    let saved_at = Timestamp::from_microsecond(i64::from_be_bytes(time.try_into().ok()?)).ok()?;
    Some(account_data::SavedMessage { saved_at, message: MessageId(Uuid::from_slice(id).ok()?) })
}

fn invalid_cursor() -> ApiError {
    let detail = "is not a cursor of this list";
    ApiError::invalid(vec![FieldError::parameter("before", "not_a_cursor", detail)])
}

/// Save a message that you may see, to find it again.
///
/// One that is saved already keeps its place. An account saves 1,000 messages at most. Your other devices get the signal
/// `saved_message`.
#[utoipa::path(
    put, path = "/me/saved-messages/{message}", operation_id = "saveMessage", tag = "account-data",
    params(("message" = Uuid, Path, description = "The message")),
    responses(
        (status = 204, description = "Saved"),
        (status = 404, description = "`message_not_found`, `not_found`"),
        (status = 409, description = "`saved_message_too_many`"),
    ),
)]
pub(crate) async fn save_message(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<MessageId>,
) -> Result<StatusCode, ApiError> {
    let (account, now) = (caller.account, app.clock.now());
    seen::message(&app, account, id).await?;
    if app.account_data.save_message(account, id, now).await? == Kept::TooMany {
        let detail =
            format!("You have {MAX_SAVED} saved messages, as many as there can be. Remove some first.");
        return Err(ApiError::new(TOO_MANY, detail));
    }
    tell(&app, account, SavedChange { message_id: id, saved: true });
    Ok(StatusCode::NO_CONTENT)
}

/// Take a message out of your saved ones, if it is one; also one that you may not see any more.
#[utoipa::path(
    delete, path = "/me/saved-messages/{message}", operation_id = "unsaveMessage", tag = "account-data",
    params(("message" = Uuid, Path, description = "The message")),
    responses(
        (status = 204, description = "It is not saved now"),
        (status = 404, description = "`not_found`"),
    ),
)]
pub(crate) async fn unsave_message(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<MessageId>,
) -> Result<StatusCode, ApiError> {
    if app.account_data.unsave_message(caller.account, id).await? {
        tell(&app, caller.account, SavedChange { message_id: id, saved: false });
    }
    Ok(StatusCode::NO_CONTENT)
}

/// List your saved messages, the one saved last first; those that you may not see now are left out.
#[utoipa::path(
    get, path = "/me/saved-messages", operation_id = "listSavedMessages", tag = "account-data",
    params(SavedQuery),
    responses((status = 200, description = "A page of them", body = Page<SavedMessage>)),
)]
pub(crate) async fn list_saved_messages(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Query(SavedQuery { before, limit }): Query<SavedQuery>,
) -> Result<Response, ApiError> {
    let mut before = before.map(|text| place_from(&text).ok_or_else(invalid_cursor)).transpose()?;
    let (wanted, now) = (limit as usize, app.clock.now());
    // One more than is shown says whether there is a next page.
    let mut shown: Vec<(account_data::SavedMessage, Message)> = Vec::new();
    while shown.len() <= wanted {
        let saved = app.account_data.saved_messages(caller.account, before, page::MAX_LIMIT as usize).await?;
        let Some(last) = saved.last() else { break };
        before = Some(*last);
        let ids: Vec<MessageId> = saved.iter().map(|saved| saved.message).collect();
        let mut messages = app.read.messages(caller.account, &ids).await?;
        let visible = |saved: account_data::SavedMessage| {
            Some((saved, Message::of_row(messages.remove(&saved.message)?, now)))
        };
        shown.extend(saved.into_iter().filter_map(visible));
    }
    let more = shown.len() > wanted;
    shown.truncate(wanted);
    let next = shown.last().filter(|_| more).map(|(saved, _)| place(saved));
    let item = |(saved, message): (account_data::SavedMessage, Message)| SavedMessage {
        message,
        saved_at: saved.saved_at,
    };
    let page = Page { items: shown.into_iter().map(item).collect(), next, prev: None };
    let path = "/v1/me/saved-messages".to_owned();
    Ok(Linked { page, path, limit, next_parameter: "before", prev_parameter: "after" }.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let saved_at = Timestamp::from_microsecond(1_750_000_000_123_456).expect("a time");
        let saved = account_data::SavedMessage { saved_at, message: MessageId(Uuid::from_u128(7)) };
        assert_eq!(place_from(&place(&saved)), Some(saved));
        for text in ["", "AAAA", "?", &place(&saved)[1..], &format!("{}AA", place(&saved))] {
            assert_eq!(place_from(text), None, "{text}");
        }
    }
}
