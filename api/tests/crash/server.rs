//! The real program, started and killed.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::chance::tell;
use crate::place::Place;

/// A start includes the end of the Postgres that was left behind, and the recovery of its log.
const START: Duration = Duration::from_secs(60);
const END: Duration = Duration::from_secs(60);
const ASK_AGAIN: Duration = Duration::from_millis(25);

pub(crate) struct Server {
    child: Child,
    ready_url: String,
    log: PathBuf,
}

impl Server {
    pub(crate) fn start(place: &Place) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(place.log()).expect("the log opens");
        let errors = log.try_clone().expect("the log opens twice");
        let mut command = Command::new(env!("CARGO_BIN_EXE_echoverse"));
        command.arg("serve").env_remove("DATABASE_URL");
        command.env("ECHOVERSE_LISTEN", place.listen()).env("ECHOVERSE_DATA", place.data());
        command.env("ECHOVERSE_RATE_LIMITS", "off").env("ECHOVERSE_LOG", "info");
        if let Some(url) = place.configured_database() {
            command.env("DATABASE_URL", url);
        }
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let child = command.spawn().expect("the program starts");
        Self { child, ready_url: format!("{}/readyz", place.base()), log: place.log() }
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn ready(&mut self) {
        let begun = Instant::now();
        loop {
            assert!(self.is_running(), "the server ended by itself");
            let answer = reqwest::Client::new().get(&self.ready_url).timeout(START).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            assert!(begun.elapsed() < START, "the server is not ready after {START:?}");
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_none()
    }

    /// `SIGKILL`.
    pub(crate) fn kill(mut self) {
        assert!(self.is_running(), "the server ended by itself");
        self.end();
    }

    /// `SIGTERM`, and the end of everything that it started: its Postgres must not write into a directory that is being
    /// removed.
    pub(crate) async fn stop(mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a pid");
        kill_process(pid, Signal::TERM).expect("a child can be asked to end");
        let begun = Instant::now();
        while self.is_running() {
            assert!(begun.elapsed() < END, "the server has not ended after {END:?}");
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    fn end(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            tell(&lines[lines.len().saturating_sub(60)..].join("\n"));
        }
    }
}
