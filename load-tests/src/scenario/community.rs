//! One large community: what it costs to enter it, and to change who may do what in it.
//!
//! Most members only are members; some have a live stream open. A role's change concerns all members: the server judges
//! every connected one anew, and tells all of them. A channel's overwrite is told to those who see the channel before or
//! after it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use hyper::Uri;
use serde::Serialize;
use serde_json::{Value, json};

use crate::http::{Call, Connection, Login};
use crate::progress::Progress;
use crate::report::{Machine, Report, Table};
use crate::server::{Server, ServerOptions};
use crate::sse::Stream;
use crate::statistics::{Latencies, Summary};
use crate::usage::Usage;
use crate::world::World;

/// A bootstrap may take this long, at the 99th percentile.
const GOAL_MS: f64 = 300.0;
/// A frame that has not come by then is lost.
const PATIENCE: Duration = Duration::from_secs(30);
/// Streams that are being opened at the same time.
const OPENING: usize = 32;
/// What everything calms down within after the members came.
const SETTLE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, clap::Args, Serialize)]
pub(crate) struct Options {
    /// Members of the community
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(8..=100_000))]
    members: u32,
    /// Its channels
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(2..=500))]
    channels: u16,
    /// How many of the channels have overwrites
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    restricted: u16,
    /// SSE streams that are open, each of another member
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=8_000))]
    readers: u16,
    /// Bootstraps that are timed
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u16).range(10..))]
    bootstraps: u16,
    /// Changes of each kind
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    changes: u16,
}

pub(crate) async fn run(server: &ServerOptions, options: &Options) -> Result<Report> {
    let machine = Machine::look(&server.scratch);
    let server = Server::start(server).await?;
    let logins = usize::from(options.readers) + 1;
    let channels = usize::from(options.channels);
    let world = World::lobby(&server.target, options.members as usize, logins, channels).await?;
    let owner = world.login(0).clone();
    let mut connection = Connection::open(&server.target).await?;
    let progress = Progress::steps("restricting channels", options.restricted.into());
    for channel in world.channels.iter().take(options.restricted.into()) {
        // Roles may view it still, but it is no longer roles alone that decide.
        overwrite(&mut connection, &owner, channel, "moderator", json!({"allow": ["view"], "deny": []}))
            .await?;
        progress.step();
    }
    server.watched.settle(SETTLE).await;

    let (bootstraps, bytes, entering) = bootstraps(&server, &world, options).await?;
    let mut streams = open_streams(&server, &world.logins[1..]).await?;
    let role = format!("/v1/communities/{}/roles/member", world.community);
    let meter = server.watched.start();
    let mut roles = Fanout::default();
    for round in 0..options.changes {
        let permissions =
            if round % 2 == 0 { json!(["view", "post", "reply"]) } else { json!(["view", "post"]) };
        let body = json!({"permissions": permissions}).to_string();
        let call = Call::patch(uri(&role)?, Some(&owner), body);
        roles.time(&mut connection, call, &mut streams, b"role.changed").await?;
    }
    let last = world.channels.last().context("there are channels")?;
    let mut overwrites = Fanout::default();
    for round in 0..options.changes {
        let deny = if round % 2 == 0 { json!(["view"]) } else { json!([]) };
        let allow = if round % 2 == 0 { json!([]) } else { json!(["view"]) };
        let path = format!("/v1/channels/{last}/overwrites/roles/member");
        let body = json!({"allow": allow, "deny": deny}).to_string();
        let call = Call::put(uri(&path)?, Some(&owner), body);
        overwrites.time(&mut connection, call, &mut streams, b"channel.overwritten").await?;
    }
    let usage = meter.stop();
    report(machine, options, &Found { bootstraps, bytes, entering, roles, overwrites, usage })
}

async fn overwrite(
    connection: &mut Connection,
    owner: &Login,
    channel: &str,
    role: &str,
    body: Value,
) -> Result<()> {
    let path = format!("/v1/channels/{channel}/overwrites/roles/{role}");
    connection.succeed(Call::put(uri(&path)?, Some(owner), body.to_string())).await.map(drop)
}

