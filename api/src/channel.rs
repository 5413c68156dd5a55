//! Channels.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use commands::{ChangedChannel, NewChannel};
use domain::channel::{ChannelError, ChannelKind, ChannelName, ChannelTopic, SlowMode};
use domain::permission::Target;
use domain::{AccountId, ChannelId, CommunityId};
use event_store::Position;
use jiff::Timestamp;
use projections::ChannelRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Done;
use crate::auth::Authenticated;
use crate::cursor::Cursor;
use crate::error::{ApiError, codes};
use crate::extract::{Bare, CaughtUp, Command, Fault, Fields, FromFields, Ids, parse, wait_until_readable};
use crate::state::AppState;

use overwrite::Overwrite;

pub(crate) mod order;
pub(crate) mod overwrite;

codes! {
    UNKNOWN = NOT_FOUND "channel_not_found" "No such channel";
    MAY_NOT_MANAGE = FORBIDDEN "channel_may_not_manage" "Not allowed";
    CATEGORY_NOT_FOUND = CONFLICT "channel_category_not_found" "No such category";
    CATEGORY_IN_CATEGORY = CONFLICT "channel_category_in_category" "A category in a category";
    TOO_MANY = CONFLICT "channel_too_many" "Too many channels";
    NOT_FOR_CATEGORY = CONFLICT "channel_not_for_category" "Not for a category";
    OF_CONVERSATION = CONFLICT "channel_of_conversation" "Not in a direct or group channel";
    UNKNOWN_TARGET = NOT_FOUND "channel_overwrite_target_not_found" "No such role or member";
    TARGET_TOO_HIGH = FORBIDDEN "channel_overwrite_target_too_high" "Rank too low";
    NOT_OF_CHANNEL = UNPROCESSABLE_ENTITY "channel_overwrite_not_of_channel" "Not a permission of a channel";
    ALLOWED_AND_DENIED = UNPROCESSABLE_ENTITY "channel_overwrite_contradicts" "Allowed and denied";
    GRANTS_MORE = FORBIDDEN "channel_overwrite_grants_more" "More than you may";
    TOO_MANY_OVERWRITES = CONFLICT "channel_too_many_overwrites" "Too many overwrites";
    REPEATED = UNPROCESSABLE_ENTITY "channel_repeated" "Channel named twice";
    ARCHIVED = CONFLICT "channel_archived" "Channel archived";
    SLOW_MODE = TOO_MANY_REQUESTS "channel_slow_mode" "Slow mode";
    NOT_GROUP = CONFLICT "channel_not_group" "Not a group";
    NOT_GROUP_OWNER = FORBIDDEN "group_not_owner" "Not the owner";
    UNKNOWN_MEMBER = NOT_FOUND "group_member_not_found" "No such member";
    TOO_MANY_MEMBERS = CONFLICT "group_too_many_members" "Group full";
    WITH_ONESELF = UNPROCESSABLE_ENTITY "channel_with_oneself" "Nobody else";
}

