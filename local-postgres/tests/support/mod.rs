//! Directories the server's user can reach, clients, and runs of the program that can be killed.
#![allow(dead_code, reason = "every test program uses a part")]

use std::future::Future;
use std::io::BufRead as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_local-postgres");

/// A temporary directory that other users may pass through.
pub(crate) fn directory() -> TempDir {
    let open = std::fs::Permissions::from_mode(0o755);
    tempfile::Builder::new().permissions(open).tempdir().expect("a temporary directory")
}

pub(crate) async fn client(url: &str) -> Client {
    try_client(url).await.expect("the server takes connections")
}

pub(crate) async fn try_client(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Waits for a condition that another process brings about.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(40);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within 40 s");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// As [`eventually`], for a condition that takes a query.
pub(crate) async fn eventually_some<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut probe: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(Instant::now() < deadline, "{what}: not within 40 s");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// `local-postgres start`, killed when dropped.
pub(crate) struct Run {
    child: Child,
    pub(crate) url: String,
}

impl Run {
    pub(crate) fn start(data: &Path) -> Run {
        let mut command = Command::new(PROGRAM);
        command.args(["start", "--data"]).arg(data).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        std::io::BufReader::new(stdout).read_line(&mut url).expect("a line");
        assert!(url.starts_with("host="), "no connection string: {url:?}");
        Run { child, url: url.trim().to_owned() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("reaped");
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The pid that the server has written.
pub(crate) fn server_pid(data: &Path) -> Option<i32> {
    let text = std::fs::read_to_string(data.join("postgres/cluster/postmaster.pid")).ok()?;
    text.lines().next()?.parse().ok()
}

pub(crate) fn parent(pid: i32) -> i32 {
    let output = Command::new("ps").args(["-o", "ppid=", "-p", &pid.to_string()]).output().expect("ps runs");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a parent")
}

pub(crate) fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).expect("a pid"), Signal::KILL).expect("killed");
}

pub(crate) fn alive(pid: i32) -> bool {
    Pid::from_raw(pid).is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}
