//! Mentions, passing on, and deleting many.

use serde_json::{Value, json};

use crate::harness::{Account, Answer, Call, Community, TestServer};

/// A community of ada's with bob in it, and eve outside.
struct Scene {
    server: TestServer,
    ada: Account,
    bob: Account,
    eve: Account,
    community: Community,
}

impl Scene {
    async fn set() -> Self {
        let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
        let (ada, bob) = (server.account("ada").await, server.account("bob").await);
        let eve = server.account("eve").await;
        let community = server.community(&ada).await;
        server.join(&community, &ada, &[&bob]).await;
        Self { server, ada, bob, eve, community }
    }

    fn messages(&self) -> String {
        format!("/channels/{}/messages", self.community.channel)
    }

    async fn post(&self, by: &Account, content: &str) -> Answer {
        self.server.post(&self.messages()).by(by).json(json!({"content": content})).send().await.is(201)
    }

    fn forward(&self, by: &Account, id: &str, body: Value) -> Call<'_> {
        self.server.post(&format!("/messages/{id}/forwards")).by(by).json(body)
    }

    /// The ids of what mentions somebody, once `after` can be read.
    async fn mentioning(&self, whom: &Account, after: &Answer) -> Vec<String> {
        let page = self.server.get("/me/mentions").by(whom).after(after).send().await.is(200);
        page.items().iter().map(|message| message["id"].as_str().expect("an id").to_owned()).collect()
    }
}

fn mentions(accounts: &[&Account], roles: &[&str], everyone: bool, here: bool) -> Value {
    let mut accounts: Vec<&str> = accounts.iter().map(|account| account.id.as_str()).collect();
    accounts.sort_unstable();
    json!({"accounts": accounts, "roles": roles, "everyone": everyone, "here": here})
}

#[tokio::test]
async fn mentions_are_facts_of_the_message_and_follow_its_edits() {
    let scene = Scene::set().await;
    let text = format!("@Bob, <@{}>, @eve, <@{}>, @nobody and `@ada`", scene.ada.id, scene.eve.id);
    let made = scene.post(&scene.ada, &text).await;
    let expected = mentions(&[&scene.ada, &scene.bob], &[], false, false);
    assert_eq!(made.json["message"]["mentions"], expected, "who is outside is not mentioned");
    let id = made.text("/message/id");
    let path = format!("/messages/{id}");
    let shown = scene.server.get(&path).by(&scene.bob).after(&made).send().await.is(200);
    assert_eq!(shown.json, made.json["message"]);
    assert_eq!(scene.mentioning(&scene.bob, &made).await, std::slice::from_ref(&id));
    assert!(scene.mentioning(&scene.ada, &made).await.is_empty(), "one's own message");
    assert!(scene.mentioning(&scene.eve, &made).await.is_empty());

    let edit = scene.server.patch(&path).by(&scene.ada).json(json!({"content": "nobody"}));
    let edited = edit.send().await.is(200);
    assert_eq!(edited.json["message"]["mentions"], mentions(&[], &[], false, false));
    assert!(scene.mentioning(&scene.bob, &edited).await.is_empty());
    let edit = scene.server.patch(&path).by(&scene.ada).json(json!({"content": "@bob"}));
    let edited = edit.send().await.is(200);
    assert_eq!(edited.json["message"]["mentions"], mentions(&[&scene.bob], &[], false, false));
    assert_eq!(scene.mentioning(&scene.bob, &edited).await, [id]);
    let deleted = scene.server.delete(&path).by(&scene.ada).send().await.is(200);
    assert_eq!(deleted.json["message"]["mentions"], mentions(&[], &[], false, false));
    assert!(scene.mentioning(&scene.bob, &deleted).await.is_empty());
}

#[tokio::test]
async fn everyone_and_closed_roles_are_mentioned_by_those_who_may() {
    let scene = Scene::set().await;
    let roles = format!("/communities/{}/roles", scene.community.id);
    let open = json!({"name": "Helpers", "permissions": [], "mentionable": true});
    let open = scene.server.post(&roles).by(&scene.ada).json(open).send().await.is(201).text("/role/id");
    let text = format!("@everyone @here <@&member> <@&{open}> <@&{}>", scene.ada.id);
    let made = scene.post(&scene.bob, &text).await;
    assert_eq!(made.json["message"]["mentions"], mentions(&[], &[&open], false, false), "the rest is text");
    assert!(scene.mentioning(&scene.ada, &made).await.is_empty());
    let made = scene.post(&scene.ada, &text).await;
    assert_eq!(made.json["message"]["mentions"], mentions(&[], &["member", &open], true, true));
    assert_eq!(scene.mentioning(&scene.bob, &made).await, [made.text("/message/id")]);
}

