//! How long answers take, by method, route and status.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::Histogram;
use parking_lot::RwLock;

/// The histograms that were needed so far: looking one up costs less than putting its name together each time.
#[derive(Default)]
pub(super) struct Timing(RwLock<HashMap<Box<str>, Vec<Known>>>);

struct Known {
    method: &'static str,
    status: StatusCode,
    histogram: Histogram,
}

impl Timing {
    pub(super) fn record(&self, method: &Method, route: &str, status: StatusCode, elapsed: Duration) {
        let method = name(method);
        let find = |known: &Vec<Known>| {
            let found = known.iter().find(|known| known.method == method && known.status == status)?;
            Some(found.histogram.clone())
        };
        let known = self.0.read().get(route).and_then(find);
        let histogram = known.unwrap_or_else(|| {
            let histogram = metrics::histogram!(
                "echoverse_http_request_seconds",
                "method" => method, "route" => route.to_owned(), "status" => status.as_u16().to_string()
            );
            let entry = Known { method, status, histogram: histogram.clone() };
            self.0.write().entry(route.into()).or_default().push(entry);
            histogram
        });
        histogram.record(elapsed);
    }
}

/// A client may make methods up; they are all one to the metrics.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_methods_make_no_histograms_of_their_own() {
        let timing = Timing::default();
        for method in [&b"MAKE"[..], b"UP", b"GET", b"GET"] {
            let method = Method::from_bytes(method).unwrap();
            timing.record(&method, "/v1/me", StatusCode::OK, Duration::ZERO);
        }
        timing.record(&Method::GET, "/v1/me", StatusCode::UNAUTHORIZED, Duration::ZERO);
        assert_eq!(timing.0.read()["/v1/me"].len(), 3);
    }
}
