//! `pgbench` doing the least that is durable: one bare row a transaction. No server that stores each post in Postgres
//! by a transaction of its own can be faster.
//! <https://www.postgresql.org/docs/current/pgbench.html>

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use local_postgres::{Durability, LocalPostgres};
use serde::Serialize;
use tempfile::TempDir;
use tokio::process::Command;

use crate::server::scratch_directory;
use crate::usage::{Usage, Watched};

/// About what an event of a short message takes in the log.
const ROW_BYTES: usize = 300;
const TABLE: &str =
    "CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, data bytea NOT NULL)";
const INSERT: &str = "INSERT INTO bare (data) VALUES (:data);\n";
/// How much longer than its time a run may take.
const GRACE: Duration = Duration::from_secs(60);

/// A cluster of its own, run exactly as the product runs its private one, and the program that loads it.
pub(crate) struct Pgbench {
    program: PathBuf,
    script: PathBuf,
    clients: usize,
    pub(crate) watched: Watched,
    postgres: LocalPostgres,
    _directory: TempDir,
}

/// One run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Run {
    pub(crate) inserts_per_second: f64,
    pub(crate) mean_ms: f64,
    /// Of Postgres, and of pgbench as the load generator.
    pub(crate) usage: Usage,
}

impl Pgbench {
    pub(crate) async fn start(scratch: &Path, clients: usize) -> Result<Pgbench> {
        let program = find()?;
        let directory = scratch_directory(scratch)?;
        let data = directory.path().join("data");
        let postgres =
            LocalPostgres::start(&data, Durability::Full).await.context("starting pgbench's Postgres")?;
        let (client, connection) = tokio_postgres::connect(&postgres.url(), tokio_postgres::NoTls)
            .await
            .context("connecting to it")?;
        let connection = tokio::spawn(connection);
        client.batch_execute(TABLE).await.context("making pgbench's table")?;
        drop(client);
        connection.await.context("a task")?.context("leaving pgbench's Postgres")?;
        let script = directory.path().join("insert.sql");
        std::fs::write(&script, INSERT).with_context(|| format!("writing {}", script.display()))?;
        let watched = Watched { server: None, cluster: Some(data.join("postgres").join("cluster")) };
        Ok(Pgbench { program, script, clients, watched, postgres, _directory: directory })
    }

    pub(crate) async fn run(&self, duration: Duration) -> Result<Run> {
        let mut command = Command::new(&self.program);
        command.args(["--protocol=prepared", "--no-vacuum"]);
        command.arg(format!("--client={}", self.clients));
        command.arg(format!("--jobs={}", std::thread::available_parallelism().map_or(1, usize::from)));
        command.arg(format!("--time={}", duration.as_secs().max(1)));
        command.arg(format!("--define=data={}", "d".repeat(ROW_BYTES)));
        command.arg("--file").arg(&self.script).arg(self.postgres.url());
        command.stdin(Stdio::null()).kill_on_drop(true);
        let meter = self.watched.start();
        let output = tokio::time::timeout(duration + GRACE, command.output()).await;
        let output = output.context("pgbench does not end")?.context("running pgbench")?;
        let usage = meter.stop();
        let said = String::from_utf8_lossy(&output.stdout);
        let (Some(inserts_per_second), Some(mean_ms), true) =
            (figure(&said, "tps = "), figure(&said, "latency average = "), output.status.success())
        else {
            bail!("pgbench failed: {}\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr));
        };
        Ok(Run { inserts_per_second, mean_ms, usage })
    }

    pub(crate) async fn stop(self) -> Result<()> {
        self.postgres.stop().await.context("stopping pgbench's Postgres")
    }
}

/// The number behind `name` at the beginning of a line.
fn figure(said: &str, name: &str) -> Option<f64> {
    let rest = said.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split(' ').next()?.parse().ok()
}

/// What Postgres calls itself, of the version that is used here.
pub(crate) fn version() -> String {
    let program = find().map(|pgbench| pgbench.with_file_name("postgres"));
    let output =
        program.ok().and_then(|postgres| std::process::Command::new(postgres).arg("--version").output().ok());
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    said.filter(|said| !said.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// In the directory the environment names, the newest of Debian's, or on the `PATH`.
fn find() -> Result<PathBuf> {
    let named = std::env::var_os("ECHOVERSE_POSTGRES_BIN").map(PathBuf::from);
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories =
        named.into_iter().chain(versions.into_iter().map(|(_, bin)| bin)).chain(std::env::split_paths(&path));
    directories.find_map(|directory| Some(directory.join("pgbench")).filter(|program| program.is_file())).context(
        "pgbench was not found. It comes with Postgres' packages (Debian, Ubuntu: apt-get install postgresql; \
         Fedora, Alpine: postgresql-contrib; Arch, Homebrew: postgresql); ECHOVERSE_POSTGRES_BIN names its directory. \
         Without it: --no-peer",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_what_pgbench_says() {
        let said = "transaction type: insert.sql\nlatency average = 6.271 ms\ninitial connection time = 39.1 ms\n\
            tps = 10205.683102 (without initial connection time)\n";
        assert_eq!(figure(said, "tps = "), Some(10_205.683_102));
        assert_eq!(figure(said, "latency average = "), Some(6.271));
        assert_eq!(figure(said, "latency stddev = "), None);
    }

    #[tokio::test]
    async fn a_short_run_inserts_rows() {
        let pgbench = Pgbench::start(&std::env::temp_dir(), 4).await.unwrap();
        let run = pgbench.run(Duration::from_secs(1)).await.unwrap();
        assert!(run.inserts_per_second > 0.0);
        assert!(run.usage.postgres_seconds.is_some() || !cfg!(target_os = "linux"));
        pgbench.stop().await.unwrap();
    }
}
