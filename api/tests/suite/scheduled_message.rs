//! Scheduled messages: sent when due, by their author, with what they may do then.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::{Account, Answer, Community, TestServer, now};
use crate::live::Stream;

async fn scene() -> (TestServer, Account, Account, Community) {
    let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
    let (ada, bob) = (server.account("ada").await, server.account("bob").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    (server, ada, bob, community)
}

fn path(channel: &str) -> String {
    format!("/channels/{channel}/scheduled-messages")
}

/// A time from now on.
fn in_milliseconds(milliseconds: i64) -> Timestamp {
    now().saturating_add(SignedDuration::from_millis(milliseconds)).expect("a time")
}

fn tomorrow() -> Timestamp {
    in_milliseconds(24 * 3_600_000)
}

async fn schedule(
    server: &TestServer,
    channel: &str,
    by: &Account,
    content: &str,
    send_at: Timestamp,
) -> Answer {
    let body = json!({"content": content, "send_at": send_at});
    server.post(&path(channel)).by(by).json(body).send().await
}

async fn listed(server: &TestServer, by: &Account) -> Vec<Value> {
    server.get("/me/scheduled-messages").by(by).send().await.is(200).items().clone()
}

/// The states that the stream tells of scheduled messages, up to `last`.
async fn states(stream: &mut Stream, last: &str) -> Vec<String> {
    let mut states: Vec<String> = Vec::new();
    while states.last().map(String::as_str) != Some(last) {
        let event = stream.next_signal().await.expect("the stream goes on");
        if event.kind == "scheduled_message" {
            states.push(event.data["data"]["state"].as_str().expect("a state").to_owned());
        }
    }
    states
}

#[tokio::test]
async fn what_is_due_is_posted_by_its_author_and_gone_from_the_list() {
    let (server, ada, bob, community) = scene().await;
    let channel = &community.channel;
    let question = server.message(channel, &ada, "a question").await;
    let mut of_ada = Stream::live(&server, &ada).await;
    let mut of_bob = Stream::live(&server, &bob).await;
    let body = json!({"content": "an *answer*", "reply_to": question, "send_at": in_milliseconds(700)});
    let made = server.post(&path(channel)).by(&bob).json(body).send().await.is(201);
    assert_eq!(made.json["scheduled_message"]["state"], "scheduled");
    let posted = loop {
        let frame = of_ada.next_frame().await.expect("a frame");
        if frame.kind == "message.posted" {
            break frame;
        }
    };
    let message = &posted.data["data"];
    assert_eq!((&message["author_id"], &message["content"]), (&json!(bob.id), &json!("an *answer*")));
    assert_eq!(message["reply_to"], question);
    assert_eq!(states(&mut of_bob, "sent").await, ["scheduled", "sent"]);
    assert_eq!(listed(&server, &bob).await, [] as [Value; 0]);
}

#[tokio::test]
async fn what_its_author_may_do_when_it_is_due_decides() {
    let (server, ada, bob, community) = scene().await;
    let mut of_bob = Stream::live(&server, &bob).await;
    let made = schedule(&server, &community.channel, &bob, "too late", in_milliseconds(1_500)).await.is(201);
    let kick = format!("/communities/{}/members/{}", community.id, bob.id);
    server.delete(&kick).by(&ada).send().await.is(200);
    assert_eq!(states(&mut of_bob, "failed").await, ["scheduled", "failed"]);
    let failed = listed(&server, &bob).await;
    assert_eq!(failed.len(), 1);
    assert_eq!((&failed[0]["state"], &failed[0]["failure"]), (&json!("failed"), &json!("channel_not_found")));
    assert_eq!(failed[0]["content"], "too late");

    // Let in again, with a new time it is tried again.
    server.join(&community, &ada, &[&bob]).await;
    let one = format!("/scheduled-messages/{}", made.text("/scheduled_message/id"));
    let again = json!({"send_at": in_milliseconds(300), "content": "better late"});
    let changed = server.patch(&one).by(&bob).json(again).send().await.is(200);
    assert_eq!(changed.json["scheduled_message"]["state"], "scheduled");
    // He came in just now: what was told meanwhile may be lost.
    states(&mut of_bob, "sent").await;
    let history =
        server.get(&format!("/channels/{}/messages", community.channel)).by(&ada).send().await.is(200);
    assert_eq!(history.items()[0]["content"], "better late");
}

#[tokio::test]
async fn a_scheduled_message_can_be_changed_and_cancelled_by_its_author_only() {
    let (server, ada, bob, community) = scene().await;
    let later = schedule(&server, &community.channel, &ada, "later", tomorrow()).await.is(201);
    let soon = schedule(&server, &community.channel, &ada, "soon", in_milliseconds(3_600_000)).await.is(201);
    let [later, soon] = [later, soon].map(|made| made.json["scheduled_message"].clone());
    assert_eq!(listed(&server, &ada).await, [soon.clone(), later.clone()]);
    assert_eq!(listed(&server, &bob).await, [] as [Value; 0]);
    let one = format!("/scheduled-messages/{}", soon["id"].as_str().expect("an id"));
    let refused = "scheduled_message_not_found";
    server.patch(&one).by(&bob).json(json!({"content": "mine"})).send().await.refused(404, refused);
    server.delete(&one).by(&bob).send().await.refused(404, refused);
    let changed = server.patch(&one).by(&ada).json(json!({"content": "sooner"})).send().await.is(200);
    let mut expected = soon;
    expected["content"] = json!("sooner");
    assert_eq!(changed.json["scheduled_message"], expected);

    let server = server.restart().await;
    assert_eq!(listed(&server, &ada).await, [expected, later.clone()]);
    server.delete(&one).by(&ada).send().await.is(204);
    server.delete(&one).by(&ada).send().await.refused(404, refused);
    server.patch(&one).by(&ada).json(json!({"content": "x"})).send().await.refused(404, refused);
    assert_eq!(listed(&server, &ada).await, [later]);
    server
        .patch("/scheduled-messages/nothing")
        .by(&ada)
        .json(json!({}))
        .send()
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn one_key_schedules_one_message() {
    let (server, ada, bob, community) = scene().await;
    let body = json!({"content": "once", "send_at": tomorrow()});
    let post = async |by: &Account, body: &Value| {
        server.post(&path(&community.channel)).by(by).key("one").json(body.clone()).send().await
    };
    let first = post(&ada, &body).await.is(201).json;
    assert_eq!(post(&ada, &body).await.is(201).json, first);
    let other = json!({"content": "twice", "send_at": tomorrow()});
    post(&ada, &other).await.refused(422, "idempotency_key_reused");
    post(&bob, &other).await.is(201);
    assert_eq!(listed(&server, &ada).await, [first["scheduled_message"].clone()]);
    let id = first["scheduled_message"]["id"].as_str().expect("an id");
    server.delete(&format!("/scheduled-messages/{id}")).by(&ada).send().await.is(204);
    assert_eq!(post(&ada, &body).await.is(201).json, first, "also when it is gone");
    assert_eq!(listed(&server, &ada).await, [] as [Value; 0]);
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_at_once() {
    let (server, ada, bob, community) = scene().await;
    let eve = server.account("eve").await;
    let channel = &community.channel;
    schedule(&server, channel, &eve, "x", tomorrow()).await.refused(404, "channel_not_found");
    schedule(&server, "nowhere", &ada, "x", tomorrow()).await.refused(404, "not_found");
    const YEAR: i64 = 365 * 24 * 3_600_000;
    let past = schedule(&server, channel, &bob, "x", in_milliseconds(-1)).await;
    past.invalid(&[("/send_at", "in_the_past")]);
    let far = schedule(&server, channel, &bob, "x", in_milliseconds(YEAR + 600_000)).await;
    far.invalid(&[("/send_at", "too_far")]);
    schedule(&server, channel, &bob, "x", in_milliseconds(YEAR)).await.is(201);
    schedule(&server, channel, &bob, "", tomorrow()).await.invalid(&[("/content", "empty")]);
    let none = server.post(&path(channel)).by(&bob).json(json!({"content": "x"})).send().await;
    none.invalid(&[("/send_at", "required")]);
    let category = json!({"name": "Topics", "kind": "category"});
    let channels = format!("/communities/{}/channels", community.id);
    let category = server.post(&channels).by(&ada).json(category).send().await.is(201).text("/channel/id");
    schedule(&server, &category, &ada, "x", tomorrow()).await.refused(409, "message_channel_holds_none");
    let reply = json!({
        "content": "x", "send_at": tomorrow(), "reply_to": "00000000-0000-0000-0000-000000000000",
    });
    let reply = server.post(&path(channel)).by(&bob).json(reply).send().await;
    reply.refused(409, "message_reply_not_found");
}

#[tokio::test]
async fn an_account_schedules_so_many_messages() {
    let (server, ada, _, community) = scene().await;
    for _ in 0..100 {
        schedule(&server, &community.channel, &ada, "x", tomorrow()).await.is(201);
    }
    let more = schedule(&server, &community.channel, &ada, "x", tomorrow()).await;
    more.refused(409, "scheduled_message_too_many");
    let one = listed(&server, &ada).await[0]["id"].as_str().expect("an id").to_owned();
    server.delete(&format!("/scheduled-messages/{one}")).by(&ada).send().await.is(204);
    schedule(&server, &community.channel, &ada, "x", tomorrow()).await.is(201);
}
