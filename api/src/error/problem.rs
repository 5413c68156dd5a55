//! The problem document (RFC 9457).

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, for programs (`code`) and for people (`detail`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// A page about this kind of problem.
    #[serde(rename = "type")]
    #[schema(format = "uri", example = "https://echoverse.example/problems/invalid")]
    pub(crate) kind: String,
    #[schema(example = "Invalid request")]
    pub(crate) title: String,
    #[schema(minimum = 400, maximum = 599, example = 422)]
    pub(crate) status: u16,
    /// The kind of problem; stable.
    #[schema(example = "invalid")]
    pub(crate) code: String,
    /// What happened and what to do, in a sentence.
    #[schema(example = "Some fields are not valid.")]
    pub(crate) detail: String,
    /// The `X-Request-Id` of the answer; the server's log knows it.
    pub(crate) request_id: String,
    /// What is wrong with each field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) errors: Vec<FieldError>,
}

/// What is wrong with one field of the body or one parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// Where in the body, as a JSON Pointer (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "/content")]
    pub(crate) pointer: Option<String>,
    /// Which parameter of the query or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) parameter: Option<String>,
    /// What is wrong with it; stable.
    #[schema(example = "too_long")]
    pub(crate) code: Cow<'static, str>,
    #[schema(example = "must have at most 4000 characters, has 4001")]
    pub(crate) detail: String,
}

impl FieldError {
    /// About a parameter of the query or a header.
    pub(crate) fn parameter(name: &str, code: &'static str, detail: impl Into<String>) -> Self {
        let parameter = Some(name.to_owned());
        Self { pointer: None, parameter, code: Cow::Borrowed(code), detail: detail.into() }
    }

    /// About a place in the body.
    pub(crate) fn pointer(pointer: String, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: Some(pointer), parameter: None, code: Cow::Borrowed(code), detail: detail.into() }
    }
}
