//! Typing: who may say it, who hears it, and that it is nowhere else.

use std::time::Duration;

use api::RateLimits;
use serde_json::{Value, json};

use crate::harness::{Account, Community, TestServer};
use crate::live::{Stream, cursor, poll};

fn path(channel: &str) -> String {
    format!("/channels/{channel}/typing")
}

async fn types(server: &TestServer, channel: &str, by: &Account) {
    server.post(&path(channel)).by(by).send().await.is(204);
}

/// A community of ada's with bob in it.
async fn scene() -> (TestServer, Account, Account, Community) {
    let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
    let (ada, bob) = (server.account("ada").await, server.account("bob").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    (server, ada, bob, community)
}

/// Whether `signal` says that `by` types in `channel`, for ten seconds.
fn is_typing(signal: &Value, channel: &str, by: &Account) -> bool {
    let time = |pointer: &str| -> jiff::Timestamp {
        signal.pointer(pointer).and_then(Value::as_str).and_then(|text| text.parse().ok()).expect("a time")
    };
    assert_eq!(signal["type"], "typing", "{signal}");
    assert_eq!(signal.get("id"), None, "{signal}");
    assert_eq!(signal["topic"], format!("channel:{channel}"));
    let holds = time("/data/expires_at").duration_since(time("/time"));
    assert_eq!(holds, jiff::SignedDuration::from_secs(10));
    signal["data"]["channel_id"] == channel && signal["data"]["account_id"] == by.id
}

#[tokio::test]
async fn who_may_view_the_channel_is_told_on_a_stream_and_the_log_knows_nothing() {
    let (server, ada, bob, community) = scene().await;
    let start = cursor(&server, &ada).await;
    let mut stream = Stream::open(&server, &ada, Some(&start)).await;
    // It has caught up: what comes now comes live.
    while stream.next().await.expect("a heartbeat").id.is_none() {}
    types(&server, &community.channel, &bob).await;
    let told = stream.next_frame().await.expect("a signal");
    assert_eq!((told.kind.as_str(), &told.id), ("typing", &None));
    assert!(is_typing(&told.data, &community.channel, &bob), "{}", told.data);
    // Said again too soon; the message is next. After it, typing is news again.
    types(&server, &community.channel, &bob).await;
    server.message(&community.channel, &bob, "here it is").await;
    assert_eq!(stream.next_frame().await.expect("a frame").kind, "message.posted");
    types(&server, &community.channel, &bob).await;
    assert_eq!(stream.next_frame().await.expect("a signal").kind, "typing");
    let replayed = poll(&server, &ada, &start, "&wait=0").await;
    let kinds: Vec<&Value> =
        replayed["events"].as_array().expect("events").iter().map(|e| &e["type"]).collect();
    assert_eq!(kinds, ["message.posted"]);
}

#[tokio::test]
async fn a_waiting_poll_is_answered_by_a_signal_and_its_cursor_stays_good() {
    let (server, ada, bob, community) = scene().await;
    let start = cursor(&server, &ada).await;
    // A poll that is not waiting yet is not told: it is said, as programs do, again and again.
    let polling = poll(&server, &ada, &start, "&wait=55&limit=1");
    let typing = async {
        loop {
            types(&server, &community.channel, &bob).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let answer = tokio::select! {
        answer = polling => answer,
        () = typing => unreachable!("it never ends"),
    };
    let events = answer["events"].as_array().expect("events");
    assert!(!events.is_empty() && events.iter().all(|told| is_typing(told, &community.channel, &bob)));
    server.message(&community.channel, &bob, "hello").await;
    let next = poll(&server, &ada, answer["next"].as_str().expect("a cursor"), "").await;
    assert_eq!(next["events"][0]["data"]["content"], "hello");
}

#[tokio::test]
async fn who_may_not_view_the_channel_is_not_told() {
    let (server, ada, bob, community) = scene().await;
    let eve = server.account("eve").await;
    let own = server.community(&eve).await;
    let mut stream = Stream::open(&server, &eve, None).await;
    while stream.next().await.expect("a heartbeat").id.is_none() {}
    types(&server, &community.channel, &bob).await;
    // The next that concerns eve comes behind it, from the same hub.
    types(&server, &own.channel, &eve).await;
    let told = stream.next_frame().await.expect("a signal");
    assert!(is_typing(&told.data, &own.channel, &eve), "{}", told.data);

    // One who was kicked is told no more.
    let mut stream = Stream::open(&server, &bob, None).await;
    while stream.next().await.expect("a heartbeat").id.is_none() {}
    server.delete(&format!("/communities/{}/members/{}", community.id, bob.id)).by(&ada).send().await.is(200);
    assert_eq!(stream.next_frame().await.expect("a frame").kind, "membership.kicked");
    types(&server, &community.channel, &ada).await;
    let mine = server.community(&bob).await;
    types(&server, &mine.channel, &bob).await;
    loop {
        let told = stream.next_frame().await.expect("something of one's own");
        if told.kind == "typing" {
            assert!(is_typing(&told.data, &mine.channel, &bob), "{}", told.data);
            break;
        }
    }
}

#[tokio::test]
async fn typing_is_refused_as_posting_is() {
    let (server, ada, bob, community) = scene().await;
    let eve = server.account("eve").await;
    let call = |channel: &str, by| server.post(&path(channel)).by(by).send();
    call(&community.channel, &eve).await.refused(404, "channel_not_found");
    call("00000000-0000-0000-0000-000000000000", &ada).await.refused(404, "channel_not_found");
    call("nowhere", &ada).await.refused(404, "not_found");
    server.post(&path(&community.channel)).send().await.refused(401, "unauthenticated");
    let category = json!({"name": "Topics", "kind": "category"});
    let channels = format!("/communities/{}/channels", community.id);
    let category = server.post(&channels).by(&ada).json(category).send().await.is(201).text("/channel/id");
    call(&category, &ada).await.refused(409, "message_channel_holds_none");
    server.put(&format!("/communities/{}/bans/{}", community.id, bob.id)).by(&ada).send().await.is(200);
    call(&community.channel, &bob).await.refused(404, "channel_not_found");
}

#[tokio::test]
async fn typing_has_a_quota_of_its_own() {
    let server = TestServer::start_with(|config| config.limits.rate_limits = RateLimits::Factor(1.0)).await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let call = || server.post(&path(&community.channel)).by(&ada).send();
    let first = call().await.is(204);
    let policy = first.header("ratelimit-policy").expect("a policy");
    assert_eq!(policy, "\"typing\";q=20;w=20, \"typing-address\";q=200;w=20");
    let answers = futures_util::future::join_all((0..60).map(|_| call())).await;
    let refused: Vec<_> = answers.into_iter().filter(|answer| answer.status == 429).collect();
    assert!(refused.len() > 10, "{} were refused", refused.len());
    refused[0].clone().refused(429, "too_many_requests");
    server.message(&community.channel, &ada, "posting has another").await;
}
