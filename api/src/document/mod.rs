//! The OpenAPI document: what the handlers say, and what holds for all of them.

mod common;
#[cfg(test)]
mod limits;

use serde_json::Value;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};

use crate::error::Problem;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "EchoVerse",
        version = "1",
        description = "Community chat by REST, Server-Sent Events and long-poll. What holds for every call is in \
                       docs/API.md; in short: bodies are JSON and unknown fields are refused; ids are UUIDs, times \
                       RFC 3339 in UTC; a command takes an `Idempotency-Key` and answers a `position`, which a read \
                       takes as `Min-Position`; errors are problem documents (RFC 9457) with a stable `code`.",
        license(name = "EchoVerse"),
    ),
    servers((url = "/")),
    tags(
        (name = "account", description = "People and bots"),
        (name = "session", description = "Logging in and out"),
        (name = "community", description = "Communities"),
        (name = "role", description = "Roles, and what they and the channels' overwrites come to"),
        (name = "membership", description = "Members, bans, time-outs, nicknames"),
        (name = "invite", description = "Ways into a community"),
        (name = "channel", description = "Places to talk in"),
        (name = "message", description = "What is said"),
        (name = "report", description = "What is told to moderators"),
        (name = "presence", description = "Who is there, and who types"),
        (name = "account-data", description = "What an account keeps for itself"),
        (name = "live", description = "Snapshots and live delivery"),
    ),
    components(schemas(Problem)),
)]
struct Base;

/// The contract, OpenAPI 3.1.
pub fn document() -> Value {
    let (_, calls) = crate::routes::v1().split_for_parts();
    let mut document = Base::openapi().nest("/v1", calls);
    let components = document.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme("bearer", bearer);
    let cookie = ApiKeyValue::with_description(
        "__Host-echoverse",
        "For browsers, set by logging in with `\"cookie\": true`; named `echoverse` where the public URL is http. \
         Unsafe methods need `Sec-Fetch-Site: same-origin` or the server's own `Origin`.",
    );
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let mut document = serde_json::to_value(document).expect("the document is plain data");
    common::complete(&mut document);
    document
}

/// The document as it is committed and served.
pub(crate) fn text() -> String {
    let mut text = serde_json::to_string_pretty(&document()).expect("JSON can be written");
    text.push('\n');
    text
}
