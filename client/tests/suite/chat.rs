use std::path::Path;
use std::time::Duration;

use client::chat::{ChatError, ChatOptions, run_lines};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::house::{BOB, GENERAL, House, NEWS};
use crate::server::Server;

/// A chat with somebody who types and reads.
struct Chat {
    typed: mpsc::Sender<String>,
    shown: mpsc::Receiver<String>,
    task: JoinHandle<Result<(), ChatError>>,
    config: TempDir,
}

impl Chat {
    fn start(server: &Server) -> Self {
        let config = tempfile::tempdir().unwrap();
        let options = ChatOptions { password: Some("right".into()), ..options(server, config.path()) };
        Self::with(options, config)
    }

    fn with(options: ChatOptions, config: TempDir) -> Self {
        let (typed, lines) = mpsc::channel(16);
        let (show, shown) = mpsc::channel(16);
        Self { typed, shown, task: tokio::spawn(run_lines(options, lines, show)), config }
    }

    async fn types(&self, line: &str) {
        self.typed.send(line.to_owned()).await.unwrap();
    }

    /// The next line that contains `part`.
    async fn shows(&mut self, part: &str) -> String {
        let mut before = Vec::new();
        loop {
            match timeout(Duration::from_secs(10), self.shown.recv()).await {
                Ok(Some(line)) if line.contains(part) => return line,
                Ok(Some(line)) => before.push(line),
                _ => panic!("`{part}` was not shown, but {before:#?}"),
            }
        }
    }

    /// Ends the input; what was shown until the chat ended, and how it ended.
    async fn ends(mut self) -> (Vec<String>, Result<(), ChatError>, TempDir) {
        drop(self.typed);
        let mut rest = Vec::new();
        while let Some(line) = timeout(Duration::from_secs(10), self.shown.recv()).await.unwrap() {
            rest.push(line);
        }
        (rest, self.task.await.unwrap(), self.config)
    }
}

fn options(server: &Server, config: &Path) -> ChatOptions {
    ChatOptions {
        server: server.url.clone(),
        login: Some("ada".to_owned()),
        config: Some(config.to_owned()),
        ..ChatOptions::default()
    }
}

#[tokio::test]
async fn history_is_shown_and_messages_come_and_go() {
    let house = House::new();
    house.post(GENERAL, BOB, "before", None);
    let server = house.open().await;
    let mut chat = Chat::start(&server);
    let line = chat.shows("before").await;
    // The time is local.
    assert!(line.contains("#1 ") && line.ends_with("Bob^[[31m: before"), "{line}");
    chat.shows("caught up").await;
    chat.types("hello").await;
    assert!(chat.shows("hello").await.starts_with("#2 "));
    chat.types("/edit hullo").await;
    assert_eq!(chat.shows("#2 now").await, "#2 now: hullo (edited)");
    chat.types("/reply 1 indeed").await;
    assert!(chat.shows("indeed").await.ends_with("Ada (to #1): indeed"));
    chat.types("/delete").await;
    assert_eq!(chat.shows("was deleted").await, "#3 was deleted");
    house.post(GENERAL, BOB, "evil\u{1b}[2J\u{202e}\n#9 12:00 Ada: fake", None);
    let line = chat.shows("evil").await;
    assert!(line.ends_with("evil^[[2J<U+202E>\n    #9 12:00 Ada: fake"), "{line}");
    let (rest, outcome, _) = chat.ends().await;
    assert_eq!(rest, Vec::<String>::new());
    outcome.unwrap();
    assert_eq!(house.contents(), ["before", "hullo", "-", "evil\u{1b}[2J\u{202e}\n#9 12:00 Ada: fake"]);
}

