//! Calls as JSON: a view holds whatever the contract shows, not only what a program picks out of it.

use std::time::Duration;

use client::Cursor;
use reqwest::Method;
use serde_json::Value;

use crate::Broken;

/// A read that the server is not ready for yet is tried as often as this.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(20);

/// An account's own way to the server.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    base: String,
    token: String,
    http: reqwest::Client,
}

impl Http {
    pub(crate) fn new(base: &str, token: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build();
        Self { base: base.to_owned(), token: token.to_owned(), http: http.expect("a client") }
    }

    /// What is there at `at` or later; `None` where it is not the caller's to see.
    pub(crate) async fn get(&self, path: &str, at: &Cursor) -> Result<Option<Value>, Broken> {
        let mut last = String::new();
        for _ in 0..TRIES {
            let request = self.http.get(format!("{}/v1{path}", self.base)).bearer_auth(&self.token);
            match answer(request.header("min-position", at.as_str())).await {
                Ok((200, body)) => return Ok(Some(body)),
                Ok((403 | 404, _)) => return Ok(None),
                Ok((503, body)) => last = body.to_string(),
                Ok((status, body)) => return Err(format!("GET {path}: {status} {body}")),
                Err(error) => last = error,
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(format!("GET {path}: {last}"))
    }

    /// A list with all its pages; `None` where it is not the caller's to see.
    pub(crate) async fn all(
        &self,
        path: &str,
        limit: u32,
        next: &str,
        at: &Cursor,
    ) -> Result<Option<Vec<Value>>, Broken> {
        let mut items = Vec::new();
        let mut place = String::new();
        loop {
            let Some(mut page) = self.get(&format!("{path}?limit={limit}{place}"), at).await? else {
                return Ok(None);
            };
            if let Value::Array(more) = page["items"].take() {
                items.extend(more);
            }
            match page["next"].as_str() {
                Some(cursor) => place = format!("&{next}={cursor}"),
                None => return Ok(Some(items)),
            }
        }
    }

    /// A command: its answer, or `None` where it was refused.
    pub(crate) async fn command(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Option<Value>, Broken> {
        let key = format!("{:032x}", getrandom::u64().map_err(|error| error.to_string())?);
        let mut last = String::new();
        for _ in 0..TRIES {
            let request = self.http.request(method.clone(), format!("{}/v1{path}", self.base));
            let mut request = request.bearer_auth(&self.token).header("idempotency-key", &key);
            if let Some(body) = &body {
                request = request.json(body);
            }
            match answer(request).await {
                Ok((200..=299, body)) => return Ok(Some(body)),
                Ok((403 | 404 | 409 | 410 | 422, _)) => return Ok(None),
                Ok((503, body)) => last = body.to_string(),
                Ok((status, body)) => return Err(format!("{method} {path}: {status} {body}")),
                Err(error) => last = error,
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(format!("{method} {path}: {last}"))
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<(u16, Value), String> {
    let response = request.send().await.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let body = response.bytes().await.map_err(|error| error.to_string())?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}
