//! A panic in a handler is a 500, and the end of nothing else.

use std::any::Any;

use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::{CatchPanicLayer, ResponseForPanic};

use crate::error::ApiError;

#[derive(Debug, thiserror::Error)]
#[error("a handler panicked: {0}")]
struct Panicked(String);

#[derive(Debug, Clone, Copy)]
pub(super) struct AsProblem;

impl ResponseForPanic for AsProblem {
    type ResponseBody = axum::body::Body;

    fn response_for_panic(&mut self, panic: Box<dyn Any + Send + 'static>) -> Response {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        ApiError::internal(Box::<dyn std::error::Error + Send + Sync>::from(Panicked(text))).into_response()
    }
}

pub(super) fn catch() -> CatchPanicLayer<AsProblem> {
    CatchPanicLayer::custom(AsProblem)
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
        let router: Router = Router::new().route("/", get(falls_over)).layer(catch());
        let answer = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let error = answer.extensions().get::<ApiError>().unwrap();
        let told = serde_json::to_string(&error.problem("", "")).unwrap();
        assert!(!told.contains("cat"), "{told}");
        assert!(error.cause().is_some_and(|cause| cause.to_string().contains("cat")));
    }
}
