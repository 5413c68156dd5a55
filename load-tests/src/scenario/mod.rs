//! One file is one question about the product. A scenario starts what it measures, ends in bounded time, checks that
//! what it measured was right, and returns a [`crate::report::Report`].
//!
//! A new scenario is a file with an options struct (its doc comments are the help) and `run`, and one variant of
//! [`Scenario`].

use anyhow::Result;

use crate::pin::Pin;
use crate::report::Report;
use crate::server::ServerOptions;

mod community;
mod fanout;
mod history;
mod idle;
mod many_channels;
mod post;
mod rebuild;
mod resume;
mod soak;
mod storm;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Scenario {
    /// How many posts a second become durable, against bare inserts into the same Postgres by pgbench
    Post(post::Options),
    /// How many deliveries a second, how late and at what cost, from one channel to many subscribers, beside nchan
    Fanout(fanout::Options),
    /// How much memory an idle server takes, and an idle SSE reader
    Idle(idle::Options),
    /// How long a page takes at the newest, the middle and the oldest of short and very long channels
    History(history::Options),
    /// What it costs to enter a large community, and to change who may do what in it
    Community(community::Options),
    /// How many events a second `echoverse rebuild` replays
    Rebuild(rebuild::Options),
    /// Whether memory, open files and latencies stay flat for an hour, and nothing is lost or comes twice
    Soak(soak::Options),
    /// What it costs that each subscriber sees a few of many channels
    ManyChannels(many_channels::Options),
    /// How fast many clients catch up that come back at once
    Resume(resume::Options),
    /// What thousands of clients that come back at the same moment do to the server, and to others
    Storm(storm::Options),
}

impl Scenario {
    /// How the cores are dealt out if nothing else is asked. Posts are held against inserts that use the whole machine,
    /// and a rebuilding has it to itself.
    pub(crate) fn pin(&self) -> Pin {
        match self {
            Scenario::Post(_) | Scenario::Rebuild(_) => Pin::None,
            _ => Pin::Split,
        }
    }

    pub(crate) async fn run(&self, server: &ServerOptions) -> Result<Report> {
        match self {
            Scenario::Post(options) => post::run(server, options).await,
            Scenario::Fanout(options) => fanout::run(server, options).await,
            Scenario::Idle(options) => idle::run(server, options).await,
            Scenario::History(options) => history::run(server, options).await,
            Scenario::Community(options) => community::run(server, options).await,
            Scenario::Rebuild(options) => rebuild::run(server, options).await,
            Scenario::Soak(options) => soak::run(server, options).await,
            Scenario::ManyChannels(options) => many_channels::run(server, options).await,
            Scenario::Resume(options) => resume::run(server, options).await,
            Scenario::Storm(options) => storm::run(server, options).await,
        }
    }
}
