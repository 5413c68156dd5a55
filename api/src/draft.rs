//! Drafts: what one began to write, the same on all of one's devices.

use account_data::{Kept, MAX_DRAFTS, Place};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::channel::ChannelKind;
use domain::message::{Content, MessageError};
use domain::{AccountId, ChannelId, MessageId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::auth::Authenticated;
use crate::error::{ApiError, codes};
use crate::extract::{CaughtUp, Fields, FromFields, Ids, Json as Body, Query, parse};
use crate::page::Page;
use crate::seen;
use crate::signal::{OwnSignal, Signal};
use crate::state::{App, AppState};

codes! {
    TOO_MANY = CONFLICT "draft_too_many" "Too many drafts";
}

/// What you began to write in a channel, or in a thread of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Draft {
    #[schema(value_type = Uuid)]
    channel_id: ChannelId,
    /// The thread's first message; null: in the channel itself.
    #[schema(value_type = Option<Uuid>)]
    thread: Option<MessageId>,
    #[schema(example = "Hello, *wor")]
    content: String,
    /// The message that it is to answer.
    #[schema(value_type = Option<Uuid>)]
    reply_to: Option<MessageId>,
    updated_at: Timestamp,
}

impl From<account_data::Draft> for Draft {
    fn from(draft: account_data::Draft) -> Self {
        let account_data::Draft { place, content, reply_to, updated_at } = draft;
        Self { channel_id: place.channel, thread: place.thread, content, reply_to, updated_at }
    }
}

/// What the signal `draft` says: one was kept, or dropped, where it has no time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DraftChange {
    channel_id: ChannelId,
    thread: Option<MessageId>,
    updated_at: Option<Timestamp>,
}

fn tell(app: &App, account_id: AccountId, data: DraftChange) {
    app.signals.tell(Signal::Draft(OwnSignal { account_id, time: app.clock.now(), data }));
}

/// The draft as it is now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DraftAnswer {
    draft: Draft,
}

/// A draft, in place of the one that was there.
#[derive(ToSchema)]
pub(crate) struct KeepDraft {
    #[schema(value_type = String, min_length = 1, max_length = 4000, example = "Hello, *wor")]
    content: Content,
    /// The message of the same channel that it is to answer.
    #[schema(value_type = Option<Uuid>)]
    reply_to: Option<MessageId>,
    /// The first message of a thread of the channel; without it the draft is the channel's own.
    #[schema(value_type = Option<Uuid>)]
    thread: Option<MessageId>,
}

impl FromFields for KeepDraft {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let content = fields.required("content", parse::text(Content::parse));
        let reply_to = fields.optional("reply_to", parse::id);
        let thread = fields.optional("thread", parse::id);
        Some(Self { content: content?, reply_to: reply_to?, thread: thread? })
    }
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DraftQuery {
    /// The first message of a thread; without it the channel's own draft is meant.
    #[param(value_type = Option<String>, format = Uuid)]
    thread: Option<MessageId>,
}

impl FromFields for DraftQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.optional("thread", parse::id).map(|thread| Self { thread })
    }
}

/// Keep a draft for a channel, or for a thread of it.
///
/// An account has 500 drafts at most. Your other devices get the signal `draft`. Posting drops no draft: delete it
/// afterwards.
#[utoipa::path(
    put, path = "/channels/{id}/draft", operation_id = "keepDraft", tag = "account-data",
    params(("id" = Uuid, Path, description = "The channel")),
    request_body = KeepDraft,
    responses(
        (status = 200, description = "Kept", body = DraftAnswer),
        (status = 404, description = "`channel_not_found`, `message_not_found`, `not_found`"),
        (status = 409, description = "`draft_too_many`, `message_channel_holds_none`, `message_reply_not_found`"),
    ),
)]
pub(crate) async fn keep_draft(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<ChannelId>,
    Body(KeepDraft { content, reply_to, thread }): Body<KeepDraft>,
) -> Result<Json<DraftAnswer>, ApiError> {
    let (account, now) = (caller.account, app.clock.now());
    let channel = seen::channel(&app, account, id).await?;
    if channel.kind == ChannelKind::Category {
        return Err(MessageError::ChannelHoldsNoMessages.into());
    }
    if let Some(thread) = thread
        && seen::message(&app, account, thread).await?.channel_id != id
    {
        return Err(MessageError::Unknown.into());
    }
    if let Some(reply_to) = reply_to {
        seen::answered(&app, account, id, reply_to).await?;
    }
    let place = Place { channel: id, thread };
    let draft = account_data::Draft { place, content: content.into_string(), reply_to, updated_at: now };
    if app.account_data.keep_draft(account, &draft).await? == Kept::TooMany {
        let detail = format!("You have {MAX_DRAFTS} drafts, as many as there can be. Delete some first.");
        return Err(ApiError::new(TOO_MANY, detail));
    }
    let change = DraftChange { channel_id: id, thread, updated_at: Some(now) };
    tell(&app, account, change);
    Ok(Json(DraftAnswer { draft: draft.into() }))
}

/// Drop a draft of yours, if there is one.
#[utoipa::path(
    delete, path = "/channels/{id}/draft", operation_id = "dropDraft", tag = "account-data",
    params(("id" = Uuid, Path, description = "The channel"), DraftQuery),
    responses(
        (status = 204, description = "There is none now"),
        (status = 404, description = "`not_found`"),
    ),
)]
pub(crate) async fn drop_draft(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<ChannelId>,
    Query(DraftQuery { thread }): Query<DraftQuery>,
) -> Result<StatusCode, ApiError> {
    // Whether the channel is still there does not matter: the draft is the caller's own.
    if app.account_data.drop_draft(caller.account, Place { channel: id, thread }).await? {
        let change = DraftChange { channel_id: id, thread, updated_at: None };
        tell(&app, caller.account, change);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// List your drafts, the newest first; also those for channels that you may not see any more.
#[utoipa::path(
    get, path = "/me/drafts", operation_id = "listDrafts", tag = "account-data",
    responses((status = 200, description = "All of them, 500 at most", body = Page<Draft>)),
)]
pub(crate) async fn list_drafts(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
) -> Result<Json<Page<Draft>>, ApiError> {
    let drafts = app.account_data.drafts(caller.account).await?;
    Ok(Json(Page::whole(drafts.into_iter().map(Draft::from).collect())))
}
