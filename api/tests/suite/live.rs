//! Live delivery over both transports.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Account, TestServer};

/// How long anything may take to arrive.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open stream, read event by event.
pub(crate) struct Stream {
    response: reqwest::Response,
    text: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

impl Stream {
    pub(crate) async fn open(server: &TestServer, account: &Account, after: Option<&str>) -> Self {
        let path = after.map_or("/events/stream".to_owned(), |after| format!("/events/stream?after={after}"));
        Self { response: server.get(&path).by(account).open().await, text: String::new() }
    }

    /// The next event; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(|value| value.trim().to_owned())
                };
                let data = field("data:").map(|data| serde_json::from_str(&data).expect("data is JSON"));
                let kind = field("event:").unwrap_or_default();
                return Some(Event { kind, id: field("id:"), data: data.unwrap_or_default() });
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("something comes");
            let chunk = chunk.expect("the stream holds")?;
            self.text.push_str(std::str::from_utf8(&chunk).expect("events are whole UTF-8"));
        }
    }

    /// A stream that has caught up: what is told from now on comes.
    pub(crate) async fn live(server: &TestServer, account: &Account) -> Self {
        let mut stream = Self::open(server, account, None).await;
        while stream.next().await.expect("a heartbeat").id.is_none() {}
        stream
    }

    /// The next signal, other than that somebody came or went.
    pub(crate) async fn next_signal(&mut self) -> Option<Event> {
        loop {
            let event = self.next_frame().await?;
            if event.id.is_none() {
                return Some(event);
            }
        }
    }

    /// The next that is of the log, or a signal, or ends it. That somebody came or went may be told at any time, and is
    /// left out.
    pub(crate) async fn next_frame(&mut self) -> Option<Event> {
        loop {
            let event = self.next().await?;
            if !["hello", "heartbeat", "presence"].contains(&event.kind.as_str()) {
                return Some(event);
            }
        }
    }
}

pub(crate) async fn cursor(server: &TestServer, account: &Account) -> String {
    server.get("/bootstrap").by(account).send().await.is(200).text("/cursor")
}

/// What comes after a cursor, without that somebody came or went, which may be told at any time.
pub(crate) async fn poll(server: &TestServer, account: &Account, after: &str, query: &str) -> Value {
    let mut after = after.to_owned();
    loop {
        let answer = server.get(&format!("/events?after={after}{query}")).by(account).send().await.is(200);
        let (mut answer, next) = (answer.json.clone(), answer.text("/next"));
        let events = answer["events"].as_array_mut().expect("events");
        let told = events.len();
        events.retain(|event| event["type"] != "presence");
        if told == 0 || !events.is_empty() {
            return answer;
        }
        after = next;
    }
}

#[tokio::test]
async fn text_comes_back_byte_for_byte_on_every_way_out() {
    let code = format!(
        "```rust
{}",
        "let café = \"\t\";
	// ✓ "
            .repeat(200)
    );
    let code = code.chars().take(4_000);
    let texts: [String; 6] = [
        "English, Ελληνικά, Русский, 中文, 日本語, 한국어, हिन्दी, ไทย, አማርኛ".to_owned(),
        "\u{202b}مرحبا بالعالم\u{202c} and שלום, \u{2067}mixed\u{2069} left".to_owned(),
        "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 👍🏽 ☕️".to_owned(),
        "e\u{301} is not é; a\u{308}\u{323}\u{30a}; \u{1112}\u{1161}\u{11ab}; Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢".to_owned(),
        "  leading, trailing, <script>alert('1')</script> & \"quotes\" \\ \u{2028}\u{2029}\u{feff} \n\n"
            .to_owned(),
        code.collect(),
    ];
    assert_eq!(texts[5].chars().count(), 4_000);
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let start = cursor(&server, &ada).await;
    let mut stream = Stream::open(&server, &ada, Some(&start)).await;
    let path = format!("/channels/{}/messages", community.channel);
    for text in &texts {
        let posted = server.post(&path).by(&ada).json(json!({"content": text})).send().await.is(201);
        assert_eq!(posted.text("/message/content"), *text);
        let message = format!("/messages/{}", posted.text("/message/id"));
        let shown = server.get(&message).by(&ada).after(&posted).send().await.is(200);
        assert_eq!(shown.text("/content"), *text);
        let versions = server.get(&format!("{message}/versions")).by(&ada).send().await.is(200);
        assert_eq!(versions.text("/items/0/content"), *text);
        let frame = stream.next_frame().await.expect("a frame");
        assert_eq!(
            frame.data["data"], posted.json["message"],
            "a frame is the message, as the post answered it"
        );
    }
    let history = server.get(&format!("{path}?limit=6")).by(&ada).send().await.is(200);
    let contents = |items: &[Value]| -> Vec<String> {
        items.iter().map(|item| item["content"].as_str().expect("a text").to_owned()).collect()
    };
    assert_eq!(contents(history.items()), texts.iter().rev().cloned().collect::<Vec<_>>());
    let polled = poll(&server, &ada, &start, "&wait=0").await;
    let polled: Vec<Value> =
        polled["events"].as_array().expect("events").iter().map(|frame| frame["data"].clone()).collect();
    assert_eq!(contents(&polled), texts);
}

