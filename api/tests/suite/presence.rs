//! Presence: what is seen of whom, by whom, over both transports, and what stays after a restart.

use serde_json::{Value, json};

use crate::harness::{Account, Community, TestServer, now};
use crate::live::{Stream, cursor};

/// A community of ada's with bob in it, and eve who is in none.
async fn scene() -> (TestServer, [Account; 3], Community) {
    let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
    let people = [server.account("ada").await, server.account("bob").await, server.account("eve").await];
    let community = server.community(&people[0]).await;
    server.join(&community, &people[0], &[&people[1]]).await;
    (server, people, community)
}

/// The next signal about `account`, as (status, text).
async fn seen(stream: &mut Stream, account: &Account) -> (String, Value) {
    loop {
        let event = stream.next().await.expect("the stream goes on");
        if event.kind == "presence" && event.data["data"]["account_id"] == account.id {
            assert_eq!(event.id, None);
            assert_eq!(event.data["topic"], format!("account:{}", account.id));
            let data = &event.data["data"];
            return (data["status"].as_str().expect("a status").to_owned(), data["text"].clone());
        }
    }
}

async fn set(server: &TestServer, account: &Account, presence: Value) -> Value {
    server.put("/me/presence").by(account).json(presence).send().await.is(200).json["presence"].clone()
}

/// What `by` sees of `of`, with the accounts in the answer.
async fn look(server: &TestServer, by: &Account, of: &[&Account]) -> Vec<(String, String)> {
    let ids: Vec<&str> = of.iter().map(|account| account.id.as_str()).collect();
    let answer = server.get(&format!("/presence?accounts={}", ids.join(","))).by(by).send().await.is(200);
    let field = |item: &Value, name: &str| item[name].as_str().expect("a text").to_owned();
    answer.items().iter().map(|item| (field(item, "account_id"), field(item, "status"))).collect()
}

fn is(account: &Account, status: &str) -> (String, String) {
    (account.id.clone(), status.to_owned())
}

#[tokio::test]
async fn a_stream_or_a_poll_makes_one_online_and_those_around_hear_of_it_by_either() {
    let (server, [ada, bob, _], _) = scene().await;
    assert_eq!(look(&server, &ada, &[&bob]).await, [is(&bob, "offline")]);
    let mut of_ada = Stream::live(&server, &ada).await;
    // By poll: bob is there because of it, and hears that ada is.
    let start = cursor(&server, &bob).await;
    let waiting = server.get(&format!("/events?after={start}&wait=55")).by(&bob).send();
    let (answer, told) = tokio::join!(waiting, async {
        let told = seen(&mut of_ada, &bob).await;
        set(&server, &ada, json!({"text": "good morning"})).await;
        told
    });
    assert_eq!(told, ("online".to_owned(), Value::Null));
    let answer = answer.is(200).json;
    let last = answer["events"].as_array().and_then(|events| events.last()).expect("a signal");
    assert_eq!((&last["type"], &last["data"]["account_id"]), (&json!("presence"), &json!(ada.id)));
    assert_eq!(last["data"]["status"], "online");
    assert_eq!(look(&server, &ada, &[&bob]).await, [is(&bob, "online")]);
}

#[tokio::test]
async fn what_one_chooses_is_seen_by_those_around_and_by_nobody_else() {
    let (server, [ada, bob, eve], community) = scene().await;
    let mut of_ada = Stream::live(&server, &ada).await;
    let mut of_bob = Stream::live(&server, &bob).await;
    let mut of_eve = Stream::live(&server, &eve).await;
    assert_eq!(seen(&mut of_ada, &bob).await.0, "online");
    let chosen = set(&server, &bob, json!({"status": "dnd", "text": "thinking", "emoji": "🤔"})).await;
    let expected = json!({"status": "dnd", "text": "thinking", "emoji": "🤔", "expires_at": null});
    assert_eq!(chosen, expected);
    assert_eq!(seen(&mut of_ada, &bob).await, ("dnd".to_owned(), json!("thinking")));
    assert_eq!(server.get("/me/presence").by(&bob).send().await.is(200).json, expected);
    assert_eq!(server.get("/bootstrap").by(&bob).send().await.is(200).json["presence"], expected);

    let there = async |by: &Account| {
        let path = format!("/communities/{}/presence", community.id);
        let answer = server.get(&path).by(by).send().await.is(200).json;
        let items = answer["items"].as_array().expect("items").clone();
        assert_eq!(answer["online"], items.len());
        items.into_iter().find(|item| item["account_id"] == bob.id)
    };
    assert_eq!(there(&ada).await.expect("bob is there")["text"], "thinking");

    set(&server, &bob, json!({"status": "invisible", "text": "in secret"})).await;
    assert_eq!(seen(&mut of_ada, &bob).await, ("offline".to_owned(), Value::Null));
    assert_eq!(look(&server, &ada, &[&bob]).await, [is(&bob, "offline")]);
    assert_eq!(there(&ada).await, None);
    set(&server, &bob, json!({"status": "away"})).await;
    assert_eq!(seen(&mut of_ada, &bob).await, ("away".to_owned(), Value::Null));

    // His own devices hear what he chose, also what others do not.
    let mut own = Vec::new();
    while own.len() < 3 {
        let event = of_bob.next().await.expect("the stream goes on");
        assert!(event.kind != "presence" || event.data["data"]["account_id"] != bob.id, "{event:?}");
        if event.kind == "own_presence" {
            own.push(event.data["data"]["status"].clone());
        }
    }
    assert_eq!(own, ["dnd", "invisible", "away"]);

    // Eve shares nothing with either.
    assert_eq!(look(&server, &eve, &[&ada, &bob, &eve]).await, [is(&eve, "online")]);
    set(&server, &eve, json!({"status": "away"})).await;
    let told = of_eve.next_signal().await.expect("her own");
    assert_eq!((told.kind.as_str(), &told.data["data"]["status"]), ("own_presence", &json!("away")));
}

