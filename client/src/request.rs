//! A call on its way: built by the nouns, sent when awaited.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::cursor::{Cursor, Paging};
use crate::error::Error;
use crate::{chance, retry};

/// A call that changes something. Every try of it carries one idempotency key, so it has one effect at most.
#[must_use = "a command is sent when awaited"]
#[derive(Debug)]
pub struct Command<T> {
    request: Request,
    answer: PhantomData<fn() -> T>,
}

/// A call that changes nothing.
#[must_use = "a read is sent when awaited"]
#[derive(Debug)]
pub struct Read<T> {
    request: Request,
    answer: PhantomData<fn() -> T>,
}

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) client: Client,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) body: Option<Result<Bytes, String>>,
    pub(crate) key: Option<String>,
    pub(crate) min_position: Option<Cursor>,
    pub(crate) try_timeout: Option<Duration>,
    pub(crate) tries: u32,
}

impl<T> Command<T> {
    pub(crate) fn new(client: &Client, method: Method, segments: &[&str]) -> Self {
        Self { request: Request::new(client, method, segments), answer: PhantomData }
    }

    pub(crate) fn body(mut self, body: &impl Serialize) -> Self {
        self.request.body =
            Some(serde_json::to_vec(body).map(Bytes::from).map_err(|error| error.to_string()));
        self
    }

    /// Sends it once, whatever the answer.
    pub(crate) fn once(mut self) -> Self {
        self.request.tries = 1;
        self
    }

    /// Uses this key (1 to 128 visible ASCII characters) in place of a fresh one: the same key with the same command
    /// has one effect, however often and from however many processes it is sent.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.request.key = Some(key.into());
        self
    }
}

impl<T> Read<T> {
    pub(crate) fn new(client: &Client, segments: &[&str]) -> Self {
        Self { request: Request::new(client, Method::GET, segments), answer: PhantomData }
    }

    pub(crate) fn query<V: ToString>(mut self, name: &str, value: Option<V>) -> Self {
        if let Some(value) = value {
            self.request.url.query_pairs_mut().append_pair(name, &value.to_string());
        }
        self
    }

    pub(crate) fn paging(self, page: &Paging) -> Self {
        self.query("after", page.after.as_ref()).query("limit", page.limit)
    }

    pub(crate) fn try_timeout(mut self, timeout: Duration) -> Self {
        self.request.try_timeout = Some(timeout);
        self
    }

    /// For a stream, which has no end to wait for.
    pub(crate) fn without_timeout(mut self) -> Self {
        self.request.try_timeout = None;
        self
    }

    /// The request alone, for who reads the response himself.
    pub(crate) fn build(&self) -> Result<reqwest::RequestBuilder, Error> {
        self.request.build()
    }

    /// Sends it once, whatever the answer.
    pub(crate) fn once(mut self) -> Self {
        self.request.tries = 1;
        self
    }

    /// Answers not before the server's read model has reached a command's `position`.
    pub fn min_position(mut self, position: &Cursor) -> Self {
        self.request.min_position = Some(position.clone());
        self
    }
}

impl Request {
    fn new(client: &Client, method: Method, segments: &[&str]) -> Self {
        Self {
            client: client.clone(),
            method,
            url: client.url(segments),
            body: None,
            key: None,
            min_position: None,
            try_timeout: Some(client.options().try_timeout),
            tries: client.options().tries,
        }
    }

    /// One try, ready to send.
    pub(crate) fn build(&self) -> Result<reqwest::RequestBuilder, Error> {
        let mut builder = self.client.http().request(self.method.clone(), self.url.clone());
        if let Some(timeout) = self.try_timeout {
            builder = builder.timeout(timeout);
        }
        if let Some(bearer) = self.client.bearer() {
            builder = builder.header(reqwest::header::AUTHORIZATION, bearer);
        }
        if let Some(key) = &self.key {
            builder = builder.header("idempotency-key", header(key)?);
        }
        if let Some(position) = &self.min_position {
            builder = builder.header("min-position", header(position.as_str())?);
        }
        match &self.body {
            None => {}
            Some(Err(reason)) => return Err(Error::Decode(format!("the request: {reason}"))),
            Some(Ok(body)) => {
                builder = builder
                    .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                    .body(body.clone());
            }
        }
        Ok(builder)
    }

    async fn answer<T: DeserializeOwned>(self) -> Result<T, Error> {
        let body = retry::send(&self).await?;
        let body = if body.is_empty() { &b"null"[..] } else { &body[..] };
        serde_json::from_slice(body).map_err(|error| Error::Decode(error.to_string()))
    }
}

fn header(text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text).map_err(|_| Error::Decode("the request: not a header value".to_owned()))
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

impl<T: DeserializeOwned + 'static> IntoFuture for Command<T> {
    type Output = Result<T, Error>;
    type IntoFuture = Answer<T>;

    fn into_future(mut self) -> Self::IntoFuture {
        self.request.key.get_or_insert_with(chance::idempotency_key);
        Box::pin(self.request.answer())
    }
}

impl<T: DeserializeOwned + 'static> IntoFuture for Read<T> {
    type Output = Result<T, Error>;
    type IntoFuture = Answer<T>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.request.answer())
    }
}
