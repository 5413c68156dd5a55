//! Passing a message on.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use commands::Forwarding;
use domain::message::Content;
use domain::{ChannelId, MessageId};
use utoipa::ToSchema;

use super::{Forwarded, Message, MessageAnswer};
use crate::error::ApiError;
use crate::extract::{Command, Fields, FromFields, Ids, parse};
use crate::state::AppState;

/// Where a message is to be passed on to.
#[derive(ToSchema)]
pub(crate) struct ForwardMessage {
    /// The channel to post in.
    #[schema(value_type = Uuid)]
    channel_id: ChannelId,
    /// What you say about it, Markdown source.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4000, example = "Have a look")]
    content: Option<Content>,
}

impl FromFields for ForwardMessage {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let channel_id = fields.required("channel_id", parse::id);
        let content = fields.optional("content", parse::text(Content::parse));
        Some(Self { channel_id: channel_id?, content: content? })
    }
}

/// Pass a message on: post a copy of its text, as it is now, in a channel.
///
/// The new message is yours. What was passed on before is passed on with its first origin.
#[utoipa::path(
    post, path = "/messages/{id}/forwards", operation_id = "forwardMessage", tag = "message",
    params(("id" = Uuid, Path, description = "The message to pass on")),
    request_body = ForwardMessage,
    responses(
        (status = 201, description = "Posted", body = MessageAnswer),
        (status = 403, description = "`message_may_not_post`, `message_timed_out`"),
        (status = 404, description = "`message_not_found`, `channel_not_found`, `not_found`"),
        (status = 409, description = "`message_deleted`, `message_text_gone`, `message_channel_holds_none`"),
    ),
)]
pub(crate) async fn forward_message(
    State(app): State<AppState>,
    Ids(id): Ids<MessageId>,
    Command { context, caller, body }: Command<ForwardMessage>,
) -> Result<(StatusCode, Json<MessageAnswer>), ApiError> {
    let ForwardMessage { channel_id, content } = body;
    let said = content.as_ref().map(|content| content.as_str().to_owned()).unwrap_or_default();
    let done = app.commands.forward_message(&context, id, channel_id, content).await?;
    app.signals.posted(caller.account, channel_id);
    let Forwarding { state, text } = done.made;
    let forwarded =
        state.facts.forwarded.map(|origin| Forwarded::new(origin, text.map(Content::into_string)));
    let message = Message { forwarded, ..Message::of_state(state, Some(said), None) };
    Ok((StatusCode::CREATED, Json(MessageAnswer { message, position: app.cursors.seal(done.position) })))
}
