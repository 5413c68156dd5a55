//! Changing one's password.

use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use utoipa::ToSchema;

use super::{PASSWORD_WRONG, login::throttled};
use crate::account;
use crate::auth::Authenticated;
use crate::edge::ClientAddress;
use crate::error::ApiError;
use crate::extract::{Fields, FromFields, Json, parse};
use crate::state::AppState;

/// A new password.
#[derive(ToSchema)]
pub(crate) struct ChangePassword {
    /// The one in force.
    #[schema(format = "password")]
    current: String,
    #[schema(min_length = 8, max_length = 256, format = "password")]
    new: String,
}

impl FromFields for ChangePassword {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let current = fields.required("current", parse::string);
        let new = fields.required("new", account::password);
        Some(Self { current: current?, new: new? })
    }
}

/// Change your password; all your other sessions end.
#[utoipa::path(
    put, path = "/me/password", operation_id = "changePassword", tag = "session",
    request_body = ChangePassword,
    responses(
        (status = 204, description = "Changed"),
        (status = 403, description = "`password_wrong`"),
        (status = 429, description = "`too_many_attempts`"),
    ),
)]
pub(crate) async fn change_password(
    State(app): State<AppState>,
    address: ClientAddress,
    caller: Authenticated,
    Json(ChangePassword { current, new }): Json<ChangePassword>,
) -> Result<StatusCode, ApiError> {
    let account = caller.account.0;
    let subject = app.vault.digest("password throttle", &account.to_string());
    throttled(&app, subject, address)?;
    if !app.vault.verify_password(Some(account), &current).await? {
        app.throttle.wrong(subject, address.0, Instant::now());
        return Err(ApiError::new(PASSWORD_WRONG, "The current password is not this one."));
    }
    app.throttle.right(subject, address.0);
    let now = app.clock.now();
    app.vault.set_password(account, &new, now).await?;
    app.vault.revoke_other_sessions(account, Some(caller.session.id), now).await?;
    Ok(StatusCode::NO_CONTENT)
}