#[tokio::test]
async fn fifty_accounts_are_mentioned_and_no_more() {
    let scene = Scene::set().await;
    let names = |count: usize| (0..count).map(|n| format!("@nobody{n} ")).collect::<String>();
    for (others, found) in [(49, true), (50, false)] {
        let made = scene.post(&scene.ada, &(names(others) + "@bob")).await;
        let expected: &[&Account] = if found { &[&scene.bob] } else { &[] };
        assert_eq!(made.json["message"]["mentions"], mentions(expected, &[], false, false));
    }
}

#[tokio::test]
async fn mentions_are_paged_newest_first_and_end_with_the_membership() {
    let scene = Scene::set().await;
    let mut ids = Vec::new();
    let mut last = scene.post(&scene.ada, "hello").await;
    for _ in 0..5 {
        last = scene.post(&scene.ada, "@bob").await;
        ids.insert(0, last.text("/message/id"));
    }
    let (mut walked, mut query) = (Vec::new(), String::new());
    loop {
        let path = format!("/me/mentions?limit=2{query}");
        let page = scene.server.get(&path).by(&scene.bob).after(&last).send().await.is(200);
        walked.extend(page.items().iter().map(|message| message["id"].as_str().expect("an id").to_owned()));
        match page.json["next"].as_str() {
            Some(next) => query = format!("&before={next}"),
            None => break,
        }
    }
    assert_eq!(walked, ids);
    let bad = scene.server.get("/me/mentions?before=x").by(&scene.bob).send().await;
    bad.invalid(&[("before", "not_a_cursor")]);
    let leave = format!("/communities/{}/members/me", scene.community.id);
    let left = scene.server.delete(&leave).by(&scene.bob).send().await.is(200);
    assert!(scene.mentioning(&scene.bob, &left).await.is_empty());
}

#[tokio::test]
async fn a_message_is_passed_on_with_its_text_of_then() {
    let scene = Scene::set().await;
    let source = scene.post(&scene.bob, "news").await;
    let id = source.text("/message/id");
    let there = scene.server.community(&scene.bob).await;
    let body = json!({"channel_id": there.channel, "content": "look"});
    let made = scene.forward(&scene.bob, &id, body.clone()).key("k").send().await.is(201);
    let expected = json!({
        "message_id": id, "channel_id": scene.community.channel, "author_id": scene.bob.id,
        "created_at": source.json["message"]["created_at"], "content": "news",
    });
    assert_eq!(made.json["message"]["forwarded"], expected);
    assert_eq!(made.text("/message/content"), "look");
    let copy = format!("/messages/{}", made.text("/message/id"));
    let shown = scene.server.get(&copy).by(&scene.bob).after(&made).send().await.is(200);
    assert_eq!(shown.json, made.json["message"]);

    // A forward of it keeps the origin, and brings no word of the forwarder's.
    let body_back = json!({"channel_id": scene.community.channel});
    let again = scene.forward(&scene.bob, &made.text("/message/id"), body_back).send().await.is(201);
    assert_eq!(
        (again.text("/message/content"), &again.json["message"]["forwarded"]),
        (String::new(), &expected)
    );

    let deleted = scene.server.delete(&format!("/messages/{id}")).by(&scene.bob).send().await.is(200);
    let shown = scene.server.get(&copy).by(&scene.bob).after(&deleted).send().await.is(200);
    assert_eq!(shown.json["forwarded"], expected, "the copy is the forwarder's");
    scene.forward(&scene.bob, &id, body.clone()).send().await.refused(409, "message_deleted");
    let repeated = scene.forward(&scene.bob, &id, body).key("k").send().await.is(201);
    assert_eq!(repeated.json, made.json, "what was carried out is answered as it was");

    let edit = scene.server.patch(&copy).by(&scene.bob).json(json!({"content": "look again"}));
    let edited = edit.send().await.is(200);
    assert_eq!(edited.json["message"]["forwarded"], expected);
    let deleted = scene.server.delete(&copy).by(&scene.bob).send().await.is(200);
    assert!(deleted.json["message"]["forwarded"].is_null());
    let shown = scene.server.get(&copy).by(&scene.bob).after(&deleted).send().await.is(200);
    assert_eq!(shown.json, deleted.json["message"]);
}

