//! Three fixed pieces of work that have nothing to do with the product. What they take before, between and after the
//! scenarios shows how much the machine itself varied.

use std::fs::File;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::server::scratch_directory;

/// More than a processor's caches hold.
const MEMORY: usize = 64 << 20;
/// A page of a write-ahead log.
const PAGE: usize = 8192;
/// About a small request.
const PING: usize = 100;
/// A peer of the loopback that is silent for so long is gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// How fast the machine was at one moment, each a second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Sample {
    /// Millions of steps that read memory at random and hash what they found, on one core.
    pub(super) memory: f64,
    /// Pages appended to a file and forced to the disk, one after the other.
    pub(super) disk: f64,
    /// Messages sent to another thread through the loopback and back.
    pub(super) loopback: f64,
}

/// One of the pieces of work.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    /// Behind its figures.
    pub(super) unit: &'static str,
    pub(super) of: fn(&Sample) -> f64,
}

pub(super) const WORK: [Work; 3] = [
    Work {
        name: "memory",
        what: "reads of 64 MiB at random, hashed, on one core",
        unit: " M",
        of: |sample| sample.memory,
    },
    Work {
        name: "disk",
        what: "pages of 8 KiB appended and forced to the disk",
        unit: "",
        of: |sample| sample.disk,
    },
    Work {
        name: "loopback",
        what: "messages to another thread and back over the loopback",
        unit: "",
        of: |sample| sample.loopback,
    },
];

impl Sample {
    /// Gives each piece of work `time`.
    pub(super) fn take(scratch: &Path, time: Duration) -> Result<Sample> {
        Ok(Sample { memory: memory(time) / 1e6, disk: disk(scratch, time)?, loopback: loopback(time)? })
    }
}

/// Repeats `work`, which does `count` at once, for `time`; returns how many a second.
fn rate(time: Duration, count: f64, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    let mut done = 0.0;
    loop {
        work()?;
        done += count;
        let elapsed = begun.elapsed();
        if elapsed >= time {
            return Ok(done / elapsed.as_secs_f64());
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "any bits of the hash serve as a place")]
fn memory(time: Duration) -> f64 {
    const STEPS: u16 = 10_000;
    let mut cells: Vec<u64> = (0..MEMORY as u64 / 8).collect();
    let mut place = 0;
    let work = || {
        for _ in 0..STEPS {
            let mut hasher = DefaultHasher::new();
            hasher.write_u64(cells[place]);
            let hash = hasher.finish();
            // The next place depends on what was found here, so that no two reads overlap.
            cells[place] = hash;
            place = hash as usize % cells.len();
        }
        Ok(())
    };
    rate(time, f64::from(STEPS), work).unwrap_or_default()
}

fn disk(scratch: &Path, time: Duration) -> Result<f64> {
    let directory = scratch_directory(scratch)?;
    let path = directory.path().join("calibration");
    let mut file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
    let page = [0x5a; PAGE];
    rate(time, 1.0, || {
        file.write_all(&page).context("writing a page")?;
        file.sync_data().context("forcing a page to the disk")
    })
}

fn loopback(time: Duration) -> Result<f64> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listening on the loopback")?;
    let address = listener.local_addr().context("asking for the port")?;
    let mut socket =
        TcpStream::connect_timeout(&address, PATIENCE).context("connecting over the loopback")?;
    let (mut echo, _) = listener.accept().context("accepting over the loopback")?;
    for socket in [&socket, &echo] {
        socket.set_nodelay(true).context("setting TCP_NODELAY")?;
        socket.set_read_timeout(Some(PATIENCE)).context("setting a time-out")?;
    }
    let echoes = std::thread::spawn(move || {
        let mut message = [0; PING];
        // Ends when the other side hangs up.
        while echo.read_exact(&mut message).is_ok() && echo.write_all(&message).is_ok() {}
    });
    let mut message = [0x5a; PING];
    let rate = rate(time, 1.0, || {
        socket.write_all(&message).context("sending over the loopback")?;
        socket.read_exact(&mut message).context("receiving over the loopback")
    });
    drop(socket);
    echoes.join().map_err(|_| anyhow::anyhow!("the echoing thread panicked"))?;
    rate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_of_work_is_done_and_leaves_nothing_behind() {
        let scratch = tempfile::tempdir().unwrap();
        let sample = Sample::take(scratch.path(), Duration::from_millis(5)).unwrap();
        for rate in [sample.memory, sample.disk, sample.loopback] {
            assert!(rate.is_finite() && rate > 0.0, "{sample:?}");
        }
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
    }
}
