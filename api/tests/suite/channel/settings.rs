//! Private channels, overwrites, slow mode, archives, moves and order.

use serde_json::{Value, json};

use crate::harness::{Account, Community, TestServer};
use crate::live::{Stream, cursor, poll};

/// Ada's community, in which Mod moderates and Bob is a member.
struct Scene {
    server: TestServer,
    ada: Account,
    moderator: Account,
    bob: Account,
    community: Community,
}

impl Scene {
    async fn set() -> Self {
        let server = TestServer::start().await;
        let (ada, moderator) = (server.account("ada").await, server.account("mod").await);
        let bob = server.account("bob").await;
        let community = server.community(&ada).await;
        server.join(&community, &ada, &[&moderator, &bob]).await;
        server.set_roles(&community, &ada, &moderator, &["moderator"]).await;
        Self { server, ada, moderator, bob, community }
    }

    fn channel(&self) -> String {
        format!("/channels/{}", self.community.channel)
    }

    fn overwrite(&self, whose: &str) -> String {
        format!("{}/overwrites/{whose}", self.channel())
    }

    async fn create(&self, by: &Account, body: Value) -> crate::harness::Answer {
        let path = format!("/communities/{}/channels", self.community.id);
        self.server.post(&path).by(by).json(body).send().await
    }

    async fn shown(&self, by: &Account) -> Vec<String> {
        let path = format!("/communities/{}", self.community.id);
        let shown = self.server.get(&path).by(by).send().await.is(200);
        let channels = shown.json["channels"].as_array().expect("channels").iter();
        channels.map(|channel| channel["id"].as_str().expect("an id").to_owned()).collect()
    }
}

#[tokio::test]
async fn an_overwrite_is_shown_holds_and_is_taken_away() {
    let scene = Scene::set().await;
    let Scene { server, moderator, bob, .. } = &scene;
    let body = json!({"allow": ["manage_messages"], "deny": ["post", "react"]});
    let put = server.put(&scene.overwrite("roles/member")).by(moderator).json(body).send().await.is(200);
    let expected = json!([{
        "role": "member", "account": null, "allow": ["manage_messages"], "deny": ["post", "react"],
    }]);
    assert_eq!(put.json["channel"]["overwrites"], expected);
    let shown = server.get(&scene.channel()).by(bob).after(&put).send().await.is(200);
    assert_eq!(shown.json["overwrites"], expected);
    let post = || server.post(&format!("{}/messages", scene.channel())).by(bob).json(json!({"content": "x"}));
    post().send().await.refused(403, "message_may_not_post");
    let own = json!({"allow": ["post"]});
    let path = scene.overwrite(&format!("accounts/{}", bob.id));
    let put = server.put(&path).by(moderator).json(own).send().await.is(200);
    assert_eq!(put.json["channel"]["overwrites"].as_array().map(Vec::len), Some(2));
    post().send().await.is(201);
    let gone = server.delete(&path).by(moderator).send().await.is(200);
    assert_eq!(gone.json["channel"]["overwrites"], expected);
    let gone = server.delete(&scene.overwrite("roles/member")).by(moderator).send().await.is(200);
    assert_eq!(gone.json["channel"]["overwrites"], json!([]));
    post().send().await.is(201);
}

