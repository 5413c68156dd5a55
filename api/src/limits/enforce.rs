//! The layer that counts the calls of a route, finds out who sends them, and lets them through within the quotas.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use futures_util::future::BoxFuture;
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::header::Report;
use super::{Class, Count};
use crate::auth::{self, Identity, Sender};
use crate::edge::Arrival;
use crate::error::{ApiError, general};
use crate::state::App;

/// Holds routes to the quotas of a class.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limited(pub(crate) Class);

impl<S> Layer<S> for Limited {
    type Service = Enforcing<S>;

    fn layer(&self, inner: S) -> Enforcing<S> {
        Enforcing { inner, class: self.0 }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Enforcing<S> {
    inner: S,
    class: Class,
}

impl<S> Service<Request> for Enforcing<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Passing<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let class = self.class;
        let Arrival { app, address, .. } =
            request.extensions().get::<Arrival>().expect("the boundary has set it").clone();
        let count = match app.limits.count_address(class, address) {
            Ok(count) => count,
            Err(report) => return Passing::Refused { answer: Some(refusal(&report)) },
        };
        match auth::recognise(&app, request.method(), request.headers()) {
            Sender::Known(identity) => match admit(&app, class, count, identity, request) {
                Ok((request, report)) => Passing::Through { inner: self.inner.call(request), report },
                Err(answer) => Passing::Refused { answer: Some(answer) },
            },
            Sender::Token(token) => {
                // The service that was asked whether it is ready is the one to be called.
                let fresh = self.inner.clone();
                let mut inner = std::mem::replace(&mut self.inner, fresh);
                let asking = Box::pin(async move {
                    let identity = auth::identify(&app, token).await;
                    let (request, report) = match admit(&app, class, count, identity, request) {
                        Ok(admitted) => admitted,
                        Err(answer) => return answer,
                    };
                    let Ok(mut answer) = inner.call(request).await;
                    report.write(answer.headers_mut());
                    answer
                });
                Passing::Asking { asking }
            }
        }
    }
}

/// The request with its sender's identity, and what its answer will report; or the refusal.
#[expect(clippy::result_large_err, reason = "a refusal is an answer, and moves once")]
fn admit(
    app: &App,
    class: Class,
    count: Count,
    identity: Identity,
    mut request: Request,
) -> Result<(Request, Report), Response> {
    let report = app.limits.count_account(class, count, &identity).map_err(|report| refusal(&report))?;
    request.extensions_mut().insert(identity);
    Ok((request, report))
}

fn refusal(report: &Report) -> Response {
    let detail = "Too many requests of this kind. Wait as long as Retry-After says.";
    let error = ApiError::new(general::RATE_LIMITED, detail).retry_after(report.wait());
    let mut response = error.into_response();
    report.write(response.headers_mut());
    response
}

pin_project! {
    /// A request that is counted. Its future has a name, so that only who must be looked up is boxed.
    #[project = Stage]
    pub(crate) enum Passing<F> {
        Refused { answer: Option<Response> },
        Through { #[pin] inner: F, report: Report },
        Asking { asking: BoxFuture<'static, Response> },
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Passing<F> {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(match self.project() {
            Stage::Refused { answer } => answer.take().expect("a future is not polled after its end"),
            Stage::Through { inner, report } => {
                let Ok(mut answer) = ready!(inner.poll(context));
                report.write(answer.headers_mut());
                answer
            }
            Stage::Asking { asking } => ready!(asking.as_mut().poll(context)),
        }))
    }
}