impl From<ChannelError> for ApiError {
    fn from(error: ChannelError) -> Self {
        let code = match error {
            ChannelError::UnknownCommunity => crate::community::UNKNOWN,
            ChannelError::Unknown => UNKNOWN,
            ChannelError::MayNotManage => MAY_NOT_MANAGE,
            ChannelError::CategoryNotFound => CATEGORY_NOT_FOUND,
            ChannelError::CategoryInCategory => CATEGORY_IN_CATEGORY,
            ChannelError::TooMany => TOO_MANY,
            ChannelError::NotForCategory => NOT_FOR_CATEGORY,
            ChannelError::OfConversation => OF_CONVERSATION,
            ChannelError::UnknownTarget => UNKNOWN_TARGET,
            ChannelError::TargetTooHigh => TARGET_TOO_HIGH,
            ChannelError::NotOfChannel => NOT_OF_CHANNEL,
            ChannelError::AllowedAndDenied => ALLOWED_AND_DENIED,
            ChannelError::GrantsMore => GRANTS_MORE,
            ChannelError::TooManyOverwrites => TOO_MANY_OVERWRITES,
            ChannelError::UnknownAccount => crate::account::UNKNOWN,
            ChannelError::WithOneself => WITH_ONESELF,
            ChannelError::Blocked => crate::block::BLOCKED,
            ChannelError::NotGroup => NOT_GROUP,
            ChannelError::NotGroupOwner => NOT_GROUP_OWNER,
            ChannelError::UnknownMember => UNKNOWN_MEMBER,
            ChannelError::TooManyMembers => TOO_MANY_MEMBERS,
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
    /// Of a group; null elsewhere.
    #[schema(value_type = Option<Uuid>)]
    owner_id: Option<AccountId>,
    /// Whether roles alone do not let anyone see it.
    private: bool,
    /// Exceptions from what roles grant.
    overwrites: Vec<Overwrite>,
    /// How many seconds an account waits between two posts here, unless it manages messages or channels; 0: it need not.
    #[schema(maximum = 21600)]
    slow_mode: u32,
    /// Readable, but nobody posts, edits or reacts.
    archived: bool,
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
        let ChannelRow { id, community_id, kind, name, topic, category_id, owner_id, .. } = row;
        let ChannelRow { private, overwrites, slow_mode, archived, created_at, .. } = row;
        let overwrites = overwrites.iter().map(Overwrite::from).collect();
        Self {
            id,
            community_id,
            kind,
            name,
            topic,
            category_id,
            owner_id,
            private,
            overwrites,
            slow_mode,
            archived,
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

impl ChannelAnswer {
    /// The channel as the read model shows it to `viewer`, once it has reached `position`: where it stands is decided by
    /// other events, too.
    async fn read(
        app: &AppState,
        viewer: AccountId,
        id: ChannelId,
        position: Position,
    ) -> Result<Self, ApiError> {
        wait_until_readable(app, position).await?;
        let channel = app.read.channel(viewer, id).await?.ok_or(ChannelError::Unknown)?;
        Ok(Self { channel: channel.into(), position: app.cursors.seal(position) })
    }
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
    /// As its category, if left out; else false. Who creates a private channel keeps it in sight.
    private: Option<bool>,
    /// Those of its category, if left out; else none. The rules are those of giving them later.
    #[schema(value_type = Option<Vec<Overwrite>>, max_items = 100)]
    overwrites: Option<Vec<(Target, domain::permission::Overwrite)>>,
}

impl FromFields for CreateChannel {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let known = ChannelKind::OF_COMMUNITY.map(ChannelKind::as_str);
        let name = fields.required("name", parse::text(ChannelName::parse));
        let kind = fields.optional("kind", parse::name(of_community, &known));
        let topic = fields.optional("topic", parse::text(ChannelTopic::parse));
        let category_id = fields.optional("category_id", parse::id);
        let private = fields.optional("private", parse::boolean);
        let overwrites = fields.optional("overwrites", overwrite::list);
        Some(Self {
            name: name?,
            kind: kind?,
            topic: topic?,
            category_id: category_id?,
            private: private?,
            overwrites: overwrites?,
        })
    }
}

/// What changes about a channel; what is left out stays. A group has only a name.
#[derive(ToSchema)]
pub(crate) struct ChangeChannel {
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, example = "general")]
    name: Option<ChannelName>,
    #[schema(value_type = Option<String>, max_length = 1024)]
    topic: Option<ChannelTopic>,
    /// A channel of kind `category` in the same community; null: none.
    #[schema(value_type = Option<Uuid>)]
    category_id: Option<Option<ChannelId>>,
    /// Who makes a channel private keeps it in sight.
    private: Option<bool>,
    /// In seconds; 0: off.
    #[schema(value_type = Option<u32>, maximum = 21600)]
    slow_mode: Option<SlowMode>,
    archived: Option<bool>,
}

fn slow_mode(value: serde_json::Value) -> Result<SlowMode, Fault> {
    let seconds = parse::integer(0, u64::from(SlowMode::MAX))(value)?;
    let fits = u32::try_from(seconds).ok().and_then(SlowMode::new);
    fits.ok_or_else(|| Fault::new("out_of_range", "is too long"))
}

impl FromFields for ChangeChannel {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", parse::text(ChannelName::parse));
        let topic = fields.optional("topic", parse::text(ChannelTopic::parse));
        let category_id = fields.nullable("category_id", parse::id);
        let private = fields.optional("private", parse::boolean);
        let slow_mode = fields.optional("slow_mode", slow_mode);
        let archived = fields.optional("archived", parse::boolean);
        Some(Self {
            name: name?,
            topic: topic?,
            category_id: category_id?,
            private: private?,
            slow_mode: slow_mode?,
            archived: archived?,
        })
    }
}

