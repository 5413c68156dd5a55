//! Live delivery: what happens, to whom it concerns, once and in order.
//!
//! ```text
//! log tail ─► encode (once per event) ─► hub (who sees it) ─► bounded queue per subscription ─► SSE or long-poll
//!                                            recent frames ─┐
//!                                            log ───────────┴─► catch-up of a subscription
//! ```
//!
//! # Promises
//! - From a cursor on, a subscription gets each frame that its account may see, in log order, none twice.
//! - Both transports are the same subscription, written down differently.
//! - A queue that overflows ends; its subscription goes on reading from its own position. Nothing is dropped, nothing
//!   grows without bound.
//! - A lost permission ends delivery with that very event; a resume uses the permission of now, for what happened
//!   while the account was there.

mod access;
mod catch_up;
mod encode;
mod frame;
mod hub;
mod past;
mod poll;
mod recent;
mod routing;
mod run;
mod sse;
mod subscription;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use hub::Hub;
pub(crate) use poll::CODES;

use crate::state::AppState;

/// `GET /events/stream` and `GET /events`.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(sse::stream_events)).routes(routes!(poll::poll_events))
}
