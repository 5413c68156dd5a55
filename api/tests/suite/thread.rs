//! Threads: posting in them, following them, what is unread, and who is told.

use serde_json::{Value, json};

use crate::harness::{Account, Answer, Call, Community, TestServer};
use crate::live::Stream;

/// A community of ada's with bob in it, a message of ada's, and eve outside.
struct Scene {
    server: TestServer,
    ada: Account,
    bob: Account,
    eve: Account,
    community: Community,
    root: String,
}

impl Scene {
    async fn set() -> Self {
        let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
        let (ada, bob) = (server.account("ada").await, server.account("bob").await);
        let eve = server.account("eve").await;
        let community = server.community(&ada).await;
        server.join(&community, &ada, &[&bob]).await;
        let root = server.message(&community.channel, &ada, "root").await;
        Self { server, ada, bob, eve, community, root }
    }

    fn call(&self, by: &Account, body: Value) -> Call<'_> {
        self.server.post(&format!("/channels/{}/messages", self.community.channel)).by(by).json(body)
    }

    async fn reply(&self, by: &Account, content: &str) -> Answer {
        self.call(by, json!({"content": content, "thread_id": self.root})).send().await.is(201)
    }

    fn path(&self, rest: &str) -> String {
        format!("/messages/{}{rest}", self.root)
    }

    /// The threads that somebody follows, with what is unread.
    async fn followed(&self, by: &Account, after: &Answer) -> Vec<(String, u64)> {
        let page = self.server.get("/me/threads").by(by).after(after).send().await.is(200);
        let thread = |item: &Value| {
            (
                item["message"]["id"].as_str().expect("an id").to_owned(),
                item["unread"].as_u64().expect("a count"),
            )
        };
        page.items().iter().map(thread).collect()
    }
}

fn texts(answer: &Answer) -> Vec<&str> {
    answer.items().iter().filter_map(|message| message["content"].as_str()).collect()
}

#[tokio::test]
async fn a_thread_has_its_own_history_and_its_first_message_says_how_it_stands() {
    let scene = Scene::set().await;
    let mut last = scene.reply(&scene.bob, "0").await;
    assert_eq!(last.text("/message/thread_id"), scene.root);
    let first = last.text("/message/id");
    for number in 1..4 {
        last = scene.reply(if number == 2 { &scene.ada } else { &scene.bob }, &number.to_string()).await;
    }
    let shown = scene.server.get(&scene.path("")).by(&scene.bob).after(&last).send().await.is(200);
    let expected = json!({
        "replies": 4, "last_reply_at": last.json["message"]["created_at"],
        "participants": [scene.bob.id, scene.ada.id],
    });
    assert_eq!(shown.json["thread"], expected);
    let history = format!("/channels/{}/messages", scene.community.channel);
    assert_eq!(texts(&scene.server.get(&history).by(&scene.bob).send().await.is(200)), ["root"]);

    let thread = scene.path("/thread");
    let page = |query: &str| scene.server.get(&format!("{thread}?{query}")).by(&scene.bob).send();
    let newest = page("limit=3").await.is(200);
    assert_eq!(texts(&newest), ["3", "2", "1"]);
    let older = page(&format!("limit=3&before={}", newest.text("/next"))).await.is(200);
    assert_eq!((texts(&older), &older.json["next"]), (vec!["0"], &Value::Null));
    assert_eq!(texts(&page(&format!("after={first}&limit=2")).await.is(200)), ["2", "1"]);
    assert!(newest.header("link").is_some_and(|link| link.contains("/thread?before=")));
    page(&format!("before={}", scene.root)).await.invalid(&[("before", "not_found")]);
    let there = scene.server.get(&format!("{history}?before={first}")).by(&scene.bob);
    there.send().await.invalid(&[("before", "not_found")]);
    scene.server.get(&thread).by(&scene.eve).send().await.refused(404, "message_not_found");

    let deleted = scene.server.delete(&format!("/messages/{first}")).by(&scene.bob).send().await.is(200);
    let shown = scene.server.get(&scene.path("")).by(&scene.bob).after(&deleted).send().await.is(200);
    assert_eq!(shown.json["thread"]["replies"], 3);
}

#[tokio::test]
async fn what_no_thread_can_be_below_is_refused() {
    let scene = Scene::set().await;
    let inside = scene.reply(&scene.bob, "inside").await.text("/message/id");
    let other = scene.server.community(&scene.bob).await;
    let elsewhere = scene.server.message(&other.channel, &scene.bob, "elsewhere").await;
    let post = |thread: &str| scene.call(&scene.bob, json!({"content": "x", "thread_id": thread})).send();
    post(&inside).await.refused(409, "message_thread_in_thread");
    post(&elsewhere).await.refused(409, "message_thread_not_found");
    post(&scene.ada.id).await.refused(409, "message_thread_not_found");
    let reply = json!({"content": "x", "reply_to": inside});
    scene.call(&scene.bob, reply).send().await.refused(409, "message_reply_not_found");
    let reply = json!({"content": "x", "reply_to": inside, "thread_id": scene.root});
    scene.call(&scene.bob, reply).send().await.is(201);

    let deleted = scene.server.delete(&scene.path("")).by(&scene.ada).send().await.is(200);
    post(&scene.root).await.refused(409, "message_thread_closed");
    let thread = scene.server.get(&scene.path("/thread")).by(&scene.bob).after(&deleted).send().await.is(200);
    assert_eq!(thread.items().len(), 2, "it can still be read");
    let shown = scene.server.get(&scene.path("")).by(&scene.bob).send().await.is(200);
    assert_eq!(shown.json, deleted.json["message"]);
}

