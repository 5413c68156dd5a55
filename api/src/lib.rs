//! HTTP in, JSON and events out: handlers, authentication, rate limits, live delivery, and the program `echoverse`.
//!
//! ```text
//! server (connections) ─► edge (id, log, problems) ─► limits (quota, who asks) ─► handler ─► commands | projections
//! ```
//!
//! Must not hold rules (those of writing are in `domain`, those of reading in `projections`) nor SQL.
//!
//! # Adding a slice
//! 1. `src/<noun>.rs`: its JSON shapes, its bodies as [`extract::FromFields`], its codes, the mapping of its domain's
//!    error to them without a `_` arm, and its handlers with their `#[utoipa::path]`.
//! 2. Its calls in [`routes`], each in a rate limit's class; its codes in `error::catalogue`.
//! 3. `tests/suite/<noun>.rs`: the happy path and each refusal. A row per call in `tests/suite/authorisation.rs`.
//! 4. `cargo run -p openapi -- write`.

mod access;
mod account;
mod answer;
mod audit_log;
mod auth;
mod ban;
mod block;
mod bootstrap;
mod channel;
mod community;
mod conversation;
mod cursor;
mod document;
mod draft;
mod edge;
mod emoji;
mod error;
mod extract;
mod health;
mod invite;
mod limits;
mod live;
mod membership;
mod message;
mod nickname;
mod notification_setting;
mod page;
mod pages;
mod poll;
mod presence;
mod privacy;
mod reaction;
mod read_state;
mod receipt;
mod report;
mod role;
mod routes;
mod saved_message;
mod scheduled_message;
mod seen;
pub mod server;
mod session;
pub mod settings;
mod signal;
mod state;
mod time_out;
mod typing;

use axum::Router;
use axum::routing::get;

pub use document::document;
pub use edge::{ProxiesError, TrustedProxies};
pub use limits::{RateLimits, RateLimitsError};

use crate::state::AppState;

/// Everything that the server answers.
fn router(app: &AppState) -> Router {
    let (v1, _) = routes::v1().split_for_parts();
    let router = Router::new()
        .nest("/v1", v1)
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .merge(pages::routes());
    edge::surround(router, app)
}
