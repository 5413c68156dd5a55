//! Live delivery: what happens, to whom it concerns, once and in order.
//!
//! ```text
//! log tail ─► encode (once per event) ─► hub (who sees it) ─► outlet per subscription ─┬─► socket (SSE on HTTP/1.1)
//!                                            recent frames ─┐                         └─► HTTP/2, long-poll
//!                                            log ───────────┴─► catch-up of a subscription
//! ```
//!
//! A round of the hub takes all that is new in the log, gives each outlet its share, and then flushes the outlets that
//! got something: whatever waits for a reader leaves in one write. A stream on HTTP/1.1 leaves HTTP as soon as it is
//! open: it is a socket, an outlet and a small task that hears of trouble only.
//!
//! # Promises
//! - From a cursor on, a subscription gets each frame that its account may see, in log order, none twice.
//! - Both transports are the same subscription, written down differently.
//! - An outlet that overflows ends; its subscription goes on reading from its own position. Nothing is dropped, nothing
//!   grows without bound.
//! - A lost permission ends delivery with that very event; a resume uses the permission of now, for what happened
//!   while the account was there.

mod access;
mod beats;
mod catch_up;
mod change;
mod direct;
mod encode;
mod flush;
mod frame;
mod framed;
mod hub;
mod item;
mod outlet;
mod past;
mod poll;
mod recent;
mod routing;
mod rules;
mod run;
mod signal;
mod sse;
mod subscription;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use direct::{Detachable, DirectStream};
pub(crate) use hub::Hub;
pub(crate) use item::Framing;
pub(crate) use poll::CODES;

use crate::state::AppState;

/// `GET /events/stream` and `GET /events`.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(sse::stream_events)).routes(routes!(poll::poll_events))
}
