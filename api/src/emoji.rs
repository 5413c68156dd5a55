//! The list of emoji, for choosing, completing and rendering them.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// A day: the list changes with the server's version only.
const MAX_AGE: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// An emoji in its default skin tone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Emoji {
    /// In its fully qualified form.
    #[schema(example = "👍")]
    emoji: &'static str,
    /// In English.
    #[schema(example = "thumbs up")]
    name: &'static str,
    #[schema(example = "people_and_body")]
    group: &'static str,
    /// Names to type between colons; none, for a few.
    #[schema(example = json!(["+1", "thumbsup"]))]
    shortcodes: Vec<&'static str>,
    /// The same in other skin tones, from light to dark; empty where there is one only.
    skin_tones: Vec<&'static str>,
}

/// Every emoji, in the order of Unicode.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EmojiList {
    items: Vec<Emoji>,
}

/// The list as it is sent.
struct Prepared {
    body: Bytes,
    tag: HeaderValue,
}

static PREPARED: LazyLock<Prepared> = LazyLock::new(|| {
    let items = domain::emoji::all().map(|listed| {
        let domain::emoji::Listed { emoji, name, group, shortcodes, skin_tones } = listed;
        Emoji { emoji, name, group, shortcodes, skin_tones }
    });
    let body = serde_json::to_vec(&EmojiList { items: items.collect() }).expect("texts are plain JSON");
    let digest = URL_SAFE_NO_PAD.encode(&Sha256::digest(&body)[..16]);
    let tag = HeaderValue::from_str(&format!("W/\"{digest}\"")).expect("base64 fits into a header");
    Prepared { body: body.into(), tag }
});

/// List all emoji with their shortcodes. The text of messages keeps shortcodes as they were typed: clients show them.
///
/// The list may be kept for a day, and asked for again with `If-None-Match`.
#[utoipa::path(
    get, path = "/emoji", operation_id = "listEmoji", tag = "reaction",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of the list that you have")),
    responses(
        (status = 200, description = "All of them", body = EmojiList,
            headers(("ETag" = String, description = "Names this list"))),
        (status = 304, description = "The list that you have is this one"),
    ),
    security(()),
)]
pub(crate) async fn list_emoji(headers: HeaderMap) -> Response {
    let Prepared { body, tag } = &*PREPARED;
    let about = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, MAX_AGE)];
    if has(&headers, tag) {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (about, kind, body.clone()).into_response()
}

/// Whether the client has the list of this tag. Compared weakly (RFC 9110, 13.1.2).
fn has(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let wanted = tag.to_str().map(opaque).ok();
    let sent = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    sent.flat_map(|tags| tags.split(',')).any(|tag| tag.trim() == "*" || Some(opaque(tag)) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(tags: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(tags).unwrap());
        has(&headers, &HeaderValue::from_static("W/\"abc\""))
    }

    #[test]
    fn a_list_is_told_by_its_tag() {
        assert!(sent("W/\"abc\"") && sent("\"abc\"") && sent("\"x\", W/\"abc\"") && sent("*"));
        assert!(
            !sent("W/\"abcd\"") && !sent("") && !has(&HeaderMap::new(), &HeaderValue::from_static("\"\""))
        );
    }
}
