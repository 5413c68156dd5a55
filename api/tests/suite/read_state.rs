//! Read states: what is unread, where markers move, and who is told.

use serde_json::{Value, json};

use crate::harness::{Account, Answer, Community, TestServer};
use crate::live::Stream;

fn marker(channel: &str) -> String {
    format!("/channels/{channel}/read-marker")
}

/// A community of ada's with bob in it.
async fn scene() -> (TestServer, Account, Account, Community) {
    let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
    let (ada, bob) = (server.account("ada").await, server.account("bob").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    (server, ada, bob, community)
}

async fn post(server: &TestServer, channel: &str, by: &Account) -> Answer {
    let path = format!("/channels/{channel}/messages");
    server.post(&path).by(by).json(json!({"content": "hello"})).send().await.is(201)
}

async fn mark(server: &TestServer, channel: &str, by: &Account, body: Value) -> Value {
    server.put(&marker(channel)).by(by).json(body).send().await.is(200).json["read_state"].clone()
}

fn state(channel: &str, last_read: Option<&str>, unread: u32, first_unread: Option<&str>) -> Value {
    json!({
        "channel_id": channel, "last_read_message_id": last_read, "unread": unread,
        "first_unread_message_id": first_unread, "mentions": 0,
    })
}

#[tokio::test]
async fn a_marker_moves_forward_and_back_only_when_asked() {
    let (server, ada, bob, community) = scene().await;
    let channel = &community.channel;
    let mut messages = Vec::new();
    for _ in 0..3 {
        messages.push(post(&server, channel, &ada).await.text("/message/id"));
    }
    let [first, second, third] = &messages[..] else { panic!("three") };
    let read = async |message: &str| mark(&server, channel, &bob, json!({"message": message})).await;
    let unread =
        async |message: &str| mark(&server, channel, &bob, json!({"message": message, "unread": true})).await;
    // What was just posted can be marked at once, whether or not it can be read already.
    assert_eq!(read(third).await, state(channel, Some(third), 0, None));
    assert_eq!(read(first).await, state(channel, Some(third), 0, None));
    assert_eq!(unread(second).await, state(channel, Some(first), 2, Some(second)));
    assert_eq!(unread(third).await, state(channel, Some(first), 2, Some(second)));
    assert_eq!(read(second).await, state(channel, Some(second), 1, Some(third)));
    assert_eq!(unread(first).await, state(channel, None, 3, Some(first)));
    let last = post(&server, channel, &bob).await;
    let told = server.get("/me/read-states").by(&bob).after(&last).send().await.is(200);
    assert_eq!(*told.items(), [state(channel, None, 3, Some(first))], "one's own message is not unread");
}

#[tokio::test]
async fn read_states_are_the_same_in_the_bootstrap_and_after_a_restart() {
    let (server, ada, bob, community) = scene().await;
    let channel = &community.channel;
    let first = post(&server, channel, &ada).await.text("/message/id");
    let second = post(&server, channel, &ada).await;
    let more = server
        .post(&format!("/communities/{}/channels", community.id))
        .by(&ada)
        .json(json!({"name": "quiet"}))
        .send()
        .await
        .is(201);
    let list = async |server: &TestServer, by: &Account| {
        server.get("/me/read-states").by(by).after(&more).send().await.is(200).json["items"].clone()
    };
    assert_eq!(list(&server, &bob).await, json!([state(channel, None, 2, Some(&first))]));
    assert_eq!(list(&server, &ada).await, json!([]), "who has written everything has read it");
    mark(&server, channel, &bob, json!({"message": first})).await;
    let second = second.text("/message/id");
    let expected = json!([state(channel, Some(&first), 1, Some(&second))]);
    let bootstrap = server.get("/bootstrap").by(&bob).after(&more).send().await.is(200);
    assert_eq!(bootstrap.json["read_states"], expected);

    let server = server.restart().await;
    assert_eq!(list(&server, &bob).await, expected);
    // A read channel with a marker stays in the list; one that may not be seen any more does not.
    mark(&server, channel, &bob, json!({"message": second})).await;
    assert_eq!(list(&server, &bob).await, json!([state(channel, Some(&second), 0, None)]));
    let path = format!("/communities/{}/members/me", community.id);
    let left = server.delete(&path).by(&bob).send().await.is(200);
    let told = server.get("/me/read-states").by(&bob).after(&left).send().await.is(200);
    assert_eq!(told.items().len(), 0);
}

#[tokio::test]
async fn ones_own_devices_are_told_and_nobody_else() {
    let (server, ada, bob, community) = scene().await;
    let channel = &community.channel;
    let first = post(&server, channel, &ada).await.text("/message/id");
    let second = post(&server, channel, &ada).await.text("/message/id");
    let (mut of_bob, mut of_ada) =
        (Stream::open(&server, &bob, None).await, Stream::open(&server, &ada, None).await);
    for stream in [&mut of_bob, &mut of_ada] {
        while stream.next().await.expect("a heartbeat").id.is_none() {}
    }
    mark(&server, channel, &bob, json!({"message": second})).await;
    // It stays: there is nothing to tell.
    mark(&server, channel, &bob, json!({"message": first})).await;
    mark(&server, channel, &bob, json!({"message": second, "unread": true})).await;
    let expected = [state(channel, Some(&second), 0, None), state(channel, Some(&first), 1, Some(&second))];
    for expected in expected {
        let told = of_bob.next_frame().await.expect("a signal");
        assert_eq!((told.kind.as_str(), &told.id), ("read_marker", &None));
        assert_eq!(told.data["topic"], format!("account:{}", bob.id));
        assert_eq!(told.data["data"], expected);
    }
    // The next that concerns ada comes behind them, from the same hub.
    mark(&server, channel, &ada, json!({"message": first})).await;
    let told = of_ada.next_frame().await.expect("a signal");
    assert_eq!(told.data["topic"], format!("account:{}", ada.id));
}

#[tokio::test]
async fn only_a_message_of_a_channel_that_one_sees_can_be_marked() {
    let (server, ada, bob, community) = scene().await;
    let eve = server.account("eve").await;
    let message = post(&server, &community.channel, &ada).await.text("/message/id");
    let other = server.community(&bob).await;
    let elsewhere = post(&server, &other.channel, &bob).await.text("/message/id");
    let nobody = "00000000-0000-7000-8000-000000000000";
    let call = |channel: &str, by, body: Value| server.put(&marker(channel)).by(by).json(body).send();
    let body = json!({"message": message});
    call(&community.channel, &eve, body.clone()).await.refused(404, "channel_not_found");
    call(nobody, &bob, body.clone()).await.refused(404, "channel_not_found");
    call("nowhere", &bob, body.clone()).await.refused(404, "not_found");
    for wrong in [elsewhere.as_str(), nobody] {
        let body = json!({"message": wrong});
        call(&community.channel, &bob, body).await.invalid(&[("/message", "not_found")]);
    }
    // Ada does not see bob's community, so she learns nothing of its messages.
    let body = json!({"message": elsewhere, "unread": true});
    call(&community.channel, &ada, body).await.invalid(&[("/message", "not_found")]);
    let path = format!("/channels/{}/messages", community.channel);
    let body = json!({"content": "in a thread", "thread_id": message});
    let reply = server.post(&path).by(&ada).json(body).send().await.is(201).text("/message/id");
    call(&community.channel, &bob, json!({"message": reply})).await.invalid(&[("/message", "not_found")]);
    call(&community.channel, &bob, json!({})).await.invalid(&[("/message", "required")]);
    let body = json!({"message": 1, "unread": "yes", "position": 5});
    let faults = [("/message", "wrong_type"), ("/unread", "wrong_type"), ("/position", "unknown_field")];
    call(&community.channel, &bob, body).await.invalid(&faults);
    server.put(&marker(&community.channel)).json(json!({})).send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn at_most_a_hundred_are_counted() {
    let (server, ada, bob, community) = scene().await;
    let first = post(&server, &community.channel, &ada).await.text("/message/id");
    let mut last = post(&server, &community.channel, &ada).await;
    for _ in 2..101 {
        last = post(&server, &community.channel, &ada).await;
    }
    let list = server.get("/me/read-states").by(&bob).after(&last).send().await.is(200);
    assert_eq!(*list.items(), [state(&community.channel, None, 100, Some(&first))]);
    mark(&server, &community.channel, &bob, json!({"message": first})).await;
    let list = server.get("/me/read-states").by(&bob).send().await.is(200);
    assert_eq!(list.items()[0]["unread"], 100);
    let second = list.items()[0]["first_unread_message_id"].clone();
    let state = mark(&server, &community.channel, &bob, json!({"message": second})).await;
    assert_eq!(state["unread"], 99);
}

#[tokio::test]
async fn of_a_channel_that_one_may_not_see_any_more_nothing_is_counted() {
    let (server, ada, bob, community) = scene().await;
    let channel = &community.channel;
    let message = post(&server, channel, &ada).await.text("/message/id");
    mark(&server, channel, &bob, json!({"message": message, "unread": true})).await;
    let path = format!("/channels/{channel}/overwrites/accounts/{}", bob.id);
    let body = json!({"allow": [], "deny": ["view"]});
    let hidden = server.put(&path).by(&ada).json(body).send().await.is(200);
    let list = server.get("/me/read-states").by(&bob).after(&hidden).send().await.is(200);
    assert_eq!(list.items().len(), 0);
    let bootstrap = server.get("/bootstrap").by(&bob).send().await.is(200);
    assert_eq!(bootstrap.json["read_states"], json!([]));
    let body = json!({"message": message});
    server.put(&marker(channel)).by(&bob).json(body).send().await.refused(404, "channel_not_found");
    // Seen again, it stands where it stood.
    let shown = server.delete(&path).by(&ada).send().await.is(200);
    let list = server.get("/me/read-states").by(&bob).after(&shown).send().await.is(200);
    assert_eq!(*list.items(), [state(channel, None, 1, Some(&message))]);
}
