use serde_json::{Value, json};

use crate::harness::{Account, Answer, Community, TestServer};
use crate::live::Stream;

struct Scene {
    server: TestServer,
    ada: Account,
    bob: Account,
    eve: Account,
    community: Community,
}

impl Scene {
    /// Ada owns it, Bob moderates, Eve is a member.
    async fn set() -> Self {
        let server = TestServer::start().await;
        let (ada, bob, eve) =
            (server.account("ada").await, server.account("bob").await, server.account("eve").await);
        let community = server.community(&ada).await;
        server.join(&community, &ada, &[&bob, &eve]).await;
        server.set_roles(&community, &ada, &bob, &["moderator"]).await;
        Self { server, ada, bob, eve, community }
    }

    fn roles(&self) -> String {
        format!("/communities/{}/roles", self.community.id)
    }

    async fn create(&self, by: &Account, body: Value) -> Answer {
        self.server.post(&self.roles()).by(by).json(body).send().await
    }

    async fn change(&self, by: &Account, role: &str, body: Value) -> Answer {
        self.server.patch(&format!("{}/{role}", self.roles())).by(by).json(body).send().await
    }

    async fn delete(&self, by: &Account, role: &str) -> Answer {
        self.server.delete(&format!("{}/{role}", self.roles())).by(by).send().await
    }

    async fn order(&self, by: &Account, roles: &[&str]) -> Answer {
        let path = format!("{}/order", self.roles());
        self.server.put(&path).by(by).json(json!({"roles": roles})).send().await
    }
}

#[tokio::test]
async fn a_role_is_created_changed_listed_and_deleted() {
    let scene = Scene::set().await;
    let body = json!({"name": " Engineers ", "colour": "#1F8b4c", "permissions": ["view", "kick"]});
    let created = scene.create(&scene.ada, body).await.is(201);
    let id = created.text("/role/id");
    let role = json!({
        "id": id, "name": "Engineers", "colour": "#1f8b4c", "permissions": ["view", "kick"],
        "mentionable": false, "position": 3,
    });
    assert_eq!(created.json["role"], role);

    let listed = scene.server.get(&scene.roles()).by(&scene.eve).after(&created).send().await.is(200);
    let ids: Vec<_> = listed.items().iter().map(|role| role["id"].as_str().unwrap_or_default()).collect();
    assert_eq!(ids, ["guest", "member", &id, "moderator"]);
    assert_eq!(listed.items()[2], role);
    assert_eq!(listed.items()[0]["name"], Value::Null);
    let community = scene.server.get(&format!("/communities/{}", scene.community.id)).by(&scene.eve);
    let community = community.after(&created).send().await.is(200);
    assert_eq!(community.json["roles"], listed.json["items"]);

    let body = json!({"name": "Smiths", "colour": "", "permissions": [], "mentionable": true});
    let changed = scene.change(&scene.bob, &id, body).await.is(200);
    let expected = json!({
        "id": id, "name": "Smiths", "colour": null, "permissions": [], "mentionable": true, "position": 3,
    });
    assert_eq!(changed.json["role"], expected);
    // Nothing given, nothing changed.
    assert_eq!(scene.change(&scene.bob, &id, json!({})).await.is(200).json["role"], expected);
    let deleted = scene.delete(&scene.bob, &id).await.is(200);
    let listed = scene.server.get(&scene.roles()).by(&scene.eve).after(&deleted).send().await.is(200);
    assert_eq!(listed.items().len(), 3);
    scene.delete(&scene.bob, &id).await.refused(404, "role_not_found");
    scene.change(&scene.bob, &id, json!({})).await.refused(404, "role_not_found");
    scene.change(&scene.bob, "king", json!({})).await.refused(404, "not_found");
}

