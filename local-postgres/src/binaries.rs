//! Finds the directory of `postgres` and `initdb`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::identity::{Identity, output};

/// Names the directory of the programs; nothing else is looked at when it is set.
const BIN_VARIABLE: &str = "ECHOVERSE_POSTGRES_BIN";

/// The oldest major version whose behaviour we rely on.
const OLDEST: u32 = 15;

/// Directories whose children hold one installation each: (parent, prefix of the child, rest of the path).
const INSTALLATIONS: [(&str, &str, &str); 7] = [
    ("/usr/lib/postgresql", "", "bin"),         // Debian, Ubuntu
    ("/usr", "pgsql-", "bin"),                  // RPMs of the Postgres project
    ("/usr/libexec", "postgresql", ""),         // Alpine
    ("/opt/homebrew/opt", "postgresql", "bin"), // Homebrew on Apple silicon
    ("/usr/local/opt", "postgresql", "bin"),    // Homebrew on Intel
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// An installation of Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binaries {
    pub(crate) postgres: PathBuf,
    pub(crate) initdb: PathBuf,
    pub(crate) major: u32,
}

impl Binaries {
    /// The newest installation that `identity` can run; the one of version `cluster` where a cluster exists.
    pub(crate) async fn find(identity: Identity, cluster: Option<(u32, &Path)>) -> Result<Binaries, Error> {
        let mut rejected = Vec::new();
        let mut found: Vec<Binaries> = Vec::new();
        for directory in candidates().await {
            match probe(identity, &directory).await {
                Ok(binaries) => found.push(binaries),
                Err(reason) => rejected.push(format!("{}: {reason}", directory.display())),
            }
        }
        choose(found, rejected, cluster)
    }
}

/// The first of the newest: candidates come in the order of preference.
fn choose(
    found: Vec<Binaries>,
    rejected: Vec<String>,
    cluster: Option<(u32, &Path)>,
) -> Result<Binaries, Error> {
    let newest = found.iter().map(|binaries| binaries.major).max();
    let Some(newest) = newest else { return Err(Error::NotFound { rejected }) };
    let wanted = cluster.map_or(newest, |(made_by, _)| made_by);
    match (found.into_iter().find(|binaries| binaries.major == wanted), cluster) {
        (Some(binaries), _) if binaries.major < OLDEST => {
            let bin = binaries.postgres.parent().map(Path::to_owned).unwrap_or_default();
            Err(Error::WrongVersion { found: binaries.major, bin })
        }
        (Some(binaries), _) => Ok(binaries),
        (None, Some((made_by, cluster))) => {
            Err(Error::ClusterVersion { made_by, found: newest, cluster: cluster.to_owned() })
        }
        (None, None) => Err(Error::NotFound { rejected }),
    }
}

/// Directories to look at, without duplicates: real installations first, since what is on the `PATH` may be
/// wrappers that expect a system cluster.
async fn candidates() -> Vec<PathBuf> {
    if let Some(directory) = std::env::var_os(BIN_VARIABLE).filter(|value| !value.is_empty()) {
        return vec![PathBuf::from(directory)];
    }
    let mut directories = Vec::new();
    for (parent, prefix, rest) in INSTALLATIONS {
        for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                directories.push(entry.path().join(rest));
            }
        }
    }
    if let Some(path) = std::env::var_os("PATH") {
        directories.extend(std::env::split_paths(&path).filter(|directory| directory.is_absolute()));
    }
    let mut pg_config = Command::new("pg_config");
    pg_config.arg("--bindir").stdin(Stdio::null());
    if let Ok(output) = output(pg_config).await
        && let Ok(text) = String::from_utf8(output.stdout)
        && !text.trim().is_empty()
    {
        directories.push(PathBuf::from(text.trim()));
    }
    let mut unique = Vec::new();
    for directory in directories {
        // `postgres` may be a link into the real installation, where its own files are.
        let postgres = directory.join("postgres");
        let Ok(real) = std::fs::canonicalize(&postgres) else { continue };
        let real = real.parent().map_or(directory, Path::to_owned);
        if !unique.contains(&real) {
            unique.push(real);
        }
    }
    unique
}

/// Runs both programs, so that a broken wrapper or one that `identity` may not execute is passed over.
async fn probe(identity: Identity, directory: &Path) -> Result<Binaries, String> {
    let directory = std::path::absolute(directory).map_err(|error| error.to_string())?;
    let (postgres, initdb) = (directory.join("postgres"), directory.join("initdb"));
    let mut majors = Vec::new();
    for program in [&postgres, &initdb] {
        let mut command = identity.command(program);
        command.arg("--version");
        let output =
            output(command).await.map_err(|error| format!("cannot run {}: {error}", program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        majors.push(major(&text).ok_or_else(|| format!("{} does not tell its version", program.display()))?);
    }
    match majors.as_slice() {
        [server, initdb_major] if server == initdb_major => Ok(Binaries { major: *server, postgres, initdb }),
        _ => Err("postgres and initdb are of different versions".to_owned()),
    }
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL)")?.1.trim_start();
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(directory: &str, major: u32) -> Binaries {
        let directory = Path::new(directory);
        Binaries { postgres: directory.join("postgres"), initdb: directory.join("initdb"), major }
    }

    #[test]
    fn the_major_version_is_read() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("command not found"), None);
    }

    #[test]
    fn the_newest_is_chosen_and_the_first_of_equals() {
        let found = vec![installed("/a", 15), installed("/b", 17), installed("/c", 17)];
        assert_eq!(choose(found, vec![], None).unwrap(), installed("/b", 17));
    }

    #[test]
    fn an_existing_cluster_gets_the_version_that_made_it() {
        let found = vec![installed("/a", 17), installed("/b", 15)];
        let cluster = Path::new("/data");
        assert_eq!(choose(found.clone(), vec![], Some((15, cluster))).unwrap(), installed("/b", 15));
        let refused = choose(found, vec![], Some((16, cluster))).unwrap_err();
        assert!(matches!(refused, Error::ClusterVersion { made_by: 16, found: 17, .. }));
    }

    #[test]
    fn old_and_absent_installations_are_refused() {
        let old = choose(vec![installed("/a", 14)], vec![], None).unwrap_err();
        assert!(matches!(old, Error::WrongVersion { found: 14, .. }));
        let absent = choose(vec![], vec!["/x: broken".to_owned()], None).unwrap_err();
        assert!(absent.to_string().ends_with("/x: broken"));
    }
}
