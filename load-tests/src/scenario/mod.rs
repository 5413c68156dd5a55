//! One file is one question about the product. A scenario starts what it measures, ends in bounded time, checks that
//! what it measured was right, and returns a [`crate::report::Report`].
//!
//! A new scenario is a file with an options struct (its doc comments are the help) and `run`, and one variant of
//! [`Scenario`].

use anyhow::Result;

use crate::pin::Pin;
use crate::report::Report;
use crate::server::ServerOptions;

mod history;
mod idle;
mod latency;
mod post;
mod rebuild;
mod soak;
mod resume;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Scenario {
    /// How many posts a second become durable, against bare inserts into the same Postgres by pgbench
    Post(post::Options),
    /// How long from a post to its arrival on an SSE stream
    Latency(latency::Options),
    /// How much memory an idle server takes, and an idle SSE reader
    Idle(idle::Options),
    /// How long a page takes at the newest, the middle and the oldest of short and very long channels
    History(history::Options),
    /// How many events a second `echoverse rebuild` replays
    Rebuild(rebuild::Options),
    /// Whether memory, open files and latencies stay flat for an hour, and nothing is lost or comes twice
    Soak(soak::Options),
    /// How fast many clients catch up that come back at once
    Resume(resume::Options),
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
            Scenario::Latency(options) => latency::run(server, options).await,
            Scenario::Idle(options) => idle::run(server, options).await,
            Scenario::History(options) => history::run(server, options).await,
            Scenario::Rebuild(options) => rebuild::run(server, options).await,
            Scenario::Soak(options) => soak::run(server, options).await,
            Scenario::Resume(options) => resume::run(server, options).await,
        }
    }
}
