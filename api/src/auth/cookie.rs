//! The session cookie of browsers.

use axum::http::{HeaderMap, HeaderValue, header};
use jiff::SignedDuration;
use vault::SessionToken;

use crate::state::Origin;

/// The prefix binds the cookie to this host and to https; browsers refuse it without https.
fn name(origin: &Origin) -> &'static str {
    if origin.is_https() { "__Host-echoverse" } else { "echoverse" }
}

/// The token in a request's cookie.
pub(crate) fn token(headers: &HeaderMap, origin: &Origin) -> Option<String> {
    let name = name(origin);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then(|| value.to_owned())
        })
}

/// Sets the cookie for as long as the session lives.
pub(crate) fn set(origin: &Origin, token: &SessionToken, lifetime: SignedDuration) -> HeaderValue {
    written(origin, token.as_str(), lifetime.as_secs())
}

/// Makes the browser forget the cookie.
pub(crate) fn clear(origin: &Origin) -> HeaderValue {
    written(origin, "", 0)
}

fn written(origin: &Origin, value: &str, seconds: i64) -> HeaderValue {
    let secure = if origin.is_https() { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}", name(origin));
    HeaderValue::from_str(&text).expect("a token is visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let origin = Origin::new("https://chat.example");
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; echoverse=no"));
        assert_eq!(token(&headers, &origin), None);
        headers.append(header::COOKIE, HeaderValue::from_static("b=2;__Host-echoverse=ev_x; c=3"));
        assert_eq!(token(&headers, &origin).as_deref(), Some("ev_x"));
    }

    #[test]
    fn over_https_the_cookie_is_secure() {
        let cleared = |url| clear(&Origin::new(url)).to_str().unwrap().to_owned();
        let attributes = "Path=/; HttpOnly; SameSite=Lax; Max-Age=0";
        assert_eq!(cleared("https://chat.example/"), format!("__Host-echoverse=; {attributes}; Secure"));
        assert_eq!(cleared("http://127.0.0.1:8080"), format!("echoverse=; {attributes}"));
    }
}
