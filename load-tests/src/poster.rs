//! Posts numbered messages to one channel over one connection.

use anyhow::{Context as _, Result, ensure};
use hyper::Uri;
use serde_json::{Value, json};

use crate::http::{Call, Connection, Login, Target};
use crate::marker;
use crate::repeat::{Repeat, Request};
use crate::world::World;

/// Posts a message of `length` characters to `channel`, with the number of each for its content and its key.
pub(crate) fn request(target: &Target, login: &Login, channel: &str, length: usize) -> Result<Request> {
    let body = json!({"content": marker::content(marker::PLACEHOLDER, length)}).to_string();
    // With an idempotency key, as every client sends one that wants to repeat safely.
    let text = format!(
        "POST /v1/channels/{channel}/messages HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\nidempotency-key: load-{}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        target.address,
        login.authorization()?,
        marker::PLACEHOLDER,
        body.len(),
    );
    Request::new(&text, marker::PLACEHOLDER)
}

/// An account that writes.
#[derive(Debug)]
pub(crate) struct Poster {
    target: Target,
    login: Login,
    repeat: Repeat,
    /// What the last post was numbered and how it was answered.
    last: Option<u64>,
    answer: Vec<u8>,
}

impl Poster {
    /// The n-th of many in a world; its messages have `length` characters.
    pub(crate) async fn open(target: &Target, world: &World, n: usize, length: usize) -> Result<Poster> {
        let login = world.login(n).clone();
        let request = request(target, &login, world.channel(n), length)?;
        let repeat = Repeat::open(target, request).await?;
        Ok(Poster { target: target.clone(), login, repeat, last: None, answer: Vec::new() })
    }

    /// Posts message `sequence`, which must be new for the account. It is durable when this returns.
    pub(crate) async fn post(&mut self, sequence: u64) -> Result<()> {
        let answer = self.repeat.send(sequence).await?;
        self.last = Some(sequence);
        self.answer.clear();
        self.answer.extend_from_slice(answer);
        Ok(())
    }

    /// The id of the last message, from the answer to its post.
    pub(crate) fn last_id(&self) -> Result<String> {
        let answer: Value =
            serde_json::from_slice(&self.answer).context("the answer to a post is no JSON")?;
        let id = answer.pointer("/message/id").and_then(Value::as_str);
        id.map(str::to_owned).with_context(|| format!("the answer to a post has no message: {answer}"))
    }

    /// Reads the last post back: what was acknowledged must be there.
    pub(crate) async fn check_last(&self) -> Result<()> {
        let Some(sequence) = self.last else { return Ok(()) };
        let id = self.last_id()?;
        let uri: Uri = format!("/v1/messages/{id}").parse().context("an id makes a URI")?;
        let mut connection = Connection::open(&self.target).await?;
        let message = connection.succeed(Call::get(uri, Some(&self.login))).await?;
        ensure!(
            marker::sequence(&message) == Some(sequence),
            "acknowledged as {sequence}, but read back as {}",
            String::from_utf8_lossy(&message)
        );
        Ok(())
    }
}
