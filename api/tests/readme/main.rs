//! The README's walk-through works as printed: its lines are taken from there and run against the binary.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use local_postgres::TestDatabase;

/// The `sh` blocks of the README, in order.
fn walk_through(readme: &str) -> String {
    let blocks = readme.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().expect("a closed block")).collect()
}

#[tokio::test]
async fn the_walk_through_of_the_readme_works_as_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let readme = std::fs::read_to_string(root.join("README.md")).expect("the README");
    let script = walk_through(&readme);
    assert!(script.matches('\n').count() > 20, "the README lost its walk-through");

    let database = TestDatabase::from_template("empty", async |_| Ok::<_, String>(())).await;
    let data = tempfile::tempdir().expect("a temp dir");
    let mut server = Command::new(env!("CARGO_BIN_EXE_echoverse"))
        .arg("serve")
        .env("DATABASE_URL", database.url())
        .env("ECHOVERSE_DATA", data.path())
        .env("ECHOVERSE_LISTEN", "127.0.0.1:0")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut lines = BufReader::new(server.stdout.take().expect("piped")).lines();
    let line = lines.find_map(|line| line.ok().filter(|line| line.contains("http://"))).expect("an address");
    let origin =
        line.split_whitespace().find(|word| word.starts_with("http://")).expect("an address").to_owned();

    // `set -e`: the first line that fails ends it; `-x` says which it was.
    let output = Command::new("bash")
        .args(["-euxo", "pipefail", "-c", &script])
        .env("API", format!("{origin}/v1"))
        .output()
        .expect("bash runs");
    server.kill().expect("the server was running");
    let _ = server.wait();
    let (said, traced) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "a line of the README failed:\n{traced}\n{said}");

    // What a reader of the README should see on the screen.
    assert!(said.contains("event: hello"), "{said}");
    assert!(said.contains("event: message.posted"), "{said}");
    assert_eq!(
        said.lines().filter(|line| *line == "Hello, Bob").count(),
        1,
        "long-poll shows the text: {said}"
    );
    assert!(said.contains("Hello, dear Bob"), "{said}");
    let deletions: Vec<&str> = said.lines().filter(|line| line.contains("\"deleted_at\":\"")).collect();
    assert_eq!(deletions.len(), 2, "{said}");
    assert_eq!(deletions[0], deletions[1], "one key, one answer");
}
