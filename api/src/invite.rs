//! Invites and their redemptions.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use commands::InviteState;
use domain::invite::{InviteCode, InviteError, MAX_LIFETIME_SECONDS, MAX_USES};
use domain::{AccountId, CommunityId, Permissions};
use jiff::{SignedDuration, Timestamp};
use projections::InviteRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::Account;
use crate::answer::Done;
use crate::auth::Authenticated;
use crate::community::{self, CommunityAnswer};
use crate::cursor::Cursor;
use crate::error::{ApiError, codes};
use crate::extract::{Bare, CaughtUp, Command, Fields, FromFields, Ids, parse};
use crate::page::Page;
use crate::state::{App, AppState, Origin};

codes! {
    UNKNOWN = NOT_FOUND "invite_not_found" "No such invite";
    MAY_NOT_INVITE = FORBIDDEN "invite_may_not_invite" "Not allowed";
    MAY_NOT_REVOKE = FORBIDDEN "invite_may_not_revoke" "Not allowed";
    BANNED = FORBIDDEN "invite_banned" "Banned";
}

impl From<InviteError> for ApiError {
    fn from(error: InviteError) -> Self {
        let code = match error {
            InviteError::UnknownCommunity => community::UNKNOWN,
            InviteError::Unknown => UNKNOWN,
            InviteError::MayNotInvite => MAY_NOT_INVITE,
            InviteError::MayNotRevoke => MAY_NOT_REVOKE,
            InviteError::Banned => BANNED,
        };
        Self::told(code, error)
    }
}

/// A way into a community.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invite {
    #[schema(example = "7Kf2mQx9Rb4T")]
    code: String,
    /// What to send to whom you invite.
    #[schema(format = "uri")]
    url: String,
    #[schema(value_type = Uuid)]
    community_id: CommunityId,
    #[schema(value_type = Uuid)]
    created_by: AccountId,
    /// Null: as many as come.
    max_uses: Option<u32>,
    uses: u32,
    /// Null: never.
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

fn url(origin: &Origin, code: &str) -> String {
    format!("{}/invite/{code}", origin.url)
}

impl Invite {
    fn of_row(row: InviteRow, origin: &Origin) -> Self {
        let InviteRow { code, community_id, created_by, max_uses, uses, expires_at, created_at, revoked_at } =
            row;
        let url = url(origin, &code);
        Self { code, url, community_id, created_by, max_uses, uses, expires_at, created_at, revoked_at }
    }

    fn of_state(InviteState { invite, created_at }: InviteState, origin: &Origin) -> Self {
        Self {
            code: invite.code.as_str().to_owned(),
            url: url(origin, invite.code.as_str()),
            community_id: invite.community_id,
            created_by: invite.created_by,
            max_uses: invite.max_uses,
            uses: invite.uses,
            expires_at: invite.expires_at,
            created_at,
            revoked_at: None,
        }
    }
}

/// An invite and the position from which on it is visible.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InviteAnswer {
    invite: Invite,
    position: Cursor,
}

/// What who holds an invite may know before joining.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvitePreview {
    code: String,
    community: CommunityPreview,
    invited_by: Account,
}

/// A community, as outsiders with an invite see it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommunityPreview {
    #[schema(value_type = Uuid)]
    id: CommunityId,
    name: String,
    member_count: u64,
}

/// An invite to be.
#[derive(ToSchema)]
pub(crate) struct CreateInvite {
    /// Left out or null: as many as come.
    #[schema(minimum = 1, maximum = 10000, example = 1)]
    max_uses: Option<u32>,
    /// In seconds; left out or null: for ever.
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 2592000, example = 3600)]
    expires_in: Option<SignedDuration>,
}

impl FromFields for CreateInvite {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let max_uses = fields.optional("max_uses", parse::integer(1, u64::from(MAX_USES)));
        let expires_in = fields.optional("expires_in", parse::integer(1, MAX_LIFETIME_SECONDS));
        let max_uses = max_uses?.and_then(|uses| u32::try_from(uses).ok());
        let expires_in = expires_in?.and_then(|seconds| i64::try_from(seconds).ok());
        Some(Self { max_uses, expires_in: expires_in.map(SignedDuration::from_secs) })
    }
}

/// A code from a path; what cannot be one names no invite.
fn code(text: &str) -> Result<InviteCode, ApiError> {
    InviteCode::parse(text).ok_or_else(|| InviteError::Unknown.into())
}

