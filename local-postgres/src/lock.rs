//! Locks of the operating system, which die with the processes that hold them: a killed run leaves nothing behind.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::{Attempt as _, Error};

/// Taking the lock and writing the pid are two steps; the second process waits this long between them.
const PID_WAIT: Duration = Duration::from_secs(1);

/// The claim of this process on a data directory, until dropped.
#[derive(Debug)]
pub(crate) struct DataLock {
    _file: File,
}

impl DataLock {
    pub(crate) async fn acquire(data: &Path) -> Result<DataLock, Error> {
        let path = data.join("lock");
        let mut file = open(&path)?;
        if try_lock(&file, &path)? {
            file.set_len(0)
                .and_then(|()| writeln!(file, "{}", std::process::id()))
                .attempt(|| format!("write {}", path.display()))?;
            return Ok(DataLock { _file: file });
        }
        let deadline = Instant::now() + PID_WAIT;
        loop {
            let mut text = String::new();
            file.rewind()
                .and_then(|()| file.read_to_string(&mut text))
                .attempt(|| format!("read {}", path.display()))?;
            match text.trim().parse() {
                Ok(pid) => return Err(Error::AlreadyRunning { pid, data: data.to_owned() }),
                Err(_) if Instant::now() > deadline => {
                    return Err(Error::AlreadyRunning { pid: 0, data: data.to_owned() });
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

/// Opens a lock file for appending, making it where absent.
pub(crate) fn open(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o644)
        .open(path)
        .attempt(|| format!("open {}", path.display()))
}

/// Whether the lock is ours now. It belongs to the open file: whoever inherits the descriptor holds it too.
pub(crate) fn try_lock(file: &File, path: &Path) -> Result<bool, Error> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(source) => Err(source).attempt(|| format!("lock {}", path.display())),
    }
}
