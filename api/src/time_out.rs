//! Time-outs: members who may only look on for a while.

use axum::Json;
use axum::extract::State;
use domain::membership::Reason;
use domain::{AccountId, CommunityId};
use jiff::Timestamp;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::extract::{Bare, Command, Fields, FromFields, Ids, parse};
use crate::membership::{MemberAnswer, read_after};
use crate::state::AppState;

/// A time-out.
#[derive(ToSchema)]
pub(crate) struct TimeOut {
    /// In the future, at most 28 days ahead.
    until: Timestamp,
    /// For those who moderate.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 512)]
    reason: Option<Reason>,
}

impl FromFields for TimeOut {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let until = fields.required("until", parse::time);
        let reason = fields.optional("reason", parse::text(Reason::parse));
        Some(Self { until: until?, reason: reason? })
    }
}

/// Let a member of a lower rank only view channels until then, 28 days at most. It outlasts leaving and coming back; a new
/// one takes the place of the last.
#[utoipa::path(
    put, path = "/communities/{id}/members/{account}/time-out", operation_id = "timeOutMember", tag = "membership",
    params(("id" = Uuid, Path, description = "The community"), ("account" = Uuid, Path, description = "The member")),
    request_body = TimeOut,
    responses(
        (status = 200, description = "Timed out", body = MemberAnswer),
        (status = 403, description = "`member_may_not_moderate`, `member_rank_too_low`"),
        (status = 404, description = "`community_not_found`, `member_not_found`, `not_found`"),
        (status = 422, description = "`member_ends_in_the_past`, `member_time_out_too_long`"),
    ),
)]
pub(crate) async fn time_out_member(
    State(app): State<AppState>,
    Ids((id, account)): Ids<(CommunityId, AccountId)>,
    Command { context, caller, body }: Command<TimeOut>,
) -> Result<Json<MemberAnswer>, ApiError> {
    let done = app.commands.time_out_member(&context, id, account, body.until, body.reason).await?;
    read_after(&app, caller.account, id, account, done.position).await.map(Json)
}

/// End a time-out before its time.
#[utoipa::path(
    delete, path = "/communities/{id}/members/{account}/time-out", operation_id = "endTimeOut", tag = "membership",
    params(("id" = Uuid, Path, description = "The community"), ("account" = Uuid, Path, description = "The member")),
    responses(
        (status = 200, description = "Not timed out any more, or never was", body = MemberAnswer),
        (status = 403, description = "`member_may_not_moderate`, `member_rank_too_low`"),
        (status = 404, description = "`community_not_found`, `member_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn end_time_out(
    State(app): State<AppState>,
    Ids((id, account)): Ids<(CommunityId, AccountId)>,
    Bare { context, caller }: Bare,
) -> Result<Json<MemberAnswer>, ApiError> {
    let done = app.commands.end_time_out(&context, id, account).await?;
    read_after(&app, caller.account, id, account, done.position).await.map(Json)
}
