//! Communities.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::community::{CommunityError, CommunityName};
use domain::{AccountId, CommunityId};
use event_store::Position;
use jiff::Timestamp;
use projections::CommunityView;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Done;
use crate::auth::Authenticated;
use crate::channel::Channel;
use crate::cursor::Cursor;
use crate::error::{ApiError, codes};
use crate::extract::{Bare, CaughtUp, Command, Fields, FromFields, Ids, parse, wait_until_readable};
use crate::membership::{self, Member};
use crate::page::Page;
use crate::role::{self, ShownRole};
use crate::state::AppState;

codes! {
    UNKNOWN = NOT_FOUND "community_not_found" "No such community";
    MAY_NOT_MANAGE = FORBIDDEN "community_may_not_manage" "Not allowed";
    NOT_OWNER = FORBIDDEN "community_not_owner" "Not the owner";
}

impl From<CommunityError> for ApiError {
    fn from(error: CommunityError) -> Self {
        let code = match error {
            CommunityError::Unknown => UNKNOWN,
            CommunityError::MayNotManage => MAY_NOT_MANAGE,
            CommunityError::NotOwner => NOT_OWNER,
            CommunityError::NewOwnerNotMember => membership::UNKNOWN_MEMBER,
            CommunityError::MayNotManageRoles => role::MAY_NOT_MANAGE,
            CommunityError::UnknownRole => role::UNKNOWN,
            CommunityError::RoleTooHigh => role::TOO_HIGH,
            CommunityError::BeyondOwn => role::BEYOND_OWN,
            CommunityError::RoleBuiltIn => role::BUILT_IN,
            CommunityError::TooManyRoles => role::TOO_MANY,
            CommunityError::OrderIncomplete => role::ORDER_INCOMPLETE,
        };
        Self::told(code, error)
    }
}

/// A community, as one of its members sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Community {
    #[schema(value_type = Uuid)]
    id: CommunityId,
    #[schema(example = "Analytical Engines")]
    name: String,
    /// Where its icon is. Null: it has none; no community has one until the server keeps files.
    #[schema(value_type = Option<String>, format = "uri")]
    icon_url: Option<String>,
    #[schema(value_type = Uuid)]
    owner_id: AccountId,
    created_at: Timestamp,
    /// Those that you may see.
    channels: Vec<Channel>,
    /// Lowest first.
    roles: Vec<ShownRole>,
    /// You.
    member: Member,
}

impl From<CommunityView> for Community {
    fn from(view: CommunityView) -> Self {
        let CommunityView { community, channels, roles, member } = view;
        Self {
            id: community.id,
            name: community.name,
            icon_url: None,
            owner_id: community.owner_id,
            created_at: community.created_at,
            channels: channels.into_iter().map(Channel::from).collect(),
            roles: roles.into_iter().map(ShownRole::from).collect(),
            member: member.into(),
        }
    }
}

/// A community and the position from which on it is as shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommunityAnswer {
    community: Community,
    position: Cursor,
}

/// A community's name.
#[derive(ToSchema)]
pub(crate) struct Named {
    #[schema(value_type = String, min_length = 1, max_length = 100, example = "Analytical Engines")]
    name: CommunityName,
}

impl FromFields for Named {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("name", parse::text(CommunityName::parse)).map(|name| Self { name })
    }
}

/// Create a community with a first channel; you own it.
#[utoipa::path(
    post, path = "/communities", operation_id = "createCommunity", tag = "community",
    request_body = Named,
    responses((status = 201, description = "Created", body = CommunityAnswer)),
)]
pub(crate) async fn create_community(
    State(app): State<AppState>,
    Command { context, caller, body }: Command<Named>,
) -> Result<(StatusCode, Json<CommunityAnswer>), ApiError> {
    let done = app.commands.create_community(&context, body.name).await?;
    let answer = read_after(&app, caller.account, done.made, done.position).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// List your communities, in the order in which you joined them.
#[utoipa::path(
    get, path = "/communities", operation_id = "listCommunities", tag = "community",
    responses((status = 200, description = "All of them", body = Page<Community>)),
)]
pub(crate) async fn list_communities(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
) -> Result<Json<Page<Community>>, ApiError> {
    let communities = app.read.communities_of(caller.account).await?;
    Ok(Json(Page::whole(communities.into_iter().map(Community::from).collect())))
}

/// Show a community of yours.
#[utoipa::path(
    get, path = "/communities/{id}", operation_id = "showCommunity", tag = "community",
    params(("id" = Uuid, Path, description = "The community")),
    responses(
        (status = 200, description = "The community", body = Community),
        (status = 404, description = "`community_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn show_community(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<CommunityId>,
) -> Result<Json<Community>, ApiError> {
    let community = app.read.community(caller.account, id).await?;
    Ok(Json(community.ok_or(CommunityError::Unknown)?.into()))
}

/// Rename a community.
#[utoipa::path(
    patch, path = "/communities/{id}", operation_id = "renameCommunity", tag = "community",
    params(("id" = Uuid, Path, description = "The community")),
    request_body = Named,
    responses(
        (status = 200, description = "Renamed", body = CommunityAnswer),
        (status = 403, description = "`community_may_not_manage`"),
        (status = 404, description = "`community_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn rename_community(
    State(app): State<AppState>,
    Ids(id): Ids<CommunityId>,
    Command { context, caller, body }: Command<Named>,
) -> Result<Json<CommunityAnswer>, ApiError> {
    let done = app.commands.rename_community(&context, id, body.name).await?;
    read_after(&app, caller.account, id, done.position).await.map(Json)
}

/// Who is to own a community.
#[derive(ToSchema)]
pub(crate) struct NewOwner {
    /// A member of it.
    #[schema(value_type = Uuid)]
    account: AccountId,
}

impl FromFields for NewOwner {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("account", parse::id).map(|account| Self { account })
    }
}

/// Hand a community of yours over to another member. You keep your roles, and may leave from then on.
#[utoipa::path(
    put, path = "/communities/{id}/owner", operation_id = "transferOwnership", tag = "community",
    params(("id" = Uuid, Path, description = "The community")),
    request_body = NewOwner,
    responses(
        (status = 200, description = "Handed over", body = CommunityAnswer),
        (status = 403, description = "`community_not_owner`"),
        (status = 404, description = "`community_not_found`, `member_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn transfer_ownership(
    State(app): State<AppState>,
    Ids(id): Ids<CommunityId>,
    Command { context, caller, body }: Command<NewOwner>,
) -> Result<Json<CommunityAnswer>, ApiError> {
    let done = app.commands.transfer_ownership(&context, id, body.account).await?;
    read_after(&app, caller.account, id, done.position).await.map(Json)
}

/// Delete a community with all that is in it.
#[utoipa::path(
    delete, path = "/communities/{id}", operation_id = "deleteCommunity", tag = "community",
    params(("id" = Uuid, Path, description = "The community")),
    responses(
        (status = 200, description = "Deleted", body = Done),
        (status = 403, description = "`community_not_owner`"),
        (status = 404, description = "`community_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn delete_community(
    State(app): State<AppState>,
    Ids(id): Ids<CommunityId>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.delete_community(&context, id).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}

/// The community as `viewer` sees it once the read model has reached `position`.
pub(crate) async fn read_after(
    app: &AppState,
    viewer: AccountId,
    id: CommunityId,
    position: Position,
) -> Result<CommunityAnswer, ApiError> {
    wait_until_readable(app, position).await?;
    let community = app.read.community(viewer, id).await?.ok_or(CommunityError::Unknown)?;
    Ok(CommunityAnswer { community: community.into(), position: app.cursors.seal(position) })
}
