//! Messages: posting, reading one, editing, deleting, versions. `history` has the pages of a channel, `thread`
//! those of a thread, `pin` the pins, `forward` passing on, `sweep` deleting many, `mention` what mentions the caller.

pub(crate) mod forward;
pub(crate) mod history;
pub(crate) mod mention;
mod parts;
pub(crate) mod pin;
pub(crate) mod sweep;
pub(crate) mod thread;

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use commands::{MessageState, NewMessage};
use domain::message::{Content, MessageError};
use domain::{AccountId, ChannelId, MessageId};
use jiff::Timestamp;
use projections::{MessageRow, VersionRow};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use parts::{Forwarded, Mentions, ThreadSummary};

use crate::auth::Authenticated;
use crate::cursor::Cursor;
use crate::error::{ApiError, codes};
use crate::extract::{Bare, CaughtUp, Command, Fields, FromFields, Ids, parse, wait_until_readable};
use crate::poll::{NewPoll, Poll};
use crate::reaction::Reaction;
use crate::state::AppState;

codes! {
    UNKNOWN = NOT_FOUND "message_not_found" "No such message";
    MAY_NOT_POST = FORBIDDEN "message_may_not_post" "Not allowed";
    CHANNEL_HOLDS_NONE = CONFLICT "message_channel_holds_none" "No messages in this kind of channel";
    REPLY_NOT_FOUND = CONFLICT "message_reply_not_found" "No such message to reply to";
    NOT_AUTHOR = FORBIDDEN "message_not_author" "Not the author";
    MAY_NOT_DELETE = FORBIDDEN "message_may_not_delete" "Not allowed";
    DELETED = CONFLICT "message_deleted" "Message deleted";
    TIMED_OUT = FORBIDDEN "message_timed_out" "Timed out";
    MAY_NOT_REPLY = FORBIDDEN "message_may_not_reply" "Not allowed";
    MAY_NOT_PIN = FORBIDDEN "message_may_not_pin" "Not allowed";
    POLL_TIME = UNPROCESSABLE_ENTITY "message_poll_time" "The poll closes too early or too late";
    THREAD_NOT_FOUND = CONFLICT "message_thread_not_found" "No such message to begin a thread with";
    THREAD_IN_THREAD = CONFLICT "message_thread_in_thread" "A thread in a thread";
    THREAD_CLOSED = CONFLICT "message_thread_closed" "The thread is closed";
    TEXT_GONE = CONFLICT "message_text_gone" "The text is gone";
}

impl From<MessageError> for ApiError {
    fn from(error: MessageError) -> Self {
        let code = match error {
            MessageError::Unknown => UNKNOWN,
            MessageError::UnknownChannel => crate::channel::UNKNOWN,
            MessageError::MayNotPost => MAY_NOT_POST,
            MessageError::ChannelHoldsNoMessages => CHANNEL_HOLDS_NONE,
            MessageError::ReplyNotFound => REPLY_NOT_FOUND,
            MessageError::NotAuthor => NOT_AUTHOR,
            MessageError::MayNotDelete => MAY_NOT_DELETE,
            MessageError::Deleted => DELETED,
            MessageError::TimedOut => TIMED_OUT,
            MessageError::MayNotReply => MAY_NOT_REPLY,
            MessageError::Archived => crate::channel::ARCHIVED,
            MessageError::Blocked => crate::block::BLOCKED,
            MessageError::SlowMode { wait } => {
                let wait = Duration::from_secs(u64::from(wait));
                return Self::told(crate::channel::SLOW_MODE, error).retry_after(wait);
            }
            MessageError::MayNotPin => MAY_NOT_PIN,
            MessageError::PollTime => POLL_TIME,
            MessageError::ThreadNotFound => THREAD_NOT_FOUND,
            MessageError::ThreadInThread => THREAD_IN_THREAD,
            MessageError::ThreadClosed => THREAD_CLOSED,
            MessageError::TextGone => TEXT_GONE,
        };
        Self::told(code, error)
    }
}

/// One message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Message {
    #[schema(value_type = Uuid)]
    id: MessageId,
    #[schema(value_type = Uuid)]
    channel_id: ChannelId,
    #[schema(value_type = Uuid)]
    author_id: AccountId,
    /// Markdown source; null when it was deleted or erased. Empty only where another message is passed on without a
    /// word.
    #[schema(example = "Hello, *world*")]
    content: Option<String>,
    /// The message that this one answers.
    #[schema(value_type = Option<Uuid>)]
    reply_to: Option<MessageId>,
    created_at: Timestamp,
    edited_at: Option<Timestamp>,
    deleted_at: Option<Timestamp>,
    /// In the order of their first use.
    #[schema(max_items = 20)]
    reactions: Vec<Reaction>,
    pinned: bool,
    /// Null: it has none.
    poll: Option<Poll>,
    /// Nobody, when it was deleted.
    mentions: Mentions,
    /// The first message of the thread that it is in; such a message is not in the channel's history.
    #[schema(value_type = Option<Uuid>)]
    thread_id: Option<MessageId>,
    /// The thread below it; null: there is none yet.
    thread: Option<ThreadSummary>,
    /// What it passes on; null: nothing, or it was deleted.
    forwarded: Option<Forwarded>,
}

