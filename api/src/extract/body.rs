//! JSON bodies.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

use super::fields::{Fields, FromFields};
use crate::error::{ApiError, general};

/// The largest body, in bytes.
pub(crate) const MAX_BODY: usize = 64 * 1024;
/// The longest that a body may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// A JSON body, read into checked fields.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: FromFields, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = read(&parts.headers, body).await?;
        parse(&parts.headers, &bytes).map(Self)
    }
}

/// The bytes of a body that is neither too large nor too slow.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, ApiError> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: u64| length > MAX_BODY as u64) {
        return Err(too_large());
    }
    let collected = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(ApiError::new(general::MALFORMED_REQUEST, "The body broke off.")),
        Err(_) => Err(ApiError::new(general::REQUEST_TIMEOUT, "The body took too long to come.")),
    }
}

pub(super) fn parse<T: FromFields>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, ApiError> {
    if !is_json(headers) {
        let detail = "Send JSON, with the header Content-Type: application/json.";
        return Err(ApiError::new(general::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    Fields::read_body(value)
}

/// As [`parse`], where no body at all is the same as an empty object.
pub(super) fn parse_if_any<T: FromFields>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, ApiError> {
    if bytes.is_empty() { Fields::read_body(Value::Object(Map::new())) } else { parse(headers, bytes) }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Says where, and in the parser's words what; those quote nothing of the body.
fn malformed(error: &serde_json::Error) -> ApiError {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    let detail = format!("The body is not JSON: {what} in line {line}, column {column}.");
    ApiError::new(general::MALFORMED_JSON, detail)
}

fn too_large() -> ApiError {
    ApiError::new(general::BODY_TOO_LARGE, format!("A body may have at most {MAX_BODY} bytes."))
}
