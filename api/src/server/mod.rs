//! The running server: storage, background work, listener, and their end in the right order.
//!
//! On shutdown live streams end first (the hub hears of it first), then connections get a bounded time to finish, then
//! background work ends, then the private Postgres.

mod connection;
mod head;
mod listener;
mod metrics;
mod patience;
mod storage;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use commands::{Clock, Commands, IdSource, Settings, Settler, SystemClock, SystemIds};
use projections::Projector;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Throttle;
use crate::cursor::Cursors;
use crate::limits::Limits;
use crate::live;
use crate::presence::{Attendance, Keeper, Teller};
use crate::scheduled_message::Sender;
use crate::settings::ServerConfig;
use crate::signal::Signals;
use crate::state::{App, AppState, Origin};

pub(crate) use storage::Paces;
pub use storage::pool;
use storage::{SettlerCheckpoint, Storage};

/// The longest that open connections may take to finish.
const DRAIN: Duration = Duration::from_secs(10);
/// The longest that background work may take to end.
const END: Duration = Duration::from_secs(5);

/// Starts servers.
pub struct Server;

/// A server that answers. Call [`RunningServer::shutdown`]: dropping it only cuts it off.
pub struct RunningServer {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Where its users reach it.
    pub public_url: String,
    /// Where it shows metrics, if it does.
    pub metrics_addr: Option<SocketAddr>,
    listening: listener::Listening,
    /// Ends live delivery.
    live: CancellationToken,
    /// Ends everything else.
    background: CancellationToken,
    tasks: TaskTracker,
    storage: Storage,
}

impl Server {
    /// Starts a server; it answers when this returns.
    ///
    /// # Errors
    /// Each says what is wrong, and where it can be mended how.
    pub async fn start(config: ServerConfig) -> anyhow::Result<RunningServer> {
        // Bound first, so that a port in use is told before anything is started.
        let socket = listener::bind(config.network.listen)?;
        let addr = socket.local_addr().context("the listener has no address")?;
        let metrics_socket = config.network.metrics_listen.map(listener::bind).transpose()?;
        let public_url = config.network.public_url.clone().unwrap_or_else(|| format!("http://{addr}"));

        let (live, background) = (CancellationToken::new(), CancellationToken::new());
        let tasks = TaskTracker::new();
        // Before anything is measured: what is set once would be missing.
        let metrics_addr = match metrics_socket {
            Some(socket) => Some(metrics::listen(socket, &tasks, background.clone())?),
            None => None,
        };
        let storage = Storage::open(&config.storage, background.clone()).await?;
        let app = Self::assemble(&config, &storage, &public_url, &live, &background, &tasks).await?;

        let router = crate::router(&app);
        let listening = listener::listen(socket, router, config.network.max_connections);
        Ok(RunningServer { addr, public_url, metrics_addr, listening, live, background, tasks, storage })
    }

    async fn assemble(
        config: &ServerConfig,
        storage: &Storage,
        public_url: &str,
        live: &CancellationToken,
        background: &CancellationToken,
        tasks: &TaskTracker,
    ) -> anyhow::Result<AppState> {
        let Storage { url, store, vault, account_data, read, .. } = storage;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn IdSource> = Arc::new(SystemIds);
        let settings = Settings { default_community: config.community.default_community.0.clone() };
        let pace = Arc::new(Paces(account_data.clone()));
        let commands =
            Commands::new(store.clone(), vault.clone(), clock.clone(), ids.clone(), pace, settings);

        let projector = Projector::new(store.clone(), vault.clone(), read.clone());
        tasks.spawn(projector.run(background.clone()));
        let settler = Settler::new(commands.clone(), Arc::new(SettlerCheckpoint(read.clone())));
        tasks.spawn(settler.run(background.clone()));
        let keeping = (vault.clone(), background.clone());
        tasks.spawn(async move { keeping.0.run(keeping.1.cancelled()).await });

        let cursors = Cursors::new(vault.derive_key("cursor"), store.log_id());
        let database = url.parse().context("DATABASE_URL is not a connection string")?;
        let node = ids.id();
        let (signals, heard, bus) = Signals::new(database, node, background.clone());
        let signals = Arc::new(signals);
        tasks.spawn(bus);
        let teller = Teller::new(read.clone(), signals.clone());
        let attendance = Arc::new(Attendance::default());
        let keeper =
            Keeper::new(account_data.clone(), attendance.clone(), teller.clone(), clock.clone(), node);
        tasks.spawn(keeper.run(background.clone()));
        let sender = Sender {
            data: account_data.clone(),
            commands: commands.clone(),
            signals: signals.clone(),
            clock: clock.clone(),
        };
        tasks.spawn(sender.run(background.clone()));
        let hub = live::Hub::start(
            store.clone(),
            vault.clone(),
            read.clone(),
            cursors.clone(),
            heard,
            attendance,
            live.clone(),
        )
        .await
        .context("live delivery cannot start")?;
        let app = Arc::new(App {
            commands,
            store: store.clone(),
            vault: vault.clone(),
            account_data: account_data.clone(),
            read: read.clone(),
            cursors,
            hub,
            signals,
            teller,
            clock,
            ids,
            limits: Limits::new(config.limits.rate_limits),
            throttle: Throttle::new(),
            proxies: config.network.trusted_proxies.clone(),
            origin: Origin::new(public_url),
        });
        let (tended, ending) = (app.clone(), background.clone());
        tasks.spawn(async move { ending.run_until_cancelled(tended.limits.tend()).await });
        Ok(app)
    }
}

impl RunningServer {
    /// Ends the server: no more connections, live streams end, the others finish, storage closes.
    ///
    /// # Errors
    /// The private Postgres does not stop.
    pub async fn shutdown(self) -> anyhow::Result<()> {
        let Self { listening, live, background, tasks, storage, .. } = self;
        live.cancel();
        if !listening.drain(DRAIN).await {
            tracing::warn!("some connections did not finish in time and were cut off");
        }
        background.cancel();
        tasks.close();
        if tokio::time::timeout(END, tasks.wait()).await.is_err() {
            tracing::warn!("some background work did not end in time");
        }
        storage.close().await
    }
}
