//! Running `echoverse rebuild` on the database of a running server.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use serde_json::Value;
use tokio::process::Command;

use crate::database;
use crate::process::{self, Memory};
use crate::server::{Server, ServerOptions};

/// A rebuilding that is slower has a fault that no figure is worth waiting for.
const SLOWEST: u64 = 1_000;
const GRACE: Duration = Duration::from_secs(60);
/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(250);

pub(super) struct Program {
    path: PathBuf,
    data: PathBuf,
    database: String,
}

/// What a run says of itself, and how long it took from its start to its end.
#[derive(Debug, Serialize)]
pub(super) struct Run {
    pub(super) events: u64,
    pub(super) seconds: f64,
    /// The largest seen; `None` where memory cannot be looked at.
    pub(super) peak: Option<Memory>,
}

impl Program {
    pub(super) fn of(options: &ServerOptions, server: &Server) -> Result<Program> {
        let cluster = server.watched.cluster.as_deref();
        let cluster = cluster.context("only a server of our own can be rebuilt: leave --url out")?;
        // DATA/postgres/cluster
        let data = cluster.parent().and_then(|postgres| postgres.parent());
        let data = data.context("a cluster lies in a data directory")?.to_owned();
        Ok(Program { path: options.program()?, data, database: database::address(cluster)? })
    }

    /// Replays at least `events`, and compares the outcome with the tables in use if `verify`.
    pub(super) async fn run(&self, events: u64, verify: bool) -> Result<Run> {
        let mut command = Command::new(&self.path);
        command.arg("rebuild").args(verify.then_some("--verify"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("ECHOVERSE_") {
                command.env_remove(name);
            }
        }
        command.env("DATABASE_URL", &self.database).env("ECHOVERSE_DATA", &self.data);
        command.env("ECHOVERSE_LOG", "json,info");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let begun = Instant::now();
        let child = command.spawn().with_context(|| format!("starting {}", self.path.display()))?;
        let pid = child.id();
        let patience = GRACE + Duration::from_secs(events / SLOWEST);
        let mut ended = std::pin::pin!(tokio::time::timeout(patience, child.wait_with_output()));
        let mut looks = tokio::time::interval(LOOK);
        let mut peak: Option<Memory> = None;
        let output = loop {
            tokio::select! {
                output = &mut ended => break output,
                _ = looks.tick() => {
                    let now = pid.and_then(process::memory);
                    peak = peak.into_iter().chain(now).max_by_key(|memory| memory.pss_bytes);
                }
            }
        };
        let seconds = begun.elapsed().as_secs_f64();
        let output = output.with_context(|| format!("no end after {patience:?}"))?.context("running it")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`echoverse rebuild` failed: {}\n{said}", output.status);
        let events = replayed(&said).with_context(|| format!("it does not say what it did:\n{said}"))?;
        Ok(Run { events, seconds, peak })
    }
}

/// How many events it says to have replayed, in a log of one JSON object a line.
fn replayed(log: &str) -> Option<u64> {
    let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.find_map(|line| {
        let swapped = line.pointer("/fields/swapped")?.as_bool()?;
        line.pointer("/fields/events")?.as_u64().filter(|_| swapped)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_are_those_of_the_line_that_says_the_tables_were_swapped() {
        let log = "not json\n\
            {\"fields\":{\"message\":\"rebuilding\",\"position\":7,\"head\":9}}\n\
            {\"fields\":{\"message\":\"the read model is rebuilt\",\"events\":9,\"swapped\":true}}\n";
        assert_eq!(replayed(log), Some(9));
        assert_eq!(replayed(&log.replace("true", "false")), None);
        assert_eq!(replayed(""), None);
    }
}
