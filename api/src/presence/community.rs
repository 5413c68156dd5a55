//! Who of a community is there.

use axum::Json;
use axum::extract::State;
use domain::community::CommunityError;
use domain::{AccountId, CommunityId};
use serde::Serialize;
use utoipa::ToSchema;

use super::Presence;
use crate::auth::Authenticated;
use crate::error::ApiError;
use crate::extract::{CaughtUp, Ids};
use crate::state::AppState;

/// Most members in the answer; the count counts all.
const MAX_SHOWN: usize = 1_000;

/// Who of a community is not offline.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommunityPresence {
    /// How many of its members are not offline.
    online: usize,
    /// Those, by id; the first 1,000 where there are more.
    #[schema(max_items = 1000)]
    items: Vec<Presence>,
}

/// Show which members of a community of yours are not offline.
#[utoipa::path(
    get, path = "/communities/{id}/presence", operation_id = "showCommunityPresence", tag = "presence",
    params(("id" = Uuid, Path, description = "The community")),
    responses(
        (status = 200, description = "Those who are there", body = CommunityPresence),
        (status = 404, description = "`community_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn show_community_presence(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<CommunityId>,
) -> Result<Json<CommunityPresence>, ApiError> {
    let members = app.read.member_ids(caller.account, id).await?;
    let members = members.ok_or(CommunityError::Unknown)?;
    let sights = app.account_data.sights(&members, app.clock.now()).await?;
    let online = sights.len();
    let mut accounts: Vec<(AccountId, _)> = sights.into_iter().collect();
    accounts.sort_unstable_by_key(|(account, _)| *account);
    accounts.truncate(MAX_SHOWN);
    let items = accounts.into_iter().map(|(account, sight)| Presence::of(account, sight)).collect();
    Ok(Json(CommunityPresence { online, items }))
}