/// Create an invite.
#[utoipa::path(
    post, path = "/communities/{id}/invites", operation_id = "createInvite", tag = "invite",
    params(("id" = Uuid, Path, description = "The community")),
    request_body = CreateInvite,
    responses(
        (status = 201, description = "Created", body = InviteAnswer),
        (status = 403, description = "`invite_may_not_invite`"),
        (status = 404, description = "`community_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn create_invite(
    State(app): State<AppState>,
    Ids(id): Ids<CommunityId>,
    Command { context, body, .. }: Command<CreateInvite>,
) -> Result<(StatusCode, Json<InviteAnswer>), ApiError> {
    let done = app.commands.create_invite(&context, id, body.max_uses, body.expires_in).await?;
    let invite = Invite::of_state(done.made, &app.origin);
    Ok((StatusCode::CREATED, Json(InviteAnswer { invite, position: app.cursors.seal(done.position) })))
}

/// List a community's invites, newest first: all of them for those who manage invites, else your own.
#[utoipa::path(
    get, path = "/communities/{id}/invites", operation_id = "listInvites", tag = "invite",
    params(("id" = Uuid, Path, description = "The community")),
    responses(
        (status = 200, description = "The newest 200", body = Page<Invite>),
        (status = 404, description = "`community_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn list_invites(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<CommunityId>,
) -> Result<Json<Page<Invite>>, ApiError> {
    let standing = app.read.standing(caller.account, id).await?.ok_or(InviteError::UnknownCommunity)?;
    let everyones = standing.permissions.contains(Permissions::MANAGE_INVITES);
    let invites = app.read.invites(id, (!everyones).then_some(caller.account)).await?;
    Ok(Json(Page::whole(invites.into_iter().map(|row| Invite::of_row(row, &app.origin)).collect())))
}

/// Preview an invite: where it leads and who made it.
///
/// Expired, used up, revoked and unknown invites look alike.
#[utoipa::path(
    get, path = "/invites/{code}", operation_id = "previewInvite", tag = "invite",
    params(("code" = String, Path, description = "The invite's code")),
    responses(
        (status = 200, description = "Where it leads", body = InvitePreview),
        (status = 404, description = "`invite_not_found`"),
    ),
    security(()),
)]
pub(crate) async fn preview_invite(
    State(app): State<AppState>,
    _: CaughtUp,
    Ids(text): Ids<String>,
) -> Result<Json<InvitePreview>, ApiError> {
    let code = code(&text)?;
    Ok(Json(preview(&app, &code).await?.ok_or(InviteError::Unknown)?))
}

async fn preview(app: &App, code: &InviteCode) -> Result<Option<InvitePreview>, ApiError> {
    let invite = app.read.invite(code.as_str()).await?;
    let Some(invite) = invite.filter(|invite| invite.usable_at(app.clock.now())) else {
        return Ok(None);
    };
    let inviter = [invite.created_by];
    let (community, mut accounts) =
        tokio::try_join!(app.read.public_community(invite.community_id), app.read.accounts(&inviter))?;
    let (Some((community, member_count)), Some(account)) = (community, accounts.remove(&invite.created_by))
    else {
        return Ok(None);
    };
    Ok(Some(InvitePreview {
        code: invite.code,
        community: CommunityPreview { id: community.id, name: community.name, member_count },
        invited_by: account.into(),
    }))
}

/// Redeem an invite: join the community that it leads to.
#[utoipa::path(
    post, path = "/invites/{code}/redemptions", operation_id = "redeemInvite", tag = "invite",
    params(("code" = String, Path, description = "The invite's code")),
    responses(
        (status = 200, description = "You are a member already", body = CommunityAnswer),
        (status = 201, description = "Joined", body = CommunityAnswer),
        (status = 403, description = "`invite_banned`"),
        (status = 404, description = "`invite_not_found`, `community_not_found`"),
    ),
)]
pub(crate) async fn redeem_invite(
    State(app): State<AppState>,
    Ids(text): Ids<String>,
    Bare { context, caller }: Bare,
) -> Result<(StatusCode, Json<CommunityAnswer>), ApiError> {
    let done = app.commands.redeem_invite(&context, code(&text)?).await?;
    let status = if done.made.joined { StatusCode::CREATED } else { StatusCode::OK };
    let answer = community::read_after(&app, caller.account, done.made.community_id, done.position).await?;
    Ok((status, Json(answer)))
}

/// Revoke an invite.
#[utoipa::path(
    delete, path = "/invites/{code}", operation_id = "revokeInvite", tag = "invite",
    params(("code" = String, Path, description = "The invite's code")),
    responses(
        (status = 200, description = "Revoked", body = Done),
        (status = 403, description = "`invite_may_not_revoke`"),
        (status = 404, description = "`invite_not_found`"),
    ),
)]
pub(crate) async fn revoke_invite(
    State(app): State<AppState>,
    Ids(text): Ids<String>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.revoke_invite(&context, code(&text)?).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}