#[tokio::test]
async fn who_shares_a_conversation_alone_is_seen_too() {
    let (server, [ada, bob, _], community) = scene().await;
    let direct =
        server.post("/direct-channels").by(&bob).json(json!({"account": ada.id})).send().await.is(201);
    let left =
        server.delete(&format!("/communities/{}/members/me", community.id)).by(&bob).send().await.is(200);
    let mut of_ada = Stream::live(&server, &ada).await;
    let _of_bob = Stream::live(&server, &bob).await;
    assert_eq!(seen(&mut of_ada, &bob).await.0, "online");
    let asked =
        server.get(&format!("/presence?accounts={}", bob.id)).by(&ada).after(&left).send().await.is(200);
    assert_eq!(asked.items()[0]["status"], "online");
    // What one keeps for oneself is as good there as in a community.
    let channel = format!("/channels/{}", direct.text("/channel/id"));
    server
        .put(&format!("{channel}/draft"))
        .by(&bob)
        .json(json!({"content": "Dear Ada"}))
        .send()
        .await
        .is(200);
    let later = now() + jiff::SignedDuration::from_hours(1);
    let later = json!({"content": "still there?", "send_at": later});
    server.post(&format!("{channel}/scheduled-messages")).by(&bob).json(later).send().await.is(201);
}

#[tokio::test]
async fn what_was_chosen_is_there_after_a_restart_and_who_comes_back_is_seen_so() {
    let (server, [ada, bob, _], _) = scene().await;
    set(&server, &bob, json!({"status": "dnd", "text": "thinking"})).await;
    let first = Stream::live(&server, &bob).await;
    let server = server.restart().await;
    drop(first);
    let own = server.get("/me/presence").by(&bob).send().await.is(200).json;
    assert_eq!((&own["status"], &own["text"]), (&json!("dnd"), &json!("thinking")));
    let mut of_ada = Stream::live(&server, &ada).await;
    let mut of_bob = Stream::live(&server, &bob).await;
    assert_eq!(seen(&mut of_bob, &ada).await.0, "online");
    // Not of a change, which there may be none of: he may never have been away.
    assert_eq!(look(&server, &ada, &[&bob]).await, [is(&bob, "dnd")]);
    set(&server, &bob, json!({})).await;
    loop {
        // What comes before is his coming back.
        let told = seen(&mut of_ada, &bob).await;
        if told.0 == "online" {
            assert_eq!(told.1, Value::Null);
            break;
        }
        assert_eq!(told, ("dnd".to_owned(), json!("thinking")));
    }
}

#[tokio::test]
async fn what_cannot_be_shown_is_refused() {
    let (server, [ada, ..], _) = scene().await;
    let try_set = async |body: Value| server.put("/me/presence").by(&ada).json(body).send().await;
    try_set(json!({"text": "é".repeat(128)})).await.is(200);
    try_set(json!({"text": "é".repeat(129)})).await.invalid(&[("/text", "too_long")]);
    try_set(json!({"status": "offline"})).await.invalid(&[("/status", "unknown_value")]);
    try_set(json!({"emoji": "smile"})).await.invalid(&[("/emoji", "not_an_emoji")]);
    try_set(json!({"mood": "fine"})).await.invalid(&[("/mood", "unknown_field")]);
    let now = now();
    let until = |seconds: i64| {
        let end = now.saturating_add(jiff::SignedDuration::from_secs(seconds)).expect("a time");
        json!({"text": "x", "expires_at": end})
    };
    const YEAR: i64 = 365 * 24 * 3_600;
    try_set(until(YEAR)).await.is(200);
    try_set(until(YEAR + 600)).await.invalid(&[("/expires_at", "too_far")]);
    try_set(until(-1)).await.invalid(&[("/expires_at", "in_the_past")]);
    try_set(json!({"expires_at": "2100-01-01T00:00:00Z"}))
        .await
        .invalid(&[("/expires_at", "nothing_expires")]);
    try_set(json!({"expires_at": "tomorrow"})).await.invalid(&[("/expires_at", "not_a_time")]);
}

#[tokio::test]
async fn a_question_names_so_many_accounts_and_only_those_one_knows_are_answered() {
    let (server, [ada, bob, eve], community) = scene().await;
    let ask = async |ids: &str| server.get(&format!("/presence?accounts={ids}")).by(&ada).send().await;
    let unknown = |count: usize| {
        let ids: Vec<String> = (0..count).map(|n| uuid::Uuid::from_u128(n as u128).to_string()).collect();
        ids.join(",")
    };
    assert_eq!(ask(&unknown(100)).await.is(200).items().len(), 0);
    ask(&unknown(101)).await.invalid(&[("accounts", "too_many")]);
    ask("").await.invalid(&[("accounts", "not_an_id")]);
    ask("ada").await.invalid(&[("accounts", "not_an_id")]);
    server.get("/presence").by(&ada).send().await.invalid(&[("accounts", "required")]);
    assert_eq!(look(&server, &ada, &[&bob, &bob, &eve, &ada]).await.len(), 2);
    let path = format!("/communities/{}/presence", community.id);
    server.get(&path).by(&eve).send().await.refused(404, "community_not_found");
}
