//! Two people hold a conversation in two `echoverse chat` terminals, through a restart of the server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use local_postgres::TestDatabase;

/// How long anybody waits for anything; reconnecting included.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process whose output is read line by line.
struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // Nobody reads on once the test is over.
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, seen: Vec::new() }
    }

    /// Reads on until a line has `text`.
    fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("«{text}» did not come; seen:\n{}", self.seen.join("\n"))
                }
            }
            if self.seen.last().is_some_and(|line| line.contains(text)) {
                return;
            }
        }
    }

    /// How many of the lines up to the end have `text`.
    fn count(&mut self, text: &str) -> usize {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.seen.push(line);
        }
        self.seen.iter().filter(|line| line.contains(text)).count()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Terminal {
    process: Running,
    keyboard: ChildStdin,
}

impl Terminal {
    fn open(server: &str, handle: &str, config: &Path) -> Self {
        let email = format!("{handle}@example.org");
        let mut process = Running::start(
            Command::new(env!("CARGO_BIN_EXE_echoverse"))
                .args(["chat", "--register", "--server", server, "--login", handle, "--email", &email])
                .args(["--password", "correct horse", "--config"])
                .arg(config.join(handle))
                .stdin(Stdio::piped()),
        );
        let keyboard = process.child.stdin.take().expect("piped");
        Self { process, keyboard }
    }

    fn type_line(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").expect("the terminal takes a line");
    }
}

fn serve(address: &str, database: &TestDatabase, data: &Path) -> Running {
    let mut server = Running::start(
        Command::new(env!("CARGO_BIN_EXE_echoverse"))
            .arg("serve")
            .env("DATABASE_URL", database.url())
            .env("ECHOVERSE_DATA", data)
            .env("ECHOVERSE_LISTEN", address),
    );
    server.wait_for("http://");
    server
}

#[tokio::test]
async fn two_terminals_talk_through_a_restart() {
    let database = TestDatabase::from_template("empty", async |_| Ok::<_, String>(())).await;
    let place = tempfile::tempdir().expect("a temp dir");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
    let address = format!("127.0.0.1:{port}");
    let origin = format!("http://{address}");

    let server = serve(&address, &database, place.path());
    let mut ada = Terminal::open(&origin, "ada", place.path());
    ada.type_line("is anybody here?");
    ada.process.wait_for("is anybody here?");
    let mut bob = Terminal::open(&origin, "bob", place.path());
    bob.process.wait_for("is anybody here?");
    bob.type_line("I am: grüße 你好 👩‍👩‍👧‍👦");
    ada.process.wait_for("I am: grüße 你好 👩‍👩‍👧‍👦");

    drop(server);
    ada.type_line("said while the server was away");
    let server = serve(&address, &database, place.path());
    bob.process.wait_for("said while the server was away");
    bob.type_line("heard it");
    ada.process.wait_for("heard it");

    for terminal in [&mut ada, &mut bob] {
        terminal.type_line("/quit");
        assert_eq!(terminal.process.count("said while the server was away"), 1, "shown once");
        assert_eq!(terminal.process.count("I am: grüße"), 1, "shown once");
    }
    drop(server);
}
