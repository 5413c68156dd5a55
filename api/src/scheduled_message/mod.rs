//! Scheduled messages: posted later, by their author, with what they may do then. `sender` posts them.

mod sender;
#[cfg(test)]
mod tests;

use account_data::{Keyed, MAX_SCHEDULED, Rescheduled, Scheduled};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::channel::ChannelKind;
use domain::message::{Content, MessageError};
use domain::scheduled_message::{SendAtError, check_send_at};
use domain::{ChannelId, MessageId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::Authenticated;
use crate::error::{ApiError, FieldError, codes, general};
use crate::extract::{CaughtUp, Command, Fields, FromFields, Ids, Json as Body, parse};
use crate::page::Page;
use crate::seen;
use crate::signal::{OwnSignal, Signal, Signals};
use crate::state::{App, AppState};

pub(crate) use sender::Sender;

codes! {
    UNKNOWN = NOT_FOUND "scheduled_message_not_found" "No such scheduled message";
    TOO_MANY = CONFLICT "scheduled_message_too_many" "Too many scheduled messages";
    BEING_SENT = CONFLICT "scheduled_message_being_sent" "Being sent";
}

impl From<SendAtError> for ApiError {
    fn from(error: SendAtError) -> Self {
        let code = match error {
            SendAtError::InThePast => "in_the_past",
            SendAtError::TooFar => "too_far",
        };
        Self::invalid(vec![FieldError::pointer("/send_at".to_owned(), code, error.to_string())])
    }
}

/// A message that is posted later.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduledMessage {
    id: Uuid,
    #[schema(value_type = Uuid)]
    channel_id: ChannelId,
    #[schema(example = "Good morning")]
    content: String,
    /// The message that it answers.
    #[schema(value_type = Option<Uuid>)]
    reply_to: Option<MessageId>,
    send_at: Timestamp,
    created_at: Timestamp,
    #[schema(value_type = ScheduledStateName)]
    state: ScheduledState,
    /// Why it could not be sent: the code of the refusal, such as `message_may_not_post`.
    failure: Option<String>,
}

/// `failed`: it was refused when it was due, and is tried again only at a new time.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes what is left of the signal's states")]
pub(crate) enum ScheduledStateName {
    Scheduled,
    Failed,
}

fn state(failure: Option<&str>) -> ScheduledState {
    if failure.is_some() { ScheduledState::Failed } else { ScheduledState::Scheduled }
}

impl From<account_data::ScheduledMessage> for ScheduledMessage {
    fn from(message: account_data::ScheduledMessage) -> Self {
        let account_data::ScheduledMessage {
            id,
            channel,
            content,
            reply_to,
            send_at,
            created_at,
            failure,
            ..
        } = message;
        let state = state(failure.as_deref());
        Self { id, channel_id: channel, content, reply_to, send_at, created_at, state, failure }
    }
}

/// The scheduled message as it is now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduledMessageAnswer {
    scheduled_message: ScheduledMessage,
}

/// A message to be posted later.
#[derive(ToSchema)]
pub(crate) struct ScheduleMessage {
    /// Markdown source.
    #[schema(value_type = String, min_length = 1, max_length = 4000, example = "Good morning")]
    content: Content,
    /// The message of the same channel that it answers.
    #[schema(value_type = Option<Uuid>)]
    reply_to: Option<MessageId>,
    /// In the future, 365 days ahead at most.
    send_at: Timestamp,
}

impl FromFields for ScheduleMessage {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let content = fields.required("content", parse::text(Content::parse));
        let reply_to = fields.optional("reply_to", parse::id);
        let send_at = fields.required("send_at", parse::time);
        Some(Self { content: content?, reply_to: reply_to?, send_at: send_at? })
    }
}

/// What changes about a scheduled message; what is left out or null stays.
#[derive(ToSchema)]
pub(crate) struct ChangeScheduledMessage {
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4000, example = "Good evening")]
    content: Option<Content>,
    /// In the future, 365 days ahead at most. One that failed is tried again then.
    send_at: Option<Timestamp>,
}

