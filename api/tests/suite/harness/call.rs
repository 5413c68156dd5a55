//! One call and its answer.

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::{Account, TestServer, contract};

#[must_use]
pub(crate) struct Call<'a> {
    server: &'a TestServer,
    method: Method,
    path: String,
    request: reqwest::RequestBuilder,
}

impl<'a> Call<'a> {
    /// `path` is below `/v1`, or begins with `//` for one outside.
    pub(super) fn new(server: &'a TestServer, method: Method, path: &str) -> Self {
        let path = path
            .strip_prefix('/')
            .filter(|rest| rest.starts_with('/'))
            .map_or_else(|| format!("/v1{path}"), str::to_owned);
        let request = server.http.request(method.clone(), format!("{}{path}", server.base));
        Self { server, method, path, request }
    }

    pub(crate) fn by(self, account: &Account) -> Self {
        self.bearer(&account.token)
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Waits for what `answer` did.
    pub(crate) fn after(self, answer: &Answer) -> Self {
        let position = answer.text("/position");
        self.header("min-position", &position)
    }

    pub(crate) fn json(mut self, body: Value) -> Self {
        self.request = self.request.json(&body);
        self
    }

    pub(crate) fn raw(mut self, kind: &str, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.header("content-type", kind).body(body);
        self
    }

    /// The answer's head only, for a body that goes on.
    pub(crate) async fn open(self) -> reqwest::Response {
        let _ = self.server;
        let response = self.request.send().await.expect("an answer");
        contract::hold(&self.method, &self.path, response.status());
        response
    }

    pub(crate) async fn send(self) -> Answer {
        let what = format!("{} {}", self.method, self.path);
        let response = self.open().await;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.expect("a body");
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_client_error() || status.is_server_error() {
            contract::hold_problem(&what, status, &headers, &json);
        }
        Answer { what, status, headers, json }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    what: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}: {}", self.what, self.json);
        self
    }

    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        let told = self.json["code"].as_str().unwrap_or_default();
        assert_eq!((self.status.as_u16(), told), (status, code), "{}: {}", self.what, self.json);
        self
    }

    /// 422 with exactly these faults: pointer or parameter, and code.
    #[track_caller]
    pub(crate) fn invalid(self, faults: &[(&str, &str)]) -> Self {
        let answer = self.refused(422, "invalid");
        let told: Vec<(&str, &str)> = answer.json["errors"]
            .as_array()
            .map(|errors| errors.iter())
            .into_iter()
            .flatten()
            .map(|error| {
                let place = error["pointer"].as_str().or(error["parameter"].as_str());
                (place.unwrap_or_default(), error["code"].as_str().unwrap_or_default())
            })
            .collect();
        assert_eq!(told, faults, "{}", answer.what);
        answer
    }

    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> String {
        let value = self.json.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_else(|| panic!("{}: no {pointer} in {}", self.what, self.json)).to_owned()
    }

    #[track_caller]
    pub(crate) fn items(&self) -> &Vec<Value> {
        self.json["items"].as_array().unwrap_or_else(|| panic!("{}: no items in {}", self.what, self.json))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
