//! Channels.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use commands::{ChannelState, NewChannel};
use domain::channel::{ChannelError, ChannelKind, ChannelName, ChannelTopic};
use domain::{ChannelId, CommunityId};
use jiff::Timestamp;
use projections::ChannelRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Done;
use crate::auth::Authenticated;
use crate::cursor::Cursor;
use crate::error::{ApiError, codes};
use crate::extract::{Bare, CaughtUp, Command, Fields, FromFields, Ids, parse};
use crate::state::AppState;

codes! {
    UNKNOWN = NOT_FOUND "channel_not_found" "No such channel";
    MAY_NOT_MANAGE = FORBIDDEN "channel_may_not_manage" "Not allowed";
    CATEGORY_NOT_FOUND = CONFLICT "channel_category_not_found" "No such category";
    CATEGORY_IN_CATEGORY = CONFLICT "channel_category_in_category" "A category in a category";
}

impl From<ChannelError> for ApiError {
    fn from(error: ChannelError) -> Self {
        let code = match error {
            ChannelError::UnknownCommunity => crate::community::UNKNOWN,
            ChannelError::Unknown => UNKNOWN,
            ChannelError::MayNotManage => MAY_NOT_MANAGE,
            ChannelError::CategoryNotFound => CATEGORY_NOT_FOUND,
            ChannelError::CategoryInCategory => CATEGORY_IN_CATEGORY,
        };
        Self::told(code, error)
    }
}

/// A place to talk in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Channel {
    #[schema(value_type = Uuid)]
    id: ChannelId,
    /// Null for a direct or group channel.
    #[schema(value_type = Option<Uuid>)]
    community_id: Option<CommunityId>,
    #[schema(value_type = ChannelKindName)]
    kind: ChannelKind,
    /// Null for a direct channel, and for a group that goes by its members' names.
    #[schema(example = "general")]
    name: Option<String>,
    /// What it is for; empty: not said.
    topic: String,
    #[schema(value_type = Option<Uuid>)]
    category_id: Option<ChannelId>,
    /// Whether roles alone do not let anyone see it.
    private: bool,
    created_at: Timestamp,
}

/// What a channel carries; a category groups others and holds no messages.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the domain's type")]
pub(crate) enum ChannelKindName {
    Text,
    Audio,
    Video,
    Category,
    Direct,
    Group,
}

impl From<ChannelRow> for Channel {
    fn from(row: ChannelRow) -> Self {
        let ChannelRow { id, community_id, kind, name, topic, category_id, private, created_at, .. } = row;
        Self { id, community_id, kind, name, topic, category_id, private, created_at }
    }
}

impl From<ChannelState> for Channel {
    fn from(ChannelState { channel, created_at }: ChannelState) -> Self {
        Self {
            id: channel.id,
            community_id: channel.community_id(),
            kind: channel.kind,
            name: channel.name.map(ChannelName::into_string),
            topic: channel.topic.into_string(),
            category_id: channel.category_id,
            private: channel.private,
            created_at,
        }
    }
}

/// A channel and the position from which on it is as shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelAnswer {
    channel: Channel,
    position: Cursor,
}

/// A channel to be.
#[derive(ToSchema)]
pub(crate) struct CreateChannel {
    #[schema(value_type = String, min_length = 1, max_length = 100, example = "general")]
    name: ChannelName,
    /// `text`, if left out.
    #[schema(value_type = Option<ChannelKindName>)]
    kind: Option<ChannelKind>,
    #[schema(value_type = Option<String>, max_length = 1024)]
    topic: Option<ChannelTopic>,
    /// A channel of kind `category` in the same community.
    #[schema(value_type = Option<Uuid>)]
    category_id: Option<ChannelId>,
}

impl FromFields for CreateChannel {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let known = ChannelKind::OF_COMMUNITY.map(ChannelKind::as_str);
        let name = fields.required("name", parse::text(ChannelName::parse));
        let kind = fields.optional("kind", parse::name(of_community, &known));
        let topic = fields.optional("topic", parse::text(ChannelTopic::parse));
        let category_id = fields.optional("category_id", parse::id);
        Some(Self { name: name?, kind: kind?, topic: topic?, category_id: category_id? })
    }
}

