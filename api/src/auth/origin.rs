//! Whether a request comes from our own pages: the defence against cross-site request forgery.

use axum::http::{HeaderMap, HeaderName, header};

use crate::state::Origin;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Browsers write both headers themselves, a page cannot. One that says `same-origin` is enough; what says otherwise,
/// or says nothing, is not ours.
pub(crate) fn is_ours(headers: &HeaderMap, own: &Origin) -> bool {
    match (headers.get(SEC_FETCH_SITE), headers.get(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin.as_bytes().eq_ignore_ascii_case(own.url.as_bytes()),
        (None, None) => false,
    }
}

/// Whether a browser says that another site sent this request. A program says nothing.
pub(crate) fn is_foreign(headers: &HeaderMap, own: &Origin) -> bool {
    let said = headers.contains_key(SEC_FETCH_SITE) || headers.contains_key(header::ORIGIN);
    said && !is_ours(headers, own)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(site: Option<&'static str>, origin: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(site) = site {
            headers.insert(SEC_FETCH_SITE, HeaderValue::from_static(site));
        }
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        headers
    }

    #[test]
    fn only_our_own_pages_are_ours() {
        let own = Origin::new("https://chat.example");
        let ours = |site, origin| is_ours(&headers(site, origin), &own);
        assert!(ours(Some("same-origin"), None));
        assert!(ours(None, Some("https://chat.example")));
        assert!(!ours(Some("same-site"), Some("https://chat.example")));
        assert!(!ours(Some("cross-site"), None));
        assert!(!ours(Some("none"), None));
        assert!(!ours(None, Some("https://chat.example.evil")));
        assert!(!ours(None, Some("null")));
        assert!(!ours(None, None));
    }

    #[test]
    fn a_program_is_not_foreign() {
        let own = Origin::new("https://chat.example");
        assert!(!is_foreign(&headers(None, None), &own));
        assert!(is_foreign(&headers(None, Some("https://evil.example")), &own));
        assert!(!is_foreign(&headers(Some("same-origin"), None), &own));
    }
}
