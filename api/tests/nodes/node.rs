//! One node: a process of the program, with a data directory and ports of its own.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use crate::chance::tell;

/// How long anything may take to come about.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// What the nodes of one installation share, and what tells this one apart.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) database_url: String,
    pub(crate) key_file: PathBuf,
    pub(crate) data: PathBuf,
}

pub(crate) struct Node {
    place: Place,
    listen: u16,
    metrics: u16,
    http: reqwest::Client,
    /// `None` while it is dead.
    child: Option<Child>,
}

impl Node {
    pub(crate) fn start(place: Place) -> Self {
        std::fs::create_dir_all(&place.data).expect("a data directory");
        let (listen, metrics) = (free_port(), free_port());
        let mut node = Self { place, listen, metrics, http: reqwest::Client::new(), child: None };
        node.restart();
        node
    }

    /// Starts the process again, on the same ports.
    pub(crate) fn restart(&mut self) {
        assert!(self.child.is_none(), "{} runs already", self.place.name);
        let log = OpenOptions::new().create(true).append(true).open(self.log()).expect("the log opens");
        let errors = log.try_clone().expect("the log opens twice");
        let mut command = program(&self.place);
        command.arg("serve").env("ECHOVERSE_RATE_LIMITS", "off").env("ECHOVERSE_LOG", "info");
        command.env("ECHOVERSE_LISTEN", format!("127.0.0.1:{}", self.listen));
        command.env("ECHOVERSE_METRICS_LISTEN", format!("127.0.0.1:{}", self.metrics));
        command.stdout(log).stderr(errors);
        self.child = Some(command.spawn().expect("the program starts"));
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn ready(&mut self) {
        let url = format!("{}/readyz", self.base());
        let begun = Instant::now();
        loop {
            assert!(self.is_running(), "{} ended by itself", self.place.name);
            let answer = self.http.get(&url).timeout(PATIENCE).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{} is not ready after {PATIENCE:?}", self.place.name);
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    /// Waits for the end that it comes to by itself.
    pub(crate) async fn ended(&mut self) -> (ExitStatus, String) {
        let begun = Instant::now();
        loop {
            let child = self.child.as_mut().expect("it was started");
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                self.child = None;
                return (status, self.said());
            }
            assert!(begun.elapsed() < PATIENCE, "{} runs still", self.place.name);
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    fn is_running(&mut self) -> bool {
        let child = self.child.as_mut().expect("it was started");
        child.try_wait().expect("a child can be waited for").is_none()
    }

    /// `SIGKILL`.
    pub(crate) fn kill(&mut self) {
        assert!(self.is_running(), "{} ended by itself", self.place.name);
        self.end();
    }

    fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.listen)
    }

    fn log(&self) -> PathBuf {
        self.place.data.join("node.log")
    }

    /// All that it has logged.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// The sum of a metric's lines that begin so; 0 where there is none yet.
    pub(crate) async fn metric(&self, beginning: &str) -> f64 {
        let url = format!("http://127.0.0.1:{}/metrics", self.metrics);
        let answer = self.http.get(url).timeout(PATIENCE).send().await.expect("metrics answer");
        let text = answer.text().await.expect("metrics are text");
        let line = |line: &str| {
            let value = line.strip_prefix(beginning)?.rsplit(' ').next()?;
            Some(value.parse::<f64>().expect("a metric's value is a number"))
        };
        text.lines().filter_map(line).sum()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            let log = self.said();
            let lines: Vec<&str> = log.lines().collect();
            tell(&format!("{}:\n{}", self.place.name, lines[lines.len().saturating_sub(40)..].join("\n")));
        }
    }
}

/// The program, on this place's database and key.
pub(crate) fn program(place: &Place) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echoverse"));
    command.env("DATABASE_URL", &place.database_url).env("ECHOVERSE_DATA", &place.data);
    command.env("ECHOVERSE_MASTER_KEY_FILE", &place.key_file);
    command.stdin(Stdio::null());
    command
}

/// Asks until the answer is yes.
pub(crate) async fn until(what: &str, mut asked: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !asked().await {
        assert!(begun.elapsed() < PATIENCE, "in vain, for {PATIENCE:?}: {what}");
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// Below the ports that the kernel gives to outgoing connections, because a node that is down does not hold its own; and
/// given to one node of this process only.
fn free_port() -> u16 {
    static GIVEN: LazyLock<Mutex<BTreeSet<u16>>> = LazyLock::new(Mutex::default);
    let mut given = GIVEN.lock().expect("nobody panics in here");
    let start = getrandom::u32().expect("the operating system has randomness") % 10_000;
    let mut ports = (0..10_000).map(|n| 20_000 + u16::try_from((start + n) % 10_000).expect("below 10,000"));
    let free = |port: &u16| !given.contains(port) && TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = ports.find(free).expect("some port is free");
    given.insert(port);
    port
}

/// Where a node of this name keeps its files, below `directory`.
pub(crate) fn data(directory: &Path, name: &str) -> PathBuf {
    directory.join(name)
}
