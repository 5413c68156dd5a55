//! What a client can do to a connection.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::TestServer;

/// What the server says to these bytes until it closes, and after how long it does.
async fn until_closed(server: &TestServer, name: &str, bytes: &[u8]) -> (String, Duration) {
    let mut stream = TcpStream::connect(server.addr()).await.expect("a connection");
    stream.write_all(bytes).await.expect("written");
    let started = Instant::now();
    let mut said = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(40), stream.read_to_end(&mut said)).await;
    assert!(read.is_ok(), "the server holds on to: {name}");
    (String::from_utf8_lossy(&said).into_owned(), started.elapsed())
}

/// The answer to a second request, longer after the first than a head may take.
async fn kept_while_idle(server: &TestServer) -> String {
    let mut stream = TcpStream::connect(server.addr()).await.expect("a connection");
    let mut said = vec![0; 2_048];
    let mut read = 0;
    for wait in [Duration::ZERO, Duration::from_secs(12)] {
        tokio::time::sleep(wait).await;
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("still open");
        read = stream.read(&mut said).await.expect("an answer");
    }
    String::from_utf8_lossy(&said[..read]).into_owned()
}

#[tokio::test]
async fn clients_that_hold_back_are_cut_off() {
    let server = TestServer::start().await;
    let (silent, head, preface, settings, idle) = tokio::join!(
        until_closed(&server, "silence", b""),
        until_closed(&server, "half a head", b"GET /livez HTTP/1.1\r\nhost: x\r\n"),
        until_closed(&server, "half a preface", b"PRI * HT"),
        until_closed(&server, "a preface alone", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        kept_while_idle(&server),
    );
    for (name, (said, took)) in [("silent", &silent), ("head", &head), ("preface", &preface)] {
        let seconds = took.as_secs();
        assert!((8..15).contains(&seconds), "{name}: {took:?}");
        assert!(!said.contains(" 200 "), "{name}: {said}");
    }
    assert!(settings.1 < Duration::from_secs(35), "{:?}", settings.1);
    assert!(idle.starts_with("HTTP/1.1 200 OK"), "{idle}");
}

#[tokio::test]
async fn a_head_beyond_all_measure_is_refused() {
    let server = TestServer::start().await;
    let mut stream = TcpStream::connect(server.addr()).await.expect("a connection");
    let head = format!("GET /livez HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(64 * 1024));
    // The server may answer before all is written.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut said = vec![0; 32];
    let read = stream.read(&mut said).await.unwrap_or(0);
    assert!(read == 0 || String::from_utf8_lossy(&said).starts_with("HTTP/1.1 431"));
    server.get("//livez").send().await.is(200);
}

#[tokio::test]
async fn http2_is_spoken_without_tls_by_those_who_know() {
    let server = TestServer::start().await;
    let mut stream = TcpStream::connect(server.addr()).await.expect("a connection");
    // The preface in two pieces, then an empty SETTINGS frame.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\n").await.expect("written");
    tokio::time::sleep(Duration::from_millis(50)).await;
    stream.write_all(b"SM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.expect("written");
    let mut frame = [0; 9];
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut frame)).await;
    read.expect("an answer in time").expect("an answer");
    assert_eq!(frame[3], 4, "the server's SETTINGS frame: {frame:?}");
}

#[tokio::test]
async fn large_json_is_compressed_and_a_stream_never() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    // A client that undoes no compression, to see it.
    let http = reqwest::Client::builder().no_gzip().no_proxy().build().expect("a client");
    let accepts = async |path: &str| {
        let call = http.get(format!("{}{path}", server.base)).bearer_auth(&ada.token);
        call.header("accept-encoding", "gzip").send().await.expect("an answer")
    };
    assert_eq!(accepts("/openapi.json").await.headers()["content-encoding"], "gzip");
    assert!(!accepts("/v1/me").await.headers().contains_key("content-encoding"));
    let stream = accepts("/v1/events/stream").await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert!(!stream.headers().contains_key("content-encoding"));
}

#[tokio::test]
async fn a_shutdown_ends_streams_first_and_lets_requests_finish() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let mut stream = server.get("/events/stream").by(&ada).open().await;
    let cursor = server.get("/bootstrap").by(&ada).send().await.is(200).text("/cursor");
    let url = format!("{}/v1/events?after={cursor}&wait=50", server.base);
    let poll = server.http.get(url).bearer_auth(&ada.token).send();
    let poll = tokio::spawn(poll);
    let posting = server.post(&format!("/channels/{}/messages", community.channel)).by(&ada);
    posting.json(json!({"content": "x"})).send().await.is(201);
    let started = Instant::now();
    let shutdown = tokio::spawn(server.shutdown());
    let mut said = String::new();
    while let Ok(Some(chunk)) = stream.chunk().await {
        said.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(said.contains("event: bye"), "{said}");
    assert_eq!(poll.await.expect("no panic").expect("an answer").status(), 200);
    shutdown.await.expect("it ends");
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_connection_that_says_nothing_does_not_hold_up_a_shutdown() {
    let server = TestServer::start().await;
    let mut spare = TcpStream::connect(server.addr()).await.expect("a connection");
    // Accepted: another that came later was answered.
    server.get("//livez").send().await.is(200);
    // A drain that had to cut it off would take ten seconds.
    tokio::time::timeout(Duration::from_secs(8), server.shutdown()).await.expect("nobody is waited for");
    let mut rest = Vec::new();
    spare.read_to_end(&mut rest).await.expect("the end");
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_full_server_makes_others_wait_and_serves_them_then() {
    let server = TestServer::start_with(|config| config.network.max_connections = 2).await;
    let one = TcpStream::connect(server.addr()).await.expect("a connection");
    let two = TcpStream::connect(server.addr()).await.expect("a connection");
    let waiting = server.get("//livez").send();
    tokio::pin!(waiting);
    let early = tokio::time::timeout(Duration::from_millis(300), &mut waiting).await;
    assert!(early.is_err(), "there was no place");
    drop((one, two));
    waiting.await.is(200);
}
