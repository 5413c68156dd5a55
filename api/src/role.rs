//! The roles of a community: their list, their making and changing.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::community::{CommunityError, RoleChange};
use domain::role::{Colour, Definition, RoleName};
use domain::{AccountId, CommunityId, Permissions, Role};
use event_store::Position;
use projections::RoleRow;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::answer::Done;
use crate::auth::Authenticated;
use crate::cursor::Cursor;
use crate::error::{ApiError, codes};
use crate::extract::{Bare, CaughtUp, Command, Fault, Fields, FromFields, Ids, parse, wait_until_readable};
use crate::page::Page;
use crate::state::AppState;

codes! {
    MAY_NOT_MANAGE = FORBIDDEN "role_may_not_manage" "Not allowed";
    UNKNOWN = NOT_FOUND "role_not_found" "No such role";
    TOO_HIGH = FORBIDDEN "role_too_high" "Role too high";
    BEYOND_OWN = FORBIDDEN "role_beyond_own" "More than you may";
    BUILT_IN = CONFLICT "role_built_in" "A built-in role";
    TOO_MANY = CONFLICT "role_too_many" "Too many roles";
    ORDER_INCOMPLETE = UNPROCESSABLE_ENTITY "role_order_incomplete" "Not an order of all roles";
}

/// What members of a community are, and what that grants.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Role)]
pub(crate) struct ShownRole {
    /// `guest`, `member`, `moderator`, or the id of one of the community's own.
    #[schema(value_type = String, example = "moderator")]
    id: Role,
    /// Null for a built-in role, which goes by its id.
    name: Option<String>,
    /// Null: none.
    #[schema(example = "#1f8b4c")]
    colour: Option<String>,
    #[schema(example = json!(["view", "post"]))]
    permissions: Vec<String>,
    /// Whether everybody may mention it.
    mentionable: bool,
    /// Its place from below, the first being 1: the rank that it gives.
    position: u16,
}

impl From<RoleRow> for ShownRole {
    fn from(row: RoleRow) -> Self {
        Self {
            id: row.role,
            name: row.name,
            colour: row.colour.map(|colour| colour.to_string()),
            permissions: row.permissions.names(),
            mentionable: row.mentionable,
            position: row.rank.number(),
        }
    }
}

/// A role and the position from which on it is as shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleAnswer {
    role: ShownRole,
    position: Cursor,
}

/// All roles and the position from which on they are as shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RolesAnswer {
    /// Lowest first.
    roles: Vec<ShownRole>,
    position: Cursor,
}

/// A role to be.
#[derive(ToSchema)]
pub(crate) struct CreateRole {
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "Engineers")]
    name: RoleName,
    /// Empty: none.
    #[schema(value_type = Option<String>, pattern = "^(#[0-9a-fA-F]{6})?$", example = "#1f8b4c")]
    colour: Option<Option<Colour>>,
    /// Names, each once; none if left out.
    #[schema(value_type = Option<Vec<String>>, max_items = 64, example = json!(["view", "post"]))]
    permissions: Option<Permissions>,
    /// Whether everybody may mention it; not, if left out.
    mentionable: Option<bool>,
}

impl FromFields for CreateRole {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", parse::text(RoleName::parse));
        let RoleFields { colour, permissions, mentionable } = RoleFields::of(fields)?;
        Some(Self { name: name?, colour, permissions, mentionable })
    }
}

/// The fields of a role that change.
#[derive(ToSchema)]
pub(crate) struct ChangeRole {
    /// Not for a built-in role.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "Engineers")]
    name: Option<RoleName>,
    /// Empty: none.
    #[schema(value_type = Option<String>, pattern = "^(#[0-9a-fA-F]{6})?$", example = "#1f8b4c")]
    colour: Option<Option<Colour>>,
    /// All that the role grants from now on, by name.
    #[schema(value_type = Option<Vec<String>>, max_items = 64, example = json!(["view", "post"]))]
    permissions: Option<Permissions>,
    /// Whether everybody may mention it.
    mentionable: Option<bool>,
}

impl FromFields for ChangeRole {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", parse::text(RoleName::parse));
        let RoleFields { colour, permissions, mentionable } = RoleFields::of(fields)?;
        Some(Self { name: name?, colour, permissions, mentionable })
    }
}

