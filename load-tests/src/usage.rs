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
            server: self.server.and_then(process::cpu),
            postgres: (!postgres.is_empty()).then(|| process::cpu_with_ended(&postgres)),
            load: process::cpu(std::process::id()),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    server: Option<Duration>,
    postgres: Option<Duration>,
    load: Option<Duration>,
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
        Usage {
            wall_seconds: self.begun.elapsed().as_secs_f64(),
            server_seconds: since(now.server, self.at_start.server),
            postgres_seconds: since(now.postgres, self.at_start.postgres),
            load_seconds: since(now.load, self.at_start.load),
        }
    }
}

/// CPU seconds. A side is absent where it could not be watched.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Usage {
    pub(crate) wall_seconds: f64,
    pub(crate) server_seconds: Option<f64>,
    pub(crate) postgres_seconds: Option<f64>,
    /// The load generator's own.
    pub(crate) load_seconds: Option<f64>,
}

impl Usage {
    pub(crate) fn add(&mut self, other: &Usage) {
        let sum = |one: Option<f64>, other: Option<f64>| Some(one.unwrap_or_default() + other?);
        self.wall_seconds += other.wall_seconds;
        self.server_seconds = sum(self.server_seconds, other.server_seconds);
        self.postgres_seconds = sum(self.postgres_seconds, other.postgres_seconds);
        self.load_seconds = sum(self.load_seconds, other.load_seconds);
    }

    /// Side, CPU seconds, cores kept busy, microseconds for each of `count`.
    pub(crate) fn rows(&self, count: u64) -> Vec<Vec<String>> {
        let sides = [
            ("server", self.server_seconds),
            ("postgres", self.postgres_seconds),
            ("load generator", self.load_seconds),
        ];
        let row = |(side, seconds): (&str, Option<f64>)| {
            let Some(seconds) = seconds else {
                return vec![side.to_owned(), "unknown".to_owned(), String::new(), String::new()];
            };
            #[expect(clippy::cast_precision_loss, reason = "a rounded figure for people")]
            let each = seconds * 1e6 / count.max(1) as f64;
            let cores = seconds / self.wall_seconds.max(1e-9);
            vec![side.to_owned(), format!("{seconds:.2} s"), format!("{cores:.2}"), format!("{each:.0} µs")]
        };
        sides.map(row).to_vec()
    }
}
