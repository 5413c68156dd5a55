//! `/livez` and `/readyz`, for whoever watches the process.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::state::{App, AppState};

/// A part that does not answer within this is down.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Up,
    Down,
}

#[derive(Debug, Serialize)]
struct Readiness {
    status: Status,
    log: Status,
    vault: Status,
    read_model: ReadModel,
}

#[derive(Debug, Serialize)]
struct ReadModel {
    status: Status,
    /// It cannot get past an event; the log says which.
    halted: bool,
    /// Whether it has seen everything that is in the log.
    caught_up: bool,
}

/// The process runs.
pub(crate) async fn livez() -> &'static str {
    "ok\n"
}

/// The server can do its work. A lag is no reason to take it out: reads say `not_caught_up` where it matters.
pub(crate) async fn readyz(State(app): State<AppState>) -> Response {
    let readiness = check(&app).await;
    let code = match readiness.status {
        Status::Up => StatusCode::OK,
        Status::Down => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, Json(readiness)).into_response()
}

async fn check(app: &App) -> Readiness {
    let (head, vault, health) = tokio::join!(
        tokio::time::timeout(PATIENCE, app.store.head()),
        tokio::time::timeout(PATIENCE, app.vault.ping()),
        tokio::time::timeout(PATIENCE, app.read.health()),
    );
    let head = head.ok().and_then(Result::ok);
    let vault = matches!(vault, Ok(Ok(())));
    let health = health.ok().and_then(Result::ok);
    let halted = health.as_ref().is_some_and(|health| health.halted.is_some());
    let caught_up = health.as_ref().zip(head).is_some_and(|(health, head)| health.position >= head);
    let readable = health.is_some() && !halted;
    Readiness {
        status: status(head.is_some() && vault && readable),
        log: status(head.is_some()),
        vault: status(vault),
        read_model: ReadModel { status: status(readable), halted, caught_up },
    }
}

fn status(up: bool) -> Status {
    if up { Status::Up } else { Status::Down }
}
