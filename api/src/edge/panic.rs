//! A panic in a handler is a 500, and the end of nothing else.

use std::any::Any;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::error::ApiError;

#[derive(Debug, thiserror::Error)]
#[error("a handler panicked: {0}")]
struct Panicked(String);

/// Catches what panics in the service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Catch;

impl<S> Layer<S> for Catch {
    type Service = Catching<S>;

    fn layer(&self, inner: S) -> Catching<S> {
        Catching(inner)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Catching<S>(S);

impl<S> Service<Request> for Catching<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Caught<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // Calling a route runs no handler yet: what can panic runs when the future is polled.
        Caught { inner: self.0.call(request) }
    }
}

pin_project! {
    pub(super) struct Caught<F> {
        #[pin]
        inner: F,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Caught<F> {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = self.project().inner;
        // The future is not polled again after a panic, so nothing sees what it left half done.
        catch_unwind(AssertUnwindSafe(|| inner.poll(context)))
            .unwrap_or_else(|panic| Poll::Ready(Ok(answer(&*panic))))
    }
}

fn answer(panic: &(dyn Any + Send)) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    ApiError::internal(Box::<dyn std::error::Error + Send + Sync>::from(Panicked(text))).into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    async fn falls_over() -> StatusCode {
        panic!("the cat is on the keyboard")
    }

    #[tokio::test]
    async fn a_panic_is_an_internal_error_that_keeps_its_reason_to_itself() {
        let router: Router = Router::new().route("/", get(falls_over)).layer(Catch);
        let answer = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let error = answer.extensions().get::<ApiError>().unwrap();
        let told = serde_json::to_string(&error.problem("", "")).unwrap();
        assert!(!told.contains("cat"), "{told}");
        assert!(error.cause().is_some_and(|cause| cause.to_string().contains("cat")));
    }
}
