//! The one error of handlers, and how each slice's refusals become it.
//!
//! [`ApiError`] travels as an extension of its response; [`crate::edge`] writes the problem document (RFC 9457) at the
//! boundary, where the request's id is known, and logs there, once, what a 5xx hides.

mod code;
mod problem;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use commands::Refusal;

pub(crate) use code::Code;
pub(crate) use code::{catalogue, codes, general};
pub(crate) use problem::{FieldError, Problem};

type Source = Arc<dyn std::error::Error + Send + Sync>;

/// A refusal or a failure, on its way to becoming a problem document.
#[derive(Debug, Clone)]
pub(crate) struct ApiError(Arc<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    challenge: Option<&'static str>,
    source: Option<Source>,
}

impl ApiError {
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let (errors, retry_after, challenge, source) = (Vec::new(), None, None, None);
        Self(Arc::new(Inner { code, detail: detail.into(), errors, retry_after, challenge, source }))
    }

    /// Says the refusal in the domain's words.
    pub(crate) fn told(code: Code, refusal: impl fmt::Display) -> Self {
        Self::new(code, sentence(&refusal.to_string()))
    }

    /// 422: what is wrong with each field.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        Self::new(general::INVALID, "Some fields are not valid.").with(|inner| inner.errors = errors)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(general::NOT_FOUND, "There is nothing here, or you may not see it.")
    }

    /// 503: storage cannot be reached. A command may have been carried out.
    pub(crate) fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let detail =
            "The server cannot reach its storage. Try again soon, a command with the same Idempotency-Key.";
        Self::new(general::UNAVAILABLE, detail).retry_after(Duration::from_secs(2)).source(source)
    }

    pub(crate) fn busy() -> Self {
        Self::new(general::BUSY, "The server is too busy for this right now. Try again soon.")
            .retry_after(Duration::from_secs(1))
    }

    pub(crate) fn not_caught_up() -> Self {
        let detail = "What you ask for is not readable yet. Try again soon.";
        Self::new(general::NOT_CAUGHT_UP, detail).retry_after(Duration::from_secs(1))
    }

    pub(crate) fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(general::INTERNAL, "Something went wrong in the server. Its log says more.").source(source)
    }

    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        self.with(|inner| inner.retry_after = Some(wait))
    }

    /// The `WWW-Authenticate` of a 401.
    pub(crate) fn challenge(self, challenge: &'static str) -> Self {
        self.with(|inner| inner.challenge = Some(challenge))
    }

    pub(crate) fn source(self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let source = Source::from(source.into());
        self.with(|inner| inner.source = Some(source))
    }

    pub(crate) fn code(&self) -> Code {
        self.0.code
    }

    pub(crate) fn cause(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }

    /// The document, as one of the server at `public_url`.
    pub(crate) fn problem(&self, public_url: &str, request_id: &str) -> Problem {
        let Inner { code, detail, errors, .. } = &*self.0;
        Problem {
            kind: format!("{public_url}/problems/{}", code.name),
            title: code.title.to_owned(),
            status: code.status.as_u16(),
            code: code.name.to_owned(),
            detail: detail.clone().into_owned(),
            request_id: request_id.to_owned(),
            errors: errors.clone(),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.0.code.status.into_response();
        if let Some(wait) = self.0.retry_after {
            // Whole seconds, rounded up: who waits as long as told is not told to wait again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if let Some(challenge) = self.0.challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl<E: Into<ApiError>> From<Refusal<E>> for ApiError {
    fn from(refusal: Refusal<E>) -> Self {
        match refusal {
            Refusal::Domain(refusal) => refusal.into(),
            Refusal::KeyReused => Self::new(
                general::IDEMPOTENCY_KEY_REUSED,
                "This Idempotency-Key was used for another request. Use a new key for each new command.",
            ),
            Refusal::Busy => Self::busy(),
            Refusal::Unavailable(source) => Self::unavailable(source),
        }
    }
}

impl From<event_store::Unavailable> for ApiError {
    fn from(source: event_store::Unavailable) -> Self {
        Self::unavailable(source)
    }
}

impl From<account_data::Unavailable> for ApiError {
    fn from(source: account_data::Unavailable) -> Self {
        Self::unavailable(source)
    }
}

impl From<vault::Unavailable> for ApiError {
    fn from(source: vault::Unavailable) -> Self {
        Self::unavailable(source)
    }
}

impl From<projections::Unavailable> for ApiError {
    fn from(source: projections::Unavailable) -> Self {
        Self::unavailable(source)
    }
}

/// The domain's half sentences, as whole ones.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_in_whole_sentences() {
        assert_eq!(sentence("only its author may edit a message"), "Only its author may edit a message.");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds() {
        let response = ApiError::busy().retry_after(Duration::from_millis(1_200)).into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    }
}
