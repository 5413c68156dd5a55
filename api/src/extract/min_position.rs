//! Reads that must not be older than what the caller has done.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use event_store::Position;

use crate::error::{ApiError, FieldError};
use crate::state::AppState;

const MIN_POSITION: &str = "min-position";
/// The longest that a read waits for its `Min-Position`.
const READ_WAIT: Duration = Duration::from_millis(500);
/// The longest that a command waits until what it made can be read.
const COMMAND_WAIT: Duration = Duration::from_secs(5);

/// The read model has reached the request's `Min-Position`, if it has one.
pub(crate) struct CaughtUp;

impl FromRequestParts<AppState> for CaughtUp {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let Some(cursor) = parts.headers.get(MIN_POSITION) else {
            return Ok(Self);
        };
        let opened = cursor.to_str().ok().map(|text| app.cursors.open(text));
        let Some(Ok(position)) = opened else {
            let detail = "must be a position that this server answered";
            return Err(ApiError::invalid(vec![FieldError::parameter(
                "Min-Position",
                "not_a_cursor",
                detail,
            )]));
        };
        if app.read.wait_for(position, READ_WAIT).await { Ok(Self) } else { Err(ApiError::not_caught_up()) }
    }
}

/// Waits until what a command made can be read. When it takes too long the command stays done: repeated with the same
/// idempotency key it answers then.
pub(crate) async fn wait_until_readable(app: &AppState, position: Position) -> Result<(), ApiError> {
    if app.read.wait_for(position, COMMAND_WAIT).await { Ok(()) } else { Err(ApiError::not_caught_up()) }
}