#[tokio::test]
async fn what_a_role_cannot_be_is_refused() {
    let scene = Scene::set().await;
    let wrong = json!({
        "name": "", "colour": "green", "permissions": ["view", "everything"], "mentionable": 1, "rank": 9,
    });
    scene.create(&scene.ada, wrong).await.invalid(&[
        ("/name", "empty"),
        ("/colour", "not_a_colour"),
        ("/permissions", "unknown_value"),
        ("/mentionable", "wrong_type"),
        ("/rank", "unknown_field"),
    ]);
    scene.create(&scene.ada, json!({"name": "é".repeat(65)})).await.invalid(&[("/name", "too_long")]);
    scene.create(&scene.ada, json!({"name": "é".repeat(64)})).await.is(201);
    let many = vec!["view"; 65];
    let body = json!({"name": "x", "permissions": many});
    scene.create(&scene.ada, body).await.invalid(&[("/permissions", "too_many")]);
    let body = json!({"name": "x", "permissions": vec!["view"; 64]});
    assert_eq!(scene.create(&scene.ada, body).await.is(201).json["role"]["permissions"], json!(["view"]));
    let too_many = vec!["guest"; 104];
    scene.order(&scene.ada, &too_many).await.invalid(&[("/roles", "too_many")]);
    scene.order(&scene.ada, &too_many[..103]).await.refused(422, "role_order_incomplete");
}

#[tokio::test]
async fn nobody_grants_what_they_lack_or_touches_a_role_above_their_own() {
    let scene = Scene::set().await;
    let low = scene.create(&scene.ada, json!({"name": "low"})).await.is(201).text("/role/id");
    let high = json!({"name": "high", "permissions": ["manage_community"]});
    let high = scene.create(&scene.ada, high).await.is(201).text("/role/id");
    scene.order(&scene.ada, &["guest", "member", &low, "moderator", &high]).await.is(200);
    let (bob, eve) = (&scene.bob, &scene.eve);

    let beyond = json!({"name": "x", "permissions": ["manage_community"]});
    scene.create(bob, beyond.clone()).await.refused(403, "role_beyond_own");
    scene
        .change(bob, &low, json!({"permissions": ["manage_community"]}))
        .await
        .refused(403, "role_beyond_own");
    for role in ["moderator", &high] {
        scene.change(bob, role, json!({"mentionable": true})).await.refused(403, "role_too_high");
    }
    scene.delete(bob, &high).await.refused(403, "role_too_high");
    scene.order(bob, &["guest", "member", "moderator", &low, &high]).await.refused(403, "role_too_high");
    scene.change(&scene.ada, "guest", json!({"name": "x"})).await.refused(409, "role_built_in");
    scene.delete(&scene.ada, "member").await.refused(409, "role_built_in");
    let assign = |by, role: &str| {
        let path = format!("/communities/{}/members/{}", scene.community.id, scene.eve.id);
        scene.server.patch(&path).by(by).json(json!({"roles": ["member", role]})).send()
    };
    assign(bob, &high).await.refused(403, "member_role_too_high");
    scene.change(&scene.ada, &low, json!({"permissions": ["manage_community"]})).await.is(200);
    assign(bob, &low).await.refused(403, "member_role_grants_more");
    assign(&scene.ada, &low).await.is(200);
    assign(&scene.ada, "00000000-0000-7000-8000-000000000000").await.refused(422, "member_unknown_role");

    scene.create(eve, json!({"name": "x"})).await.refused(403, "role_may_not_manage");
    scene.change(eve, "guest", json!({})).await.refused(403, "role_may_not_manage");
    scene.delete(eve, &low).await.refused(403, "role_may_not_manage");
    scene.order(eve, &["guest", "member"]).await.refused(403, "role_may_not_manage");
    let mallory = scene.server.account("mallory").await;
    scene.create(&mallory, beyond).await.refused(404, "community_not_found");
    scene.server.get(&scene.roles()).by(&mallory).send().await.refused(404, "community_not_found");
}

#[tokio::test]
async fn who_manages_roles_by_the_role_of_all_members_makes_none_above_it() {
    let scene = Scene::set().await;
    let permissions = json!({"permissions": ["view", "manage_roles"]});
    scene.change(&scene.ada, "member", permissions).await.is(200);
    scene.create(&scene.eve, json!({"name": "x"})).await.refused(403, "role_too_high");
    scene.change(&scene.eve, "member", json!({"mentionable": true})).await.refused(403, "role_too_high");
    scene.change(&scene.eve, "guest", json!({"mentionable": true})).await.is(200);
}

