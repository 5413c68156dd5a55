//! The boundary: each request gets an id here, each failure a log line, each error its document.
//!
//! A failure is logged once, here. Bodies, tokens, queries and addresses never are. What went well is logged at the
//! level `debug` only: a line and a span for each request would cost a tenth of the server's time.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{ConnectInfo, MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service};
use tracing::instrument::{Instrument as _, Instrumented};
use uuid::Uuid;

use super::address::ClientAddress;
use super::headers;
use super::timing::Timing;
use crate::error::{ApiError, general};
use crate::state::AppState;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
/// An answer that took this long is worth a log line …
const SLOW: Duration = Duration::from_secs(1);
/// … except of these routes, whose callers wait for something to happen.
const WAITING: &str = "/v1/events";

/// What is known of a request when it comes.
#[derive(Clone)]
pub(crate) struct Arrival {
    pub(crate) app: AppState,
    pub(crate) address: ClientAddress,
    /// As its answer tells it.
    pub(crate) id: Uuid,
    pub(crate) at: Instant,
}

/// Puts a service behind the boundary.
#[derive(Clone)]
pub(super) struct Boundary {
    app: AppState,
    timing: Arc<Timing>,
}

impl Boundary {
    pub(super) fn of(app: &AppState) -> Self {
        Self { app: app.clone(), timing: Arc::default() }
    }
}

impl<S> Layer<S> for Boundary {
    type Service = Bounded<S>;

    fn layer(&self, inner: S) -> Bounded<S> {
        Bounded { inner, boundary: self.clone() }
    }
}

#[derive(Clone)]
pub(super) struct Bounded<S> {
    inner: S,
    boundary: Boundary,
}

impl<S> Service<Request> for Bounded<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let Boundary { app, timing } = self.boundary.clone();
        let (id, at) = (app.ids.id(), Instant::now());
        let method = request.method().clone();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(std::net::Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| peer.ip());
        let address = app.proxies.client(peer, request.headers());
        request.extensions_mut().insert(Arrival { app: app.clone(), address, id, at });
        let request_line = RequestLine { app, timing, id, at, method, route };
        let span = tracing::debug_span!(
            "request", id = %id.simple(), method = %request_line.method, route = request_line.route()
        );
        Answering { inner: self.inner.call(request).instrument(span), request: request_line }
    }
}

/// What is remembered of a request until it is answered.
struct RequestLine {
    app: AppState,
    timing: Arc<Timing>,
    id: Uuid,
    at: Instant,
    method: Method,
    route: Option<MatchedPath>,
}

pin_project! {
    /// A request on its way to its answer.
    pub(super) struct Answering<F> {
        #[pin]
        inner: Instrumented<F>,
        request: RequestLine,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Answering<F> {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(response) = ready!(this.inner.poll(context));
        Poll::Ready(Ok(this.request.answer(response)))
    }
}

impl RequestLine {
    fn route(&self) -> &str {
        self.route.as_ref().map_or("unmatched", MatchedPath::as_str)
    }

    fn answer(&self, mut response: Response) -> Response {
        if let Some(error) = unwritten_error(&response) {
            response = self.write(&error, response);
        }
        headers::secure(response.headers_mut());
        let mut buffer = Uuid::encode_buffer();
        let id: &str = self.id.simple().encode_lower(&mut buffer);
        response.headers_mut().insert(X_REQUEST_ID, HeaderValue::from_str(id).expect("hex is visible ASCII"));

        let (elapsed, status) = (self.at.elapsed(), response.status());
        self.timing.record(&self.method, self.route(), status, elapsed);
        let (method, route, status) = (&self.method, self.route(), status.as_u16());
        let milliseconds = elapsed.as_millis() as u64;
        if elapsed >= SLOW && !route.starts_with(WAITING) {
            tracing::info!(id, %method, route, status, milliseconds, "answered late");
        } else {
            tracing::debug!(status, milliseconds, "answered");
        }
        response
    }

    /// The document, with the headers that the answer has already.
    fn write(&self, error: &ApiError, answer: Response) -> Response {
        let status = answer.status();
        let (id, method, route) = (self.id.simple().to_string(), &self.method, self.route());
        if status.is_server_error() {
            let code = error.code().name;
            match error.cause() {
                Some(source) => tracing::error!(id, %method, route, code, error = source, "failed"),
                None => tracing::warn!(id, %method, route, code, "refused for now"),
            }
        }
        let mut response = (status, Json(error.problem(&self.app.origin.url, &id))).into_response();
        let headers = response.headers_mut();
        for (name, value) in answer.headers() {
            if *name != header::CONTENT_LENGTH && *name != header::CONTENT_TYPE {
                headers.append(name, value.clone());
            }
        }
        headers.insert(header::CONTENT_TYPE, PROBLEM);
        response
    }
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
