use serde_json::json;

use crate::harness::{PASSWORD, TestServer};

#[tokio::test]
async fn the_same_key_answers_the_same_also_after_a_restart() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let path = format!("/channels/{}/messages", community.channel);
    let body = json!({"content": "once"});
    let first = server.post(&path).by(&ada).key("k1").json(body.clone()).send().await.is(201);
    let second = server.post(&path).by(&ada).key("k1").json(body.clone()).send().await.is(201);
    assert_eq!(first.json, second.json);
    let server = server.restart().await;
    let third = server.post(&path).by(&ada).key("k1").json(body).send().await.is(201);
    assert_eq!(first.json, third.json);
    let history = server.get(&path).by(&ada).after(&third).send().await.is(200);
    assert_eq!(history.items().len(), 1);
}

#[tokio::test]
async fn another_body_or_path_under_the_same_key_is_refused() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let path = format!("/channels/{}/messages", community.channel);
    let post = |content: &str| server.post(&path).by(&ada).key("k").json(json!({"content": content})).send();
    post("one").await.is(201);
    post("two").await.refused(422, "idempotency_key_reused");
    let elsewhere = server.post("/communities").by(&ada).key("k").json(json!({"name": "one"}));
    elsewhere.send().await.refused(422, "idempotency_key_reused");
    // A key belongs to its caller.
    let bob = server.account("bob").await;
    server.join(&community, &ada, &[&bob]).await;
    server.post(&path).by(&bob).key("k").json(json!({"content": "two"})).send().await.is(201);
}

#[tokio::test]
async fn simultaneous_calls_with_one_key_have_one_effect() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let calls =
        (0..8).map(|_| server.post("/communities").by(&ada).key("k").json(json!({"name": "one"})).send());
    let answers = futures_util::future::join_all(calls).await;
    for answer in &answers {
        assert_eq!(answer.status, 201, "{}", answer.json);
        assert_eq!(answer.json["community"]["id"], answers[0].json["community"]["id"]);
    }
    assert_eq!(server.get("/communities").by(&ada).send().await.is(200).items().len(), 2);
}

#[tokio::test]
async fn a_repeated_registration_and_login_are_the_first() {
    let server = TestServer::start().await;
    let new = json!({"handle": "ada", "email": "ada@example.org", "password": PASSWORD});
    let register = || server.post("/accounts").key("r").json(new.clone()).send();
    let first = register().await.is(201);
    assert_eq!(register().await.is(201).json, first.json);
    let login =
        || server.post("/sessions").key("l").json(json!({"login": "ada", "password": PASSWORD})).send();
    let (one, two) = (login().await.is(201), login().await.is(201));
    assert_eq!(one.text("/token"), two.text("/token"));
    assert_eq!(one.text("/session/id"), two.text("/session/id"));
}

#[tokio::test]
async fn what_is_no_key_is_refused() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let long = "k".repeat(129);
    for key in ["", "a b", long.as_str()] {
        let call = server.post("/communities").by(&ada).key(key).json(json!({"name": "one"}));
        call.send().await.invalid(&[("Idempotency-Key", "malformed")]);
    }
}
