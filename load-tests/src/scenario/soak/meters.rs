//! Latencies of the running interval, and what is looked at when it ends.

use std::collections::HashSet;
use std::fs;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::footprint::Footprint;
use crate::process;
use crate::statistics::{Latencies, Summary};
use crate::usage::{Meter, Usage, Watched};

/// Since the last sample.
#[derive(Debug)]
pub(super) struct Meters {
    /// From when a post was due to its answer, and to its arrival on a stream or in the answer to a poll.
    pub(super) posts: Latencies,
    pub(super) streams: Latencies,
    pub(super) polls: Latencies,
    /// A page of a channel.
    pub(super) pages: Latencies,
}

impl Meters {
    pub(super) fn new() -> Meters {
        Meters {
            posts: Latencies::new(),
            streams: Latencies::new(),
            polls: Latencies::new(),
            pages: Latencies::new(),
        }
    }
}

/// What an interval was like, and the state at its end.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Sample {
    /// Since the beginning.
    pub(super) minutes: f64,
    pub(super) memory: Footprint,
    /// Postgres without what its processes share and what is mapped from files: it grows with leaks alone, where shared
    /// buffers fill up as the data grows.
    pub(super) postgres_private: Option<u64>,
    /// Open files of the server, sockets included.
    pub(super) descriptors: Option<u32>,
    pub(super) posts: Summary,
    pub(super) streams: Summary,
    pub(super) polls: Summary,
    pub(super) pages: Summary,
    pub(super) usage: Usage,
}

/// Takes samples.
pub(super) struct Sampler<'a> {
    watched: &'a Watched,
    meters: &'a Mutex<Meters>,
    begun: Instant,
    interval: Meter,
}

impl<'a> Sampler<'a> {
    pub(super) fn start(watched: &'a Watched, meters: &'a Mutex<Meters>) -> Sampler<'a> {
        Sampler { watched, meters, begun: Instant::now(), interval: watched.start() }
    }

    /// Takes one after every `interval`, until `duration` is over.
    pub(super) async fn run(mut self, interval: Duration, duration: Duration) -> Vec<Sample> {
        let mut samples = Vec::new();
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        ticks.tick().await;
        while self.begun.elapsed() + interval / 2 < duration {
            ticks.tick().await;
            samples.push(self.sample());
        }
        samples
    }

    fn sample(&mut self) -> Sample {
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        let Meters { posts, streams, polls, pages } = std::mem::replace(&mut *meters, Meters::new());
        drop(meters);
        let usage = self.interval.stop();
        self.interval = self.watched.start();
        let postgres: Vec<u64> = self.watched.postgres().into_iter().filter_map(private).collect();
        Sample {
            minutes: self.begun.elapsed().as_secs_f64() / 60.0,
            memory: Footprint::look(self.watched),
            postgres_private: (!postgres.is_empty()).then(|| postgres.into_iter().sum()),
            descriptors: self.watched.server.and_then(descriptors),
            posts: posts.summary(),
            streams: streams.summary(),
            polls: polls.summary(),
            pages: pages.summary(),
            usage,
        }
    }
}

/// How many files a process has open.
pub(super) fn descriptors(pid: u32) -> Option<u32> {
    fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count().try_into().ok()
}

/// How many of them are TCP sockets: those that listen, and one for each client. Connections to a private Postgres are
/// Unix sockets.
pub(super) fn network_sockets(pid: u32) -> Option<u32> {
    let tables = ["tcp", "tcp6"].map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")));
    let known: HashSet<String> = tables
        .iter()
        .flatten()
        .flat_map(|table| table.lines().skip(1))
        .filter_map(|line| Some(format!("socket:[{}]", line.split_ascii_whitespace().nth(9)?)))
        .collect();
    let open = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.flatten();
    let links = open.filter_map(|file| fs::read_link(file.path()).ok());
    links.filter(|link| link.to_str().is_some_and(|link| known.contains(link))).count().try_into().ok()
}

/// The value of a gauge in the text of the server's metrics.
pub(super) fn gauge(metrics: &str, name: &str) -> Option<f64> {
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok();
    metrics.lines().find_map(value)
}

/// Resident memory that a process shares with nobody and no file.
fn private(pid: u32) -> Option<u64> {
    process::kibibytes(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "RssAnon:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_found_by_its_whole_name() {
        let text = "# TYPE live gauge\nlive_now 3\nlive 2\nlive{a=\"b\"} 9\n";
        assert_eq!(gauge(text, "live"), Some(2.0));
        assert_eq!(gauge(text, "liv"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_client_is_a_network_socket_and_a_pipe_is_none() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert_eq!(network_sockets(child.id()), Some(0));
        child.kill().unwrap();
        child.wait().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(network_sockets(std::process::id()).unwrap() >= 1);
        drop(listener);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_open_file_counts() {
        let own = std::process::id();
        let directory = tempfile::tempdir().unwrap();
        let files: Vec<fs::File> =
            (0..64).map(|n| fs::File::create(directory.path().join(n.to_string())).unwrap()).collect();
        let with = descriptors(own).unwrap();
        assert!(with >= 64);
        drop(files);
        assert!(private(own).unwrap() > 0);
    }
}
