//! The cluster on disk: made by `initdb` on first use, and run with settings for a small machine.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::binaries::Binaries;
use crate::error::{Attempt as _, Error};
use crate::identity::Identity;
use crate::server::Durability;
use crate::socket::PORT;

/// The role that owns the cluster and everything in it.
pub(crate) const SUPERUSER: &str = "echoverse";

/// Sort order is plain bytes, which no upgrade of the C library can change under an index; letters are Unicode's
/// where the system knows how, so that search and case folding see more than ASCII.
const CHARACTER_TYPES: [&str; 3] = ["C.UTF-8", "en_US.UTF-8", "C"];

/// `initdb` may sync hundreds of files to a slow disk.
const INITDB_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(180);

/// A directory that holds one cluster and all that its server needs.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub(crate) path: PathBuf,
    pub(crate) identity: Identity,
}

impl Home {
    /// Makes the directory, private to the server's user, where absent.
    pub(crate) async fn prepare(path: PathBuf) -> Result<Home, Error> {
        let identity = Identity::for_home(&path).await?;
        identity.check_reachable(&path).await?;
        match std::fs::DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(error).attempt(|| format!("create {}", path.display()));
            }
            _ => {}
        }
        identity.give(&path)?;
        Ok(Home { path, identity })
    }

    pub(crate) fn cluster(&self) -> PathBuf {
        self.path.join("cluster")
    }

    /// The major version that made the cluster; `None` where there is no cluster yet.
    pub(crate) fn made_by(&self) -> Result<Option<u32>, Error> {
        let path = self.cluster().join("PG_VERSION");
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let version = text.trim().split('.').next().unwrap_or_default().parse();
                let version = version.map_err(|error| std::io::Error::other(format!("{text:?}: {error}")));
                version.map(Some).attempt(|| format!("read a version in {}", path.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { action: format!("read {}", path.display()), source }),
        }
    }

    /// Makes the cluster. An interrupted run leaves only `cluster.new`, which the next one starts over.
    pub(crate) async fn initdb(&self, binaries: &Binaries, durability: Durability) -> Result<(), Error> {
        let unfinished = self.path.join("cluster.new");
        let mut output = String::new();
        for character_type in CHARACTER_TYPES {
            match std::fs::remove_dir_all(&unfinished) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).attempt(|| format!("remove {}", unfinished.display()));
                }
                _ => {}
            }
            let mut command = self.identity.command(&binaries.initdb);
            command.arg("--pgdata").arg(&unfinished).args(["--username", SUPERUSER]);
            command.args(["--auth-local=trust", "--auth-host=reject", "--no-instructions"]);
            command.args(["--encoding=UTF8", "--locale=C", "--data-checksums"]);
            command.arg(format!("--lc-ctype={character_type}"));
            if durability == Durability::None {
                command.arg("--no-sync");
            }
            let mut command = tokio::process::Command::from(command);
            command.kill_on_drop(true);
            let result = tokio::time::timeout(INITDB_TIMEOUT, command.output()).await;
            let result = result.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut)).flatten();
            let result = result.attempt(|| format!("run {}", binaries.initdb.display()))?;
            if result.status.success() {
                let cluster = self.cluster();
                return std::fs::rename(&unfinished, &cluster)
                    .attempt(|| format!("move a new cluster to {}", cluster.display()));
            }
            output = String::from_utf8_lossy(&result.stderr).into_owned();
            if !output.contains("locale") {
                break;
            }
        }
        Err(Error::Initdb { output: tail(&output) })
    }

    /// The server's command line. Settings given here win over those in the cluster's files.
    pub(crate) fn arguments(&self, socket: &Path, durability: Durability) -> Vec<String> {
        let mut arguments = vec!["-D".to_owned(), self.cluster().display().to_string()];
        let mut set =
            |name: &str, value: &str| arguments.extend(["-c".to_owned(), format!("{name}={value}")]);
        set("listen_addresses", "");
        set("unix_socket_directories", &socket.display().to_string());
        set("unix_socket_permissions", "0700");
        set("port", &PORT.to_string());
        set("cluster_name", "echoverse");
        set("logging_collector", "off");
        set("log_checkpoints", "off");
        set("timezone", "UTC");
        set("log_timezone", "UTC");
        set("shared_buffers", "128MB");
        set("maintenance_work_mem", "32MB");
        set("wal_compression", "on");
        // Our queries are short: compiling them costs more time and memory per session than it saves.
        set("jit", "off");
        match durability {
            Durability::Full => set("max_connections", "100"),
            Durability::None => {
                set("max_connections", "400");
                set("fsync", "off");
                set("synchronous_commit", "off");
                set("full_page_writes", "off");
                set("wal_level", "minimal");
                set("max_wal_senders", "0");
            }
        }
        arguments
    }
}

/// The last lines of a program's output.
pub(crate) fn tail(text: &str) -> String {
    const LINES: usize = 20;
    let lines: Vec<&str> = text.lines().collect();
    let skip = lines.len().saturating_sub(LINES);
    lines.get(skip..).unwrap_or_default().join("\n")
}