/// What both bodies have.
struct RoleFields {
    colour: Option<Option<Colour>>,
    permissions: Option<Permissions>,
    mentionable: Option<bool>,
}

impl RoleFields {
    fn of(fields: &mut Fields) -> Option<Self> {
        let colour = fields.optional("colour", colour);
        let permissions = fields.optional("permissions", permissions);
        let mentionable = fields.optional("mentionable", parse::boolean);
        Some(Self { colour: colour?, permissions: permissions?, mentionable: mentionable? })
    }
}

/// `#rrggbb`, or nothing for none.
fn colour(value: Value) -> Result<Option<Colour>, Fault> {
    let text = parse::string(value)?;
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || Fault::new("not_a_colour", "must be a colour such as #1f8b4c, or empty");
    Colour::parse(&text).map(Some).ok_or_else(wrong)
}

/// Most names in a list of permissions: as many as there will ever be.
const MAX_PERMISSIONS: usize = 64;

/// A list of permissions by name.
fn permissions(value: Value) -> Result<Permissions, Fault> {
    let Value::Array(names) = value else {
        return Err(Fault::new("wrong_type", "must be an array of permission names"));
    };
    if names.len() > MAX_PERMISSIONS {
        return Err(Fault::new("too_many", format!("must be at most {MAX_PERMISSIONS} permissions")));
    }
    let known = Permissions::all().names();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    names.into_iter().map(|name| parse::name(Permissions::parse, &known)(name)).collect()
}

/// All roles of a community, in their new order.
#[derive(ToSchema)]
pub(crate) struct OrderRoles {
    /// Each role once, lowest first; `guest` and `member` stay the lowest two.
    #[schema(value_type = Vec<String>, min_items = 3, max_items = 103, example = json!(["guest", "member", "moderator"]))]
    roles: Vec<Role>,
}

/// The community's own and the built-in ones.
const MOST_ROLES: usize = domain::role::MAX_ROLES + Role::BUILT_IN.len();

impl FromFields for OrderRoles {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("roles", order).map(|roles| Self { roles })
    }
}

fn order(value: Value) -> Result<Vec<Role>, Fault> {
    let Value::Array(names) = value else {
        return Err(Fault::new("wrong_type", "must be an array of role names"));
    };
    if names.len() > MOST_ROLES {
        return Err(Fault::new("too_many", format!("must be at most {MOST_ROLES} roles")));
    }
    let known = ["guest", "member", "moderator", "the id of a role"];
    names.into_iter().map(|name| parse::name(Role::parse, &known)(name)).collect()
}

/// List the roles of a community of yours, lowest first.
#[utoipa::path(
    get, path = "/communities/{id}/roles", operation_id = "listRoles", tag = "role",
    params(("id" = Uuid, Path, description = "The community")),
    responses(
        (status = 200, description = "All of them", body = Page<ShownRole>),
        (status = 404, description = "`community_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn list_roles(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<CommunityId>,
) -> Result<Json<Page<ShownRole>>, ApiError> {
    let roles = app.read.roles(caller.account, id).await?.ok_or(CommunityError::Unknown)?;
    Ok(Json(Page::whole(roles.into_iter().map(ShownRole::from).collect())))
}

/// Create a role, just above `member`; a community has at most 100 of its own.
#[utoipa::path(
    post, path = "/communities/{id}/roles", operation_id = "createRole", tag = "role",
    params(("id" = Uuid, Path, description = "The community")),
    request_body = CreateRole,
    responses(
        (status = 201, description = "Created", body = RoleAnswer),
        (status = 403, description = "`role_may_not_manage`, `role_too_high`, `role_beyond_own`"),
        (status = 404, description = "`community_not_found`, `not_found`"),
        (status = 409, description = "`role_too_many`"),
    ),
)]
pub(crate) async fn create_role(
    State(app): State<AppState>,
    Ids(id): Ids<CommunityId>,
    Command { context, caller, body }: Command<CreateRole>,
) -> Result<(StatusCode, Json<RoleAnswer>), ApiError> {
    let definition = Definition {
        name: Some(body.name),
        colour: body.colour.flatten(),
        permissions: body.permissions.unwrap_or_default(),
        mentionable: body.mentionable.unwrap_or_default(),
    };
    let done = app.commands.create_role(&context, id, definition).await?;
    let answer = read_after(&app, caller.account, id, done.made, done.position).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Change a role of a lower rank than yours. What you may not do yourself you neither give it nor take from it.
#[utoipa::path(
    patch, path = "/communities/{id}/roles/{role}", operation_id = "changeRole", tag = "role",
    params(
        ("id" = Uuid, Path, description = "The community"),
        ("role" = String, Path, description = "`guest`, `member`, `moderator`, or an id"),
    ),
    request_body = ChangeRole,
    responses(
        (status = 200, description = "Changed", body = RoleAnswer),
        (status = 403, description = "`role_may_not_manage`, `role_too_high`, `role_beyond_own`"),
        (status = 404, description = "`community_not_found`, `role_not_found`, `not_found`"),
        (status = 409, description = "`role_built_in`: the name of one that every community has"),
    ),
)]
pub(crate) async fn change_role(
    State(app): State<AppState>,
    Ids((id, role)): Ids<(CommunityId, Role)>,
    Command { context, caller, body }: Command<ChangeRole>,
) -> Result<Json<RoleAnswer>, ApiError> {
    let ChangeRole { name, colour, permissions, mentionable } = body;
    let change = RoleChange { name, colour, permissions, mentionable };
    let done = app.commands.change_role(&context, id, role, change).await?;
    read_after(&app, caller.account, id, role, done.position).await.map(Json)
}