impl FromFields for ChangeScheduledMessage {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let content = fields.optional("content", parse::text(Content::parse));
        let send_at = fields.optional("send_at", parse::time);
        Some(Self { content: content?, send_at: send_at? })
    }
}

/// What the signal `scheduled_message` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScheduledChange {
    id: Uuid,
    channel_id: ChannelId,
    state: ScheduledState,
}

/// Where a scheduled message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScheduledState {
    /// Made, or changed.
    Scheduled,
    Failed,
    Sent,
    Cancelled,
}

/// Tells the author's devices where a scheduled message stands.
fn tell(signals: &Signals, now: Timestamp, message: &account_data::ScheduledMessage, state: ScheduledState) {
    let data = ScheduledChange { id: message.id, channel_id: message.channel, state };
    signals.tell(Signal::ScheduledMessage(OwnSignal { account_id: message.account, time: now, data }));
}

/// Schedule a message.
///
/// It is posted within some seconds after `send_at`, by you, with what you may do then; if it is refused then, it stays
/// in your list as `failed`, with the code of the refusal. An account has 100 scheduled messages at most, failed ones
/// included. Your devices get the signal `scheduled_message` whenever something becomes of one.
#[utoipa::path(
    post, path = "/channels/{id}/scheduled-messages", operation_id = "scheduleMessage", tag = "message",
    params(("id" = Uuid, Path, description = "The channel")),
    request_body = ScheduleMessage,
    responses(
        (status = 201, description = "Scheduled", body = ScheduledMessageAnswer),
        (status = 404, description = "`channel_not_found`, `not_found`"),
        (status = 409, description = "`scheduled_message_too_many`, `message_channel_holds_none`, \
            `message_reply_not_found`"),
    ),
)]
pub(crate) async fn schedule_message(
    State(app): State<AppState>,
    Ids(id): Ids<ChannelId>,
    Command { context, caller, body }: Command<ScheduleMessage>,
) -> Result<(StatusCode, Json<ScheduledMessageAnswer>), ApiError> {
    let ScheduleMessage { content, reply_to, send_at } = body;
    let (account, now) = (caller.account, app.clock.now());
    let keyed = context.key.as_deref().map(|key| keyed(&app, account.0, key, &context.request_hash));
    let mut new = account_data::ScheduledMessage {
        id: app.ids.id(),
        account,
        channel: id,
        content: content.into_string(),
        reply_to,
        send_at,
        created_at: now,
        failure: None,
    };
    // A repeated command answers its first result, also where it would be refused now.
    let known = match keyed {
        Some(keyed) => app.account_data.scheduled_before(account, keyed).await?,
        None => None,
    };
    let scheduled = match known {
        Some(known) => known,
        None => {
            check(&app, &new).await?;
            app.account_data.schedule_message(&new, keyed).await?
        }
    };
    match scheduled {
        Scheduled::Made => tell(&app.signals, now, &new, ScheduledState::Scheduled),
        Scheduled::Repeated { id, created_at } => (new.id, new.created_at) = (id, created_at),
        Scheduled::KeyReused => {
            let detail =
                "This Idempotency-Key was used for another request. Use a new key for each new command.";
            return Err(ApiError::new(general::IDEMPOTENCY_KEY_REUSED, detail));
        }
        Scheduled::TooMany => {
            let detail = format!(
                "You have {MAX_SCHEDULED} scheduled messages, as many as there can be. Delete some first."
            );
            return Err(ApiError::new(TOO_MANY, detail));
        }
    }
    Ok((StatusCode::CREATED, Json(ScheduledMessageAnswer { scheduled_message: new.into() })))
}

/// What makes a command the same as an earlier one. The digest is keyed: a hash would let whoever has the database guess
/// a short text.
fn keyed(app: &App, account: Uuid, key: &str, request_hash: &[u8; 32]) -> Keyed {
    let hash: String = request_hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let request = app.vault.digest("scheduled message request", &hash);
    Keyed { command: Uuid::new_v5(&account, key.as_bytes()), request }
}