#[tokio::test]
async fn both_transports_send_the_same_frames_and_go_on_from_each_others_cursors() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let start = cursor(&server, &ada).await;
    for number in 0..12 {
        server.message(&community.channel, &ada, &format!("message {number}")).await;
    }
    let whole = poll(&server, &ada, &start, "&wait=0").await;
    let whole = whole["events"].as_array().expect("events").clone();
    assert_eq!(whole.len(), 12);

    // Five by poll, four by stream from there, the rest by poll from there.
    let first = poll(&server, &ada, &start, "&wait=0&limit=5").await;
    let mut seen = first["events"].as_array().expect("events").clone();
    let mut stream = Stream::open(&server, &ada, first["next"].as_str()).await;
    for _ in 0..4 {
        let event = stream.next_frame().await.expect("a frame");
        assert_eq!(event.id.as_deref(), event.data["id"].as_str());
        assert_eq!(event.kind, event.data["type"].as_str().expect("a type"));
        seen.push(event.data);
    }
    let last = seen.last().expect("nine")["id"].as_str().expect("a cursor").to_owned();
    drop(stream);
    let rest = poll(&server, &ada, &last, "&wait=0").await;
    seen.extend(rest["events"].as_array().expect("events").clone());
    assert_eq!(seen, whole);
}

#[tokio::test]
async fn a_poll_waits_for_the_first_frame_and_no_longer() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let start = cursor(&server, &ada).await;
    let nothing = poll(&server, &ada, &start, "&wait=0").await;
    assert_eq!(nothing["events"], json!([]));
    let waiting = poll(&server, &ada, nothing["next"].as_str().expect("a cursor"), "&wait=55");
    let posting = async { server.message(&community.channel, &ada, "here it is").await };
    let (answer, _) =
        tokio::time::timeout(PATIENCE, async { tokio::join!(waiting, posting) }).await.expect("soon");
    assert_eq!(answer["events"][0]["data"]["content"], "here it is");
}

#[tokio::test]
async fn a_quiet_stream_says_by_a_cursor_that_it_has_caught_up() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let mut stream = Stream::open(&server, &ada, None).await;
    let hello = stream.next().await.expect("hello");
    assert_eq!((hello.kind.as_str(), hello.id), ("hello", None));
    let beat = stream.next().await.expect("a second event at once");
    assert_eq!(beat.kind, "heartbeat");
    let after = beat.id.expect("nothing is missing, so there is a cursor");
    assert_eq!(poll(&server, &ada, &after, "&wait=0").await["events"], json!([]));
}

#[tokio::test]
async fn a_revoked_session_ends_its_stream_and_no_other() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let other = Account { token: server.log_in("ada").await, ..ada.clone() };
    let community = server.community(&ada).await;
    let start = cursor(&server, &ada).await;
    let mut ended = Stream::open(&server, &other, Some(&start)).await;
    let mut kept = Stream::open(&server, &ada, Some(&start)).await;
    server.delete("/sessions/current").by(&other).send().await.is(204);
    let bye = ended.next_frame().await.expect("a last word");
    assert_eq!((bye.kind.as_str(), &bye.data["reason"]), ("bye", &json!("session_ended")));
    assert_eq!(ended.next().await, None);
    server.get("/events/stream").by(&other).send().await.refused(401, "session_invalid");
    server.message(&community.channel, &ada, "still here").await;
    assert_eq!(kept.next_frame().await.expect("a frame").data["data"]["content"], "still here");
}

#[tokio::test]
async fn a_kick_is_the_last_that_is_heard_of_a_community_live_and_on_resume() {
    let server = TestServer::start().await;
    let (ada, bob) = (server.account("ada").await, server.account("bob").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    let start = cursor(&server, &bob).await;
    let mut stream = Stream::open(&server, &bob, Some(&start)).await;
    server.message(&community.channel, &ada, "before").await;
    server.delete(&format!("/communities/{}/members/{}", community.id, bob.id)).by(&ada).send().await.is(200);
    server.message(&community.channel, &ada, "after").await;
    let other = server.community(&bob).await;
    server.message(&other.channel, &bob, "mine").await;
    let live =
        [stream.next_frame().await, stream.next_frame().await].map(|event| event.expect("a frame").kind);
    assert_eq!(live, ["message.posted", "membership.kicked"]);
    let mine = loop {
        let event = stream.next_frame().await.expect("a frame");
        if event.kind == "message.posted" {
            break event;
        }
    };
    assert_eq!(mine.data["data"]["content"], "mine", "nothing of the other community in between");

    // Whoever was away gets the end, and nothing of what they may not read any more.
    let resumed = poll(&server, &bob, &start, "&wait=0").await;
    let kinds: Vec<&str> = resumed["events"]
        .as_array()
        .expect("events")
        .iter()
        .filter_map(|frame| frame["type"].as_str())
        .collect();
    assert_eq!(kinds.first(), Some(&"membership.kicked"), "{kinds:?}");
    assert!(
        !resumed.to_string().contains("before") && !resumed.to_string().contains("\"after\""),
        "{resumed}"
    );
}

#[tokio::test]
async fn a_reader_slower_than_its_queue_misses_nothing() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let start = cursor(&server, &ada).await;
    let mut stream = Stream::open(&server, &ada, Some(&start)).await;
    stream.next().await.expect("hello");
    // More than the queue and the sockets between hold, while nobody reads.
    let content = "x".repeat(4_000);
    const MESSAGES: usize = 1_500;
    for number in 0..MESSAGES {
        server.message(&community.channel, &ada, &format!("{number} {}", &content[10..])).await;
    }
    for number in 0..MESSAGES {
        let frame = stream.next_frame().await.expect("a frame");
        let content = frame.data["data"]["content"].as_str().expect("a text");
        assert!(content.starts_with(&format!("{number} ")), "{number} is missing: {}", &content[..8]);
    }
}

#[tokio::test]
async fn one_account_has_so_many_streams_and_no_more() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let mut streams = Vec::new();
    for _ in 0..64 {
        streams.push(Stream::open(&server, &ada, None).await);
    }
    server.get("/events/stream").by(&ada).send().await.refused(429, "too_many_streams");
    let bob = server.account("bob").await;
    Stream::open(&server, &bob, None).await;
}
