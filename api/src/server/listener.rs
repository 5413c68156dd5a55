//! Accepting connections, so many at once, and letting them finish.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{self, Detached};

const BACKLOG: i32 = 1_024;
/// The pause after the system had no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The address is taken, but nothing is accepted yet.
pub(super) fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = || -> std::io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A restart must not wait for old connections to be forgotten.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    bound().with_context(|| format!("cannot listen on {address}: is it in use? (ECHOVERSE_LISTEN)"))
}

pub(super) struct Listening {
    stop: CancellationToken,
    accepting: JoinHandle<()>,
    connections: TaskTracker,
    cut: CancellationToken,
}

/// Answers connections with `router`, at most `most` at once.
pub(super) fn listen(socket: TcpListener, router: Router, most: usize) -> Listening {
    let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
    let connections = TaskTracker::new();
    let accepting =
        tokio::spawn(accept(socket, router, most, stop.clone(), cut.clone(), connections.clone()));
    Listening { stop, accepting, connections, cut }
}

async fn accept(
    socket: TcpListener,
    router: Router,
    most: usize,
    stop: CancellationToken,
    cut: CancellationToken,
    connections: TaskTracker,
) {
    let places = Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
    loop {
        if places.available_permits() == 0 {
            tracing::warn!(most, "all connections are taken: others wait (ECHOVERSE_MAX_CONNECTIONS)");
        }
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = places.clone().acquire_owned() => place.expect("the semaphore is never closed"),
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = socket.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a connection could not be accepted"
                );
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        metrics::gauge!("echoverse_http_connections").set((most - places.available_permits()) as f64);
        let serving = connection::serve(stream, peer, router.clone(), stop.clone());
        let (cut, streams) = (cut.clone(), connections.clone());
        connections.spawn(async move {
            let Some(Some(Detached { stream, head })) = cut.run_until_cancelled(serving).await else {
                return;
            };
            // A task of its own: a stream lives for minutes and needs a tenth of the room.
            streams.spawn(async move {
                let _place = place;
                cut.run_until_cancelled(stream.run(head)).await;
            });
        });
    }
}

impl Listening {
    /// Accepts no more, lets requests finish for `patience`, and cuts off the rest; whether none was.
    pub(super) async fn drain(self, patience: Duration) -> bool {
        let Self { stop, accepting, connections, cut } = self;
        stop.cancel();
        connections.close();
        let finished = async {
            // It ends with `stop`, and a panic in it has ended it, too.
            let _ = accepting.await;
            connections.wait().await;
        };
        let in_time = tokio::time::timeout(patience, finished).await.is_ok();
        cut.cancel();
        in_time
    }
}
