//! Starting and stopping the server.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use crate::binaries::Binaries;
use crate::cluster::{Home, SUPERUSER, tail};
use crate::error::{Attempt as _, Error};
use crate::leftover;
use crate::lock::DataLock;
use crate::socket::{PORT, SocketDirectory};
use crate::supervisor::{Plan, Shutdown, Supervisor};

/// The database of a server that serves EchoVerse.
const DATABASE: &str = "echoverse";
/// A server that says nothing at all for this long has failed.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// A server that says it recovers from a crash may take longer.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(900);
/// The log is renamed at a start when it has grown beyond this.
const LOG_LIMIT: u64 = 10 * 1024 * 1024;

/// Whether what was committed survives a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// `fsync` and `synchronous_commit` are on, as for any data worth keeping.
    Full,
    /// For tests only: nothing waits for the disk.
    None,
}

/// A private Postgres, reachable through a Unix socket by this user and root.
///
/// Dropping it starts a fast shutdown and does not wait for its end; [`LocalPostgres::stop`] does.
#[derive(Debug)]
pub struct LocalPostgres {
    // Declared first: the pipe must close before the directory is free for the next process.
    server: Server,
    _lock: DataLock,
}

impl LocalPostgres {
    /// Starts the server in `<data>/postgres`, making a cluster and the database `echoverse` on first use.
    ///
    /// An absent `data` is made: 0711 by root, whose server runs as another user that must pass through it, else
    /// 0700. Waits for what an earlier run left behind to end, at most half a minute.
    ///
    /// # Errors
    /// [`Error::AlreadyRunning`] when another process holds `data`; [`Error::Unreachable`] when root's `data` lies
    /// below a directory that is closed to other users; see [`Error`] for the rest.
    pub async fn start(data: &Path, durability: Durability) -> Result<LocalPostgres, Error> {
        let data = prepare_data(data)?;
        let lock = DataLock::acquire(&data).await?;
        let home = Home::prepare(data.join("postgres")).await?;
        let server = Server::start(home, durability, Shutdown::Fast, None).await?;
        server.ensure_database().await?;
        Ok(LocalPostgres { server, _lock: lock })
    }

    /// The connection string of the database `echoverse`, in the key-value form of libpq.
    pub fn url(&self) -> String {
        self.server.url(DATABASE)
    }

    /// Shuts the server down (sessions are ended, a checkpoint is written) and waits for its end.
    ///
    /// # Errors
    /// [`Error::DidNotStop`] after a minute; the shutdown then goes on without us.
    pub async fn stop(self) -> Result<(), Error> {
        self.server.stop().await
    }
}

/// A running server in a prepared home.
#[derive(Debug)]
pub(crate) struct Server {
    supervisor: Supervisor,
    socket: PathBuf,
}

impl Server {
    /// `doomed` is a directory to remove when the server has ended, whatever becomes of us.
    pub(crate) async fn start(
        home: Home,
        durability: Durability,
        shutdown: Shutdown,
        doomed: Option<&Path>,
    ) -> Result<Server, Error> {
        let lock = leftover::outlive(&home).await?;
        let made_by = home.made_by()?;
        let cluster = home.cluster();
        let existing = made_by.map(|version| (version, cluster.as_path()));
        let binaries = Binaries::find(home.identity, existing).await?;
        if made_by.is_none() {
            tracing::info!(cluster = %cluster.display(), version = binaries.major, "making a Postgres cluster");
            home.initdb(&binaries, durability).await?;
        }
        let socket = SocketDirectory::prepare(home.identity, &home.path).await?;
        let started = home.path.join("started");
        let _ = std::fs::remove_file(&started);
        let log_path = home.path.join("log");
        let log = open_log(&log_path)?;
        home.identity.give(&log_path)?;
        let log_start = log.metadata().map(|metadata| metadata.len()).unwrap_or_default();
        let plan = Plan {
            identity: home.identity,
            shutdown,
            started: &started,
            doomed: [doomed, socket.temporary.then_some(socket.path.as_path())],
            postgres: &binaries.postgres,
            arguments: home.arguments(&socket.path, durability),
            lock,
            log,
        };
        let supervisor = Supervisor::spawn(plan).inspect_err(|_| socket.discard())?;
        let mut server = Server { supervisor, socket: socket.path.clone() };
        if let Err(reason) = server.answer().await {
            socket.discard();
            let tail = read_tail(&log_path, log_start);
            return Err(Error::DidNotStart { reason, log: log_path, tail });
        }
        server.supervisor.server_answered()?;
        Ok(server)
    }

    /// Waits until the server takes connections; the error says why it never will.
    async fn answer(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let recovering = match connect(&self.url("postgres")).await {
                Ok(_) => return Ok(()),
                Err(error) => error.code() == Some(&SqlState::CANNOT_CONNECT_NOW),
            };
            if let Some(status) = self.supervisor.ended().map_err(|error| error.to_string())? {
                return Err(format!("it ended at once; its supervisor with {status}"));
            }
            let limit = if recovering { RECOVERY_TIMEOUT } else { START_TIMEOUT };
            if begun.elapsed() > limit {
                return Err(format!("no answer within {} s", limit.as_secs()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn ensure_database(&self) -> Result<(), Error> {
        let client = connect(&self.url("postgres"))
            .await
            .map_err(|source| Error::Database { action: "take a connection", source })?;
        let known = client
            .query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&DATABASE])
            .await
            .map_err(|source| Error::Database { action: "list its databases", source })?;
        if known.is_none() {
            client
                .batch_execute(&format!("CREATE DATABASE {DATABASE} TEMPLATE template0"))
                .await
                .map_err(|source| Error::Database { action: "create the database", source })?;
        }
        Ok(())
    }

    /// The socket's directory needs no quoting: see [`SocketDirectory`].
    pub(crate) fn url(&self, database: &str) -> String {
        format!("host={} port={PORT} user={SUPERUSER} dbname={database}", self.socket.display())
    }

    pub(crate) async fn stop(self) -> Result<(), Error> {
        self.supervisor.stop().await
    }
}

/// A client whose connection ends when it is dropped.
pub(crate) async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let mut config: tokio_postgres::Config = url.parse()?;
    config.connect_timeout(Duration::from_secs(10));
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the private Postgres ended");
        }
    });
    Ok(client)
}

/// The absolute path of the data directory, made where absent.
fn prepare_data(data: &Path) -> Result<PathBuf, Error> {
    if !data.exists() {
        let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(data)
            // Set again, because the umask may have taken bits away.
            .and_then(|()| std::fs::set_permissions(data, std::fs::Permissions::from_mode(mode)))
            .attempt(|| format!("create the data directory {}", data.display()))?;
    }
    std::fs::canonicalize(data).attempt(|| format!("find the data directory {}", data.display()))
}

fn open_log(path: &Path) -> Result<File, Error> {
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > LOG_LIMIT) {
        let old = path.with_extension("old");
        std::fs::rename(path, &old).attempt(|| format!("rename {}", path.display()))?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    options.open(path).attempt(|| format!("open {}", path.display()))
}

/// The end of what was written to the log after `start`.
fn read_tail(log: &Path, start: u64) -> String {
    let mut text = Vec::new();
    let read = File::open(log).and_then(|mut file| {
        file.seek(SeekFrom::Start(start))?;
        file.read_to_end(&mut text)
    });
    match read {
        Ok(_) => tail(&String::from_utf8_lossy(&text)),
        Err(error) => format!("(cannot be read: {error})"),
    }
}
