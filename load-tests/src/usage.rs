//! CPU time over a stretch of a test, by who used it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::process;

/// Whom to watch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched {
    /// The process of the server; unknown for a server that others started.
    pub(crate) server: Option<u32>,
    /// The cluster of its database, where that is private to it.
    pub(crate) cluster: Option<PathBuf>,
}

impl Watched {
    /// The processes of Postgres; none where they are unknown.
    pub(crate) fn postgres(&self) -> Vec<u32> {
        let postmaster = self.cluster.as_deref().and_then(process::postmaster);
        postmaster.map(process::tree).unwrap_or_default()
    }

    /// The processes of the server. Where it has no database of its own they are all that descend from it, such as
    /// nginx' workers.
    pub(crate) fn servers(&self) -> Vec<u32> {
        match (self.server, &self.cluster) {
            (Some(server), None) => process::tree(server),
            (server, _) => server.into_iter().collect(),
        }
    }

    pub(crate) fn start(&self) -> Meter {
        Meter { watched: self.clone(), begun: Instant::now(), at_start: self.read() }
    }

    /// Waits until server and database have finished what they do behind their answers (projections, vacuum), at most
    /// `patience`, so that one measurement doesn't pay for another.
    pub(crate) async fn settle(&self, patience: Duration) -> Duration {
        const LOOK: Duration = Duration::from_millis(200);
        const QUIET: f64 = 0.05;
        let begun = Instant::now();
        loop {
            let meter = self.start();
            tokio::time::sleep(LOOK).await;
            let used = meter.stop();
            let busy = used.server_seconds.unwrap_or_default() + used.postgres_seconds.unwrap_or_default();
            if busy < QUIET * LOOK.as_secs_f64() {
                return begun.elapsed().saturating_sub(LOOK);
            }
            if begun.elapsed() > patience {
                return begun.elapsed();
            }
        }
    }

    fn read(&self) -> Reading {
        let postgres = self.postgres();
        Reading {
            server: self.servers().into_iter().filter_map(process::cpu).reduce(|one, other| one + other),
            postgres: (!postgres.is_empty()).then(|| process::cpu_with_ended(&postgres)),
            load: Some(process::cpu_with_ended(&[std::process::id()])).filter(|cpu| !cpu.is_zero()),
            machine: process::machine_cpu(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    server: Option<Duration>,
    postgres: Option<Duration>,
    load: Option<Duration>,
    machine: Option<Duration>,
}

/// A running measurement.
pub(crate) struct Meter {
    watched: Watched,
    begun: Instant,
    at_start: Reading,
}

impl Meter {
    pub(crate) fn stop(&self) -> Usage {
        let now = self.watched.read();
        let since =
            |now: Option<Duration>, then: Option<Duration>| Some(now?.saturating_sub(then?).as_secs_f64());
        let ours = [
            since(now.server, self.at_start.server),
            since(now.postgres, self.at_start.postgres),
            since(now.load, self.at_start.load),
        ];
        let machine = since(now.machine, self.at_start.machine);
        let [server_seconds, postgres_seconds, load_seconds] = ours;
        Usage {
            wall_seconds: self.begun.elapsed().as_secs_f64(),
            server_seconds,
            postgres_seconds,
            load_seconds,
            other_seconds: machine.map(|machine| (machine - ours.iter().flatten().sum::<f64>()).max(0.0)),
        }
    }
}

/// CPU seconds. A side is absent where it could not be watched.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Usage {
    pub(crate) wall_seconds: f64,
    pub(crate) server_seconds: Option<f64>,
    pub(crate) postgres_seconds: Option<f64>,
    /// The load generator's own, and that of its programs that have ended (pgbench).
    pub(crate) load_seconds: Option<f64>,
    /// What the rest of the machine used, and the kernel for all.
    pub(crate) other_seconds: Option<f64>,
}

impl Usage {
    pub(crate) fn add(&mut self, other: &Usage) {
        let sum = |one: Option<f64>, other: Option<f64>| Some(one.unwrap_or_default() + other?);
        self.wall_seconds += other.wall_seconds;
        self.server_seconds = sum(self.server_seconds, other.server_seconds);
        self.postgres_seconds = sum(self.postgres_seconds, other.postgres_seconds);
        self.load_seconds = sum(self.load_seconds, other.load_seconds);
        self.other_seconds = sum(self.other_seconds, other.other_seconds);
    }

    /// Cores that programs outside of the test kept busy; without a server's process id, the server too.
    pub(crate) fn other_cores(&self) -> Option<f64> {
        Some(self.other_seconds? / self.wall_seconds.max(1e-9))
    }

    /// Side, CPU seconds, cores kept busy, microseconds for each of `count`.
    pub(crate) fn rows(&self, count: u64) -> Vec<Vec<String>> {
        let sides = [
            ("server", self.server_seconds),
            ("postgres", self.postgres_seconds),
            ("load generator", self.load_seconds),
            ("others", self.other_seconds),
        ];
        let row = |(side, seconds): (&str, Option<f64>)| {
            let seconds = seconds?;
            #[expect(clippy::cast_precision_loss, reason = "a rounded figure for people")]
            let each = seconds * 1e6 / count.max(1) as f64;
            let cores = seconds / self.wall_seconds.max(1e-9);
            Some(vec![
                side.to_owned(),
                format!("{seconds:.2} s"),
                format!("{cores:.2}"),
                format!("{each:.0} µs"),
            ])
        };
        sides.into_iter().filter_map(row).collect()
    }
}