#[tokio::test]
async fn passing_on_takes_seeing_the_source_and_posting_in_the_target() {
    let scene = Scene::set().await;
    let id = scene.post(&scene.ada, "news").await.text("/message/id");
    let there = scene.server.community(&scene.eve).await;
    let to = |channel: &str| json!({"channel_id": channel});
    let here = &scene.community.channel;
    scene.forward(&scene.eve, &id, to(&there.channel)).send().await.refused(404, "message_not_found");
    scene.forward(&scene.bob, &id, to(&there.channel)).send().await.refused(404, "channel_not_found");
    scene.forward(&scene.bob, &scene.ada.id, to(here)).send().await.refused(404, "message_not_found");
    scene.forward(&scene.bob, &id, json!({})).send().await.invalid(&[("/channel_id", "required")]);
    let deny = format!("/channels/{here}/overwrites/accounts/{}", scene.bob.id);
    let deny = scene.server.put(&deny).by(&scene.ada).json(json!({"deny": ["post"]}));
    deny.send().await.is(200);
    scene.forward(&scene.bob, &id, to(here)).send().await.refused(403, "message_may_not_post");
}

#[tokio::test]
async fn many_messages_are_deleted_at_once_and_again_to_the_same_end() {
    let scene = Scene::set().await;
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(scene.post(&scene.bob, &number.to_string()).await.text("/message/id"));
    }
    let other = scene.server.community(&scene.ada).await;
    let elsewhere = scene.server.message(&other.channel, &scene.ada, "elsewhere").await;
    scene.server.delete(&format!("/messages/{}", ids[1])).by(&scene.bob).send().await.is(200);
    let path = format!("{}/bulk-delete", scene.messages());
    let sweep = |by: &Account, messages: &[String]| {
        scene.server.post(&path).by(by).json(json!({"messages": messages}))
    };
    sweep(&scene.bob, &ids).send().await.refused(403, "message_may_not_delete");
    sweep(&scene.eve, &ids).send().await.refused(404, "channel_not_found");
    let wanted: Vec<String> = ids.iter().cloned().chain([elsewhere.clone(), scene.ada.id.clone()]).collect();
    let first = sweep(&scene.ada, &wanted).key("k").send().await.is(200);
    assert_eq!(first.json["deleted"], json!(ids));
    assert_eq!(first.json["not_found"], json!([elsewhere, scene.ada.id]));
    for id in &ids {
        let shown = scene.server.get(&format!("/messages/{id}")).by(&scene.bob).after(&first).send().await;
        assert!(shown.is(200).json["deleted_at"].is_string());
    }
    let untouched = scene.server.get(&format!("/messages/{elsewhere}")).by(&scene.ada).send().await.is(200);
    assert!(untouched.json["deleted_at"].is_null());
    let second = sweep(&scene.ada, &wanted).key("k").send().await.is(200);
    assert_eq!(
        (&second.json["deleted"], &second.json["not_found"]),
        (&first.json["deleted"], &first.json["not_found"])
    );
}

#[tokio::test]
async fn one_to_a_hundred_messages_are_deleted_each_named_once() {
    let scene = Scene::set().await;
    let id = |number: usize| format!("00000000-0000-7000-8000-{number:012}");
    let path = format!("{}/bulk-delete", scene.messages());
    let sweep =
        |messages: Value| scene.server.post(&path).by(&scene.ada).json(json!({"messages": messages})).send();
    let hundred: Vec<String> = (0..100).map(id).collect();
    assert_eq!(sweep(json!(hundred)).await.is(200).json["not_found"].as_array().map(Vec::len), Some(100));
    let more: Vec<String> = (0..101).map(id).collect();
    sweep(json!(more)).await.invalid(&[("/messages", "out_of_range")]);
    sweep(json!([])).await.invalid(&[("/messages", "out_of_range")]);
    sweep(json!([id(1), id(1)])).await.invalid(&[("/messages", "repeated")]);
    sweep(json!(["x"])).await.invalid(&[("/messages", "not_an_id")]);
    sweep(json!("x")).await.invalid(&[("/messages", "wrong_type")]);
}
