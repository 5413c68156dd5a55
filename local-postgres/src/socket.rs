//! Where the Unix socket lives: beside the cluster, or in a short directory when that path would not fit.

use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::{Attempt as _, Error};
use crate::identity::Identity;

/// Postgres names its socket after a port, though none is opened.
pub(crate) const PORT: u16 = 5432;

/// The shortest limit of the systems we run on (macOS), without the closing zero.
const LIMIT: usize = 103;

/// A directory for the socket, 0700 and owned by the server's user.
#[derive(Debug)]
pub(crate) struct SocketDirectory {
    pub(crate) path: PathBuf,
    /// Lives outside the cluster's home and must be removed when the server has ended.
    pub(crate) temporary: bool,
}

impl SocketDirectory {
    pub(crate) async fn prepare(identity: Identity, home: &Path) -> Result<SocketDirectory, Error> {
        let beside = home.join("socket");
        if fits(&beside) {
            // Nothing of an earlier run is alive, so a socket or its lock file here is stale.
            match std::fs::remove_dir_all(&beside) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).attempt(|| format!("empty {}", beside.display()));
                }
                _ => {}
            }
            std::fs::DirBuilder::new()
                .mode(0o700)
                .create(&beside)
                .attempt(|| format!("create {}", beside.display()))?;
            identity.give(&beside)?;
            return Ok(SocketDirectory { path: beside, temporary: false });
        }
        let mut tried = vec![beside.display().to_string()];
        for base in short_bases(identity) {
            let Ok(directory) = tempfile::Builder::new()
                .prefix("echoverse-")
                .permissions(std::fs::Permissions::from_mode(0o700))
                .tempdir_in(&base)
            else {
                continue;
            };
            if fits(directory.path()) && identity.check_reachable(directory.path()).await.is_ok() {
                identity.give(directory.path())?;
                return Ok(SocketDirectory { path: directory.keep(), temporary: true });
            }
            tried.push(directory.path().display().to_string());
        }
        Err(Error::SocketPath { limit: LIMIT, tried })
    }

    /// Removes a directory that no supervisor has taken over.
    pub(crate) fn discard(&self) {
        if self.temporary {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Directories in which the server's user may remove its own entries, as the supervisor does at the end.
fn short_bases(identity: Identity) -> Vec<PathBuf> {
    let mut bases = Vec::new();
    if identity == Identity::Current {
        bases.extend(std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from));
    }
    bases.extend([std::env::temp_dir(), PathBuf::from("/tmp")]);
    bases
}

/// Whether Postgres and every client can name this directory: short enough, and free of what the setting
/// `unix_socket_directories` and connection strings treat specially (commas, quotes, spaces).
fn fits(directory: &Path) -> bool {
    let socket = directory.join(format!(".s.PGSQL.{PORT}"));
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    directory.is_absolute()
        && socket.as_os_str().len() <= LIMIT
        && directory.to_str().is_some_and(|path| path.chars().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fits_up_to_the_limit() {
        let longest = LIMIT - "/.s.PGSQL.5432".len();
        let path = |length: usize| PathBuf::from(format!("/{}", "d".repeat(length - 1)));
        assert!(fits(&path(longest)));
        assert!(!fits(&path(longest + 1)));
    }

    #[test]
    fn a_path_that_would_need_quoting_does_not_fit() {
        assert!(!fits(Path::new("/srv/my data")));
        assert!(!fits(Path::new("/srv/a,b")));
        assert!(!fits(Path::new("/srv/café")));
        assert!(!fits(Path::new("relative")));
    }
}