/// What changes about a channel; what is left out or null stays.
#[derive(ToSchema)]
pub(crate) struct ChangeChannel {
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, example = "general")]
    name: Option<ChannelName>,
    #[schema(value_type = Option<String>, max_length = 1024)]
    topic: Option<ChannelTopic>,
}

impl FromFields for ChangeChannel {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", parse::text(ChannelName::parse));
        let topic = fields.optional("topic", parse::text(ChannelTopic::parse));
        Some(Self { name: name?, topic: topic? })
    }
}

fn of_community(name: &str) -> Option<ChannelKind> {
    ChannelKind::parse(name).filter(|kind| ChannelKind::OF_COMMUNITY.contains(kind))
}

/// Create a channel.
#[utoipa::path(
    post, path = "/communities/{id}/channels", operation_id = "createChannel", tag = "channel",
    params(("id" = Uuid, Path, description = "The community")),
    request_body = CreateChannel,
    responses(
        (status = 201, description = "Created", body = ChannelAnswer),
        (status = 403, description = "`channel_may_not_manage`"),
        (status = 404, description = "`community_not_found`, `not_found`"),
        (status = 409, description = "`channel_category_not_found`, `channel_category_in_category`"),
    ),
)]
pub(crate) async fn create_channel(
    State(app): State<AppState>,
    Ids(id): Ids<CommunityId>,
    Command { context, body, .. }: Command<CreateChannel>,
) -> Result<(StatusCode, Json<ChannelAnswer>), ApiError> {
    let none = || ChannelTopic::parse("").map_err(ApiError::internal);
    let new = NewChannel {
        name: body.name,
        kind: body.kind.unwrap_or(ChannelKind::Text),
        topic: body.topic.map_or_else(none, Ok)?,
        category_id: body.category_id,
    };
    let done = app.commands.create_channel(&context, id, new).await?;
    let answer = ChannelAnswer { channel: done.made.into(), position: app.cursors.seal(done.position) };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Show a channel that you may see.
#[utoipa::path(
    get, path = "/channels/{id}", operation_id = "showChannel", tag = "channel",
    params(("id" = Uuid, Path, description = "The channel")),
    responses(
        (status = 200, description = "The channel", body = Channel),
        (status = 404, description = "`channel_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn show_channel(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<ChannelId>,
) -> Result<Json<Channel>, ApiError> {
    let channel = app.read.channel(caller.account, id).await?;
    Ok(Json(channel.ok_or(ChannelError::Unknown)?.into()))
}

/// Change a channel's name or topic.
#[utoipa::path(
    patch, path = "/channels/{id}", operation_id = "changeChannel", tag = "channel",
    params(("id" = Uuid, Path, description = "The channel")),
    request_body = ChangeChannel,
    responses(
        (status = 200, description = "Changed", body = ChannelAnswer),
        (status = 403, description = "`channel_may_not_manage`"),
        (status = 404, description = "`channel_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn change_channel(
    State(app): State<AppState>,
    Ids(id): Ids<ChannelId>,
    Command { context, body, .. }: Command<ChangeChannel>,
) -> Result<Json<ChannelAnswer>, ApiError> {
    let done = app.commands.change_channel(&context, id, body.name, body.topic).await?;
    Ok(Json(ChannelAnswer { channel: done.made.into(), position: app.cursors.seal(done.position) }))
}

/// Delete a channel with all that is in it.
#[utoipa::path(
    delete, path = "/channels/{id}", operation_id = "deleteChannel", tag = "channel",
    params(("id" = Uuid, Path, description = "The channel")),
    responses(
        (status = 200, description = "Deleted", body = Done),
        (status = 403, description = "`channel_may_not_manage`"),
        (status = 404, description = "`channel_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn delete_channel(
    State(app): State<AppState>,
    Ids(id): Ids<ChannelId>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.delete_channel(&context, id).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}
