//! Hints between nodes: "the log has grown". A lost hint costs the follower's poll interval, nothing else.

use std::{future::poll_fn, pin::pin, sync::Arc, time::Duration};

use tokio::sync::{Notify, watch};
use tokio_postgres::{
    AsyncMessage, Client, Config, Connection, NoTls, Socket, tls::NoTlsStream, types::Type,
};
use tokio_util::sync::CancellationToken;

use super::{backoff::Backoff, window::Window};
use crate::Position;

/// A NOTIFY commits under a lock of the whole database cluster, so a busy node sends few: not in its appends'
/// transactions, and one for all that it appended meanwhile.
const QUIET: Duration = Duration::from_millis(20);
const TIMEOUT: Duration = Duration::from_secs(10);

/// Listens for other nodes and tells them what this one `committed`, over a connection of its own, for ever.
pub(super) async fn run(
    config: Config,
    window: Arc<Window>,
    hint: Arc<Notify>,
    committed: watch::Receiver<Position>,
    shutdown: CancellationToken,
) {
    let mut backoff = Backoff::default();
    loop {
        let result = tokio::select! {
            () = shutdown.cancelled() => return,
            result = session(&config, &window, &hint, committed.clone(), &mut backoff) => result,
        };
        // The follower's polling stands in meanwhile.
        tracing::debug!(?result, "the connection for hints between nodes ended");
        backoff.failed();
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = backoff.wait() => {}
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Database(#[from] tokio_postgres::Error),
    #[error(transparent)]
    TimedOut(#[from] tokio::time::error::Elapsed),
    #[error("the server closed the connection")]
    Closed,
}

async fn session(
    config: &Config,
    window: &Window,
    hint: &Notify,
    committed: watch::Receiver<Position>,
    backoff: &mut Backoff,
) -> Result<(), Ended> {
    let mut config = config.clone();
    config
        .application_name("echoverse hints")
        .connect_timeout(TIMEOUT)
        .tcp_user_timeout(TIMEOUT)
        .keepalives_idle(TIMEOUT);
    let (client, connection) = tokio::time::timeout(TIMEOUT, config.connect(NoTls)).await??;
    // The client's statements move only while the connection is polled.
    tokio::select! {
        result = receive(connection, window, hint) => result,
        result = talk(client, hint, committed, backoff) => result,
    }
}

async fn receive(
    connection: Connection<Socket, NoTlsStream>,
    window: &Window,
    hint: &Notify,
) -> Result<(), Ended> {
    let mut connection = pin!(connection);
    while let Some(message) = poll_fn(|cx| connection.as_mut().poll_message(cx)).await {
        if let AsyncMessage::Notification(notification) = message? {
            // The notifications of this node itself come back too; they name what the window holds already.
            match notification.payload().parse() {
                Ok(position) if Position(position) <= window.end() => {}
                Ok(_) | Err(_) => hint.notify_one(),
            }
        }
    }
    Err(Ended::Closed)
}

async fn talk(
    client: Client,
    hint: &Notify,
    mut committed: watch::Receiver<Position>,
    backoff: &mut Backoff,
) -> Result<(), Ended> {
    tokio::time::timeout(TIMEOUT, client.batch_execute("LISTEN log_events")).await??;
    let prepared = client.prepare_typed("SELECT pg_notify('log_events', $1)", &[Type::TEXT]);
    let notify = tokio::time::timeout(TIMEOUT, prepared).await??;
    backoff.reset();
    // What was committed before the connection listened was not heard.
    hint.notify_one();
    loop {
        if committed.changed().await.is_err() {
            return std::future::pending().await;
        }
        let position = committed.borrow_and_update().to_string();
        tokio::time::timeout(TIMEOUT, client.execute(&notify, &[&position])).await??;
        tokio::time::sleep(QUIET).await;
    }
}