#[tokio::test]
async fn a_community_has_at_most_a_hundred_roles_of_its_own() {
    let scene = Scene::set().await;
    for number in 0..100 {
        scene.create(&scene.ada, json!({"name": format!("role {number}")})).await.is(201);
    }
    scene.create(&scene.ada, json!({"name": "one more"})).await.refused(409, "role_too_many");
    let listed = scene.server.get(&scene.roles()).by(&scene.ada).send().await.is(200);
    assert_eq!(listed.items().len(), 103);
    let mut order: Vec<_> = listed.items().iter().filter_map(|role| role["id"].as_str()).collect();
    order[2..].reverse();
    let ordered = scene.order(&scene.ada, &order).await.is(200);
    let now: Vec<_> = ordered.json["roles"].as_array().into_iter().flatten().map(|r| &r["id"]).collect();
    assert_eq!(now, order);
}

#[tokio::test]
async fn changes_of_roles_are_told_live() {
    let scene = Scene::set().await;
    let mut stream = Stream::live(&scene.server, &scene.eve).await;
    let body = json!({"name": "Smiths", "permissions": ["view"], "mentionable": true});
    let id = scene.create(&scene.ada, body).await.is(201).text("/role/id");
    scene.change(&scene.ada, &id, json!({"colour": "#000001"})).await.is(200);
    scene.order(&scene.ada, &["guest", "member", "moderator", &id]).await.is(200);
    scene.delete(&scene.ada, &id).await.is(200);
    let owner = format!("/communities/{}/owner", scene.community.id);
    scene.server.put(&owner).by(&scene.ada).json(json!({"account": scene.bob.id})).send().await.is(200);
    let here = &scene.community.id;
    let role = |colour: Value| {
        json!({
            "id": id, "community_id": here, "name": "Smiths", "colour": colour, "permissions": ["view"],
            "mentionable": true,
        })
    };
    let expected = [
        ("role.created", role(Value::Null)),
        ("role.changed", role("#000001".into())),
        ("role.ordered", json!({"community_id": here, "order": ["guest", "member", "moderator", id]})),
        ("role.deleted", json!({"id": id, "community_id": here})),
        (
            "community.owner_changed",
            json!({"id": here, "owner_id": scene.bob.id, "previous_owner_id": scene.ada.id}),
        ),
    ];
    for (kind, data) in expected {
        let frame = stream.next_frame().await.expect("a frame");
        assert_eq!((frame.kind.as_str(), &frame.data["data"]), (kind, &data));
    }
}

#[tokio::test]
async fn a_community_is_handed_over() {
    let scene = Scene::set().await;
    let path = format!("/communities/{}/owner", scene.community.id);
    let hand = |by, to: &str| scene.server.put(&path).by(by).json(json!({"account": to})).send();
    let mallory = scene.server.account("mallory").await;
    hand(&scene.bob, &scene.bob.id).await.refused(403, "community_not_owner");
    hand(&mallory, &mallory.id).await.refused(404, "community_not_found");
    hand(&scene.ada, &mallory.id).await.refused(404, "member_not_found");
    hand(&scene.ada, "nobody").await.invalid(&[("/account", "not_an_id")]);
    let handed = hand(&scene.ada, &scene.eve.id).await.is(200);
    assert_eq!(handed.text("/community/owner_id"), scene.eve.id);
    assert_eq!(handed.json["community"]["member"]["owner"], false);
    assert_eq!(handed.json["community"]["member"]["roles"], json!(["member"]));
    hand(&scene.ada, &scene.ada.id).await.refused(403, "community_not_owner");
    let me = format!("/communities/{}/members/me", scene.community.id);
    scene.server.delete(&me).by(&scene.eve).send().await.refused(409, "member_owner_cannot_leave");
    scene.server.delete(&me).by(&scene.ada).send().await.is(200);
}
