//! The `RateLimit` and `RateLimit-Policy` headers (draft-ietf-httpapi-ratelimit-headers-11).

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::limiter::Standing;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Buckets that a call was counted in, by their policy's name.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<(&'static str, Standing)>);

impl Report {
    pub(super) fn add(&mut self, name: &'static str, standing: Standing) {
        self.0.push((name, standing));
    }

    /// When to come back, of a call that was refused.
    pub(super) fn wait(&self) -> std::time::Duration {
        self.0.iter().find_map(|(_, standing)| standing.wait).unwrap_or_default()
    }

    pub(super) fn write(&self, headers: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        let listed = |item: fn(&(&'static str, Standing)) -> String| {
            let items: Vec<String> = self.0.iter().map(item).collect();
            HeaderValue::from_str(&items.join(", ")).expect("names and numbers are visible ASCII")
        };
        headers.insert(RATE_LIMIT_POLICY, listed(policy));
        headers.insert(RATE_LIMIT, listed(state));
    }
}

/// The window is the time in which an empty bucket fills up.
fn policy((name, standing): &(&'static str, Standing)) -> String {
    let window = seconds(standing.quota.each.as_secs_f64() * f64::from(standing.quota.burst));
    format!("\"{name}\";q={};w={window}", standing.quota.burst)
}

/// `t` is when the bucket is full again, or, where it is empty, when it holds a call again.
fn state((name, standing): &(&'static str, Standing)) -> String {
    let used = standing.quota.burst.saturating_sub(standing.remaining);
    let reset = match standing.wait {
        Some(wait) => seconds(wait.as_secs_f64()),
        None => seconds(standing.quota.each.as_secs_f64() * f64::from(used)),
    };
    format!("\"{name}\";r={};t={reset}", standing.remaining)
}

/// Whole seconds, rounded up.
fn seconds(time: f64) -> u64 {
    time.ceil().max(1.0) as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::class::Quota;
    use super::*;

    #[test]
    fn the_headers_are_structured_fields() {
        let quota = Quota { burst: 30, each: Duration::from_millis(100) };
        let mut report = Report::default();
        report.add("post", Standing { quota, remaining: 10, wait: None });
        report
            .add("post-address", Standing { quota, remaining: 0, wait: Some(Duration::from_millis(1_500)) });
        let mut headers = HeaderMap::new();
        report.write(&mut headers);
        assert_eq!(headers[RATE_LIMIT_POLICY], "\"post\";q=30;w=3, \"post-address\";q=30;w=3");
        assert_eq!(headers[RATE_LIMIT], "\"post\";r=10;t=2, \"post-address\";r=0;t=2");
    }
}
