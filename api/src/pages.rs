//! What people look at: the contract, its pages, and what each kind of problem means.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use utoipa_swagger_ui::Config;

use crate::error::{ApiError, catalogue};
use crate::state::AppState;

const DOCUMENT: &str = "/openapi.json";

/// The pages load their own files only; the styles are written by their script.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

static TEXT: LazyLock<String> = LazyLock::new(crate::document::text);

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    // The default would send the document's address to a validator on the internet.
    let config = Config::new([DOCUMENT]).validator_url("none").display_operation_id(true).deep_linking(true);
    Arc::new(config.try_it_out_enabled(true).persist_authorization(false))
});

pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/docs/") }))
        .route(DOCUMENT, get(document))
        .route("/docs", get(|| async { Redirect::permanent("/docs/") }))
        .route("/docs/", get(|| async { file("index.html") }))
        .route("/docs/{*file}", get(|Path(name): Path<String>| async move { file(&name) }))
        .route("/problems/{code}", get(|Path(code): Path<String>| async move { problem(&code) }))
}

async fn document() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, REVALIDATE),
    ];
    (headers, TEXT.as_str()).into_response()
}

fn file(name: &str) -> Response {
    match utoipa_swagger_ui::serve(name, CONFIG.clone()) {
        Ok(Some(file)) => {
            let kind = HeaderValue::from_str(&file.content_type);
            let headers = [
                (header::CONTENT_TYPE, kind.unwrap_or(HeaderValue::from_static("application/octet-stream"))),
                (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
                (header::CACHE_CONTROL, REVALIDATE),
            ];
            (headers, file.bytes.into_owned()).into_response()
        }
        Ok(None) => ApiError::not_found().into_response(),
        Err(error) => ApiError::internal(error.to_string()).into_response(),
    }
}

/// Where a problem's `type` leads.
fn problem(name: &str) -> Response {
    match catalogue().find(|code| code.name == name) {
        Some(code) => {
            let status = code.status;
            let text = format!(
                "{}\n\ncode:   {}\nstatus: {status}\n\nSee /docs/ for the calls.\n",
                code.title, code.name
            );
            (StatusCode::OK, text).into_response()
        }
        None => ApiError::not_found().into_response(),
    }
}
