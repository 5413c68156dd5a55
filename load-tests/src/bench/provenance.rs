//! On what, and with what, the figures were taken.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::calibration::Sample;
use crate::peer::pgbench;
use crate::report::Machine;

/// What one session of the bench says of itself before its first scenario.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Provenance {
    /// Seconds since 1970.
    pub(super) began: i64,
    pub(super) cores: usize,
    pub(super) processor: String,
    pub(super) memory_bytes: u64,
    pub(super) kernel: String,
    pub(super) scratch_in_memory: bool,
    pub(super) compiler: String,
    pub(super) postgres: String,
    pub(super) nginx: String,
    pub(super) nchan: String,
    /// Short forms were run.
    pub(super) quick: bool,
    /// The machine before the first scenario.
    pub(super) calibration: Sample,
}

impl Provenance {
    pub(super) fn look(scratch: &Path, quick: bool, calibration: Sample) -> Provenance {
        let machine = Machine::look(scratch);
        Provenance {
            began: now(),
            cores: machine.cores,
            processor: machine.processor,
            memory_bytes: memory(),
            kernel: machine.kernel,
            scratch_in_memory: machine.scratch_in_memory,
            compiler: said(Command::new("rustc").arg("--version")),
            postgres: pgbench::version(),
            nginx: said(Command::new(nginx()).arg("-v")).replace("nginx version: ", ""),
            nchan: nchan(),
            quick,
            calibration,
        }
    }
}

/// The commit in the working directory; with a mark when files differ from it. The report itself may differ: it is
/// what is being written.
pub(super) fn commit() -> String {
    let commit = said(Command::new("git").args(["rev-parse", "--short=10", "HEAD"]));
    let mut changes = Command::new("git");
    changes.args(["status", "--porcelain", "--untracked-files=no", "--", ".", ":!load-tests/REPORT.md"]);
    match said(changes.arg(":!load-tests/report")).as_str() {
        UNKNOWN | "" => commit,
        _ => format!("{commit} with changes"),
    }
}

pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs().try_into().unwrap_or(i64::MAX)
}

const UNKNOWN: &str = "unknown";

/// The first line a program says, on either output; nothing is a silent success.
fn said(command: &mut Command) -> String {
    let Ok(output) = command.stdin(Stdio::null()).output() else { return UNKNOWN.to_owned() };
    if !output.status.success() {
        return UNKNOWN.to_owned();
    }
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    String::from_utf8_lossy(&said).lines().next().unwrap_or_default().trim().to_owned()
}

/// Not everybody's `PATH` has the system's own programs.
fn nginx() -> &'static OsStr {
    let usual = "/usr/sbin/nginx";
    OsStr::new(if Path::new(usual).is_file() { usual } else { "nginx" })
}

/// A module does not tell its version; its package does.
fn nchan() -> String {
    let asked: [&[&str]; 3] = [
        &["dpkg-query", "--show", "--showformat=${Version}", "libnginx-mod-nchan"],
        &["rpm", "--query", "--queryformat=%{VERSION}", "nginx-mod-nchan"],
        &["apk", "info", "--description", "nginx-mod-http-nchan"],
    ];
    let answers = asked.into_iter().map(|question| said(Command::new(question[0]).args(&question[1..])));
    answers
        .into_iter()
        .find(|answer| answer != UNKNOWN && !answer.is_empty())
        .unwrap_or_else(|| UNKNOWN.to_owned())
}

fn memory() -> u64 {
    let table = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = table.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kibibytes.unwrap_or_default() * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_or_is_not_there_says_nothing() {
        assert_eq!(said(Command::new("sh").args(["-c", "echo one; echo two"])), "one");
        assert_eq!(said(Command::new("sh").args(["-c", "echo to errors >&2"])), "to errors");
        assert_eq!(said(Command::new("sh").args(["-c", "echo half; exit 1"])), UNKNOWN);
        assert_eq!(said(&mut Command::new("no-such-program-anywhere")), UNKNOWN);
        assert_eq!(said(&mut Command::new("true")), "");
    }
}
