//! A stretch of reading pages of one channel.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

use super::channel::Channel;
use crate::http::{Call, Connection};
use crate::statistics::Latencies;
use crate::usage::{Usage, Watched};

/// What a turn found.
pub(super) struct Turn {
    /// One for each place of [`super::Place::ALL`].
    pub(super) latencies: [Latencies; 3],
    pub(super) usage: Usage,
}

impl Turn {
    pub(super) fn p99_ms(&self) -> f64 {
        let mut all = Latencies::new();
        for latencies in &self.latencies {
            all.merge(latencies).expect("all histograms are made alike");
        }
        all.summary().p99_ms
    }
}

/// Every connection asks for page after page for `duration`; every answer is checked, and the time until its last byte
/// counts.
pub(super) async fn turn(
    watched: &Watched,
    connections: &mut Vec<Connection>,
    channel: &Arc<Channel>,
    duration: Duration,
) -> Result<Turn> {
    let mut tasks = JoinSet::new();
    let meter = watched.start();
    let end = Instant::now() + duration;
    for (first, mut connection) in connections.drain(..).enumerate() {
        let channel = channel.clone();
        tasks.spawn(async move {
            let mut latencies = empty();
            // Connections begin at different places and pages.
            let mut n = first * 7;
            loop {
                let (place, request) = channel.request(n);
                let sent = Instant::now();
                if sent >= end {
                    return anyhow::Ok((connection, latencies));
                }
                let body = connection.succeed(Call::get(request.uri.clone(), Some(&channel.login))).await?;
                latencies[place].record(sent.elapsed());
                request.check(&body)?;
                n += 1;
            }
        });
    }
    let mut latencies = empty();
    while let Some(done) = tasks.join_next().await {
        let (connection, own) = done.context("a task")??;
        connections.push(connection);
        for (sum, own) in latencies.iter_mut().zip(&own) {
            sum.merge(own)?;
        }
    }
    Ok(Turn { latencies, usage: meter.stop() })
}

fn empty() -> [Latencies; 3] {
    std::array::from_fn(|_| Latencies::new())
}
