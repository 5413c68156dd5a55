//! Tokens kept between chats: one file per server, readable by its owner alone.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// What is kept for one server.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) handle: String,
    pub(super) token: Secret,
}

/// `$XDG_CONFIG_HOME/echoverse`, else `~/.config/echoverse`. Relative paths are ignored, as the XDG specification says.
pub(super) fn config_dir() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))?;
    Some(config.join("echoverse"))
}

/// The file of a server's address.
pub(super) fn path(config: &Path, server: &str) -> PathBuf {
    let name: String = server
        .trim_end_matches('/')
        .chars()
        .map(
            |character| {
                if character.is_ascii_alphanumeric() || "-.".contains(character) { character } else { '_' }
            },
        )
        .collect();
    config.join("tokens").join(format!("{name}.json"))
}

pub(super) fn read(path: &Path) -> Option<Kept> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Replaces the file as a whole; it is never readable by others, not even for a moment.
pub(super) fn write(path: &Path, kept: &Kept) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    private_directory().create(directory)?;
    let next = path.with_extension(format!("{}.new", std::process::id()));
    // Whatever lies there is not ours to write into: it may be open, or a link.
    let _absent = fs::remove_file(&next);
    let mut file = private_file().open(&next)?;
    file.write_all(&serde_json::to_vec(kept)?)?;
    file.sync_all()?;
    fs::rename(&next, path)
}

pub(super) fn remove(path: &Path) {
    // Gone already is as good.
    let _absent = fs::remove_file(path);
}

#[cfg(unix)]
fn private_directory() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
}

#[cfg(not(unix))]
fn private_directory() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    builder
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(token: &str) -> Kept {
        Kept { handle: "ada".to_owned(), token: token.into() }
    }

    #[test]
    fn servers_have_files_of_their_own_inside_the_directory() {
        let config = Path::new("/config");
        let names =
            ["https://a.example", "http://a.example", "https://a.example:8080", "https://a.example/../x"];
        let mut paths: Vec<_> = names.iter().map(|name| path(config, name)).collect();
        assert!(paths.iter().all(|path| path.parent() == Some(Path::new("/config/tokens"))));
        paths.dedup();
        assert_eq!(paths.len(), names.len());
        assert_eq!(path(config, "https://a.example/"), paths[0]);
    }

    #[test]
    fn a_token_is_replaced_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = path(directory.path(), "https://a.example");
        assert_eq!(read(&path), None);
        write(&path, &kept("one")).unwrap();
        write(&path, &kept("two")).unwrap();
        assert_eq!(read(&path), Some(kept("two")));
        remove(&path);
        assert_eq!(read(&path), None);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = path(directory.path(), "https://a.example");
        write(&path, &kept("one")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
