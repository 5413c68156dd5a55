//! One run: a child process of this same program, ended in time.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

/// An interrupted scenario stops its server and that its Postgres; then it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// A scenario that runs. Interrupted and waited for when dropped, so that an interrupted bench leaves no server behind.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
}

impl Running {
    /// Starts `arguments` of this program; what it prints goes to `output`.
    pub(super) fn start(program: &Path, arguments: &[OsString], output: &Path) -> Result<Running> {
        let file = File::create(output).with_context(|| format!("creating {}", output.display()))?;
        let errors = file.try_clone().context("duplicating a handle")?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(file).stderr(errors);
        let child = command.spawn().with_context(|| format!("starting {}", program.display()))?;
        Ok(Running { child })
    }

    /// Waits for its end, or ends it when `limit` is over. Returns why it failed, if so.
    pub(super) async fn finish(mut self, limit: Duration, output: &Path) -> Result<Option<String>> {
        match tokio::time::timeout(limit, self.child.wait()).await {
            Ok(status) => {
                let status = status.context("waiting for a scenario")?;
                Ok((!status.success()).then(|| reason(status, output)))
            }
            Err(_) => Ok(Some(format!("not done after {} s, and ended", limit.as_secs()))),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        let Some(pid) = pid else { return };
        let _ = kill_process(pid, Signal::TERM);
        let begun = Instant::now();
        while let Ok(None) = self.child.try_wait() {
            if begun.elapsed() > STOP_PATIENCE {
                let _ = kill_process(pid, Signal::KILL);
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// What follows an error where `RUST_BACKTRACE` is set: for developers, and in the output.
const BACKTRACE: &str = "Stack backtrace:";

/// What the program said from its error on, for it says nothing after it.
fn reason(status: ExitStatus, output: &Path) -> String {
    /// Lines of an error's chain that are worth showing.
    const SHOWN: usize = 8;
    let said = std::fs::read(output).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    let error = lines
        .iter()
        .rposition(|line| line.starts_with("Error:"))
        .unwrap_or(lines.len().saturating_sub(SHOWN));
    let shown = lines[error..].iter().take_while(|line| **line != BACKTRACE).take(SHOWN);
    let shown: Vec<&str> = shown.map(|line| line.trim_end()).filter(|line| !line.is_empty()).collect();
    if shown.is_empty() { status.to_string() } else { shown.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shell(script: &str, limit: Duration) -> (Option<String>, String) {
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().join("output.txt");
        let arguments = ["-c", script].map(OsString::from);
        let running = Running::start(Path::new("/bin/sh"), &arguments, &output).unwrap();
        let failure = running.finish(limit, &output).await.unwrap();
        (failure, std::fs::read_to_string(&output).unwrap())
    }

    const AMPLE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_run_that_succeeds_has_no_failure() {
        assert_eq!(shell("echo done", AMPLE).await, (None, "done\n".to_owned()));
    }

    #[tokio::test]
    async fn a_failure_is_told_from_its_error_on() {
        let error = r"Error: a post was refused\n\nCaused by:\n    why\n\nStack backtrace:\n 0: main\n";
        let (failure, _) = shell(&format!("echo Progress; printf '{error}' >&2; exit 1"), AMPLE).await;
        assert_eq!(failure.as_deref(), Some("Error: a post was refused\nCaused by:\n    why"));
        let (failure, _) = shell("exit 3", AMPLE).await;
        assert!(failure.is_some_and(|failure| failure.contains('3')));
    }

    #[tokio::test]
    async fn a_run_that_does_not_end_is_ended() {
        let (failure, _) = shell("exec sleep 60", Duration::ZERO).await;
        assert!(failure.is_some_and(|failure| failure.starts_with("not done after")));
    }

    #[tokio::test]
    async fn a_dropped_run_is_interrupted_and_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().join("output.txt");
        let script = "trap 'echo stopped; exit 1' TERM; echo ready; while :; do sleep 0.01; done";
        let arguments = ["-c", script].map(OsString::from);
        let running = Running::start(Path::new("/bin/sh"), &arguments, &output).unwrap();
        let said = || std::fs::read_to_string(&output).unwrap();
        let begun = Instant::now();
        while !said().contains("ready") {
            assert!(begun.elapsed() < AMPLE, "the shell does not start");
            tokio::task::yield_now().await;
        }
        drop(running);
        assert_eq!(said(), "ready\nstopped\n");
    }
}