/// Delete a role of the community's own; whoever holds it gets nothing from it any more.
#[utoipa::path(
    delete, path = "/communities/{id}/roles/{role}", operation_id = "deleteRole", tag = "role",
    params(
        ("id" = Uuid, Path, description = "The community"),
        ("role" = String, Path, description = "Its id"),
    ),
    responses(
        (status = 200, description = "Deleted", body = Done),
        (status = 403, description = "`role_may_not_manage`, `role_too_high`"),
        (status = 404, description = "`community_not_found`, `role_not_found`, `not_found`"),
        (status = 409, description = "`role_built_in`"),
    ),
)]
pub(crate) async fn delete_role(
    State(app): State<AppState>,
    Ids((id, role)): Ids<(CommunityId, Role)>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.delete_role(&context, id, role).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}

/// Put the roles into another order. Roles of your rank and above keep their places.
#[utoipa::path(
    put, path = "/communities/{id}/roles/order", operation_id = "orderRoles", tag = "role",
    params(("id" = Uuid, Path, description = "The community")),
    request_body = OrderRoles,
    responses(
        (status = 200, description = "Ordered", body = RolesAnswer),
        (status = 403, description = "`role_may_not_manage`, `role_too_high`"),
        (status = 404, description = "`community_not_found`, `not_found`"),
        (status = 422, description = "`role_order_incomplete`"),
    ),
)]
pub(crate) async fn order_roles(
    State(app): State<AppState>,
    Ids(id): Ids<CommunityId>,
    Command { context, caller, body }: Command<OrderRoles>,
) -> Result<Json<RolesAnswer>, ApiError> {
    let done = app.commands.order_roles(&context, id, body.roles).await?;
    let roles = roles_after(&app, caller.account, id, done.position).await?;
    let roles = roles.into_iter().map(ShownRole::from).collect();
    Ok(Json(RolesAnswer { roles, position: app.cursors.seal(done.position) }))
}

async fn roles_after(
    app: &AppState,
    viewer: AccountId,
    id: CommunityId,
    position: Position,
) -> Result<Vec<RoleRow>, ApiError> {
    wait_until_readable(app, position).await?;
    Ok(app.read.roles(viewer, id).await?.ok_or(CommunityError::Unknown)?)
}

async fn read_after(
    app: &AppState,
    viewer: AccountId,
    id: CommunityId,
    role: Role,
    position: Position,
) -> Result<RoleAnswer, ApiError> {
    let roles = roles_after(app, viewer, id, position).await?;
    let role = roles.into_iter().find(|row| row.role == role).ok_or(CommunityError::UnknownRole)?;
    Ok(RoleAnswer { role: role.into(), position: app.cursors.seal(position) })
}
