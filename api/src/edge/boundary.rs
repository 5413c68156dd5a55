//! The boundary: each request gets an id and a log line here, each error its document.
//!
//! A failure is logged once, here. Bodies, tokens, queries and addresses never are.

use std::net::SocketAddr;
use std::time::Instant;

use axum::Json;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::Instrument as _;

use crate::error::{ApiError, general};
use crate::state::AppState;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The id of this request, as its answer tells it.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

pub(super) async fn enter(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = app.ids.id().simple().to_string();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", %id, %method, route);

    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(std::net::Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| peer.ip());
    let address = app.proxies.client(peer, request.headers());
    let extensions = request.extensions_mut();
    extensions.insert(address);
    extensions.insert(RequestId(id.clone()));
    extensions.insert(app.clone());

    async move {
        let mut response = next.run(request).await;
        if let Some(error) = unwritten_error(&response) {
            response = write(&error, response, &app, &id);
        }
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
        let elapsed = started.elapsed();
        let status = response.status().as_u16();
        metrics::histogram!(
            "echoverse_http_request_seconds",
            "method" => method.as_str().to_owned(), "route" => route, "status" => status.to_string()
        )
        .record(elapsed);
        tracing::info!(status, milliseconds = elapsed.as_millis() as u64, "answered");
        response
    }
    .instrument(span)
    .await
}

/// The error that an answer stands for. The router's own refusals have a status only.
fn unwritten_error(response: &Response) -> Option<ApiError> {
    if let Some(error) = response.extensions().get::<ApiError>() {
        return Some(error.clone());
    }
    let bare = !response.headers().contains_key(header::CONTENT_TYPE);
    match response.status() {
        StatusCode::METHOD_NOT_ALLOWED if bare => Some(ApiError::new(
            general::METHOD_NOT_ALLOWED,
            "This address does not take that method; Allow lists those that it takes.",
        )),
        StatusCode::NOT_FOUND if bare => Some(ApiError::not_found()),
        _ => None,
    }
}

/// The document, with the headers that the answer has already.
fn write(error: &ApiError, answer: Response, app: &AppState, id: &str) -> Response {
    let status = answer.status();
    if status.is_server_error() {
        let code = error.code().name;
        match error.cause() {
            Some(source) => tracing::error!(code, error = source, "failed"),
            None => tracing::warn!(code, "refused for now"),
        }
    }
    let mut response = (status, Json(error.problem(&app.origin.url, id))).into_response();
    let headers = response.headers_mut();
    for (name, value) in answer.headers() {
        if *name != header::CONTENT_LENGTH && *name != header::CONTENT_TYPE {
            headers.append(name, value.clone());
        }
    }
    headers.insert(header::CONTENT_TYPE, PROBLEM);
    response
}
