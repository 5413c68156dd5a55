//! What can go wrong with a call.

use std::time::Duration;

use serde::Deserialize;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server refused. Match on [`Problem::code`].
    #[error("{0}")]
    Problem(Box<Problem>),
    /// No answer came: whether a command took effect is unknown. Repeating it with the same idempotency key is safe.
    #[error("the server could not be reached")]
    Transport(#[source] reqwest::Error),
    /// An answer came that isn't what the contract says.
    #[error("the answer could not be understood: {0}")]
    Decode(String),
    #[error("not a usable server address: {0}")]
    Address(String),
    /// The session behind a live stream was ended: log in.
    #[error("the session has ended")]
    SessionEnded,
    /// A live stream reported a reset and needs [`crate::Live::resume_from`] before it goes on.
    #[error("the live stream waits for a new cursor after a reset")]
    ResetPending,
    /// A live stream that has ended with an error was asked again.
    #[error("the live stream has ended")]
    LiveEnded,
}

impl Error {
    /// The problem's code, if the server sent a problem.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => Some(&problem.code),
            _ => None,
        }
    }

    /// The HTTP status, if the server answered with an error.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            _ => None,
        }
    }

    /// The text with its causes, for people.
    pub fn explain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }

    pub(crate) fn transport(error: reqwest::Error) -> Self {
        // The address would show cursors and invite codes in logs.
        Self::Transport(error.without_url())
    }
}

/// A problem as of RFC 9457. A body that isn't one (a proxy's page) gives the code `http_STATUS`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail} ({code})")]
pub struct Problem {
    pub status: u16,
    /// Stable; the contract lists it.
    pub code: String,
    /// A sentence for people.
    pub detail: String,
    /// One per bad field.
    pub errors: Vec<FieldError>,
    pub request_id: Option<String>,
    pub retry_after: Option<Duration>,
}

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FieldError {
    /// A JSON pointer into the request's body.
    pub pointer: String,
    pub code: String,
    pub detail: String,
}

#[derive(Deserialize)]
struct Body {
    code: String,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    request_id: Option<String>,
    #[serde(default)]
    errors: Vec<FieldError>,
}

impl Problem {
    pub(crate) fn of(
        status: u16,
        body: &[u8],
        request_id: Option<String>,
        retry_after: Option<Duration>,
    ) -> Self {
        match serde_json::from_slice::<Body>(body) {
            Ok(body) => Self {
                status,
                code: body.code,
                detail: body.detail.or(body.title).unwrap_or_default(),
                errors: body.errors,
                request_id: body.request_id.or(request_id),
                retry_after,
            },
            Err(_) => Self {
                status,
                code: format!("http_{status}"),
                detail: format!("The server answered {status}."),
                errors: Vec::new(),
                request_id,
                retry_after,
            },
        }
    }
}
