//! What a client starts from.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::OwnAccount;
use crate::auth::Authenticated;
use crate::community::Community;
use crate::cursor::Cursor;
use crate::error::ApiError;
use crate::extract::CaughtUp;
use crate::state::AppState;

/// Everything at one position.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Bootstrap {
    account: OwnAccount,
    communities: Vec<Community>,
    /// Where to go on with live delivery: what is shown is the log up to here, no more and no less.
    cursor: Cursor,
}

/// Show your account, your communities and the cursor to follow on from, as one consistent snapshot.
#[utoipa::path(
    get, path = "/bootstrap", operation_id = "showBootstrap", tag = "live",
    responses((status = 200, description = "The snapshot", body = Bootstrap)),
)]
pub(crate) async fn show_bootstrap(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
) -> Result<Json<Bootstrap>, ApiError> {
    let bootstrap = app.read.bootstrap(caller.account).await?;
    Ok(Json(Bootstrap {
        account: bootstrap.account.ok_or_else(ApiError::not_caught_up)?.into(),
        communities: bootstrap.communities.into_iter().map(Community::from).collect(),
        cursor: app.cursors.seal(bootstrap.position),
    }))
}
