//! Presence: what others see of somebody, from live connections and from what they chose to show.
//!
//! ```text
//! hub ─► Attendance ─► Keeper ─► account_data (who is connected, at any node) ─► signals to those around
//!                PUT /me/presence ─────────────┘
//! ```

mod attendance;
pub(crate) mod community;
mod keeper;
pub(crate) mod own;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use domain::AccountId;
use domain::presence::{Shown, Sight};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

pub(crate) use attendance::Attendance;
pub(crate) use keeper::{Keeper, Teller};
pub(crate) use own::OwnPresence;

use crate::auth::Authenticated;
use crate::error::ApiError;
use crate::extract::{CaughtUp, Fault, Fields, FromFields, Query, parse};
use crate::page::Page;
use crate::state::AppState;

/// Most accounts in one question.
const MAX_ACCOUNTS: usize = 100;

/// What others see of an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Presence {
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    #[schema(value_type = ShownName)]
    status: Shown,
    /// What they say about it.
    #[schema(example = "in a meeting")]
    text: Option<String>,
    #[schema(example = "📅")]
    emoji: Option<String>,
    /// From then on there is neither text nor emoji.
    expires_at: Option<Timestamp>,
}

/// What others see; `dnd` is do not disturb. Who chose to be invisible is `offline`.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the domain's type")]
pub(crate) enum ShownName {
    Online,
    Away,
    Dnd,
    Offline,
}

impl Presence {
    fn of(account_id: AccountId, sight: Sight) -> Self {
        let Sight { status, text, emoji, expires_at } = sight;
        Self { account_id, status, text, emoji, expires_at }
    }
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PresenceQuery {
    /// 1 to 100 ids of accounts, with commas between them.
    #[param(value_type = String)]
    accounts: BTreeSet<AccountId>,
}

impl FromFields for PresenceQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("accounts", accounts).map(|accounts| Self { accounts })
    }
}

fn accounts(value: Value) -> Result<BTreeSet<AccountId>, Fault> {
    let text = parse::string(value)?;
    let ids = text.split(',').map(|id| parse::id(id.into()));
    let accounts: BTreeSet<AccountId> = ids.collect::<Result<_, _>>()?;
    if accounts.len() > MAX_ACCOUNTS {
        return Err(Fault::new("too_many", format!("must have at most {MAX_ACCOUNTS} ids")));
    }
    Ok(accounts)
}

/// Show what you see of some accounts.
///
/// Of yourself it is what others see of you. Accounts with which you share no community and no conversation are left
/// out. Later changes come as the signal `presence`.
#[utoipa::path(
    get, path = "/presence", operation_id = "showPresence", tag = "presence",
    params(PresenceQuery),
    responses((status = 200, description = "Of each of them, by id", body = Page<Presence>)),
)]
pub(crate) async fn show_presence(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Query(PresenceQuery { accounts }): Query<PresenceQuery>,
) -> Result<Json<Page<Presence>>, ApiError> {
    let asked: Vec<AccountId> = accounts.into_iter().collect();
    let around = app.read.co_members_among(caller.account, &asked).await?;
    let known: Vec<AccountId> =
        asked.into_iter().filter(|account| *account == caller.account || around.contains(account)).collect();
    let mut sights = app.account_data.sights(&known, app.clock.now()).await?;
    let presence = |account| Presence::of(account, sights.remove(&account).unwrap_or(Sight::OFFLINE));
    Ok(Json(Page::whole(known.into_iter().map(presence).collect())))
}
