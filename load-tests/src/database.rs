//! What a Postgres did over a stretch of a test, from its own counters: how many transactions and waits for the disk
//! one request costs is what no CPU profile shows.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;
use tokio_postgres::NoTls;

/// The first version that counts the waits for the write-ahead log's disk in `pg_stat_io`.
const COUNTS_IN_STAT_IO: i32 = 180_000;

/// Totals since the cluster was made. A session adds its part about once a second, so differences over a few seconds
/// are rough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Work {
    pub(crate) transactions: i64,
    /// How often the write-ahead log was forced to the disk.
    pub(crate) flushes: i64,
    pub(crate) log_bytes: i64,
}

impl Work {
    /// Asks the private cluster in `cluster`, through its Unix socket.
    pub(crate) async fn read(cluster: &Path) -> Result<Work> {
        let (client, connection) = tokio_postgres::connect(&address(cluster)?, NoTls)
            .await
            .context("connecting to the private Postgres")?;
        let connection = tokio::spawn(connection);
        let version = client
            .query_one("SELECT current_setting('server_version_num')::integer", &[])
            .await
            .context("asking Postgres its version")?;
        let flushes = match version.get::<_, i32>(0) {
            COUNTS_IN_STAT_IO.. => "SELECT sum(fsyncs)::bigint FROM pg_stat_io WHERE object = 'wal'",
            _ => "SELECT wal_sync FROM pg_stat_wal",
        };
        let counters = format!(
            "SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()),
                    ({flushes}),
                    (SELECT wal_bytes::bigint FROM pg_stat_wal)"
        );
        let row = client.query_one(&counters, &[]).await.context("reading Postgres' counters")?;
        let work = Work { transactions: row.get(0), flushes: row.get(1), log_bytes: row.get(2) };
        drop(client);
        connection.await.context("a task")?.context("leaving the private Postgres")?;
        Ok(work)
    }

    pub(crate) fn since(&self, earlier: &Work) -> Work {
        Work {
            transactions: self.transactions - earlier.transactions,
            flushes: self.flushes - earlier.flushes,
            log_bytes: self.log_bytes - earlier.log_bytes,
        }
    }

    /// What, in all, for each of `count`.
    #[expect(clippy::cast_precision_loss, reason = "a rounded figure for people")]
    pub(crate) fn rows(&self, count: u64) -> Vec<Vec<String>> {
        let all = [
            ("transactions", self.transactions),
            ("log flushes", self.flushes),
            ("log bytes", self.log_bytes),
        ];
        let row = |(what, total): (&str, i64)| {
            vec![what.to_owned(), total.to_string(), format!("{:.3}", total as f64 / count.max(1) as f64)]
        };
        all.map(row).to_vec()
    }
}

/// The connection string, from what a running server writes about itself: the fourth and fifth lines of its lock file
/// are port and socket directory.
/// <https://www.postgresql.org/docs/current/storage-file-layout.html>
pub(crate) fn address(cluster: &Path) -> Result<String> {
    let path = cluster.join("postmaster.pid");
    let file = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut lines = file.lines().skip(3);
    let (port, directory) = (lines.next(), lines.next());
    let (Some(port), Some(directory)) = (port, directory) else {
        anyhow::bail!("{} does not say where its server listens", path.display());
    };
    Ok(format!("host={directory} port={port} user=echoverse dbname=echoverse"))
}

#[cfg(test)]
mod tests {
    use local_postgres::{Durability, LocalPostgres};

    use super::*;

    #[tokio::test]
    async fn a_private_server_tells_what_it_did() {
        let directory = crate::server::scratch_directory(&std::env::temp_dir()).unwrap();
        let data = directory.path().join("data");
        let postgres = LocalPostgres::start(&data, Durability::Full).await.unwrap();
        let cluster = data.join("postgres").join("cluster");
        let before = Work::read(&cluster).await.unwrap();
        let after = Work::read(&cluster).await.unwrap();
        assert!(after.since(&before).transactions >= 0);
        assert!(after.log_bytes > 0);
        postgres.stop().await.unwrap();
    }
}
