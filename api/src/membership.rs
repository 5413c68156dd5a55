//! Members of a community: their list, their roles, leaving, kicking.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::membership::{MembershipError, Reason};
use domain::role::MAX_ROLES;
use domain::{AccountId, CommunityId, Role};
use event_store::Position;
use jiff::Timestamp;
use projections::{MemberKey, MemberRow};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::account::Account;
use crate::answer::Done;
use crate::auth::Authenticated;
use crate::cursor::Cursor;
use crate::error::{ApiError, FieldError, codes};
use crate::extract::{
    Bare, Brief, CaughtUp, Command, Fault, Fields, FromFields, Ids, Query, parse, wait_until_readable,
};
use crate::page::{self, Linked, Page};
use crate::state::AppState;

codes! {
    UNKNOWN_MEMBER = NOT_FOUND "member_not_found" "No such member";
    BANNED = FORBIDDEN "member_banned" "Banned";
    OWNER_CANNOT_LEAVE = CONFLICT "member_owner_cannot_leave" "The owner cannot leave";
    MAY_NOT_MODERATE = FORBIDDEN "member_may_not_moderate" "Not allowed";
    RANK_TOO_LOW = FORBIDDEN "member_rank_too_low" "Rank too low";
    NO_ROLE = UNPROCESSABLE_ENTITY "member_no_role" "No role";
    ROLE_TOO_HIGH = FORBIDDEN "member_role_too_high" "Role too high";
    GRANTS_MORE = FORBIDDEN "member_role_grants_more" "More than you may";
    UNKNOWN_ROLE = UNPROCESSABLE_ENTITY "member_unknown_role" "No such role";
    ENDS_IN_THE_PAST = UNPROCESSABLE_ENTITY "member_ends_in_the_past" "Over before it begins";
    TIME_OUT_TOO_LONG = UNPROCESSABLE_ENTITY "member_time_out_too_long" "Time-out too long";
}

impl From<MembershipError> for ApiError {
    fn from(error: MembershipError) -> Self {
        let code = match error {
            MembershipError::UnknownCommunity => crate::community::UNKNOWN,
            MembershipError::UnknownMember => UNKNOWN_MEMBER,
            MembershipError::Banned => BANNED,
            MembershipError::OwnerCannotLeave => OWNER_CANNOT_LEAVE,
            MembershipError::MayNotModerate => MAY_NOT_MODERATE,
            MembershipError::RankTooLow => RANK_TOO_LOW,
            MembershipError::NoRole => NO_ROLE,
            MembershipError::RoleTooHigh => ROLE_TOO_HIGH,
            MembershipError::GrantsMore => GRANTS_MORE,
            MembershipError::UnknownRole(_) => UNKNOWN_ROLE,
            MembershipError::EndsInThePast => ENDS_IN_THE_PAST,
            MembershipError::TimeOutTooLong => TIME_OUT_TOO_LONG,
        };
        Self::told(code, error)
    }
}

/// An account in a community.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Member {
    #[schema(value_type = Uuid)]
    community_id: CommunityId,
    account: Account,
    /// What they go by here; null: their display name.
    nickname: Option<String>,
    /// `guest`, `member`, `moderator`, or ids of the community's own roles.
    #[schema(value_type = Vec<String>, example = json!(["member"]))]
    roles: BTreeSet<Role>,
    /// Whether the account owns the community.
    owner: bool,
    /// Only who has a higher rank acts on a member: that of the highest role, 65535 for the owner.
    #[schema(example = 2)]
    rank: u16,
    /// What the roles, or owning the community, allow; a time-out leaves only `view` of it.
    #[schema(example = json!(["view", "post", "create_invites"]))]
    permissions: Vec<String>,
    joined_at: Timestamp,
    /// When the last time-out ends or ended; null: there was none, or it was lifted.
    timed_out_until: Option<Timestamp>,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        let roles = row.roles().clone();
        Self {
            community_id: row.community_id,
            account: row.account.into(),
            nickname: row.nickname,
            roles,
            owner: row.owner,
            rank: row.rank.number(),
            permissions: row.permissions.names(),
            joined_at: row.joined_at,
            timed_out_until: row.timed_out_until,
        }
    }
}

/// A member and the position from which on they are as shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberAnswer {
    member: Member,
    position: Cursor,
}

/// All roles that a member has from now on.
#[derive(ToSchema)]
pub(crate) struct SetRoles {
    /// `guest`, `member`, `moderator`, or ids of the community's own roles.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 100, example = json!(["member"]))]
    roles: BTreeSet<Role>,
}

impl FromFields for SetRoles {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("roles", roles).map(|roles| Self { roles })
    }
}

fn roles(value: Value) -> Result<BTreeSet<Role>, Fault> {
    let Value::Array(names) = value else {
        return Err(Fault::new("wrong_type", "must be an array of role names"));
    };
    if names.len() > MAX_ROLES {
        return Err(Fault::new("too_many", format!("must be at most {MAX_ROLES} roles")));
    }
    let known = ["guest", "member", "moderator", "the id of a role"];
    names.into_iter().map(|name| parse::name(Role::parse, &known)(name)).collect()
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MembersQuery {
    /// The `next` of a page.
    after: Option<String>,
    /// Most members in the answer.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: u64,
}

impl FromFields for MembersQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let after = fields.optional("after", parse::string);
        let limit = page::limit(fields);
        Some(Self { after: after?, limit: limit? })
    }
}