#[tokio::test]
async fn what_may_not_be_overwritten_is_refused() {
    let scene = Scene::set().await;
    let Scene { server, ada, moderator, bob, .. } = &scene;
    let put =
        |by: &Account, whose: &str, body: Value| server.put(&scene.overwrite(whose)).by(by).json(body).send();
    let deny = || json!({"deny": ["post"]});
    put(bob, "roles/guest", deny()).await.refused(403, "channel_may_not_manage");
    let too_high = "channel_overwrite_target_too_high";
    put(moderator, "roles/moderator", deny()).await.refused(403, too_high);
    put(moderator, &format!("accounts/{}", ada.id), deny()).await.refused(403, too_high);
    put(ada, "roles/moderator", deny()).await.is(200);
    let nobody = "00000000-0000-7000-8000-000000000000";
    let no_target = "channel_overwrite_target_not_found";
    put(ada, &format!("roles/{nobody}"), deny()).await.refused(404, no_target);
    put(ada, &format!("accounts/{nobody}"), deny()).await.refused(404, no_target);
    put(ada, "roles/wizard", deny()).await.refused(404, "not_found");
    let kick = json!({"allow": ["kick"]});
    put(ada, "roles/guest", kick).await.refused(422, "channel_overwrite_not_of_channel");
    let both = json!({"allow": ["post"], "deny": ["post"]});
    put(ada, "roles/guest", both).await.refused(422, "channel_overwrite_contradicts");
    put(ada, "roles/guest", json!({"allow": ["fly"]})).await.invalid(&[("/allow", "unknown_value")]);
    put(ada, "roles/guest", json!({"permit": []})).await.invalid(&[("/permit", "unknown_field")]);
    // Posting was denied to moderators above: they cannot give it to others.
    put(moderator, "roles/guest", deny()).await.refused(403, "channel_overwrite_grants_more");
    let eve = server.account("eve").await;
    put(&eve, "roles/guest", deny()).await.refused(404, "channel_not_found");
}

#[tokio::test]
async fn a_private_channel_is_seen_by_those_who_are_let_in() {
    let scene = Scene::set().await;
    let Scene { server, ada, moderator, bob, .. } = &scene;
    let made = scene.create(moderator, json!({"name": "staff", "private": true})).await.is(201);
    assert_eq!(made.json["channel"]["private"], true);
    let own = json!([{"role": null, "account": moderator.id, "allow": ["view"], "deny": []}]);
    assert_eq!(made.json["channel"]["overwrites"], own);
    let path = format!("/channels/{}", made.text("/channel/id"));
    server.get(&path).by(bob).after(&made).send().await.refused(404, "channel_not_found");
    for sees in [ada, moderator] {
        server.get(&path).by(sees).send().await.is(200);
    }
    let let_in = json!({"allow": ["view"]});
    let put = server.put(&format!("{path}/overwrites/accounts/{}", bob.id)).by(moderator).json(let_in);
    let put = put.send().await.is(200);
    server.get(&path).by(bob).after(&put).send().await.is(200);

    let hide = server.patch(&scene.channel()).by(moderator).json(json!({"private": true}));
    let hidden = hide.send().await.is(200);
    assert_eq!(hidden.json["channel"]["overwrites"], own);
    server.get(&scene.channel()).by(bob).after(&hidden).send().await.refused(404, "channel_not_found");
    let given = json!({"name": "x", "overwrites": [{"role": "guest", "deny": ["view"]}, {"role": "guest"}]});
    scene.create(ada, given).await.invalid(&[("/overwrites", "repeated")]);
    let given = json!({"name": "x", "overwrites": [{"deny": ["view"]}]});
    scene.create(ada, given).await.invalid(&[("/overwrites", "required")]);
}

#[tokio::test]
async fn a_channel_starts_as_its_category_is_and_moves() {
    let scene = Scene::set().await;
    let Scene { server, ada, .. } = &scene;
    let body = json!({"name": "c", "kind": "category", "private": true,
        "overwrites": [{"role": "moderator", "allow": ["view"], "deny": []}]});
    let category = scene.create(ada, body).await.is(201);
    let id = category.text("/channel/id");
    let made = scene.create(ada, json!({"name": "in it", "category_id": id})).await.is(201);
    assert_eq!(made.json["channel"]["overwrites"], category.json["channel"]["overwrites"]);
    assert_eq!(made.json["channel"]["private"], true);
    let open = json!({"name": "open", "category_id": id, "private": false, "overwrites": []});
    let open = scene.create(ada, open).await.is(201);
    assert_eq!(
        (&open.json["channel"]["overwrites"], &open.json["channel"]["private"]),
        (&json!([]), &json!(false))
    );

    let change = |body| server.patch(&scene.channel()).by(ada).json(body).send();
    assert_eq!(change(json!({"category_id": id})).await.is(200).json["channel"]["category_id"], id.as_str());
    assert_eq!(change(json!({"topic": "x"})).await.is(200).json["channel"]["category_id"], id.as_str());
    assert_eq!(
        change(json!({"category_id": null})).await.is(200).json["channel"]["category_id"],
        Value::Null
    );
    let no_category = change(json!({"category_id": scene.community.channel})).await;
    no_category.refused(409, "channel_category_not_found");
    let of_category = server.patch(&format!("/channels/{id}")).by(ada).json(json!({"archived": true}));
    of_category.send().await.refused(409, "channel_not_for_category");
}