impl Message {
    pub(crate) fn of_row(row: MessageRow, now: Timestamp) -> Self {
        Self {
            id: row.id,
            channel_id: row.channel_id,
            author_id: row.author_id,
            content: row.content,
            reply_to: row.reply_to,
            created_at: row.created_at,
            edited_at: row.edited_at,
            deleted_at: row.deleted_at,
            reactions: row.reactions.into_iter().map(Reaction::from).collect(),
            pinned: row.pinned,
            poll: row.poll.map(|poll| Poll::of_row(poll, row.deleted_at.is_some(), now)),
            mentions: row.mentions.into(),
            thread_id: row.thread_id,
            thread: row.thread.map(ThreadSummary::from),
            forwarded: row.forwarded.map(Forwarded::from),
        }
    }

    /// What a command made, with the text that it was given; nobody has reacted to it.
    fn of_state(state: MessageState, content: Option<String>, poll: Option<Poll>) -> Self {
        let MessageState { facts, created_at, edited_at, deleted_at, pinned, mentions } = state;
        let forwarded = facts.forwarded.filter(|_| deleted_at.is_none());
        Self {
            id: facts.id,
            channel_id: facts.channel_id,
            author_id: facts.author_id,
            content,
            reply_to: facts.reply_to,
            created_at,
            edited_at,
            deleted_at,
            reactions: Vec::new(),
            pinned,
            poll,
            mentions: mentions.into(),
            thread_id: facts.thread_id,
            thread: None,
            forwarded: forwarded.map(|origin| Forwarded::new(origin, None)),
        }
    }

    /// With the reactions, the poll, the thread and the text passed on that can be read of it.
    fn with_said(self, row: Option<MessageRow>, now: Timestamp) -> Self {
        match row.map(|row| Self::of_row(row, now)) {
            Some(Self { reactions, poll, thread, forwarded, .. }) => {
                Self { reactions, poll, thread, forwarded, ..self }
            }
            None => self,
        }
    }
}

/// A message and the position from which on it is as shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageAnswer {
    message: Message,
    position: Cursor,
}

/// A text that a message has had.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Version {
    /// 1 is the text as posted.
    #[schema(minimum = 1)]
    version: u32,
    /// Null when it was deleted or erased.
    content: Option<String>,
    created_at: Timestamp,
}

/// All texts that a message has had, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Versions {
    items: Vec<Version>,
}

/// A message to be.
#[derive(ToSchema)]
pub(crate) struct PostMessage {
    /// Markdown source. `<@ID>` and `@handle` mention an account, `<@&ROLE>` a role, `@everyone` and `@here` all who are
    /// there, but not in code or behind a backslash. Of 50 accounts and 10 roles at most a text makes mentions; further
    /// ones, those that are not of the community, and roles and all that you may not mention are plain text.
    #[schema(value_type = String, min_length = 1, max_length = 4000, example = "Hello, *world*")]
    content: Content,
    /// The message that this one answers: of the same channel, and in a thread of the same thread or its first.
    #[schema(value_type = Option<Uuid>)]
    reply_to: Option<MessageId>,
    /// The message of the same channel in whose thread to post.
    #[schema(value_type = Option<Uuid>)]
    thread_id: Option<MessageId>,
    /// A question with options to vote for; `content` is the question.
    poll: Option<NewPoll>,
}

impl FromFields for PostMessage {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let content = fields.required("content", parse::text(Content::parse));
        let reply_to = fields.optional("reply_to", parse::id);
        let thread_id = fields.optional("thread_id", parse::id);
        let poll = fields.object("poll");
        Some(Self { content: content?, reply_to: reply_to?, thread_id: thread_id?, poll: poll? })
    }
}

/// A message's new text.
#[derive(ToSchema)]
pub(crate) struct EditMessage {
    #[schema(value_type = String, min_length = 1, max_length = 4000, example = "Hello, **world**")]
    content: Content,
}

impl FromFields for EditMessage {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("content", parse::text(Content::parse)).map(|content| Self { content })
    }
}

