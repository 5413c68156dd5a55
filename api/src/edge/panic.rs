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
