//! Where a server lives: its directory, its port, its database.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use local_postgres::{Durability, LocalPostgres};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub(crate) struct Place {
    directory: TempDir,
    port: u16,
    /// Of a Postgres that isn't the server's private one.
    database_url: Option<String>,
}

impl Place {
    /// The server runs its private Postgres, which dies and starts with it.
    pub(crate) fn with_private_postgres() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("echoverse-crash-")
            // Root's Postgres runs as another user, who must pass through.
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir()
            .expect("a temporary directory");
        Self { directory, port: free_port(), database_url: None }
    }

    /// Postgres is ours: it can be killed while the server stays.
    pub(crate) async fn with_postgres_of_ours() -> (Self, LocalPostgres) {
        let mut place = Self::with_private_postgres();
        let postgres = LocalPostgres::start(&place.postgres_data(), Durability::Full).await;
        let postgres = postgres.expect("a Postgres of the test's own");
        place.database_url = Some(postgres.url());
        (place, postgres)
    }

    fn postgres_data(&self) -> PathBuf {
        self.directory.path().join("database")
    }

    /// The server's data directory; the server makes it.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.directory.path().join("server.log")
    }

    pub(crate) fn listen(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.listen())
    }

    pub(crate) fn configured_database(&self) -> Option<&str> {
        self.database_url.as_deref()
    }

    /// How the test itself reaches the database.
    pub(crate) fn database_url(&self) -> String {
        let private = || {
            let socket = self.data().join("postgres/socket");
            format!("host={} port=5432 user=echoverse dbname=echoverse", socket.display())
        };
        self.database_url.clone().unwrap_or_else(private)
    }

    /// `SIGKILL` for the postmaster; its supervisor starts another. `before` is the one that was killed before: until
    /// the next has written its pid file, it still names that one. Returns whom it killed.
    pub(crate) async fn kill_postgres(&self, before: Option<Pid>) -> Pid {
        let other = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(5));
            loop {
                ticks.tick().await;
                if let Some(pid) = postmaster(&self.postgres_data()).filter(|pid| Some(*pid) != before) {
                    return pid;
                }
            }
        };
        let pid = tokio::time::timeout(RESTARTS, other).await.expect("Postgres starts again");
        kill_process(pid, Signal::KILL).expect("the postmaster can be killed");
        pid
    }
}

/// The longest that a killed Postgres takes to be there again.
const RESTARTS: Duration = Duration::from_secs(60);

fn postmaster(data: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(data.join("postgres/cluster/postmaster.pid")).ok()?;
    text.lines().next().and_then(|line| line.parse().ok()).and_then(Pid::from_raw)
}

/// Below the ports that the kernel gives to outgoing connections: while the server is down, one of those could be ours,
/// and then a client would even connect to itself.
fn free_port() -> u16 {
    let start = getrandom::u32().expect("the operating system has randomness");
    let mut ports = (0..10_000).map(|n| 20_000 + u16::try_from((start + n) % 10_000).expect("below 10,000"));
    let port = ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    port.expect("some port is free")
}
