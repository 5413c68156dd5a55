//! What can go wrong, each said so that whoever runs the server can mend it.

use std::fmt::Write as _;
use std::path::PathBuf;

/// Why the private Postgres could not be started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No `postgres` and `initdb` anywhere we look.
    #[error(
        "Postgres was not found. Install Postgres 15 or newer (`scripts/setup run`, or e.g. `apt-get install \
         postgresql`, `dnf install postgresql-server`, `brew install postgresql`), or set ECHOVERSE_POSTGRES_BIN to \
         the directory that holds `postgres` and `initdb`, or DATABASE_URL to a database of your own{}",
        looked_at(.rejected)
    )]
    NotFound {
        /// Places that hold a `postgres` which could not be used, with the reason.
        rejected: Vec<String>,
    },

    /// Postgres is there, but older than we support.
    #[error("Postgres {found} in {} is too old: install 15 or newer, or set ECHOVERSE_POSTGRES_BIN", bin.display())]
    WrongVersion { found: u32, bin: PathBuf },

    /// The cluster on disk was made by another major version, which cannot be opened by the one installed.
    #[error(
        "{} was made by Postgres {made_by}, but only version {found} is installed: install Postgres {made_by}, or \
         set ECHOVERSE_POSTGRES_BIN to its programs, or move the data with pg_dump",
        cluster.display()
    )]
    ClusterVersion { made_by: u32, found: u32, cluster: PathBuf },

    /// Another process holds the data directory.
    #[error(
        "another EchoVerse (process {pid}) already uses the data directory {}: stop it first, or choose another \
         directory with ECHOVERSE_DATA",
        data.display()
    )]
    AlreadyRunning { pid: u32, data: PathBuf },

    /// A server that we did not start runs on our cluster.
    #[error("a Postgres that EchoVerse did not start (process {pid}) runs on {}: stop it first", cluster.display())]
    ForeignServer { pid: i32, cluster: PathBuf },

    /// The server of an earlier run did not end in time.
    #[error("the Postgres of an earlier run is still shutting down in {}: wait, then try again", home.display())]
    StillStopping { home: PathBuf },

    /// The cluster belongs to a user that we cannot become.
    #[error(
        "{} belongs to user {owner}, but EchoVerse runs as user {current}: run it as root or as that user, or give \
         the directory away with `chown -R`",
        home.display()
    )]
    ForeignOwner { home: PathBuf, owner: u32, current: u32 },

    /// Started as root, and there is no unprivileged user to run the server as.
    #[error(
        "Postgres cannot run as root, and neither a user `postgres` nor `nobody` exists: create `postgres`"
    )]
    NoUnprivilegedUser,

    /// The unprivileged user cannot reach the data directory.
    #[error(
        "Postgres runs as user {uid}, which may not pass through {}: run `chmod o+x {}`, or choose another \
         directory with ECHOVERSE_DATA",
        directory.display(), directory.display()
    )]
    Unreachable { directory: PathBuf, uid: u32 },

    /// No directory for the Unix socket has a short enough path.
    #[error("no directory for the Unix socket: its path may have {limit} bytes at most, tried {}", tried.join(", "))]
    SocketPath { limit: usize, tried: Vec<String> },

    /// `initdb` failed.
    #[error("initdb could not make a database cluster:\n{output}")]
    Initdb { output: String },

    /// The server ended, or did not answer in time.
    #[error("Postgres did not start ({reason}); the end of {}:\n{tail}", log.display())]
    DidNotStart { reason: String, log: PathBuf, tail: String },

    /// The server was told to stop and is still stopping.
    #[error("Postgres did not stop within {seconds} s; it goes on stopping by itself")]
    DidNotStop { seconds: u64 },

    /// The running server refused a statement of ours.
    #[error("Postgres refused to {action}")]
    Database { action: &'static str, source: tokio_postgres::Error },

    /// The operating system refused something.
    #[error("cannot {action}")]
    Io { action: String, source: std::io::Error },
}

fn looked_at(rejected: &[String]) -> String {
    let mut text = String::new();
    for reason in rejected {
        let _ = write!(text, "\n  {reason}");
    }
    text
}

/// Says what was attempted when the operating system refuses it.
pub(crate) trait Attempt<T> {
    fn attempt(self, action: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T, E: Into<std::io::Error>> Attempt<T> for Result<T, E> {
    fn attempt(self, action: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|source| Error::Io { action: action(), source: source.into() })
    }
}
