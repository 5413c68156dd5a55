//! Who runs on which cores.
//!
//! A load generator that shares its cores with the server measures how the kernel deals them out. So the machine is
//! split: what is measured has the first half of the cores, the load generator the rest. Children inherit the cores of
//! the thread that starts them, and so does every process they start in turn (a server's Postgres, nginx' workers).
//! Linux alone has this; elsewhere nothing is pinned.

use std::ops::Range;

use anyhow::Result;
use serde::{Serialize, Serializer};

/// How the cores are dealt out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pin {
    /// The server and its Postgres on the first half of the cores, the load generator on the others
    Split,
    /// All on all cores
    #[default]
    None,
}

/// Some of the machine's cores, by their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cores(Vec<usize>);

impl Cores {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// As in `0-2,5`, the form that Linux and taskset(1) use.
    pub(crate) fn list(&self) -> String {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for &core in &self.0 {
            match ranges.last_mut() {
                Some(range) if range.end == core => range.end += 1,
                _ => ranges.push(core..core + 1),
            }
        }
        let range = |range: Range<usize>| match range.len() {
            1 => range.start.to_string(),
            _ => format!("{}-{}", range.start, range.end - 1),
        };
        ranges.into_iter().map(range).collect::<Vec<_>>().join(",")
    }
}

impl Serialize for Cores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.list())
    }
}

/// Which cores the sides of a test have; by default nothing is pinned.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Pinning {
    pin: Pin,
    /// Of the product and its Postgres, and of a peer.
    pub(crate) server: Cores,
    /// Of this process.
    pub(crate) load: Cores,
    #[serde(skip)]
    all: Cores,
}

impl Pinning {
    /// Deals out the cores that this thread may use. One core alone cannot be split.
    fn plan(pin: Pin, all: Cores) -> Pinning {
        if pin == Pin::None || all.count() < 2 || !system::CAN_PIN {
            return Pinning { pin: Pin::None, server: all.clone(), load: all.clone(), all };
        }
        let (server, load) = all.0.split_at(all.count() / 2);
        Pinning { pin, server: Cores(server.to_vec()), load: Cores(load.to_vec()), all }
    }

    /// Moves this thread, and every thread it starts from now on, to the load generator's cores: to be called before
    /// there are others.
    pub(crate) fn start(pin: Pin) -> Result<Pinning> {
        let pinning = Pinning::plan(pin, Cores(system::allowed()?));
        pinning.move_to(&pinning.load)?;
        Ok(pinning)
    }

    /// Cores of both sides.
    pub(crate) fn cores(&self) -> usize {
        self.all.count()
    }

    /// What is started while the guard lives runs on the server's cores. The guard moves only the thread it was made
    /// on, and back again.
    pub(crate) fn on_server_cores(&self) -> Result<OnServerCores<'_>> {
        self.move_to(&self.server)?;
        Ok(OnServerCores(self))
    }

    /// A line for the report.
    pub(crate) fn line(&self) -> String {
        match self.pin {
            Pin::Split => {
                format!("server on cores {}, load generator on {}", self.server.list(), self.load.list())
            }
            Pin::None => "server and load generator share all cores".to_owned(),
        }
    }

    fn move_to(&self, cores: &Cores) -> Result<()> {
        match self.pin {
            Pin::Split => system::allow(&cores.0),
            Pin::None => Ok(()),
        }
    }
}

/// While it lives, this thread and what it starts are on the server's cores.
#[must_use]
pub(crate) struct OnServerCores<'a>(&'a Pinning);

impl Drop for OnServerCores<'_> {
    fn drop(&mut self) {
        self.0.move_to(&self.0.load).expect("cores that were ours a moment ago still are");
    }
}

#[cfg(target_os = "linux")]
mod system {
    use anyhow::{Context as _, Result};
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    pub(super) const CAN_PIN: bool = true;

    /// The cores that this thread may use.
    pub(super) fn allowed() -> Result<Vec<usize>> {
        let set = sched_getaffinity(None).context("asking which cores we may use")?;
        Ok((0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect())
    }

    pub(super) fn allow(cores: &[usize]) -> Result<()> {
        let mut set = CpuSet::new();
        for &core in cores {
            set.set(core);
        }
        sched_setaffinity(None, &set).with_context(|| format!("moving to cores {cores:?}"))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use anyhow::{Context as _, Result};

    pub(super) const CAN_PIN: bool = false;

    pub(super) fn allowed() -> Result<Vec<usize>> {
        let count = std::thread::available_parallelism().context("counting cores")?;
        Ok((0..count.get()).collect())
    }

    pub(super) fn allow(_: &[usize]) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_has_the_first_half_of_the_cores() {
        let plan = |cores: &[usize]| {
            let pinning = Pinning::plan(Pin::Split, Cores(cores.to_vec()));
            (pinning.server.list(), pinning.load.list())
        };
        assert_eq!(plan(&[0, 1]), ("0".to_owned(), "1".to_owned()));
        assert_eq!(plan(&[2, 5, 6]), ("2".to_owned(), "5-6".to_owned()));
        assert_eq!(plan(&[0, 1, 2, 3, 4, 5, 6, 7]), ("0-3".to_owned(), "4-7".to_owned()));
    }

    #[test]
    fn one_core_is_shared_whatever_is_asked() {
        let pinning = Pinning::plan(Pin::Split, Cores(vec![3]));
        assert_eq!((pinning.pin, pinning.server.list()), (Pin::None, "3".to_owned()));
    }

    #[test]
    fn lists_of_cores_are_short() {
        assert_eq!(Cores(vec![0, 1, 2, 5, 7, 8]).list(), "0-2,5,7-8");
        assert_eq!(Cores(Vec::new()).list(), "");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn children_of_a_guarded_thread_are_on_the_servers_cores_and_the_thread_returns() {
        let own = || Cores(system::allowed().unwrap());
        std::thread::spawn(move || {
            let pinning = Pinning::start(Pin::Split).unwrap();
            assert_eq!(own(), pinning.load);
            let guard = pinning.on_server_cores().unwrap();
            let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
            drop(guard);
            assert_eq!(own(), pinning.load);
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
            assert_eq!(allowed.trim(), pinning.server.list());
        })
        .join()
        .unwrap();
    }
}
