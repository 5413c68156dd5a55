//! Lists, page by page.

use std::fmt::Write as _;

use axum::Json;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use event_store::Position;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{ApiError, FieldError};
use crate::extract::{Fields, parse};
use crate::state::App;

const LINK: HeaderName = HeaderName::from_static("link");

/// The items of a page if no limit is asked for, and the most that can be.
pub(crate) const DEFAULT_LIMIT: u64 = 10;
pub(crate) const MAX_LIMIT: u64 = 100;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Leads on in the order of the list; null at its end.
    pub(crate) next: Option<String>,
    /// Leads back; null at the beginning.
    pub(crate) prev: Option<String>,
}

impl<T> Page<T> {
    /// A list that is never longer than one page.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next: None, prev: None }
    }
}

/// A page with its `Link` header (RFC 8288).
pub(crate) struct Linked<T> {
    pub(crate) page: Page<T>,
    /// With the filters of the list, if it has any, as a query.
    pub(crate) path: String,
    pub(crate) limit: u64,
    /// The parameters that take `next` and `prev`.
    pub(crate) next_parameter: &'static str,
    pub(crate) prev_parameter: &'static str,
}

impl<T: Serialize> IntoResponse for Linked<T> {
    fn into_response(self) -> Response {
        let Self { page, path, limit, next_parameter, prev_parameter } = self;
        let link = |cursor: &Option<String>, parameter, relation| {
            let cursor = cursor.as_ref()?;
            let joint = if path.contains('?') { '&' } else { '?' };
            Some(format!("<{path}{joint}{parameter}={cursor}&limit={limit}>; rel=\"{relation}\""))
        };
        let links: Vec<String> =
            [link(&page.next, next_parameter, "next"), link(&page.prev, prev_parameter, "prev")]
                .into_iter()
                .flatten()
                .collect();
        let mut response = Json(page).into_response();
        if !links.is_empty()
            && let Ok(value) = HeaderValue::from_str(&links.join(", "))
        {
            response.headers_mut().insert(LINK, value);
        }
        response
    }
}

/// The place in a list that a page's `next` names.
pub(crate) fn place(app: &App, parameter: &str, text: Option<&str>) -> Result<Option<Position>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let opened = app.cursors.open(text).map_err(|_| {
        let detail = "is not the `next` of a page of this list";
        ApiError::invalid(vec![FieldError::parameter(parameter, "not_a_cursor", detail)])
    });
    opened.map(Some)
}

/// A segment of a path, percent-encoded (RFC 3986).
pub(crate) fn segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}

/// Reads `limit`.
pub(crate) fn limit(fields: &mut Fields) -> Option<u64> {
    fields.optional("limit", parse::digits(1, MAX_LIMIT)).map(|limit| limit.unwrap_or(DEFAULT_LIMIT))
}
