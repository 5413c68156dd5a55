//! What surrounds every handler, from the outside in: compression, the boundary (request id, log, problem documents,
//! security headers), panics.

mod address;
mod boundary;
mod compression;
mod headers;
mod panic;
mod timing;

use axum::Router;

pub(crate) use address::{ClientAddress, Proxies};
pub use address::{ProxiesError, TrustedProxies};
pub(crate) use boundary::Arrival;

use crate::error::ApiError;
use crate::state::AppState;

/// Puts the whole router behind the edge.
pub(crate) fn surround(router: Router<AppState>, app: &AppState) -> Router {
    router
        .fallback(unmatched)
        // As one layer, from the outside in: each layer of a router boxes every request's future.
        .layer((compression::json(), boundary::Boundary::of(app), panic::Catch))
        .with_state(app.clone())
}

async fn unmatched() -> ApiError {
    ApiError::new(crate::error::general::NOT_FOUND, "There is no such address. See /docs for what there is.")
}