/// Members who look in, one after the other, each for the first time.
async fn bootstraps(server: &Server, world: &World, options: &Options) -> Result<(Summary, usize, Usage)> {
    let mut connection = Connection::open(&server.target).await?;
    let (mut latencies, mut bytes) = (Latencies::new(), 0);
    let progress = Progress::steps("bootstraps", options.bootstraps.into());
    let meter = server.watched.start();
    for n in 0..usize::from(options.bootstraps) {
        let begun = Instant::now();
        let call = Call::get(Uri::from_static("/v1/bootstrap"), Some(world.login(n)));
        let body = connection.succeed(call).await?;
        latencies.record(begun.elapsed());
        bytes = body.len();
        let bootstrap: Value = serde_json::from_slice(&body).context("a bootstrap is JSON")?;
        let channels = bootstrap["communities"][0]["channels"].as_array().map_or(0, Vec::len);
        ensure!(channels >= usize::from(options.channels), "a bootstrap shows {channels} channels");
        progress.step();
    }
    Ok((latencies.summary(), bytes, meter.stop()))
}

async fn open_streams(server: &Server, logins: &[Login]) -> Result<Vec<Stream>> {
    let progress = Progress::steps("opening streams", logins.len());
    let mut streams = Vec::with_capacity(logins.len());
    for some in logins.chunks(OPENING) {
        streams.extend(try_join_all(some.iter().map(|login| Stream::open(&server.target, login))).await?);
        some.iter().for_each(|_| progress.step());
    }
    Ok(streams)
}

/// How late a change comes to everyone, from when it was asked for.
#[derive(Debug)]
struct Fanout {
    each: Latencies,
    last: Latencies,
}

impl Default for Fanout {
    fn default() -> Self {
        Self { each: Latencies::new(), last: Latencies::new() }
    }
}

impl Fanout {
    /// Makes one change and waits until every stream has its frame.
    async fn time(
        &mut self,
        connection: &mut Connection,
        call: Call<'_>,
        streams: &mut [Stream],
        kind: &[u8],
    ) -> Result<()> {
        let begun = Instant::now();
        let hear = async |stream: &mut Stream| {
            let mut heard = None;
            while heard.is_none() {
                let came = stream.read(|frame| {
                    if frame.event() == kind {
                        heard = Some(begun.elapsed());
                    }
                });
                came.await?.context("a stream ended")?;
            }
            heard.context("heard above")
        };
        let all = try_join_all(streams.iter_mut().map(hear));
        let change = connection.succeed(call);
        let both = async { tokio::try_join!(all, change) };
        let (heard, _) = tokio::time::timeout(PATIENCE, both).await.context("a change did not come")??;
        heard.iter().for_each(|latency| self.each.record(*latency));
        self.last.record(heard.into_iter().max().context("there are readers")?);
        Ok(())
    }
}

struct Found {
    bootstraps: Summary,
    /// Of one bootstrap.
    bytes: usize,
    entering: Usage,
    roles: Fanout,
    overwrites: Fanout,
    usage: Usage,
}

fn report(machine: Machine, options: &Options, found: &Found) -> Result<Report> {
    let rows = [
        ("a bootstrap", found.bootstraps.clone()),
        ("a role's change, at each reader", found.roles.each.summary()),
        ("a role's change, at the last reader", found.roles.last.summary()),
        ("a channel's overwrite, at each reader", found.overwrites.each.summary()),
        ("a channel's overwrite, at the last reader", found.overwrites.last.summary()),
    ];
    let columns = [""].into_iter().chain(Summary::COLUMNS);
    let table = rows.iter().fold(Table::new("Time", columns), |table, (what, summary)| {
        table.row([vec![(*what).to_owned()], summary.cells()].concat())
    });
    let held = found.bootstraps.p99_ms < GOAL_MS;
    let mut notes = machine.doubts(&found.usage);
    notes.push(format!("a bootstrap has {} bytes", found.bytes));
    let changes = 2 * u64::from(options.changes);
    Ok(Report {
        scenario: "community",
        notes,
        machine,
        settings: serde_json::to_value(options)?,
        figures: json!({
            "bootstrap": found.bootstraps, "bootstrap_bytes": found.bytes, "goal_ms": GOAL_MS, "held": held,
            "role": {"each": found.roles.each.summary(), "last": found.roles.last.summary()},
            "overwrite": {"each": found.overwrites.each.summary(), "last": found.overwrites.last.summary()},
        }),
        tables: vec![
            table,
            Table::new("CPU of the bootstraps", ["", "CPU", "cores", "a bootstrap"])
                .rows(found.entering.rows(options.bootstraps.into())),
            Table::new("CPU of the changes", ["", "CPU", "cores", "a change"])
                .rows(found.usage.rows(changes)),
        ],
        plots: vec![],
    })
}

fn uri(path: &str) -> Result<Uri> {
    path.parse().with_context(|| format!("{path} is no path"))
}
