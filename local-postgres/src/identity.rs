//! As whom the server runs: Postgres refuses root, so a root process becomes somebody else for it.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::error::{Attempt as _, Error};

/// A program that only looks something up gets this long.
const PROBE_TIMEOUT: Duration = Duration::from_secs(20);

/// What of our environment the server may see: enough to find programs and libraries, no secrets, no `PG*`.
const KEPT_ENVIRONMENT: [&str; 5] =
    ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "TZDIR"];

/// The user that the server and `initdb` run as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Ours; we are not root.
    Current,
    /// An unprivileged user that we, as root, switch to.
    Other { uid: u32, gid: u32 },
}

impl Identity {
    /// The identity for the directory `home`: the owner of what is already there, else an unprivileged user.
    pub(crate) async fn for_home(home: &Path) -> Result<Identity, Error> {
        let owner = match std::fs::metadata(home) {
            Ok(metadata) => Some((metadata.uid(), metadata.gid())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(source) => return Err(Error::Io { action: format!("look at {}", home.display()), source }),
        };
        let current = rustix::process::geteuid();
        if !current.is_root() {
            let current = current.as_raw();
            return match owner {
                Some((owner, _)) if owner != current => {
                    Err(Error::ForeignOwner { home: home.to_owned(), owner, current })
                }
                _ => Ok(Identity::Current),
            };
        }
        match owner {
            Some((uid, gid)) if uid != 0 => Ok(Identity::Other { uid, gid }),
            _ => Identity::unprivileged().await,
        }
    }

    /// `postgres`, `_postgres` (macOS) or `nobody`, whichever exists first.
    async fn unprivileged() -> Result<Identity, Error> {
        for name in ["postgres", "_postgres", "nobody"] {
            if let (Some(uid), Some(gid)) = (id("-u", name).await, id("-g", name).await)
                && uid != 0
            {
                return Ok(Identity::Other { uid, gid });
            }
        }
        Err(Error::NoUnprivilegedUser)
    }

    /// A command that runs as this identity, in `/` and with a bare environment.
    ///
    /// The standard library drops root's supplementary groups when it sets the user id.
    pub(crate) fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env_clear().env("LC_ALL", "C").stdin(Stdio::null());
        for name in KEPT_ENVIRONMENT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Identity::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a file or directory of ours to this identity.
    pub(crate) fn give(self, path: &Path) -> Result<(), Error> {
        match self {
            Identity::Current => Ok(()),
            Identity::Other { uid, gid } => std::os::unix::fs::chown(path, Some(uid), Some(gid))
                .attempt(|| format!("give {} to user {uid}", path.display())),
        }
    }

    /// Checks that this identity may pass through every directory above `path`. The kernel is asked, so that
    /// groups and access control lists count.
    pub(crate) async fn check_reachable(self, path: &Path) -> Result<(), Error> {
        let Identity::Other { uid, .. } = self else { return Ok(()) };
        let mut parents: Vec<&Path> = path.ancestors().skip(1).collect();
        parents.reverse();
        let script = r#"n=0; for d do [ -x "$d" ] || exit $((n + 1)); n=$((n + 1)); done"#;
        let mut command = self.command("/bin/sh");
        command.args(["-c", script, "sh"]).args(&parents);
        let status = output(command).await.attempt(|| format!("run a program as user {uid}"))?.status;
        match status.code() {
            Some(0) => Ok(()),
            Some(n) => {
                let index = usize::try_from(n).unwrap_or(1).saturating_sub(1);
                let directory = parents.get(index).map_or_else(|| path.to_owned(), PathBuf::from);
                Err(Error::Unreachable { directory, uid })
            }
            None => Err(Error::Unreachable { directory: path.to_owned(), uid }),
        }
    }
}

/// Runs a short program to its end, within [`PROBE_TIMEOUT`].
pub(crate) async fn output(command: Command) -> std::io::Result<std::process::Output> {
    let mut command = tokio::process::Command::from(command);
    command.kill_on_drop(true);
    tokio::time::timeout(PROBE_TIMEOUT, command.output()).await.map_err(|_| std::io::ErrorKind::TimedOut)?
}

async fn id(flag: &str, user: &str) -> Option<u32> {
    let mut command = Command::new("id");
    command.args([flag, user]).stdin(Stdio::null());
    let output = output(command).await.ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
