//! The handle all calls start from.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::error::Error;
use crate::options::Options;
use crate::secret::Secret;

/// One server, and who calls it. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
    bearer: Option<HeaderValue>,
}

#[derive(Debug)]
struct Shared {
    base: Url,
    http: reqwest::Client,
    options: Options,
    /// Until when this network is taken for one that doesn't carry SSE.
    avoid_sse_until: Mutex<Option<Instant>>,
}

impl Client {
    /// A client of the server at `base`, such as `https://chat.example`, with the default [`Options`].
    pub fn new(base: &str) -> Result<Self, Error> {
        Self::with_options(base, Options::default())
    }

    pub fn with_options(base: &str, options: Options) -> Result<Self, Error> {
        let base = Url::parse(base).map_err(|error| Error::Address(error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(Error::Address("it must start with http:// or https://".to_owned()));
        }
        let http = reqwest::Client::builder()
            .connect_timeout(options.connect_timeout)
            // A redirect would drop the method or hand the token to another place.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("echoverse-client/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Error::transport)?;
        let shared = Shared { base, http, options, avoid_sse_until: Mutex::new(None) };
        Ok(Self { shared: Arc::new(shared), bearer: None })
    }

    /// The same server, called by whom the token belongs to. A token with other than visible ASCII characters is no
    /// token: calls then go out without one.
    #[must_use]
    pub fn with_token(&self, token: impl Into<Secret>) -> Self {
        let bearer =
            HeaderValue::from_str(&format!("Bearer {}", token.into().expose())).ok().map(|mut value| {
                value.set_sensitive(true);
                value
            });
        Self { shared: Arc::clone(&self.shared), bearer }
    }

    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// The server's address as given.
    pub fn base(&self) -> &str {
        self.shared.base.as_str()
    }

    pub(crate) fn bearer(&self) -> Option<&HeaderValue> {
        self.bearer.as_ref()
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.shared.http
    }

    /// The address of a call; each segment is escaped.
    pub(crate) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.shared.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(segments);
        }
        url.set_query(None);
        url.set_fragment(None);
        url
    }

    pub(crate) fn avoid_sse_until(&self) -> Option<Instant> {
        *self.shared.avoid_sse_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_avoid_sse_until(&self, until: Option<Instant>) {
        *self.shared.avoid_sse_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_escaped_and_a_prefix_is_kept() {
        let client = Client::new("https://host.example/chat/").unwrap();
        let url = client.url(&["invites", "a/b?c"]);
        assert_eq!(url.as_str(), "https://host.example/chat/v1/invites/a%2Fb%3Fc");
        let client = Client::new("https://host.example").unwrap();
        assert_eq!(client.url(&["me"]).as_str(), "https://host.example/v1/me");
    }

    #[test]
    fn other_schemes_are_refused() {
        for base in ["ftp://host", "host:80", "mailto:ada@example.org", ""] {
            assert!(matches!(Client::new(base), Err(Error::Address(_))), "{base}");
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let client = Client::new("https://host.example").unwrap().with_token("s3cret");
        assert!(!format!("{client:?}").contains("s3cret"));
    }
}
