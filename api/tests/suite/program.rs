//! The program: its commands and its end.

use std::process::Stdio;
use std::time::Duration;

use local_postgres::TestDatabase;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

struct Installation {
    database: TestDatabase,
    data: TempDir,
}

impl Installation {
    async fn new() -> Self {
        let database = TestDatabase::from_template("empty", async |_| Ok::<_, String>(())).await;
        Self { database, data: tempfile::tempdir().expect("a directory") }
    }

    fn run(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echoverse"));
        command
            .args(arguments)
            .env("DATABASE_URL", self.database.url())
            .env("ECHOVERSE_DATA", self.data.path())
            .env("ECHOVERSE_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// What a command that ends well has said.
    async fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).output().await.expect("it runs");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    }
}

#[tokio::test]
async fn an_installation_is_migrated_examined_and_rebuilt() {
    let installation = Installation::new().await;
    let before = installation.done(&["doctor"]).await;
    assert!(before.contains("ok     postgres: version"), "{before}");
    installation.done(&["migrate"]).await;
    installation.done(&["migrate"]).await;
    let after = installation.done(&["doctor"]).await;
    assert!(after.contains("ok     vault") && after.contains("ok     read model"), "{after}");
    installation.done(&["rebuild"]).await;
    let verified = installation.done(&["rebuild", "--verify"]).await;
    assert!(verified.contains("is rebuilt"), "{verified}");
}

#[tokio::test]
async fn the_doctor_says_what_is_wrong() {
    let installation = Installation::new().await;
    let keys = installation.data.path().join("keys");
    std::fs::create_dir(&keys).expect("a directory");
    std::fs::write(keys.join("master.key"), "not a key").expect("a file");
    let mut doctor = installation.run(&["doctor"]);
    let output = doctor.env("DATABASE_URL", "host=127.0.0.1 port=1").output().await.expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("WRONG  master key") && said.contains("WRONG  postgres"), "{said}");
}

#[tokio::test]
async fn a_server_ends_in_good_order_on_a_signal() {
    let installation = Installation::new().await;
    let mut server = installation.run(&["serve"]).spawn().expect("it starts");
    let mut lines = BufReader::new(server.stdout.take().expect("piped")).lines();
    let line = lines.next_line().await.expect("it can be read").expect("a line");
    let address = line.strip_prefix("EchoVerse listens on http://").expect("an address").to_owned();
    // Its port is taken now: another says so, before it touches anything.
    let second = installation.run(&["serve", "--listen", &address]).output().await.expect("it runs");
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && said.contains("is it in use?"), "{said}");
    let pid = server.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).expect("it runs");
    kill_process(pid, Signal::TERM).expect("a signal");
    let ended = tokio::time::timeout(Duration::from_secs(15), server.wait()).await.expect("in time");
    assert!(ended.expect("it ended").success());
}

#[tokio::test]
async fn metrics_are_on_a_listener_of_their_own() {
    let installation = Installation::new().await;
    let mut server =
        installation.run(&["serve", "--metrics-listen", "127.0.0.1:0"]).spawn().expect("it starts");
    let mut log = BufReader::new(server.stderr.take().expect("piped")).lines();
    let url = loop {
        let line = log.next_line().await.expect("it can be read").expect("the server logs where metrics are");
        if let Some((_, url)) = line.split_once("metrics are on ") {
            break url.split_whitespace().next().expect("an address").to_owned();
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
    let mut lines = BufReader::new(server.stdout.take().expect("piped")).lines();
    let line = lines.next_line().await.expect("it can be read").expect("a line");
    let base = line.rsplit(' ').next().expect("an address").to_owned();
    assert_eq!(reqwest::get(format!("{base}/metrics")).await.expect("an answer").status(), 404);
    let text = reqwest::get(url).await.expect("an answer").text().await.expect("text");
    assert!(
        text.contains("echoverse_http_request_seconds") && text.contains("route=\"unmatched\""),
        "{text}"
    );
}
