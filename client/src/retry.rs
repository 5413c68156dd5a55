//! Sending a request until it has an answer, within bounds.

use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::chance::{self, Jitter};
use crate::error::{Error, Problem};
use crate::request::Request;

/// The body of a success. Only what is safe to repeat comes here: reads, and commands with an idempotency key.
pub(crate) async fn send(request: &Request) -> Result<Vec<u8>, Error> {
    let options = request.client.options();
    let end = Instant::now() + options.total_timeout.max(request.try_timeout.unwrap_or_default());
    let mut jitter = Jitter::new(chance::seed());
    let mut attempt = 0;
    loop {
        let error = match once(request, options.max_answer).await {
            Ok(body) => return Ok(body),
            Err(error) => error,
        };
        attempt += 1;
        if attempt >= request.tries || !passes(&error) {
            return Err(error);
        }
        let mut wait = chance::backoff(&mut jitter, attempt - 1, options.backoff_first, options.backoff_most);
        if let Error::Problem(problem) = &error {
            wait = wait.max(problem.retry_after.unwrap_or_default());
        }
        if Instant::now() + wait >= end {
            return Err(error);
        }
        tokio::time::sleep(wait).await;
    }
}

/// Whether the same request may fare better later.
pub(crate) fn passes(error: &Error) -> bool {
    match error {
        Error::Transport(error) => !error.is_builder(),
        Error::Problem(problem) => matches!(problem.status, 429 | 502 | 503 | 504),
        _ => false,
    }
}

async fn once(request: &Request, max_answer: usize) -> Result<Vec<u8>, Error> {
    let response = request.build()?.send().await.map_err(Error::transport)?;
    if response.status().is_success() {
        return body(response, max_answer).await;
    }
    Err(problem(response).await)
}

/// The problem that a response other than a success carries.
pub(crate) async fn problem(response: Response) -> Error {
    const MAX_PROBLEM: usize = 256 << 10;
    let status = response.status().as_u16();
    let request_id =
        response.headers().get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let retry_after = retry_after(response.headers(), SystemTime::now());
    match body(response, MAX_PROBLEM).await {
        Ok(body) => Error::Problem(Box::new(Problem::of(status, &body, request_id, retry_after))),
        Err(Error::Decode(_)) => Error::Problem(Box::new(Problem::of(status, b"", request_id, retry_after))),
        Err(error) => error,
    }
}

async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Error::transport)? {
        if body.len() + chunk.len() > most {
            return Err(Error::Decode(format!("it is larger than {most} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// `Retry-After` in either of its forms (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds.min(24 * 3600)));
    }
    let date = DateTimeParser::new().parse_timestamp(text).ok()?;
    let wait = date.duration_since(Timestamp::try_from(now).ok()?);
    Some(Duration::try_from(wait).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        retry_after(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777))
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        assert_eq!(parse("3"), Some(Duration::from_secs(3)));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:40 GMT"), Some(Duration::from_secs(3)));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:30 GMT"), Some(Duration::ZERO));
        assert_eq!(parse("soon"), None);
    }
}