#[tokio::test]
async fn replying_takes_the_permission_also_in_a_thread() {
    let scene = Scene::set().await;
    let deny = format!("/channels/{}/overwrites/accounts/{}", scene.community.channel, scene.bob.id);
    scene.server.put(&deny).by(&scene.ada).json(json!({"deny": ["reply"]})).send().await.is(200);
    for body in
        [json!({"content": "x", "thread_id": scene.root}), json!({"content": "x", "reply_to": scene.root})]
    {
        scene.call(&scene.bob, body).send().await.refused(403, "message_may_not_reply");
    }
    scene.call(&scene.bob, json!({"content": "x"})).send().await.is(201);
}

#[tokio::test]
async fn threads_are_followed_by_those_concerned_until_they_say_otherwise() {
    let scene = Scene::set().await;
    let root = scene.root.clone();
    let first = scene.reply(&scene.bob, "one").await;
    assert_eq!(scene.followed(&scene.ada, &first).await, [(root.clone(), 1)]);
    assert_eq!(scene.followed(&scene.bob, &first).await, [(root.clone(), 0)]);
    let follow = scene.path("/thread/follow");
    let unfollowed = scene.server.delete(&follow).by(&scene.bob).send().await.is(200);
    assert!(scene.followed(&scene.bob, &unfollowed).await.is_empty());
    scene.server.delete(&follow).by(&scene.bob).send().await.is(200);
    scene.reply(&scene.ada, "two").await;
    let followed = scene.server.put(&follow).by(&scene.bob).send().await.is(200);
    assert_eq!(scene.followed(&scene.bob, &followed).await, [(root, 1)]);

    let inside = format!("/messages/{}/thread/follow", first.text("/message/id"));
    scene.server.put(&inside).by(&scene.bob).send().await.refused(409, "message_thread_in_thread");
    scene.server.put(&follow).by(&scene.eve).send().await.refused(404, "message_not_found");
    scene.server.delete(&follow).by(&scene.eve).send().await.refused(404, "message_not_found");
}

#[tokio::test]
async fn a_marker_in_a_thread_moves_forward_and_counts_what_is_behind() {
    let scene = Scene::set().await;
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(scene.reply(&scene.bob, &number.to_string()).await.text("/message/id"));
    }
    let path = scene.path("/thread/read-marker");
    let mark =
        |by: &Account, message: &str| scene.server.put(&path).by(by).json(json!({"message": message})).send();
    let state = |last: &str, unread: u32| {
        json!({"read_state": {
            "thread_id": scene.root, "channel_id": scene.community.channel, "last_read_message_id": last,
            "unread": unread,
        }})
    };
    assert_eq!(mark(&scene.ada, &ids[1]).await.is(200).json, state(&ids[1], 1));
    assert_eq!(mark(&scene.ada, &ids[0]).await.is(200).json, state(&ids[1], 1), "forward only");
    let last = scene.reply(&scene.bob, "last").await;
    assert_eq!(scene.followed(&scene.ada, &last).await, [(scene.root.clone(), 2)]);
    mark(&scene.ada, &scene.root).await.invalid(&[("/message", "not_found")]);
    mark(&scene.eve, &ids[0]).await.refused(404, "message_not_found");
}

#[tokio::test]
async fn what_happens_in_a_thread_is_told_with_its_thread_and_follows_to_own_devices_alone() {
    let scene = Scene::set().await;
    let mut adas = Stream::live(&scene.server, &scene.ada).await;
    let mut bobs = Stream::live(&scene.server, &scene.bob).await;
    scene.server.put(&scene.path("/thread/follow")).by(&scene.bob).send().await.is(200);
    let reply = scene.reply(&scene.bob, "@ada").await;
    let id = reply.text("/message/id");
    let followed = bobs.next_frame().await.expect("a frame");
    let expected =
        json!({"message_id": scene.root, "channel_id": scene.community.channel, "following": true});
    assert_eq!((followed.kind.as_str(), &followed.data["data"]), ("thread.followed", &expected));
    for stream in [&mut adas, &mut bobs] {
        let frame = stream.next_frame().await.expect("a frame");
        assert_eq!(frame.kind, "message.posted", "of bob's following ada hears nothing");
        assert_eq!(frame.data["data"], reply.json["message"]);
    }
    let path = format!("/messages/{id}");
    scene.server.patch(&path).by(&scene.bob).json(json!({"content": "x"})).send().await.is(200);
    scene.server.delete(&path).by(&scene.bob).send().await.is(200);
    for kind in ["message.edited", "message.deleted"] {
        let frame = adas.next_frame().await.expect("a frame");
        let thread = frame.data["data"]["thread_id"].as_str();
        assert_eq!((frame.kind.as_str(), thread), (kind, Some(&*scene.root)));
    }
}
