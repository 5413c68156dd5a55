//! `/metrics`, on a listener of its own: it is for the operator, not for users.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::listener;

/// From a millisecond to ten seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
const MAX_CONNECTIONS: usize = 16;

pub(super) fn listen(
    socket: TcpListener,
    tasks: &TaskTracker,
    shutdown: CancellationToken,
) -> anyhow::Result<SocketAddr> {
    let addr = socket.local_addr().context("the metrics listener has no address")?;
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .context("metrics cannot be recorded")?;
    let upkeep = handle.clone();
    let router = Router::new().route(
        "/metrics",
        get(move || {
            let text = handle.render();
            async move { ([("content-type", "text/plain; version=0.0.4; charset=utf-8")], text) }
        }),
    );
    let listening = listener::listen(socket, router, MAX_CONNECTIONS);
    tasks.spawn(async move {
        let mut ticks = tokio::time::interval(std::time::Duration::from_secs(5));
        while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            upkeep.run_upkeep();
        }
        listening.drain(std::time::Duration::from_secs(1)).await;
    });
    Ok(addr)
}