#[tokio::test]
async fn slow_mode_makes_members_wait_and_a_repeat_does_not() {
    let scene = Scene::set().await;
    let Scene { server, ada, moderator, bob, .. } = &scene;
    let change = |body| server.patch(&scene.channel()).by(moderator).json(body).send();
    change(json!({"slow_mode": 21601})).await.invalid(&[("/slow_mode", "out_of_range")]);
    assert_eq!(change(json!({"slow_mode": 21600})).await.is(200).json["channel"]["slow_mode"], 21600);
    let post = |by: &Account, key: &str, text: &str| {
        let path = format!("{}/messages", scene.channel());
        server.post(&path).by(by).key(key).json(json!({"content": text})).send()
    };
    let posted = post(bob, "one", "first").await.is(201);
    let refused = post(bob, "two", "second").await.refused(429, "channel_slow_mode");
    let wait: u32 = refused.header("retry-after").expect("how long").parse().expect("seconds");
    assert!((1..=21600).contains(&wait), "{wait}");
    let again = post(bob, "one", "first").await.is(201);
    assert_eq!(again.text("/message/id"), posted.text("/message/id"));
    for exempt in [ada, moderator] {
        post(exempt, "a", "as I like").await.is(201);
        post(exempt, "b", "as I like").await.is(201);
    }
    change(json!({"slow_mode": 0})).await.is(200);
    post(bob, "two", "second").await.is(201);
}

#[tokio::test]
async fn slow_mode_holds_across_a_restart() {
    let scene = Scene::set().await;
    let path = format!("{}/messages", scene.channel());
    let slow = scene.server.patch(&scene.channel()).by(&scene.ada).json(json!({"slow_mode": 600}));
    slow.send().await.is(200);
    scene.server.post(&path).by(&scene.bob).json(json!({"content": "x"})).send().await.is(201);
    let Scene { server, bob, .. } = scene;
    let server = server.restart().await;
    let post = server.post(&path).by(&bob).json(json!({"content": "y"}));
    post.send().await.refused(429, "channel_slow_mode");
}

#[tokio::test]
async fn an_archived_channel_is_read_and_nothing_is_added() {
    let scene = Scene::set().await;
    let Scene { server, ada, bob, .. } = &scene;
    let message = server.message(&scene.community.channel, bob, "before").await;
    let archive =
        |archived| server.patch(&scene.channel()).by(ada).json(json!({"archived": archived})).send();
    let archived = archive(true).await.is(200);
    assert_eq!(archived.json["channel"]["archived"], true);
    let messages = format!("{}/messages", scene.channel());
    for by in [ada, bob] {
        let post = server.post(&messages).by(by).json(json!({"content": "x"}));
        post.send().await.refused(409, "channel_archived");
    }
    let edit = server.patch(&format!("/messages/{message}")).by(bob).json(json!({"content": "x"}));
    edit.send().await.refused(409, "channel_archived");
    let react = server.put(&format!("/messages/{message}/reactions/%F0%9F%91%8D")).by(bob);
    react.send().await.refused(409, "channel_archived");
    let typing = server.post(&format!("{}/typing", scene.channel())).by(bob).send().await;
    typing.refused(409, "channel_archived");
    let history = server.get(&messages).by(bob).after(&archived).send().await.is(200);
    assert_eq!(history.items()[0]["content"], "before");
    archive(false).await.is(200);
    server.message(&scene.community.channel, bob, "after").await;
}

