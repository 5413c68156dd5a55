//! Conversations: direct and group channels, with those who take part.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::channel::{ChannelError, ChannelName, MAX_GROUP_MEMBERS, direct_id};
use domain::{AccountId, ChannelId};
use event_store::Position;
use jiff::Timestamp;
use projections::ConversationRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::Account;
use crate::answer::Done;
use crate::auth::Authenticated;
use crate::channel::Channel;
use crate::cursor::Cursor;
use crate::error::ApiError;
use crate::extract::{Bare, CaughtUp, Command, Fault, Fields, FromFields, Ids, parse, wait_until_readable};
use crate::page::Page;
use crate::state::AppState;

/// A direct or group channel, as one of those who take part sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Conversation {
    #[serde(flatten)]
    channel: Channel,
    /// Yourself among them, in the order in which they came.
    members: Vec<Account>,
    /// When the newest message was posted.
    last_message_at: Option<Timestamp>,
}

impl From<ConversationRow> for Conversation {
    fn from(row: ConversationRow) -> Self {
        let ConversationRow { channel, members, last_message_at } = row;
        let members = members.into_iter().map(Account::from).collect();
        Self { channel: channel.into(), members, last_message_at }
    }
}

/// A conversation and the position from which on it is as shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConversationAnswer {
    channel: Conversation,
    position: Cursor,
}

/// Whom to talk to.
#[derive(ToSchema)]
pub(crate) struct OpenDirect {
    /// Somebody who is in a community with you.
    #[schema(value_type = Uuid)]
    account: AccountId,
}

impl FromFields for OpenDirect {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("account", parse::id).map(|account| Self { account })
    }
}

/// A group to be. You own it.
#[derive(ToSchema)]
pub(crate) struct CreateGroup {
    /// Left out: it goes by its members' names.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, example = "Trip to Turin")]
    name: Option<ChannelName>,
    /// The others; each is in a community with you.
    #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 24)]
    members: BTreeSet<AccountId>,
}

impl FromFields for CreateGroup {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", parse::text(ChannelName::parse));
        let members = fields.required("members", |value| {
            let members: BTreeSet<AccountId> =
                parse::at_most(MAX_GROUP_MEMBERS - 1, parse::id)(value)?.into_iter().collect();
            if members.is_empty() {
                return Err(Fault::new("empty", "must not be empty"));
            }
            Ok(members)
        });
        Some(Self { name: name?, members: members? })
    }
}

/// The conversation as the read model shows it to `viewer`, once it has reached `position`.
async fn read(
    app: &AppState,
    viewer: AccountId,
    id: ChannelId,
    position: Position,
) -> Result<ConversationAnswer, ApiError> {
    wait_until_readable(app, position).await?;
    let row = app.read.conversation(viewer, id).await?.ok_or(ChannelError::Unknown)?;
    Ok(ConversationAnswer { channel: row.into(), position: app.cursors.seal(position) })
}

/// Whom one has nothing to do with, one does not know of.
async fn neighbours(app: &AppState, caller: AccountId, others: &[AccountId]) -> Result<(), ApiError> {
    let known = app.read.neighbours_among(caller, others).await?;
    if others.iter().all(|other| known.contains(other)) {
        Ok(())
    } else {
        Err(ChannelError::UnknownAccount.into())
    }
}

/// List your conversations: the one where somebody posted last comes first.
#[utoipa::path(
    get, path = "/me/conversations", operation_id = "listConversations", tag = "conversation",
    responses((status = 200, description = "All of them", body = Page<Conversation>)),
)]
pub(crate) async fn list_conversations(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
) -> Result<Json<Page<Conversation>>, ApiError> {
    let conversations = app.read.conversations_of(caller.account).await?;
    Ok(Json(Page::whole(conversations.into_iter().map(Conversation::from).collect())))
}

