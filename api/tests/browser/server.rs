//! The server as its users run it: the binary, on a database of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use local_postgres::TestDatabase;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse";

/// A running server with one account and the channel that it landed in.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) origin: String,
    pub(crate) handle: String,
    pub(crate) channel: String,
    _data: TempDir,
    _database: TestDatabase,
}

impl Server {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let database = runtime.block_on(TestDatabase::from_template("empty", async |_| Ok::<_, String>(())));
        let data = tempfile::Builder::new().prefix("echoverse-browser").tempdir().expect("a temp dir");
        let mut child = Command::new(env!("CARGO_BIN_EXE_echoverse"))
            .arg("serve")
            .env("DATABASE_URL", database.url())
            .env("ECHOVERSE_DATA", data.path())
            .env("ECHOVERSE_LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the server starts");
        let origin = listening(&mut child);
        let address = origin.trim_start_matches("http://").parse().expect("an address");
        let handle = "page".to_owned();
        let channel = runtime.block_on(land(&origin, &handle));
        Self { child, address, origin, handle, channel, _data: data, _database: database }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what the server prints until it says where it listens.
fn listening(child: &mut Child) -> String {
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line = lines.find_map(|line| line.ok().filter(|line| line.contains("http://"))).expect("an address");
    // Keeps the pipe open and empty for as long as the server prints.
    std::thread::spawn(move || lines.for_each(drop));
    line.split_whitespace().find(|word| word.starts_with("http://")).expect("an address").to_owned()
}

/// Registers an account and answers the channel that it landed in.
async fn land(origin: &str, handle: &str) -> String {
    let http = reqwest::Client::new();
    let post = async |path: &str, body: Value| -> Value {
        let answer = http.post(format!("{origin}/v1{path}")).json(&body).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.expect("JSON")
    };
    let email = format!("{handle}@example.org");
    post("/accounts", json!({"handle": handle, "email": email, "password": PASSWORD})).await;
    let session = post("/sessions", json!({"login": handle, "password": PASSWORD})).await;
    let token = session["token"].as_str().expect("a token");
    let bootstrap: Value = http
        .get(format!("{origin}/v1/bootstrap"))
        .bearer_auth(token)
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let channel = &bootstrap["communities"][0]["channels"][0]["id"];
    channel.as_str().expect("the welcome channel").to_owned()
}
