//! `echoverse serve`.

use anyhow::Context as _;
use api::server::Server;
use api::settings::ServerConfig;
use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    config: ServerConfig,
}

impl Serve {
    #[expect(clippy::print_stdout, reason = "the address is this program's result: scripts wait for it")]
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be caught")?;
        let mut terminate = signal(SignalKind::terminate()).context("signals cannot be caught")?;
        raise_file_limit();
        let server = tokio::select! {
            started = Server::start(self.config) => started?,
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
        };
        println!("EchoVerse listens on http://{}", server.addr);
        if let Some(addr) = server.metrics_addr {
            tracing::info!(%addr, "metrics are on http://{addr}/metrics");
        }
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("ending: live streams first, then what is under way; again to end at once");
        tokio::select! {
            ended = server.shutdown() => ended,
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
        }
    }
}

/// Each connection is an open file: as many as the system allows.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, wanted) {
        tracing::warn!(%error, current = limit.current, "the limit of open files stays as it is");
    }
}