/// Open the direct channel with somebody who is in a community with you, or find it.
#[utoipa::path(
    post, path = "/direct-channels", operation_id = "openDirect", tag = "conversation",
    request_body = OpenDirect,
    responses(
        (status = 201, description = "Open, whether it was before or not", body = ConversationAnswer),
        (status = 403, description = "`blocked`"),
        (status = 404, description = "`account_not_found`"),
        (status = 422, description = "`channel_with_oneself`"),
    ),
)]
pub(crate) async fn open_direct(
    State(app): State<AppState>,
    Command { context, caller, body: OpenDirect { account } }: Command<OpenDirect>,
) -> Result<(StatusCode, Json<ConversationAnswer>), ApiError> {
    if account != caller.account {
        let there = app.read.conversation(caller.account, direct_id(caller.account, account)).await?;
        if there.is_none() {
            neighbours(&app, caller.account, &[account]).await?;
        }
    }
    let done = app.commands.open_direct(&context, account).await?;
    let answer = read(&app, caller.account, done.made, done.position).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Create a group channel.
///
/// A group has at most 25 members, you among them.
#[utoipa::path(
    post, path = "/group-channels", operation_id = "createGroup", tag = "conversation",
    request_body = CreateGroup,
    responses(
        (status = 201, description = "Created", body = ConversationAnswer),
        (status = 403, description = "`blocked`"),
        (status = 404, description = "`account_not_found`"),
        (status = 422, description = "`channel_with_oneself`"),
    ),
)]
pub(crate) async fn create_group(
    State(app): State<AppState>,
    Command { context, caller, body: CreateGroup { name, members } }: Command<CreateGroup>,
) -> Result<(StatusCode, Json<ConversationAnswer>), ApiError> {
    if !members.contains(&caller.account) {
        let others: Vec<AccountId> = members.iter().copied().collect();
        neighbours(&app, caller.account, &others).await?;
    }
    let done = app.commands.create_group(&context, name, members).await?;
    let answer = read(&app, caller.account, done.made, done.position).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Add somebody who is in a community with you to a group of yours.
///
/// A group has at most 25 members.
#[utoipa::path(
    put, path = "/channels/{id}/members/{account}", operation_id = "addGroupMember", tag = "conversation",
    params(("id" = Uuid, Path, description = "The group"), ("account" = Uuid, Path, description = "The account")),
    responses(
        (status = 200, description = "A member", body = ConversationAnswer),
        (status = 403, description = "`blocked`"),
        (status = 404, description = "`channel_not_found`, `account_not_found`, `not_found`"),
        (status = 409, description = "`channel_not_group`, `group_too_many_members`"),
    ),
)]
pub(crate) async fn add_group_member(
    State(app): State<AppState>,
    Ids((id, account)): Ids<(ChannelId, AccountId)>,
    Bare { context, caller }: Bare,
) -> Result<Json<ConversationAnswer>, ApiError> {
    // Where the caller does not take part, the command says so, and nothing of the account.
    let there = app.read.conversation(caller.account, id).await?;
    if there.is_some_and(|there| there.members.iter().all(|member| member.id != account)) {
        neighbours(&app, caller.account, &[account]).await?;
    }
    let done = app.commands.add_group_member(&context, id, account).await?;
    read(&app, caller.account, id, done.position).await.map(Json)
}

/// Leave a group, or remove somebody from a group that you own.
///
/// The owner who leaves hands over to who has been there longest. A group ends with its last member.
#[utoipa::path(
    delete, path = "/channels/{id}/members/{account}", operation_id = "removeGroupMember", tag = "conversation",
    params(("id" = Uuid, Path, description = "The group"), ("account" = Uuid, Path, description = "The member")),
    responses(
        (status = 200, description = "Not a member any more", body = Done),
        (status = 403, description = "`group_not_owner`"),
        (status = 404, description = "`channel_not_found`, `group_member_not_found`, `not_found`"),
        (status = 409, description = "`channel_not_group`"),
    ),
)]
pub(crate) async fn remove_group_member(
    State(app): State<AppState>,
    Ids((id, account)): Ids<(ChannelId, AccountId)>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.remove_group_member(&context, id, account).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}

/// Who is to own a group.
#[derive(ToSchema)]
pub(crate) struct HandOver {
    /// A member.
    #[schema(value_type = Uuid)]
    account: AccountId,
}

impl FromFields for HandOver {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("account", parse::id).map(|account| Self { account })
    }
}

/// Hand a group over to another member.
#[utoipa::path(
    put, path = "/channels/{id}/owner", operation_id = "handGroupOver", tag = "conversation",
    params(("id" = Uuid, Path, description = "The group")),
    request_body = HandOver,
    responses(
        (status = 200, description = "Theirs", body = ConversationAnswer),
        (status = 403, description = "`group_not_owner`"),
        (status = 404, description = "`channel_not_found`, `group_member_not_found`, `not_found`"),
        (status = 409, description = "`channel_not_group`"),
    ),
)]
pub(crate) async fn hand_group_over(
    State(app): State<AppState>,
    Ids(id): Ids<ChannelId>,
    Command { context, caller, body: HandOver { account } }: Command<HandOver>,
) -> Result<Json<ConversationAnswer>, ApiError> {
    let done = app.commands.hand_group_over(&context, id, account).await?;
    read(&app, caller.account, id, done.position).await.map(Json)
}
