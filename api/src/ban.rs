//! Bans: accounts that a community keeps out.

use axum::Json;
use axum::extract::State;
use commands::NewBan;
use domain::membership::{MembershipError, Reason};
use domain::{AccountId, CommunityId, Permissions};
use jiff::Timestamp;
use projections::BanRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::Account;
use crate::answer::Done;
use crate::auth::Authenticated;
use crate::error::ApiError;
use crate::extract::{Bare, Brief, CaughtUp, Fields, FromFields, Ids, parse};
use crate::page::Page;
use crate::state::AppState;

/// An account that is kept out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ban {
    #[schema(value_type = Uuid)]
    community_id: CommunityId,
    account: Account,
    #[schema(value_type = Uuid)]
    banned_by: AccountId,
    /// Null: none was given, or it was erased.
    reason: Option<String>,
    /// When it ends by itself; null: never.
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl From<BanRow> for Ban {
    fn from(row: BanRow) -> Self {
        let BanRow { community_id, account, banned_by, reason, until, created_at } = row;
        Self { community_id, account: account.into(), banned_by, reason, expires_at: until, created_at }
    }
}

/// List whom a community keeps out, newest first; for those who may ban.
#[utoipa::path(
    get, path = "/communities/{id}/bans", operation_id = "listBans", tag = "membership",
    params(("id" = Uuid, Path, description = "The community")),
    responses(
        (status = 200, description = "The newest 1,000", body = Page<Ban>),
        (status = 403, description = "`member_may_not_moderate`"),
        (status = 404, description = "`community_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn list_bans(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<CommunityId>,
) -> Result<Json<Page<Ban>>, ApiError> {
    let standing = app.read.standing(caller.account, id).await?.ok_or(MembershipError::UnknownCommunity)?;
    if !standing.permissions.contains(Permissions::BAN) {
        return Err(MembershipError::MayNotModerate.into());
    }
    let bans = app.read.bans(id, app.clock.now()).await?;
    Ok(Json(Page::whole(bans.into_iter().map(Ban::from).collect())))
}

/// Why and until when an account is banned.
#[derive(ToSchema)]
pub(crate) struct BanAccount {
    /// For those who may ban.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 512)]
    reason: Option<Reason>,
    /// When the ban ends by itself: in the future; absent or null: never.
    expires_at: Option<Timestamp>,
}

impl FromFields for BanAccount {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let reason = fields.optional("reason", parse::text(Reason::parse));
        let expires_at = fields.optional("expires_at", parse::time);
        Some(Self { reason: reason?, expires_at: expires_at? })
    }
}

/// Ban an account, member or not. Of one that is banned already, this changes the reason and the end; without a reason and
/// with the same end, nothing. The body may be left out.
#[utoipa::path(
    put, path = "/communities/{id}/bans/{account}", operation_id = "banAccount", tag = "membership",
    params(("id" = Uuid, Path, description = "The community"), ("account" = Uuid, Path, description = "The account")),
    request_body = Option<BanAccount>,
    responses(
        (status = 200, description = "Banned", body = Done),
        (status = 403, description = "`member_may_not_moderate`, `member_rank_too_low`"),
        (status = 404, description = "`community_not_found`, `member_not_found`, `not_found`"),
        (status = 422, description = "`member_ends_in_the_past`"),
    ),
)]
pub(crate) async fn ban_account(
    State(app): State<AppState>,
    Ids((id, account)): Ids<(CommunityId, AccountId)>,
    Brief { context, body }: Brief<BanAccount>,
) -> Result<Json<Done>, ApiError> {
    let ban = NewBan { reason: body.reason, until: body.expires_at };
    let done = app.commands.ban_account(&context, id, account, ban).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}

/// Let a banned account come back by an invite.
#[utoipa::path(
    delete, path = "/communities/{id}/bans/{account}", operation_id = "unbanAccount", tag = "membership",
    params(("id" = Uuid, Path, description = "The community"), ("account" = Uuid, Path, description = "The account")),
    responses(
        (status = 200, description = "Not banned any more, or never was", body = Done),
        (status = 403, description = "`member_may_not_moderate`"),
        (status = 404, description = "`community_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn unban_account(
    State(app): State<AppState>,
    Ids((id, account)): Ids<(CommunityId, AccountId)>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.unban_account(&context, id, account).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}
