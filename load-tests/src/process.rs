//! What a process and its children use, from Linux's `/proc`: <https://docs.kernel.org/filesystems/proc.html>.
//!
//! Elsewhere every figure is absent rather than wrong.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

/// CPU time and memory of one side of a test.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Memory {
    /// Resident pages; pages shared with others count in full.
    pub(crate) rss_bytes: u64,
    /// Resident pages; a page shared by n processes counts as an n-th. Sums over processes are meaningful.
    pub(crate) pss_bytes: u64,
}

impl std::ops::Add for Memory {
    type Output = Memory;

    fn add(self, other: Memory) -> Memory {
        Memory { rss_bytes: self.rss_bytes + other.rss_bytes, pss_bytes: self.pss_bytes + other.pss_bytes }
    }
}

/// The memory of one process; `None` where it has ended or may not be looked at.
pub(crate) fn memory(pid: u32) -> Option<Memory> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    Some(Memory { rss_bytes: kibibytes(&rollup, "Rss:")?, pss_bytes: kibibytes(&rollup, "Pss:")? })
}

/// `name` of a table like that of `/proc/PID/status`, in bytes.
pub(crate) fn kibibytes(table: &str, name: &str) -> Option<u64> {
    let line = table.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|value| value * 1024)
}

/// A process and all that descend from it now, the first being itself.
pub(crate) fn tree(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(stat) = Stat::read(pid) {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(pid) = tree.get(next) {
        let born = children.remove(pid).unwrap_or_default();
        tree.extend(born);
        next += 1;
    }
    tree
}

/// CPU time of `pid` alone, user and system.
pub(crate) fn cpu(pid: u32) -> Option<Duration> {
    Stat::read(pid).map(|stat| stat.cpu)
}

/// How often the kernel has put any thread of `pid` on a core anew: it waited and was woken, or another had its turn.
pub(crate) fn context_switches(pid: u32) -> Option<u64> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
    let each = threads.filter_map(|thread| switches(&fs::read_to_string(thread.path().join("status")).ok()?));
    Some(each.sum())
}

fn switches(status: &str) -> Option<u64> {
    let field =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name))?.trim().parse::<u64>().ok();
    Some(field("voluntary_ctxt_switches:")? + field("nonvoluntary_ctxt_switches:")?)
}

/// CPU time of `pids` and of their children that have ended and been waited for.
pub(crate) fn cpu_with_ended(pids: &[u32]) -> Duration {
    pids.iter().filter_map(|&pid| Stat::read(pid)).map(|stat| stat.cpu + stat.ended).sum()
}

/// CPU time that all cores together have spent on anything but waiting.
pub(crate) fn machine_cpu() -> Option<Duration> {
    busy(&fs::read_to_string("/proc/stat").ok()?)
}

/// The first line sums all cores: user, nice, system, idle, iowait, irq, softirq, steal, and two that are in user.
fn busy(stat: &str) -> Option<Duration> {
    const WAITING: [usize; 2] = [3, 4];
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields = line.split_ascii_whitespace().take(8).map(|field| field.parse::<u64>().ok());
    let counted = fields.enumerate().filter(|(number, _)| !WAITING.contains(number));
    counted.map(|(_, field)| field).sum::<Option<u64>>().map(ticks_to_time)
}

/// The process of the Postgres whose cluster is in `cluster`.
pub(crate) fn postmaster(cluster: &Path) -> Option<u32> {
    fs::read_to_string(cluster.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

/// The cluster of a Postgres that descends from `pid`, from its command line.
pub(crate) fn cluster_under(pid: u32) -> Option<PathBuf> {
    tree(pid).into_iter().find_map(|pid| cluster_argument(&fs::read(format!("/proc/{pid}/cmdline")).ok()?))
}

/// `-D DIR` of a program that is called `postgres`. Arguments end in a zero byte.
fn cluster_argument(command_line: &[u8]) -> Option<PathBuf> {
    let mut arguments = command_line.split(|&byte| byte == 0);
    let program = Path::new(OsStr::from_bytes(arguments.next()?));
    let is_postgres = program.file_name() == Some(OsStr::new("postgres"));
    let directory = arguments.skip_while(|&argument| argument != b"-D").nth(1)?;
    is_postgres.then(|| PathBuf::from(OsStr::from_bytes(directory)))
}

struct Stat {
    parent: u32,
    cpu: Duration,
    ended: Duration,
}

impl Stat {
    fn read(pid: u32) -> Option<Stat> {
        Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name in parentheses may hold anything, parentheses and spaces included; the fields begin behind the last.
    fn parse(stat: &str) -> Option<Stat> {
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        // proc_pid_stat(5) counts from 1, and the first field here is the third there.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let ticks = |number| field(number).map(ticks_to_time);
        Some(Stat {
            parent: field(4)?.try_into().ok()?,
            cpu: ticks(14)? + ticks(15)?,
            ended: ticks(16)? + ticks(17)?,
        })
    }
}

fn ticks_to_time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_is_no_field() {
        let stat = "42 (a) b (c)) S 7 42 42 0 -1 4194560 1 2 3 4 100 50 30 20 20 0 1 0 5";
        let stat = Stat::parse(stat).unwrap();
        assert_eq!(stat.parent, 7);
        assert_eq!(stat.cpu, ticks_to_time(150));
        assert_eq!(stat.ended, ticks_to_time(50));
    }

    #[test]
    fn a_cluster_is_known_by_the_command_line_of_its_server() {
        let found =
            cluster_argument(b"/usr/lib/postgresql/15/bin/postgres\0-D\0/data/cluster\0-c\0port=5432\0");
        assert_eq!(found, Some(PathBuf::from("/data/cluster")));
        assert_eq!(cluster_argument(b"/bin/sh\0-D\0/data\0"), None);
        assert_eq!(cluster_argument(b"postgres: checkpointer \0"), None);
        assert_eq!(cluster_argument(b""), None);
    }

    #[test]
    fn a_machine_that_waits_is_not_busy() {
        let stat = "cpu  10 1 20 5000 600 3 4 2 7 0\ncpu0 5 0 10 2500 300 1 2 1 3 0\n";
        assert_eq!(busy(stat), Some(ticks_to_time(10 + 1 + 20 + 3 + 4 + 2)));
        assert_eq!(busy(""), None);
    }

    #[test]
    fn switches_are_those_asked_for_and_those_forced() {
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t7\n";
        assert_eq!(switches(status), Some(157));
        assert_eq!(switches("Name:\tx\n"), None);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let rollup =
            "5600-7fff ---p 00000000 00:00 0   [rollup]\nRss:      12 kB\nPss:       7 kB\nPss_Anon: 1 kB\n";
        assert_eq!(kibibytes(rollup, "Rss:"), Some(12 * 1024));
        assert_eq!(kibibytes(rollup, "Pss:"), Some(7 * 1024));
        assert_eq!(kibibytes(rollup, "Swap:"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_memory_and_children() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let tree = tree(std::process::id());
        assert_eq!(tree.first(), Some(&std::process::id()));
        assert!(tree.contains(&child.id()));
        assert!(memory(std::process::id()).unwrap().rss_bytes > 0);
        assert!(cpu(std::process::id()).is_some());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