/// What can be said now of whether it can be sent: whether its author may post is asked when it is due.
async fn check(app: &App, new: &account_data::ScheduledMessage) -> Result<(), ApiError> {
    check_send_at(new.send_at, new.created_at)?;
    let channel = seen::channel(app, new.account, new.channel).await?;
    if channel.kind == ChannelKind::Category {
        return Err(MessageError::ChannelHoldsNoMessages.into());
    }
    if let Some(reply_to) = new.reply_to {
        seen::answered(app, new.account, new.channel, reply_to).await?;
    }
    Ok(())
}

/// List your scheduled messages, the next first; failed ones are among them.
#[utoipa::path(
    get, path = "/me/scheduled-messages", operation_id = "listScheduledMessages", tag = "account-data",
    responses((status = 200, description = "All of them, 100 at most", body = Page<ScheduledMessage>)),
)]
pub(crate) async fn list_scheduled_messages(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
) -> Result<Json<Page<ScheduledMessage>>, ApiError> {
    let messages = app.account_data.scheduled_messages(caller.account).await?;
    Ok(Json(Page::whole(messages.into_iter().map(ScheduledMessage::from).collect())))
}

/// Change the text or the time of a scheduled message of yours.
#[utoipa::path(
    patch, path = "/scheduled-messages/{id}", operation_id = "changeScheduledMessage", tag = "account-data",
    params(("id" = Uuid, Path, description = "The scheduled message")),
    request_body = ChangeScheduledMessage,
    responses(
        (status = 200, description = "Changed", body = ScheduledMessageAnswer),
        (status = 404, description = "`scheduled_message_not_found`, `not_found`"),
        (status = 409, description = "`scheduled_message_being_sent`"),
    ),
)]
pub(crate) async fn change_scheduled_message(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<Uuid>,
    Body(ChangeScheduledMessage { content, send_at }): Body<ChangeScheduledMessage>,
) -> Result<Json<ScheduledMessageAnswer>, ApiError> {
    let now = app.clock.now();
    let send_at = send_at.map(|send_at| check_send_at(send_at, now)).transpose()?;
    let content = content.as_ref().map(Content::as_str);
    let changed = app.account_data.reschedule_message(caller.account, id, content, send_at, now).await?;
    let changed = done(changed)?;
    tell(&app.signals, now, &changed, state(changed.failure.as_deref()));
    Ok(Json(ScheduledMessageAnswer { scheduled_message: changed.into() }))
}

/// Cancel a scheduled message of yours.
#[utoipa::path(
    delete, path = "/scheduled-messages/{id}", operation_id = "cancelScheduledMessage", tag = "account-data",
    params(("id" = Uuid, Path, description = "The scheduled message")),
    responses(
        (status = 204, description = "Cancelled"),
        (status = 404, description = "`scheduled_message_not_found`, `not_found`"),
        (status = 409, description = "`scheduled_message_being_sent`"),
    ),
)]
pub(crate) async fn cancel_scheduled_message(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<Uuid>,
) -> Result<StatusCode, ApiError> {
    let now = app.clock.now();
    let cancelled = done(app.account_data.cancel_scheduled_message(caller.account, id, now).await?)?;
    tell(&app.signals, now, &cancelled, ScheduledState::Cancelled);
    Ok(StatusCode::NO_CONTENT)
}

fn done(rescheduled: Rescheduled) -> Result<account_data::ScheduledMessage, ApiError> {
    match rescheduled {
        Rescheduled::Done(message) => Ok(message),
        Rescheduled::Unknown => Err(ApiError::new(UNKNOWN, "There is no such scheduled message of yours.")),
        Rescheduled::BeingSent => {
            Err(ApiError::new(BEING_SENT, "The message is being sent right now. Look again in a moment."))
        }
    }
}
