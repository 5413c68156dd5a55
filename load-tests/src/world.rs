//! Accounts in one community with its channels, made over the REST API as anybody would.

use std::cell::Cell;

use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;
use hyper::Uri;
use serde_json::{Value, json};

use crate::http::{Call, Connection, Login, Target};
use crate::progress::Progress;

/// Live streams that one account opens here; the server allows 64, whatever its rate limits.
const STREAMS_OF_AN_ACCOUNT: usize = 50;
/// Connections on which a world is made: the commits of one hide behind the hashing of another.
const LANES: usize = 4;

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
    pub(crate) community: String,
    /// The owner first.
    pub(crate) logins: Vec<Login>,
    /// Ids of text channels.
    pub(crate) channels: Vec<String>,
}

impl World {
    pub(crate) async fn make(target: &Target, size: Size) -> Result<World> {
        let logins = accounts(target, size.accounts.max(1)).await?;
        let progress = Progress::steps("making a community", logins.len() + size.channels);
        World::found(target, logins, size.channels, &progress).await
    }

    /// Communities with accounts and channels of their own, each of `size`.
    pub(crate) async fn make_many(target: &Target, communities: usize, size: Size) -> Result<Vec<World>> {
        let each = size.accounts.max(1);
        let logins = accounts(target, communities * each).await?;
        let progress = Progress::steps("making communities", communities * (each + size.channels));
        let mut worlds = Vec::with_capacity(communities);
        for logins in logins.chunks(each) {
            worlds.push(World::found(target, logins.to_vec(), size.channels, &progress).await?);
        }
        Ok(worlds)
    }

    /// A further community, of accounts that there are: the first owns it.
    pub(crate) async fn of(target: &Target, logins: Vec<Login>, channels: usize) -> Result<World> {
        let progress = Progress::steps("making a community", logins.len() + channels);
        World::found(target, logins, channels, &progress).await
    }

    async fn found(
        target: &Target,
        logins: Vec<Login>,
        channels: usize,
        progress: &Progress,
    ) -> Result<World> {
        let owner = logins.first().context("a community has an owner")?;
        let mut connection = Connection::open(target).await?;
        let name = json!({"name": "Load test"});
        let community = command(&mut connection, Some(owner), "/v1/communities", name).await?;
        let community = id(&community, "community")?;
        let invites = format!("/v1/communities/{community}/invites");
        let invite = command(&mut connection, Some(owner), &invites, json!({})).await?;
        let redemptions = uri(&format!("/v1/invites/{}/redemptions", text(&invite, "/invite/code")?))?;
        progress.step();
        in_lanes(target, logins.len() - 1, progress, async |connection, n| {
            let redemption = Call::post(redemptions.clone(), Some(&logins[n + 1]), "");
            connection.succeed(redemption).await.map(drop)
        })
        .await?;
        let channels = make_channels(target, owner, &community, channels, progress).await?;
        Ok(World { community, logins, channels })
    }

    /// The community that everyone lands in on a server of its own, with `members`, `logins` of whom can act: the owner
    /// first.
    pub(crate) async fn lobby(
        target: &Target,
        members: usize,
        logins: usize,
        channels: usize,
    ) -> Result<World> {
        // Whoever registers first owns it.
        let mut able = accounts(target, 1).await?;
        able.extend(accounts(target, logins.max(1) - 1).await?);
        let rest = members.saturating_sub(able.len());
        let tag = tag()?;
        let progress = Progress::steps("making members", rest);
        in_lanes(target, rest, &progress, async |connection, n| {
            let handle = format!("rest_{tag}_{n}");
            register(connection, &handle, &format!("correct horse {tag}"), n).await
        })
        .await?;
        let owner = able.first().context("somebody owns it")?;
        let mut connection = Connection::open(target).await?;
        let bootstrap = connection.succeed(Call::get(uri("/v1/bootstrap")?, Some(owner))).await?;
        let bootstrap: Value = serde_json::from_slice(&bootstrap).context("a bootstrap is JSON")?;
        let community = text(&bootstrap, "/communities/0/id")?;
        let progress = Progress::steps("making channels", channels);
        // It begins with one.
        let made = make_channels(target, owner, &community, channels.max(1) - 1, &progress).await?;
        Ok(World { community, logins: able, channels: made })
    }

    /// For the n-th of many connections: accounts and channels are dealt out in turn, in all combinations.
    pub(crate) fn login(&self, n: usize) -> &Login {
        &self.logins[n % self.logins.len()]
    }

    pub(crate) fn channel(&self, n: usize) -> &str {
        &self.channels[(n / self.logins.len() + n) % self.channels.len()]
    }
}

/// As many new accounts. Each costs the server two hashes of a password.
async fn accounts(target: &Target, count: usize) -> Result<Vec<Login>> {
    // Tells the handles of this test from those of others on the same server.
    let tag = tag()?;
    let progress = Progress::steps("making accounts", count);
    in_lanes(target, count, &progress, async |connection, n| {
        let handle = format!("load_{tag}_{n}");
        let password = format!("correct horse {tag}");
        register(connection, &handle, &password, n).await?;
        let login = json!({"login": handle, "password": password});
        Login::new(&text(&command(connection, None, "/v1/sessions", login).await?, "/token")?)
    })
    .await
}

async fn register(connection: &mut Connection, handle: &str, password: &str, n: usize) -> Result<()> {
    let account = json!({
        "handle": handle, "email": format!("{handle}@load.example"), "password": password,
        "display_name": format!("Load {n}"),
    });
    command(connection, None, "/v1/accounts", account).await.map(drop)
}

async fn make_channels(
    target: &Target,
    owner: &Login,
    community: &str,
    count: usize,
    progress: &Progress,
) -> Result<Vec<String>> {
    let path = format!("/v1/communities/{community}/channels");
    in_lanes(target, count, progress, async |connection, n| {
        let channel = json!({"name": format!("load-{n}"), "kind": "text"});
        id(&command(connection, Some(owner), &path, channel).await?, "channel")
    })
    .await
}

/// Makes `count` things on a few connections at the same time; returns them by their numbers.
async fn in_lanes<T>(
    target: &Target,
    count: usize,
    progress: &Progress,
    make: impl AsyncFn(&mut Connection, usize) -> Result<T>,
) -> Result<Vec<T>> {
    let next = Cell::new(0);
    let lane = async || {
        let mut connection = Connection::open(target).await?;
        let mut made = Vec::new();
        while next.get() < count {
            let n = next.replace(next.get() + 1);
            made.push((n, make(&mut connection, n).await?));
            progress.step();
        }
        anyhow::Ok(made)
    };
    let made = try_join_all((0..LANES.min(count)).map(|_| lane())).await?;
    let mut made: Vec<(usize, T)> = made.into_iter().flatten().collect();
    made.sort_unstable_by_key(|(n, _)| *n);
    Ok(made.into_iter().map(|(_, thing)| thing).collect())
}

async fn command(
    connection: &mut Connection,
    login: Option<&Login>,
    path: &str,
    body: Value,
) -> Result<Value> {
    let answer = connection.succeed(Call::post(uri(path)?, login, body.to_string())).await?;
    serde_json::from_slice(&answer).with_context(|| format!("POST {path}: the answer is no JSON"))
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
        let world =
            World { community: String::new(), logins, channels: (0..4).map(|n| n.to_string()).collect() };
        let mut pairs: Vec<(usize, &str)> = (0..16).map(|n| (n % 4, world.channel(n))).collect();
        pairs.sort_unstable();
        pairs.dedup();
        assert_eq!(pairs.len(), 16);
    }
}