/// Post a message.
#[utoipa::path(
    post, path = "/channels/{id}/messages", operation_id = "postMessage", tag = "message",
    params(("id" = Uuid, Path, description = "The channel")),
    request_body = PostMessage,
    responses(
        (status = 201, description = "Posted", body = MessageAnswer),
        (status = 403, description = "`message_may_not_post`, `message_may_not_reply`, `message_timed_out`"),
        (status = 404, description = "`channel_not_found`, `not_found`"),
        (status = 409, description = "`message_reply_not_found`, `message_channel_holds_none`, \
            `message_thread_not_found`, `message_thread_in_thread`, `message_thread_closed`"),
        (status = 422, description = "`message_poll_time`"),
    ),
)]
pub(crate) async fn post_message(
    State(app): State<AppState>,
    Ids(id): Ids<ChannelId>,
    Command { context, caller, body }: Command<PostMessage>,
) -> Result<(StatusCode, Json<MessageAnswer>), ApiError> {
    let PostMessage { content, reply_to, thread_id: thread, poll } = body;
    let (text, poll) = (content.as_str().to_owned(), poll.map(domain::poll::NewPoll::from));
    let shown = poll.as_ref().map(Poll::new);
    let done = app.commands.post(&context, id, NewMessage { content, reply_to, thread, poll }).await?;
    app.signals.posted(caller.account, id);
    let message = Message::of_state(done.made, Some(text), shown);
    Ok((StatusCode::CREATED, Json(MessageAnswer { message, position: app.cursors.seal(done.position) })))
}

/// Show a message that you may see, deleted or not.
#[utoipa::path(
    get, path = "/messages/{id}", operation_id = "showMessage", tag = "message",
    params(("id" = Uuid, Path, description = "The message")),
    responses(
        (status = 200, description = "The message", body = Message),
        (status = 404, description = "`message_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn show_message(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<MessageId>,
) -> Result<Json<Message>, ApiError> {
    let message = app.read.message(caller.account, id).await?;
    Ok(Json(Message::of_row(message.ok_or(MessageError::Unknown)?, app.clock.now())))
}

/// Edit your message.
#[utoipa::path(
    patch, path = "/messages/{id}", operation_id = "editMessage", tag = "message",
    params(("id" = Uuid, Path, description = "The message")),
    request_body = EditMessage,
    responses(
        (status = 200, description = "Edited", body = MessageAnswer),
        (status = 403, description = "`message_not_author`, `message_may_not_post`"),
        (status = 404, description = "`message_not_found`, `not_found`"),
        (status = 409, description = "`message_deleted`"),
    ),
)]
pub(crate) async fn edit_message(
    State(app): State<AppState>,
    Ids(id): Ids<MessageId>,
    Command { context, caller, body }: Command<EditMessage>,
) -> Result<Json<MessageAnswer>, ApiError> {
    let text = body.content.as_str().to_owned();
    let done = app.commands.edit_message(&context, id, body.content).await?;
    wait_until_readable(&app, done.position).await?;
    let row = app.read.message(caller.account, id).await?;
    let message = Message::of_state(done.made, Some(text), None).with_said(row, app.clock.now());
    Ok(Json(MessageAnswer { message, position: app.cursors.seal(done.position) }))
}

/// Delete a message: your own, or others' if you manage messages. Its text is gone for good.
#[utoipa::path(
    delete, path = "/messages/{id}", operation_id = "deleteMessage", tag = "message",
    params(("id" = Uuid, Path, description = "The message")),
    responses(
        (status = 200, description = "Deleted", body = MessageAnswer),
        (status = 403, description = "`message_may_not_delete`"),
        (status = 404, description = "`message_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn delete_message(
    State(app): State<AppState>,
    Ids(id): Ids<MessageId>,
    Bare { context, caller }: Bare,
) -> Result<Json<MessageAnswer>, ApiError> {
    let done = app.commands.delete_message(&context, id).await?;
    let poll = done.made.facts.poll.map(Poll::deleted);
    wait_until_readable(&app, done.position).await?;
    let thread = app.read.message(caller.account, id).await?.and_then(|row| row.thread);
    let message =
        Message { thread: thread.map(ThreadSummary::from), ..Message::of_state(done.made, None, poll) };
    Ok(Json(MessageAnswer { message, position: app.cursors.seal(done.position) }))
}

/// List the texts that a message has had, oldest first.
#[utoipa::path(
    get, path = "/messages/{id}/versions", operation_id = "listVersions", tag = "message",
    params(("id" = Uuid, Path, description = "The message")),
    responses(
        (status = 200, description = "All of them", body = Versions),
        (status = 404, description = "`message_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn list_versions(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<MessageId>,
) -> Result<Json<Versions>, ApiError> {
    let versions = app.read.versions(caller.account, id).await?.ok_or(MessageError::Unknown)?;
    let version = |VersionRow { version, content, created_at }| Version { version, content, created_at };
    Ok(Json(Versions { items: versions.into_iter().map(version).collect() }))
}
