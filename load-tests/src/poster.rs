//! Posts numbered messages to one channel over one connection.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use hyper::Uri;
use hyper::header::HeaderValue;
use serde_json::{Value, json};

use crate::http::{Call, Connection, Login, Target};
use crate::marker;
use crate::world::World;

/// An account that writes.
#[derive(Debug)]
pub(crate) struct Poster {
    connection: Connection,
    login: Login,
    messages: Uri,
    length: usize,
    last: Option<(u64, Bytes)>,
}

impl Poster {
    /// The n-th of many in a world; its messages have `length` characters.
    pub(crate) async fn open(target: &Target, world: &World, n: usize, length: usize) -> Result<Poster> {
        let messages = format!("/v1/channels/{}/messages", world.channel(n));
        Ok(Poster {
            connection: Connection::open(target).await?,
            login: world.login(n).clone(),
            messages: messages.parse().context("a path of ids is a URI")?,
            length,
            last: None,
        })
    }

    /// Posts message `sequence`, which must be new for the account. It is durable when this returns.
    pub(crate) async fn post(&mut self, sequence: u64) -> Result<()> {
        let body = json!({"content": marker::content(sequence, self.length)}).to_string();
        // As every client sends one that wants to repeat safely.
        let key = HeaderValue::from(sequence);
        let call = Call::post(self.messages.clone(), Some(&self.login), body).idempotency_key(key);
        let answer = self.connection.succeed(call).await?;
        self.last = Some((sequence, answer));
        Ok(())
    }

    /// Reads the last post back: what was acknowledged must be there.
    pub(crate) async fn check_last(&mut self) -> Result<()> {
        let Some((sequence, answer)) = &self.last else { return Ok(()) };
        let answer: Value = serde_json::from_slice(answer).context("the answer to a post is no JSON")?;
        let id = answer.pointer("/message/id").and_then(Value::as_str);
        let id = id.with_context(|| format!("the answer to a post has no message: {answer}"))?;
        let uri: Uri = format!("/v1/messages/{id}").parse().context("an id makes a URI")?;
        let message = self.connection.succeed(Call::get(uri, Some(&self.login))).await?;
        ensure!(
            marker::sequence(&message) == Some(*sequence),
            "acknowledged as {sequence}, but read back as {}",
            String::from_utf8_lossy(&message)
        );
        Ok(())
    }
}
