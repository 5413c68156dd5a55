//! Nicknames: what a member goes by in one community.

use axum::Json;
use axum::extract::State;
use domain::membership::Nickname;
use domain::{AccountId, CommunityId};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::extract::{Command, Fields, FromFields, Ids, parse};
use crate::membership::{MemberAnswer, read_after};
use crate::state::AppState;

/// A nickname.
#[derive(ToSchema)]
pub(crate) struct ChangeNickname {
    /// Empty: the member goes by their display name again.
    #[schema(value_type = String, max_length = 64, example = "Ada")]
    nickname: Nickname,
}

impl FromFields for ChangeNickname {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("nickname", parse::text(Nickname::parse)).map(|nickname| Self { nickname })
    }
}

/// Change your nickname in a community, with `change_nickname`, or with `manage_nicknames` that of a member of a lower rank.
#[utoipa::path(
    put, path = "/communities/{id}/members/{account}/nickname", operation_id = "changeNickname", tag = "membership",
    params(("id" = Uuid, Path, description = "The community"), ("account" = Uuid, Path, description = "The member")),
    request_body = ChangeNickname,
    responses(
        (status = 200, description = "Changed", body = MemberAnswer),
        (status = 403, description = "`member_may_not_moderate`, `member_rank_too_low`"),
        (status = 404, description = "`community_not_found`, `member_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn change_nickname(
    State(app): State<AppState>,
    Ids((id, account)): Ids<(CommunityId, AccountId)>,
    Command { context, caller, body }: Command<ChangeNickname>,
) -> Result<Json<MemberAnswer>, ApiError> {
    let done = app.commands.change_nickname(&context, id, account, body.nickname).await?;
    read_after(&app, caller.account, id, account, done.position).await.map(Json)
}