fn of_community(name: &str) -> Option<ChannelKind> {
    ChannelKind::parse(name).filter(|kind| ChannelKind::OF_COMMUNITY.contains(kind))
}

/// Create a channel.
///
/// A community has at most 500, its categories among them.
#[utoipa::path(
    post, path = "/communities/{id}/channels", operation_id = "createChannel", tag = "channel",
    params(("id" = Uuid, Path, description = "The community")),
    request_body = CreateChannel,
    responses(
        (status = 201, description = "Created", body = ChannelAnswer),
        (
            status = 403,
            description = "`channel_may_not_manage`, `channel_overwrite_target_too_high`, `channel_overwrite_grants_more`",
        ),
        (status = 404, description = "`community_not_found`, `channel_overwrite_target_not_found`, `not_found`"),
        (
            status = 409,
            description = "`channel_category_not_found`, `channel_category_in_category`, `channel_too_many`, \
                `channel_too_many_overwrites`",
        ),
        (status = 422, description = "`channel_overwrite_not_of_channel`, `channel_overwrite_contradicts`"),
    ),
)]
pub(crate) async fn create_channel(
    State(app): State<AppState>,
    Ids(id): Ids<CommunityId>,
    Command { context, caller, body }: Command<CreateChannel>,
) -> Result<(StatusCode, Json<ChannelAnswer>), ApiError> {
    // What is in the log by now counts, whatever came of it here yet.
    wait_until_readable(&app, app.store.head().await?).await?;
    let new = NewChannel {
        name: body.name,
        kind: body.kind.unwrap_or(ChannelKind::Text),
        topic: body.topic.unwrap_or_else(ChannelTopic::none),
        category_id: body.category_id,
        private: body.private,
        overwrites: body.overwrites,
        existing: app.read.channel_count(id).await?,
    };
    let done = app.commands.create_channel(&context, id, new).await?;
    let answer = ChannelAnswer::read(&app, caller.account, done.made.channel.id, done.position).await?;
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

/// Change the settings of a channel, or the name of a group.
#[utoipa::path(
    patch, path = "/channels/{id}", operation_id = "changeChannel", tag = "channel",
    params(("id" = Uuid, Path, description = "The channel")),
    request_body = ChangeChannel,
    responses(
        (status = 200, description = "Changed", body = ChannelAnswer),
        (status = 403, description = "`channel_may_not_manage`"),
        (status = 404, description = "`channel_not_found`, `not_found`"),
        (
            status = 409,
            description = "`channel_category_not_found`, `channel_category_in_category`, `channel_not_for_category`, \
                `channel_of_conversation`, `channel_too_many_overwrites`",
        ),
    ),
)]
pub(crate) async fn change_channel(
    State(app): State<AppState>,
    Ids(id): Ids<ChannelId>,
    Command { context, caller, body }: Command<ChangeChannel>,
) -> Result<Json<ChannelAnswer>, ApiError> {
    let ChangeChannel { name, topic, category_id, private, slow_mode, archived } = body;
    let change = ChangedChannel { name, topic, private, slow_mode, archived, category_id };
    let done = app.commands.change_channel(&context, id, change).await?;
    ChannelAnswer::read(&app, caller.account, id, done.position).await.map(Json)
}

/// Delete a channel with all that is in it.
#[utoipa::path(
    delete, path = "/channels/{id}", operation_id = "deleteChannel", tag = "channel",
    params(("id" = Uuid, Path, description = "The channel")),
    responses(
        (status = 200, description = "Deleted", body = Done),
        (status = 403, description = "`channel_may_not_manage`"),
        (status = 404, description = "`channel_not_found`, `not_found`"),
        (status = 409, description = "`channel_of_conversation`"),
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
