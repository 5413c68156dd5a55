//! The way of signals between nodes: LISTEN and NOTIFY, over a connection of its own.

use std::future::poll_fn;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Socket};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::letter::{Added, Letter, read};
use super::{Signal, dropped, offer};

/// A NOTIFY commits under a lock of the whole database cluster, so a busy node sends few: what gathers in this time goes
/// in one. With some 25 signals in each that is 1,250 a second; what is more is dropped.
const QUIET: Duration = Duration::from_millis(20);
const TIMEOUT: Duration = Duration::from_secs(10);
/// The wait before the next attempt to connect doubles with each failure in a row.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Database(#[from] tokio_postgres::Error),
    #[error(transparent)]
    TimedOut(#[from] tokio::time::error::Elapsed),
    #[error("the server closed the connection")]
    Closed,
}

pub(super) struct Bus {
    config: Config,
    /// How this node tells its own letters, which come back, from those of others.
    node: Uuid,
    inbound: mpsc::Sender<Signal>,
    outbound: mpsc::Receiver<Signal>,
    /// The one that found the last letter full.
    left_over: Option<Signal>,
    failures: u32,
}

impl Bus {
    pub(super) fn new(
        mut config: Config,
        node: Uuid,
        inbound: mpsc::Sender<Signal>,
        outbound: mpsc::Receiver<Signal>,
    ) -> Self {
        config
            .application_name("echoverse signals")
            .connect_timeout(TIMEOUT)
            .tcp_user_timeout(TIMEOUT)
            .keepalives_idle(TIMEOUT);
        Self { config, node, inbound, outbound, left_over: None, failures: 0 }
    }

    /// Connects again and again, for as long as the server runs. Meanwhile signals reach this node's readers only.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let work = async {
            loop {
                let Err(ended) = self.session().await;
                if self.failures == 0 {
                    let error: &dyn std::error::Error = &ended;
                    tracing::warn!(error, "signals do not reach other nodes");
                }
                self.failures = self.failures.saturating_add(1);
                sleep(self.pause()).await;
            }
        };
        shutdown.run_until_cancelled(work).await;
    }

    /// Between half of the present pause and the whole, so that the nodes of a database that came back arrive apart.
    fn pause(&self) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures - 1)).min(LONGEST_PAUSE);
        // The standard library's only randomness: the key of a new hasher.
        let chance = RandomState::new().hash_one(()) % 1_000;
        doubled / 2 + doubled * chance as u32 / 2_000
    }

    async fn session(&mut self) -> Result<std::convert::Infallible, Ended> {
        let (client, connection) = timeout(TIMEOUT, self.config.connect(NoTls)).await??;
        if self.failures > 0 {
            self.forget();
        }
        let (node, inbound) = (self.node, self.inbound.clone());
        // The client's statements move only while the connection is polled.
        tokio::select! {
            ended = receive(connection, node, &inbound) => Err(ended),
            ended = self.talk(&client) => ended,
        }
    }

    async fn talk(&mut self, client: &Client) -> Result<std::convert::Infallible, Ended> {
        // A signal is not worth a flush of the disk.
        let listen = "SET synchronous_commit = off; LISTEN signals";
        timeout(TIMEOUT, client.batch_execute(listen)).await??;
        if std::mem::take(&mut self.failures) > 0 {
            tracing::info!("signals reach other nodes again");
        }
        loop {
            let letter = self.next_letter().await.close();
            let notify = async {
                client.query_typed("SELECT pg_notify('signals', $1)", &[(&letter, Type::TEXT)]).await
            };
            timeout(TIMEOUT, notify).await??;
            sleep(QUIET).await;
        }
    }

    /// What was said while there was no connection is old by now.
    fn forget(&mut self) {
        let mut old = u64::from(self.left_over.take().is_some());
        while self.outbound.try_recv().is_ok() {
            old += 1;
        }
        dropped("elsewhere", old);
    }

    /// As many of those that wait as fit, at least one, waiting for it.
    async fn next_letter(&mut self) -> Letter {
        let mut letter = Letter::from(self.node);
        loop {
            let signal = match self.left_over.take() {
                Some(signal) => signal,
                None if letter.signals() == 0 => match self.outbound.recv().await {
                    Some(signal) => signal,
                    // Nobody is left to send: only the others are listened to.
                    None => std::future::pending().await,
                },
                None => match self.outbound.try_recv() {
                    Ok(signal) => signal,
                    Err(_) => return letter,
                },
            };
            match letter.add(&signal) {
                Added::Yes => {}
                Added::TooLarge => dropped("elsewhere", 1),
                Added::Full => {
                    self.left_over = Some(signal);
                    return letter;
                }
            }
        }
    }
}

/// Hands on what other nodes say, until the connection ends.
async fn receive(
    connection: Connection<Socket, NoTlsStream>,
    node: Uuid,
    inbound: &mpsc::Sender<Signal>,
) -> Ended {
    let mut connection = pin!(connection);
    loop {
        match poll_fn(|cx| connection.as_mut().poll_message(cx)).await {
            Some(Ok(AsyncMessage::Notification(notification))) => hear(notification.payload(), node, inbound),
            Some(Ok(_)) => {}
            Some(Err(error)) => return error.into(),
            None => return Ended::Closed,
        }
    }
}

/// This node's own letters come back to it; its readers were told already.
fn hear(text: &str, node: Uuid, inbound: &mpsc::Sender<Signal>) {
    let received = match read(text) {
        Ok(received) if received.node == node => return,
        Ok(received) => received,
        Err(error) => {
            tracing::debug!(%error, "a letter of another node cannot be read");
            return dropped("unreadable", 1);
        }
    };
    dropped("unreadable", received.unreadable as u64);
    metrics::counter!("echoverse_signals_total", "from" => "elsewhere")
        .increment(received.signals.len() as u64);
    received.signals.into_iter().for_each(|signal| offer(inbound, signal, "here"));
}