#[tokio::test]
async fn channels_stand_in_the_order_that_was_given() {
    let scene = Scene::set().await;
    let Scene { server, ada, moderator, bob, community } = &scene;
    let create = async |body| scene.create(ada, body).await.is(201).text("/channel/id");
    let category = create(json!({"name": "c", "kind": "category"})).await;
    let (first, second) = (create(json!({"name": "1"})).await, create(json!({"name": "2"})).await);
    let general = community.channel.clone();
    assert_eq!(scene.shown(bob).await, [&general, &category, &first, &second].map(Clone::clone));

    let path = format!("/communities/{}/channel-order", community.id);
    let order =
        |by: &Account, channels: Value| server.put(&path).by(by).json(json!({"channels": channels})).send();
    let layout = || json!([{"id": second}, {"id": category, "category_id": null}, {"id": first, "category_id": category}]);
    let mut stream = Stream::live(server, bob).await;
    let after = cursor(server, bob).await;
    let done = order(moderator, layout()).await.is(200);
    let frame = stream.next_frame().await.expect("a frame");
    assert_eq!(
        (frame.kind.as_str(), &frame.data["data"]),
        ("channels.ordered", &json!({"community_id": community.id}))
    );
    let polled = poll(server, bob, &after, "&wait=20").await;
    assert_eq!(polled["events"][0]["type"], "channels.ordered");
    let shown =
        server.get(&format!("/communities/{}", community.id)).by(bob).after(&done).send().await.is(200);
    let channels = shown.json["channels"].as_array().expect("channels");
    let seen: Vec<_> = channels.iter().map(|one| (one["id"].as_str(), one["category_id"].as_str())).collect();
    let expected = [
        (Some(&*second), None),
        (Some(&*category), None),
        (Some(&*first), Some(&*category)),
        (Some(&*general), None),
    ];
    assert_eq!(seen, expected);
    let booted = server.get("/bootstrap").by(bob).send().await.is(200);
    let booted = booted.json["communities"].as_array().expect("communities").iter();
    let booted = booted.clone().find(|one| one["id"] == community.id.as_str()).expect("it is theirs");
    assert_eq!(booted["channels"], shown.json["channels"]);

    order(bob, layout()).await.refused(403, "channel_may_not_manage");
    let eve = server.account("eve").await;
    order(&eve, layout()).await.refused(404, "community_not_found");
    order(ada, json!([{"id": first}, {"id": first}])).await.refused(422, "channel_repeated");
    let in_text = json!([{"id": first, "category_id": second}]);
    order(ada, in_text).await.refused(409, "channel_category_not_found");
    let nested = json!([{"id": category, "category_id": category}]);
    order(ada, nested).await.refused(409, "channel_category_in_category");
    let elsewhere = server.community(ada).await.channel;
    order(ada, json!([{"id": elsewhere}])).await.refused(404, "channel_not_found");
    order(ada, json!([{"id": first, "place": 1}])).await.invalid(&[("/channels", "unknown_field")]);
    let many: Vec<Value> = (0..501).map(|_| json!({"id": first})).collect();
    order(ada, json!(many)).await.invalid(&[("/channels", "too_many")]);
}

#[tokio::test]
async fn a_community_has_at_most_500_channels() {
    let scene = Scene::set().await;
    for number in 1..500 {
        scene.create(&scene.ada, json!({"name": format!("channel {number}")})).await.is(201);
    }
    let path = format!("/communities/{}/channels", scene.community.id);
    let create =
        |key: &str| scene.server.post(&path).by(&scene.ada).key(key).json(json!({"name": "x"})).send();
    create("one-too-many").await.refused(409, "channel_too_many");
    let deleted = scene.server.delete(&scene.channel()).by(&scene.ada).send().await.is(200);
    scene.server.get("/bootstrap").by(&scene.ada).after(&deleted).send().await.is(200);
    let made = create("room-again").await.is(201).text("/channel/id");
    assert_eq!(create("room-again").await.is(201).text("/channel/id"), made, "a repeat is not counted");
}
