//! Sessions: seeing and ending them. `login` begins one, `password` ends the others.

mod device;
pub(crate) mod login;
pub(crate) mod password;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::{Authenticated, cookie};
use crate::error::{ApiError, codes};
use crate::extract::Ids;
use crate::page::Page;
use crate::state::AppState;

codes! {
    UNKNOWN = NOT_FOUND "session_not_found" "No such session";
    LOGIN_FAILED = UNAUTHORIZED "login_failed" "Wrong login or password";
    TOO_MANY_ATTEMPTS = TOO_MANY_REQUESTS "too_many_attempts" "Too many wrong passwords";
    PASSWORD_WRONG = FORBIDDEN "password_wrong" "Wrong password";
}

/// Somebody is logged in on a device.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    id: Uuid,
    #[schema(example = "Firefox on Linux")]
    device: Option<String>,
    created_at: Timestamp,
    /// May be some minutes old.
    last_used_at: Timestamp,
    expires_at: Timestamp,
    /// Whether this very request belongs to it.
    current: bool,
}

impl Session {
    fn of(session: vault::Session, current: Uuid) -> Self {
        let vault::Session { id, account: _, device, created_at, last_used_at, expires_at } = session;
        Self { id, device, created_at, last_used_at, expires_at, current: id == current }
    }
}

/// List your sessions, the last used first.
#[utoipa::path(
    get, path = "/sessions", operation_id = "listSessions", tag = "session",
    responses((status = 200, description = "All that live", body = Page<Session>)),
)]
pub(crate) async fn list_sessions(
    State(app): State<AppState>,
    caller: Authenticated,
) -> Result<Json<Page<Session>>, ApiError> {
    let sessions = app.vault.sessions(caller.account.0, app.clock.now()).await?;
    let items = sessions.into_iter().map(|session| Session::of(session, caller.session.id)).collect();
    Ok(Json(Page::whole(items)))
}

/// End a session of yours: its token and its live streams stop working.
#[utoipa::path(
    delete, path = "/sessions/{id}", operation_id = "endSession", tag = "session",
    params(("id" = Uuid, Path, description = "The session")),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "`session_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn end_session(
    State(app): State<AppState>,
    caller: Authenticated,
    Ids(id): Ids<Uuid>,
) -> Result<StatusCode, ApiError> {
    if app.vault.revoke_session(caller.account.0, id, app.clock.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::new(UNKNOWN, "You have no such session, or it has ended."))
    }
}

/// Log out: end the session of this request.
#[utoipa::path(
    delete, path = "/sessions/current", operation_id = "logOut", tag = "session",
    responses((status = 204, description = "Ended; a cookie is removed")),
)]
pub(crate) async fn log_out(
    State(app): State<AppState>,
    caller: Authenticated,
) -> Result<Response, ApiError> {
    app.vault.revoke_session(caller.account.0, caller.session.id, app.clock.now()).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie::clear(&app.origin))]).into_response())
}