/// A place in the list, as a page's `next`. It names nothing that the list does not show.
fn place(key: &MemberKey) -> String {
    let mut bytes = key.account.0.as_bytes().to_vec();
    bytes.extend_from_slice(key.sort_name.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn place_from(text: &str) -> Option<MemberKey> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (id, name) = bytes.split_at_checked(16)?;
    let sort_name = std::str::from_utf8(name).ok().filter(|name| !name.contains('\0'))?.to_owned();
    Some(MemberKey { sort_name, account: AccountId(Uuid::from_slice(id).ok()?) })
}

/// List the members of a community of yours, by nickname, or else display name.
#[utoipa::path(
    get, path = "/communities/{id}/members", operation_id = "listMembers", tag = "membership",
    params(("id" = Uuid, Path, description = "The community"), MembersQuery),
    responses(
        (status = 200, description = "A page of them", body = Page<Member>),
        (status = 404, description = "`community_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn list_members(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<CommunityId>,
    Query(MembersQuery { after, limit }): Query<MembersQuery>,
) -> Result<Response, ApiError> {
    let after = after.map(|text| place_from(&text).ok_or_else(invalid_cursor)).transpose()?;
    let members = app.read.members(caller.account, id, after, limit as usize).await?;
    let members = members.ok_or(MembershipError::UnknownCommunity)?;
    let items = members.items.into_iter().map(Member::from).collect();
    let page = Page { items, next: members.next.as_ref().map(place), prev: None };
    let path = format!("/v1/communities/{id}/members");
    Ok(Linked { page, path, limit, next_parameter: "after", prev_parameter: "before" }.into_response())
}

fn invalid_cursor() -> ApiError {
    let detail = "is not the `next` of a page of this list";
    ApiError::invalid(vec![FieldError::parameter("after", "not_a_cursor", detail)])
}

/// Give a member of a lower rank these roles instead of those they have: of roles of a lower rank than yours any, but none
/// anew that may do what you may not.
#[utoipa::path(
    patch, path = "/communities/{id}/members/{account}", operation_id = "setRoles", tag = "membership",
    params(("id" = Uuid, Path, description = "The community"), ("account" = Uuid, Path, description = "The member")),
    request_body = SetRoles,
    responses(
        (status = 200, description = "Changed", body = MemberAnswer),
        (
            status = 403,
            description = "`member_may_not_moderate`, `member_rank_too_low`, `member_role_too_high`, \
                           `member_role_grants_more`",
        ),
        (status = 404, description = "`community_not_found`, `member_not_found`, `not_found`"),
        (status = 422, description = "`member_no_role`, `member_unknown_role`"),
    ),
)]
pub(crate) async fn set_roles(
    State(app): State<AppState>,
    Ids((id, account)): Ids<(CommunityId, AccountId)>,
    Command { context, caller, body }: Command<SetRoles>,
) -> Result<Json<MemberAnswer>, ApiError> {
    let done = app.commands.set_roles(&context, id, account, body.roles).await?;
    read_after(&app, caller.account, id, account, done.position).await.map(Json)
}

/// The member as `viewer` sees them once the read model has reached `position`.
pub(crate) async fn read_after(
    app: &AppState,
    viewer: AccountId,
    id: CommunityId,
    account: AccountId,
    position: Position,
) -> Result<MemberAnswer, ApiError> {
    wait_until_readable(app, position).await?;
    let member = app.read.member(viewer, id, account).await?;
    let member = member.ok_or(MembershipError::UnknownMember)?.into();
    Ok(MemberAnswer { member, position: app.cursors.seal(position) })
}

/// Why somebody is kicked.
#[derive(ToSchema)]
pub(crate) struct Kick {
    /// For those who moderate.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 512)]
    reason: Option<Reason>,
}

impl FromFields for Kick {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.optional("reason", parse::text(Reason::parse)).map(|reason| Self { reason })
    }
}

/// Kick a member, who may come back by an invite. The body may be left out.
#[utoipa::path(
    delete, path = "/communities/{id}/members/{account}", operation_id = "kickMember", tag = "membership",
    params(("id" = Uuid, Path, description = "The community"), ("account" = Uuid, Path, description = "The member")),
    request_body = Option<Kick>,
    responses(
        (status = 200, description = "Kicked", body = Done),
        (status = 403, description = "`member_may_not_moderate`, `member_rank_too_low`"),
        (status = 404, description = "`community_not_found`, `member_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn kick_member(
    State(app): State<AppState>,
    Ids((id, account)): Ids<(CommunityId, AccountId)>,
    Brief { context, body }: Brief<Kick>,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.kick_member(&context, id, account, body.reason).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}

/// Leave a community.
#[utoipa::path(
    delete, path = "/communities/{id}/members/me", operation_id = "leaveCommunity", tag = "membership",
    params(("id" = Uuid, Path, description = "The community")),
    responses(
        (status = 200, description = "Left", body = Done),
        (status = 404, description = "`community_not_found`, `not_found`"),
        (status = 409, description = "`member_owner_cannot_leave`"),
    ),
)]
pub(crate) async fn leave_community(
    State(app): State<AppState>,
    Ids(id): Ids<CommunityId>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.leave_community(&context, id).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_survives_its_text() {
        let key = MemberKey { sort_name: "zoë".into(), account: AccountId(Uuid::from_u128(7)) };
        assert_eq!(place_from(&place(&key)), Some(key));
        for bad in ["", "AAAA", "not base64!", &URL_SAFE_NO_PAD.encode([0; 17])] {
            assert_eq!(place_from(bad), None, "{bad}");
        }
    }
}
