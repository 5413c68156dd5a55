use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use client::{Client, Cursor, Error, NewMessage, Options};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::server::{Reply, Server};

fn options() -> Options {
    Options {
        try_timeout: Duration::from_millis(300),
        backoff_first: Duration::from_millis(5),
        backoff_most: Duration::from_millis(20),
        ..Options::default()
    }
}

fn client(server: &Server) -> Client {
    Client::with_options(&server.url, options()).unwrap().with_token("t")
}

/// A server whose n-th answer (from 0) is up to the test.
async fn answering(answer: impl Fn(u32) -> Reply + Send + Sync + 'static) -> Server {
    let (count, answer) = (AtomicU32::new(0), Arc::new(answer));
    Server::start(move |_| {
        let reply = answer(count.fetch_add(1, Ordering::Relaxed));
        async move { reply }
    })
    .await
}

fn posted() -> Value {
    json!({"position": "p1", "message": {"id": Uuid::nil(), "channel_id": Uuid::nil(), "author_id": Uuid::nil(),
        "content": "hello", "reply_to": null, "created_at": "2026-01-01T00:00:00.000001Z", "edited_at": null,
        "deleted_at": null, "reactions": [], "pinned": false, "a_field_of_tomorrow": {"x": 1}}})
}

fn hello() -> NewMessage {
    NewMessage::text("hello")
}

#[tokio::test]
async fn a_command_that_was_executed_but_not_answered_is_repeated_with_its_key() {
    let count = AtomicU32::new(0);
    let server = Server::start(move |_| {
        let first = count.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            if first {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            Reply::json(201, &posted())
        }
    })
    .await;
    let answer = client(&server).post_message(Uuid::nil(), &hello()).await.unwrap();
    assert_eq!(answer.message.content.as_deref(), Some("hello"));
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked[0].header("idempotency-key").is_some_and(|key| key.len() >= 32));
    assert_eq!(asked[0].header("idempotency-key"), asked[1].header("idempotency-key"));
    assert_eq!(asked[0].body, asked[1].body);
    assert_eq!(asked[0].call(), format!("POST /v1/channels/{}/messages", Uuid::nil()));
}

#[tokio::test]
async fn every_command_has_a_key_of_its_own_unless_given_one() {
    let server = answering(|_| Reply::json(201, &posted())).await;
    let client = client(&server);
    client.post_message(Uuid::nil(), &hello()).await.unwrap();
    client.post_message(Uuid::nil(), &hello()).await.unwrap();
    client.post_message(Uuid::nil(), &hello()).idempotency_key("mine").await.unwrap();
    let asked = server.asked();
    assert_ne!(asked[0].header("idempotency-key"), asked[1].header("idempotency-key"));
    assert_eq!(asked[2].header("idempotency-key"), Some("mine"));
}

#[tokio::test]
async fn gateways_that_fail_and_limits_that_pass_are_waited_for() {
    for status in [429, 502, 503, 504] {
        let server = answering(move |n| match n {
            0 | 1 => Reply::problem(status, "later"),
            _ => Reply::json(201, &posted()),
        })
        .await;
        client(&server).post_message(Uuid::nil(), &hello()).await.unwrap();
        assert_eq!(server.asked().len(), 3);
    }
}

#[tokio::test]
async fn retry_after_is_honoured_and_never_waited_for_in_vain() {
    let server = answering(|n| match n {
        0 => Reply::problem(503, "not_caught_up").with("retry-after", 1),
        _ => Reply::json(201, &posted()),
    })
    .await;
    let start = Instant::now();
    client(&server).post_message(Uuid::nil(), &hello()).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));

    let server = answering(|_| Reply::problem(429, "rate_limited").with("retry-after", 3600)).await;
    let start = Instant::now();
    let error = client(&server).post_message(Uuid::nil(), &hello()).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(5));
    let Error::Problem(problem) = error else { panic!("{error:?}") };
    assert_eq!(problem.retry_after, Some(Duration::from_secs(3600)));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn tries_are_bounded() {
    let server = answering(|_| Reply::problem(503, "later")).await;
    let error = client(&server).me().await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(503), Some("later")));
    assert_eq!(server.asked().len(), 5);
}

#[tokio::test]
async fn a_refusal_is_final_and_says_why() {
    let body = json!({"type": "https://echoverse.example/problems/invalid", "title": "Invalid request",
        "status": 422, "code": "invalid", "detail": "Some fields are not valid.", "request_id": "r7",
        "errors": [{"pointer": "/content", "code": "too_long", "detail": "must be shorter"}]});
    let server = answering(move |_| Reply::bytes(422, "application/problem+json", body.to_string())).await;
    let Err(Error::Problem(problem)) = client(&server).post_message(Uuid::nil(), &hello()).await else {
        panic!("it was refused")
    };
    assert_eq!((problem.status, problem.code.as_str()), (422, "invalid"));
    assert_eq!(problem.errors[0].pointer, "/content");
    assert_eq!(problem.request_id.as_deref(), Some("r7"));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_proxys_page_is_a_problem_too() {
    let server =
        answering(|_| Reply::bytes(403, "text/html", "<h1>no</h1>").with("x-request-id", "r9")).await;
    let Err(Error::Problem(problem)) = client(&server).me().await else { panic!("it was refused") };
    assert_eq!((problem.code.as_str(), problem.request_id.as_deref()), ("http_403", Some("r9")));
}

#[tokio::test]
async fn nobody_there_is_a_transport_error() {
    let server = answering(|_| Reply::empty(204)).await;
    let url = server.url.clone();
    server.stop().await;
    let client = Client::with_options(&url, options()).unwrap();
    assert!(matches!(client.me().await, Err(Error::Transport(_))));
}

#[tokio::test]
async fn a_huge_answer_is_not_read() {
    let server = answering(|_| Reply::bytes(200, "application/json", vec![b' '; 2000])).await;
    let options = Options { max_answer: 1000, ..options() };
    let client = Client::with_options(&server.url, options).unwrap();
    assert!(matches!(client.me().await, Err(Error::Decode(_))));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_read_waits_for_a_position_and_an_empty_answer_is_one() {
    let server = answering(|_| Reply::empty(204)).await;
    let client = client(&server);
    client.end_session(Uuid::nil()).await.unwrap();
    assert!(matches!(client.me().min_position(&Cursor::from("p1")).await, Err(Error::Decode(_))));
    assert_eq!(server.asked()[1].header("min-position"), Some("p1"));
    assert_eq!(server.asked()[1].header("idempotency-key"), None);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = answering(|_| Reply::empty(307).with("location", "http://127.0.0.1:1/")).await;
    assert_eq!(client(&server).me().await.unwrap_err().status(), Some(307));
}
