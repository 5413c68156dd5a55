//! Accounts in one community with its channels, made over the REST API as anybody would.

use anyhow::{Context as _, Result};
use hyper::Uri;
use serde_json::{Value, json};

use crate::http::{Call, Connection, Login, Target};
use crate::progress::Progress;

/// Live streams that one account opens here; the server allows 64, whatever its rate limits.
const STREAMS_OF_AN_ACCOUNT: usize = 50;

/// How many accounts it takes to open `streams`; never fewer than a handful, so that not all is one account's.
pub(crate) fn accounts_for(streams: usize) -> usize {
    streams.div_ceil(STREAMS_OF_AN_ACCOUNT).max(8)
}

/// How large a world to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// At least one: the owner of the community.
    pub(crate) accounts: usize,
    pub(crate) channels: usize,
}

/// One community; every account is a member and may post everywhere.
#[derive(Debug)]
pub(crate) struct World {
    /// The owner first.
    pub(crate) logins: Vec<Login>,
    /// Ids of text channels.
    pub(crate) channels: Vec<String>,
}

impl World {
    pub(crate) async fn make(target: &Target, size: Size) -> Result<World> {
        let progress = Progress::steps("making accounts", size.accounts.max(1));
        let mut builder = Builder { connection: Connection::open(target).await?, tag: tag()? };
        let owner = builder.account(0).await?;
        progress.step();
        let community =
            builder.command(Some(&owner), "/v1/communities", json!({"name": "Load test"})).await?;
        let community = id(&community, "community")?;
        let invites = format!("/v1/communities/{community}/invites");
        let invite = builder.command(Some(&owner), &invites, json!({})).await?;
        let code = text(&invite, "/invite/code")?;
        let redemptions = format!("/v1/invites/{code}/redemptions");
        let mut logins = vec![owner.clone()];
        for number in 1..size.accounts {
            let login = builder.account(number).await?;
            builder.connection.succeed(Call::post(uri(&redemptions)?, Some(&login), "")).await?;
            logins.push(login);
            progress.step();
        }
        let mut channels = Vec::with_capacity(size.channels);
        for number in 0..size.channels {
            let path = format!("/v1/communities/{community}/channels");
            let body = json!({"name": format!("load-{number}"), "kind": "text"});
            channels.push(id(&builder.command(Some(&owner), &path, body).await?, "channel")?);
        }
        Ok(World { logins, channels })
    }

    /// For the n-th of many connections: accounts and channels are dealt out in turn, in all combinations.
    pub(crate) fn login(&self, n: usize) -> &Login {
        &self.logins[n % self.logins.len()]
    }

    pub(crate) fn channel(&self, n: usize) -> &str {
        &self.channels[(n / self.logins.len() + n) % self.channels.len()]
    }
}

struct Builder {
    connection: Connection,
    /// Tells the handles of this test from those of others on the same server.
    tag: String,
}

impl Builder {
    async fn account(&mut self, number: usize) -> Result<Login> {
        let handle = format!("load_{}_{number}", self.tag);
        let password = format!("correct horse {}", self.tag);
        let account = json!({
            "handle": handle, "email": format!("{handle}@load.example"), "password": password,
            "display_name": format!("Load {number}"),
        });
        self.command(None, "/v1/accounts", account).await?;
        let session =
            self.command(None, "/v1/sessions", json!({"login": handle, "password": password})).await?;
        Login::new(&text(&session, "/token")?)
    }

    async fn command(&mut self, login: Option<&Login>, path: &str, body: Value) -> Result<Value> {
        let answer = self.connection.succeed(Call::post(uri(path)?, login, body.to_string())).await?;
        serde_json::from_slice(&answer).with_context(|| format!("POST {path}: the answer is no JSON"))
    }
}

fn uri(path: &str) -> Result<Uri> {
    path.parse().with_context(|| format!("{path} is no path"))
}

fn id(answer: &Value, noun: &str) -> Result<String> {
    text(answer, &format!("/{noun}/id"))
}

fn text(answer: &Value, pointer: &str) -> Result<String> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("an answer has no {pointer}: {answer}"))
}

fn tag() -> Result<String> {
    let number = getrandom::u32().map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(format!("{number:08x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_dealt_all_combinations_of_accounts_and_channels() {
        let logins = (0..4).map(|n| Login::new(&n.to_string()).unwrap()).collect();
        let world = World { logins, channels: (0..4).map(|n| n.to_string()).collect() };
        let mut pairs: Vec<(usize, &str)> = (0..16).map(|n| (n % 4, world.channel(n))).collect();
        pairs.sort_unstable();
        pairs.dedup();
        assert_eq!(pairs.len(), 16);
    }
}