#[tokio::test]
async fn a_script_is_sent_whole_before_the_chat_ends() {
    let house = House::new();
    let server = house.open().await;
    let chat = Chat::start(&server);
    for line in ["one", "two", "/edit three", "/reply 1 indeed", "//four", "/switch news", "five"] {
        chat.types(line).await;
    }
    let (rest, outcome, _) = chat.ends().await;
    outcome.unwrap();
    assert_eq!(house.contents(), ["one", "three", "indeed", "/four", "five"]);
    assert!(rest.iter().any(|line| line.ends_with("Ada: five")), "{rest:#?}");
}

#[tokio::test]
async fn a_line_typed_while_the_server_is_away_is_sent_once() {
    let house = House::new();
    let server = house.open().await;
    let mut chat = Chat::start(&server);
    chat.shows("caught up").await;
    let address = server.url.trim_start_matches("http://").to_owned();
    server.stop().await;
    chat.shows("reconnecting").await;
    chat.types("are you there?").await;
    chat.shows("will be sent once").await;
    house.post(GENERAL, BOB, "missed", None);
    // It is carried out, but the answer is lost, twice.
    house.mute(2);
    let _server = house.open_on(TcpListener::bind(address).await.unwrap());
    chat.shows("missed").await;
    chat.shows("are you there?").await;
    chat.ends().await.1.unwrap();
    assert_eq!(house.contents(), ["missed", "are you there?"]);
}

#[tokio::test]
async fn other_channels_are_announced_and_entered() {
    let house = House::new();
    let server = house.open().await;
    let mut chat = Chat::start(&server);
    chat.shows("caught up").await;
    house.post(NEWS, BOB, "news one", None);
    house.post(NEWS, BOB, "news two", None);
    chat.shows("new in #news").await;
    chat.types("/channels").await;
    assert!(chat.shows("#general").await.contains("2  #news  ("));
    chat.types("/switch 2").await;
    chat.shows("Lovelace / #news").await;
    chat.shows("news two").await;
    chat.types("/switch lovelace/GENERAL").await;
    chat.shows("/ #general").await;
    chat.types("/switch nowhere").await;
    chat.shows("no such channel").await;
    chat.types("/who").await;
    assert_eq!(chat.shows("@bob").await, "  Ada (@ada), member\n  Bob^[[31m (@bob), member");
    chat.types("/invite").await;
    chat.shows("/join Ab12").await;
    chat.types("/quit").await;
    chat.ends().await.1.unwrap();
}

#[tokio::test]
async fn the_session_is_kept_until_the_log_out() {
    let house = House::new();
    let server = house.open().await;
    let (_, outcome, config) = Chat::start(&server).ends().await;
    outcome.unwrap();
    // No login and no password this time.
    let again = ChatOptions { login: None, ..options(&server, config.path()) };
    let mut chat = Chat::with(again, config);
    chat.shows("you are Ada").await;
    assert_eq!(server.asked_for("POST /v1/sessions").len(), 1);
    chat.types("/logout").await;
    let (_, outcome, config) = chat.ends().await;
    outcome.unwrap();
    let chat = Chat::with(options(&server, config.path()), config);
    assert!(matches!(chat.ends().await.1, Err(ChatError::NotTyped("Password"))));
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let server = House::new().open().await;
    let config = tempfile::tempdir().unwrap();
    let chat = Chat::with(options(&server, config.path()), config);
    chat.types("wrong").await;
    let Err(ChatError::Client(error)) = chat.ends().await.1 else { panic!("it was refused") };
    assert_eq!(error.code(), Some("wrong_credentials"));
}

#[tokio::test]
async fn an_ended_session_ends_the_chat_and_drops_the_token() {
    let house = House::new();
    let server = house.open().await;
    let mut chat = Chat::start(&server);
    chat.shows("caught up").await;
    let other = client::Client::new(&server.url).unwrap().with_token("token-of-ada");
    other.log_out().await.unwrap();
    chat.types("hello?").await;
    let (_, outcome, config) = chat.ends().await;
    assert!(matches!(outcome, Err(ChatError::SessionEnded)));
    let kept = std::fs::read_dir(config.path().join("tokens")).unwrap().count();
    assert_eq!((kept, house.contents().len()), (0, 0));
}
