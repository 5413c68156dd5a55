//! Deleting many messages.

use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use commands::Swept;
use domain::{ChannelId, MessageId};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::cursor::Cursor;
use crate::error::ApiError;
use crate::extract::{Command, Fault, Fields, FromFields, Ids, parse};
use crate::state::AppState;

/// The most messages that one call deletes.
const MOST: usize = 100;

/// The messages to delete.
#[derive(ToSchema)]
pub(crate) struct DeleteMessages {
    /// Of the channel, each once.
    #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 100)]
    messages: Vec<MessageId>,
}

impl FromFields for DeleteMessages {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("messages", ids).map(|messages| Self { messages })
    }
}

fn ids(value: Value) -> Result<Vec<MessageId>, Fault> {
    let Value::Array(items) = value else {
        return Err(Fault::new("wrong_type", "must be an array of ids"));
    };
    if !(1..=MOST).contains(&items.len()) {
        return Err(Fault::new("out_of_range", format!("must have 1 to {MOST} ids, has {}", items.len())));
    }
    let ids: Vec<MessageId> = items.into_iter().map(parse::id).collect::<Result<_, _>>()?;
    if ids.iter().collect::<HashSet<_>>().len() < ids.len() {
        return Err(Fault::new("repeated", "may name each message only once"));
    }
    Ok(ids)
}

/// What became of the messages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeletedMessages {
    /// Those that are deleted now, by this call or before it.
    #[schema(value_type = Vec<Uuid>)]
    deleted: Vec<MessageId>,
    /// Those that are no messages of this channel.
    #[schema(value_type = Vec<Uuid>)]
    not_found: Vec<MessageId>,
    position: Cursor,
}

/// Delete up to 100 messages of a channel in which you manage messages. Their texts are gone for good.
///
/// A call that broke off is finished by its repetition.
#[utoipa::path(
    post, path = "/channels/{id}/messages/bulk-delete", operation_id = "deleteMessages", tag = "message",
    params(("id" = Uuid, Path, description = "The channel")),
    request_body = DeleteMessages,
    responses(
        (status = 200, description = "Deleted", body = DeletedMessages),
        (status = 403, description = "`message_may_not_delete`, `message_timed_out`"),
        (status = 404, description = "`channel_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn delete_messages(
    State(app): State<AppState>,
    Ids(id): Ids<ChannelId>,
    Command { context, body, .. }: Command<DeleteMessages>,
) -> Result<Json<DeletedMessages>, ApiError> {
    let done = app.commands.sweep_messages(&context, id, &body.messages).await?;
    let Swept { deleted, not_found } = done.made;
    Ok(Json(DeletedMessages { deleted, not_found, position: app.cursors.seal(done.position) }))
}
