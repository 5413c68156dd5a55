//! What surrounds every handler, from the outside in: compression, the boundary (request id, log, problem documents,
//! security headers), panics.

mod address;
mod boundary;
mod compression;
mod headers;
mod panic;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};

pub(crate) use address::{ClientAddress, Proxies};
pub use address::{ProxiesError, TrustedProxies};
pub(crate) use boundary::RequestId;

use crate::error::ApiError;
use crate::state::AppState;

/// Puts the whole router behind the edge.
pub(crate) fn surround(router: Router<AppState>, app: &AppState) -> Router {
    router
        .fallback(unmatched)
        .layer(panic::catch())
        .layer(from_fn(headers::secure))
        .layer(from_fn_with_state(app.clone(), boundary::enter))
        .layer(compression::json())
        .with_state(app.clone())
}

async fn unmatched() -> ApiError {
    ApiError::new(crate::error::general::NOT_FOUND, "There is no such address. See /docs for what there is.")
}
