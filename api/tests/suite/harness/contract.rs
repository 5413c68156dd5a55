//! Holds answers against the OpenAPI document.

use std::sync::LazyLock;

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::Value;

static DOCUMENT: LazyLock<Value> = LazyLock::new(api::document);

/// The operation of a call, if the document has one.
pub(crate) fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let parts: Vec<&str> = template.split('/').collect();
        parts.len() == segments.len()
            && parts.iter().zip(&segments).all(|(p, s)| p.starts_with('{') || p == s)
    };
    let paths = DOCUMENT["paths"].as_object()?;
    // A literal segment wins over a parameter, as in the router.
    let (_, item) =
        paths.iter().filter(|(template, _)| fits(template)).min_by_key(|(t, _)| t.matches('{').count())?;
    item.get(method.as_str().to_lowercase())
}

#[track_caller]
pub(crate) fn hold(method: &Method, path: &str, status: StatusCode) {
    let Some(operation) = operation(method, path) else {
        return;
    };
    let listed = operation["responses"].get(status.as_str()).is_some();
    assert!(listed, "{method} {path} answered {status}, which the document does not list");
}

#[track_caller]
pub(crate) fn hold_problem(what: &str, status: StatusCode, headers: &HeaderMap, problem: &Value) {
    assert_eq!(headers["content-type"], "application/problem+json", "{what}: {status} {problem}");
    assert_eq!(problem["status"], status.as_u16(), "{what}");
    assert_eq!(problem["request_id"].as_str(), headers["x-request-id"].to_str().ok(), "{what}");
    for field in ["type", "title", "code", "detail"] {
        assert!(
            problem[field].as_str().is_some_and(|text| !text.is_empty()),
            "{what}: no {field} in {problem}"
        );
    }
    let kind = problem["type"].as_str().unwrap_or_default();
    assert!(kind.ends_with(problem["code"].as_str().unwrap_or("?")), "{what}: {problem}");
    match status.as_u16() {
        401 => assert!(headers.contains_key("www-authenticate"), "{what}"),
        405 => assert!(headers.contains_key("allow"), "{what}"),
        429 | 503 => assert!(headers.contains_key("retry-after"), "{what}"),
        _ => {}
    }
}
