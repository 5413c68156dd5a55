//! The master key's file: made once, readable by its owner alone.
//!
//! A comment line, then the key as 43 or 44 characters of base64 or 64 of hex. The file is never overwritten: a key
//! that is lost is worse than a server that doesn't start.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::MasterKey;
use crate::random;

const COMMENT: &str =
    "# EchoVerse master key. Without it all personal text is lost: back it up apart from the database.";

/// Longer than any well-formed file.
const LONGEST: u64 = 4096;

#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error("the master key file {} cannot be read; make it readable by the user that runs the server", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(
        "the master key file {path} can be read by others (mode {mode:o}); run `chmod 600 {path}`, and consider the \
         key known to whoever could read it",
        path = path.display()
    )]
    Exposed { path: PathBuf, mode: u32 },
    #[error(
        "the master key file {} does not hold a key (32 bytes as base64 or hex, comment lines begin with #); restore \
         it from a backup, or remove it if this server has no data yet",
        path.display()
    )]
    Malformed { path: PathBuf },
    #[error("the master key file {} cannot be made; make its directory writable by the user that runs the server", path.display())]
    NotMade { path: PathBuf, source: io::Error },
}

impl MasterKey {
    /// The key in the file at `path`, which is made with a new key when it doesn't exist.
    ///
    /// Whoever is shown a key finds it in the file after a crash or loss of power, too; processes that start together
    /// get the same key.
    ///
    /// # Errors
    /// Each says how to mend it.
    pub fn load_or_create(path: &Path) -> Result<MasterKey, MasterKeyError> {
        if let Some(key) = load(path)? {
            return Ok(key);
        }
        create(path).map_err(|source| MasterKeyError::NotMade { path: path.to_owned(), source })?;
        // Read back rather than kept: another process may have been first.
        load(path)?.ok_or_else(|| MasterKeyError::Unreadable {
            path: path.to_owned(),
            source: io::ErrorKind::NotFound.into(),
        })
    }
}

fn load(path: &Path) -> Result<Option<MasterKey>, MasterKeyError> {
    let unreadable = |source| MasterKeyError::Unreadable { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    // Of the open file, not of the path: what is checked is what is read.
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(MasterKeyError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
    file.take(LONGEST).read_to_end(&mut text).map_err(unreadable)?;
    parse(&text).map(Some).ok_or_else(|| MasterKeyError::Malformed { path: path.to_owned() })
}

fn parse(text: &[u8]) -> Option<MasterKey> {
    let text = std::str::from_utf8(text).ok()?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (line, None) = (lines.next()?, lines.next()) else { return None };
    let bytes = Zeroizing::new(match line.len() {
        64 => decode_hex(line)?,
        44 => STANDARD.decode(line).ok()?,
        _ => STANDARD_NO_PAD.decode(line).ok()?,
    });
    Some(MasterKey::from_bytes(bytes.as_slice().try_into().ok()?))
}

fn decode_hex(line: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    line.as_bytes()
        .chunks(2)
        .map(|pair| Some((digit(pair.first()?)? * 16 + digit(pair.get(1)?)?) as u8))
        .collect()
}

/// Makes the file unless it exists. It appears whole or not at all.
fn create(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;

    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let temporary = directory.join(format!(".{name}.{:032x}", u128::from_le_bytes(random::bytes())));
    let made = write(&temporary).and_then(|()| {
        // A hard link, because a rename would replace the key of a process that was faster.
        match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            result => result,
        }
    });
    let removed = fs::remove_file(&temporary);
    made?;
    removed?;
    File::open(directory)?.sync_all()
}

fn write(path: &Path) -> io::Result<()> {
    let key = Zeroizing::new(random::bytes::<32>());
    let text = Zeroizing::new(format!("{COMMENT}\n{}\n", *Zeroizing::new(STANDARD.encode(*key))));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
