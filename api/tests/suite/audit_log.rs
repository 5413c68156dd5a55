use serde_json::{Value, json};

use crate::harness::{Account, Answer, Community, TestServer};

struct Scene {
    server: TestServer,
    owner: Account,
    moderator: Account,
    member: Account,
    community: Community,
}

impl Scene {
    async fn set() -> Self {
        let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
        let owner = server.account("owner").await;
        let (moderator, member) = (server.account("moderator").await, server.account("member").await);
        let community = server.community(&owner).await;
        server.join(&community, &owner, &[&moderator, &member]).await;
        server.set_roles(&community, &owner, &moderator, &["moderator"]).await;
        Self { server, owner, moderator, member, community }
    }

    fn path(&self, query: &str) -> String {
        format!("/communities/{}/audit-log{query}", self.community.id)
    }

    async fn list(&self, by: &Account, query: &str) -> Answer {
        self.server.get(&self.path(query)).by(by).send().await
    }

    async fn actions(&self, query: &str) -> Vec<String> {
        let page = self.list(&self.owner, query).await.is(200);
        page.items().iter().map(|entry| entry["action"].as_str().unwrap_or("?").to_owned()).collect()
    }

    /// Makes sure that reads see all that was done so far.
    async fn settle(&self) {
        self.server.set_roles(&self.community, &self.owner, &self.member, &["guest"]).await;
        self.server.set_roles(&self.community, &self.owner, &self.member, &["member"]).await;
    }
}

#[tokio::test]
async fn what_is_done_is_told_newest_first_with_who_and_what() {
    let scene = Scene::set().await;
    let (server, community) = (&scene.server, &scene.community);
    let message = server.message(&community.channel, &scene.member, "Buy now").await;
    server.delete(&format!("/messages/{message}")).by(&scene.moderator).send().await.is(200);
    let channel = format!("/channels/{}", community.channel);
    server.patch(&channel).by(&scene.moderator).json(json!({"name": "news"})).send().await.is(200);
    let kick = format!("/communities/{}/members/{}", community.id, scene.member.id);
    let kicked = server.delete(&kick).by(&scene.owner).send().await.is(200);
    let page = server.get(&scene.path("?limit=100")).by(&scene.owner).after(&kicked).send().await.is(200);
    let actions: Vec<_> = page.items().iter().map(|entry| entry["action"].as_str().unwrap_or("?")).collect();
    assert_eq!(
        actions,
        [
            "membership.kicked",
            "channel.changed",
            "message.deleted",
            "membership.roles_changed",
            "membership.joined",
            "membership.joined",
            "invite.created",
            "channel.created",
            "membership.joined",
            "community.created"
        ]
    );
    let [kicked, changed, deleted, granted, ..] = &page.items()[..] else { panic!("{actions:?}") };
    assert_eq!(kicked["actor_id"], scene.owner.id.as_str());
    assert_eq!(kicked["target"]["account_id"], scene.member.id.as_str());
    assert_eq!((&kicked["changes"], &kicked["reason"]), (&json!({}), &Value::Null));
    // The event itself does not say who asked for it.
    assert_eq!(changed["actor_id"], scene.moderator.id.as_str());
    assert_eq!(changed["target"]["channel_id"], community.channel.as_str());
    assert_eq!(changed["changes"]["name"], json!({"from": "general", "to": "news"}));
    assert_eq!(deleted["target"]["message_id"], message.as_str());
    assert_eq!(deleted["target"]["account_id"], scene.member.id.as_str(), "whose message it was");
    assert_eq!(granted["changes"], json!({"roles": {"from": ["member"], "to": ["moderator"]}}));
    let joined = &page.items()[4];
    assert_eq!(joined["changes"]["invited_by"]["to"], scene.owner.id.as_str());
}

#[tokio::test]
async fn the_log_is_for_those_who_may_view_it_as_long_as_they_may() {
    let scene = Scene::set().await;
    let outsider = scene.server.account("outsider").await;
    scene.list(&scene.owner, "").await.is(200);
    scene.list(&scene.moderator, "").await.is(200);
    scene.list(&scene.member, "").await.refused(403, "audit_log_may_not_view");
    scene.list(&outsider, "").await.refused(404, "community_not_found");
    scene.server.set_roles(&scene.community, &scene.owner, &scene.moderator, &["member"]).await;
    scene.list(&scene.moderator, "").await.refused(403, "audit_log_may_not_view");
    let gone = scene.server.delete(&format!("/communities/{}", scene.community.id)).by(&scene.owner);
    let gone = gone.send().await.is(200);
    let shown = scene.server.get(&scene.path("")).by(&scene.owner).after(&gone).send().await;
    shown.refused(404, "community_not_found");
}

#[tokio::test]
async fn entries_are_filtered_by_action_actor_target_and_time() {
    let scene = Scene::set().await;
    let (server, base) = (&scene.server, format!("/communities/{}", scene.community.id));
    server.put(&format!("{base}/bans/{}", scene.member.id)).by(&scene.moderator).send().await.is(200);
    let unbanned = server.delete(&format!("{base}/bans/{}", scene.member.id)).by(&scene.owner);
    let unbanned = unbanned.send().await.is(200);
    let all = server.get(&scene.path("?limit=100")).by(&scene.owner).after(&unbanned).send().await.is(200);
    let all = all.items().clone();

    assert_eq!(scene.actions("?action=membership.banned").await, ["membership.banned"]);
    assert_eq!(scene.actions("?action=invite").await, ["invite.created"]);
    let by = format!("?actor={}", scene.moderator.id);
    assert_eq!(scene.actions(&by).await, ["membership.banned", "membership.joined"]);
    let to = format!("?target={}&action=membership", scene.member.id);
    assert_eq!(scene.actions(&to).await, ["membership.unbanned", "membership.banned", "membership.joined"]);
    assert_eq!(scene.actions(&format!("{to}&actor={}", scene.owner.id)).await, ["membership.unbanned"]);

    let ids = |entries: &[Value]| entries.iter().map(|entry| entry["id"].clone()).collect::<Vec<_>>();
    let found = async |query: &str| ids(scene.list(&scene.owner, query).await.is(200).items());
    let (time, id) = (all[2]["time"].as_str().unwrap_or("?"), all[2]["id"].as_str().unwrap_or("?"));
    let older_than = |entry: &&Value| entry["time"].as_str() < Some(time);
    let older: Vec<_> = all.iter().filter(older_than).cloned().collect();
    let newer: Vec<_> = all.iter().filter(|entry| !older_than(entry)).cloned().collect();
    assert_eq!(found(&format!("?limit=100&before={time}")).await, ids(&older));
    assert_eq!(found(&format!("?limit=100&after={time}")).await, ids(&newer), "its own moment is in it");
    assert_eq!(found(&format!("?limit=100&before={id}")).await, ids(&all[3..]));
    assert_eq!(found(&format!("?limit=100&after={id}")).await, ids(&all[..2]));
    assert_eq!(found(&format!("?after={time}&before={time}")).await, ids(&[]));

    for (query, parameter, code) in [
        ("?action=message.posted", "action", "unknown_value"),
        ("?action=", "action", "unknown_value"),
        ("?actor=me", "actor", "not_an_id"),
        ("?target=x", "target", "not_an_id"),
        ("?before=yesterday", "before", "not_a_cursor"),
        ("?after=2026-13-01T00:00:00Z", "after", "not_a_cursor"),
        ("?limit=0", "limit", "out_of_range"),
        ("?limit=101", "limit", "out_of_range"),
        ("?since=2026-01-01T00:00:00Z", "since", "unknown_field"),
    ] {
        scene.list(&scene.owner, query).await.invalid(&[(parameter, code)]);
    }
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_while_more_is_done() {
    let scene = Scene::set().await;
    let before = scene.list(&scene.owner, "?limit=100").await.is(200).items().clone();
    let filter = format!(
        "?limit=2&action=membership&after={}",
        before[before.len() - 1]["time"].as_str().unwrap_or("?")
    );
    let expected: Vec<_> = before
        .iter()
        .filter(|entry| entry["action"].as_str().unwrap_or("?").starts_with("membership."))
        .collect();
    let (mut found, mut path) = (Vec::new(), scene.path(&filter));
    loop {
        let page = scene.server.get(&path).by(&scene.owner).send().await.is(200);
        assert_eq!(page.json["prev"], Value::Null);
        found.extend(page.items().iter().cloned());
        scene.settle().await;
        let Some(link) = page.header("link") else { break };
        let next = link.strip_prefix("</v1").and_then(|link| link.split_once('>'));
        next.expect("a link to the next page").0.clone_into(&mut path);
    }
    assert_eq!(found.iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn what_else_is_secret_stays_so_in_the_log() {
    let scene = Scene::set().await;
    let message = scene.server.message(&scene.community.channel, &scene.member, "Buy now").await;
    let report = scene.server.post(&format!("/messages/{message}/reports")).by(&scene.moderator);
    report.json(json!({"reason": "spam", "text": "secret words"})).send().await.is(201);
    let code = scene.server.invite(&scene.community, &scene.owner).await;
    scene.settle().await;
    let listed = scene.list(&scene.moderator, "?limit=100").await.is(200);
    let text = listed.json.to_string();
    assert!(text.contains("report.opened") && text.contains(&code));
    assert!(!text.contains("secret words"), "what was written stays in the report");
    assert!(!text.contains("Buy now"));

    // To who may view the log and nothing else, codes and reports are not shown.
    let base = format!("/communities/{}", scene.community.id);
    let role = json!({"name": "Auditors", "permissions": ["view", "view_audit_log"]});
    let made = scene.server.post(&format!("{base}/roles")).by(&scene.owner).json(role).send().await.is(201);
    let auditor = made.text("/role/id");
    scene.server.set_roles(&scene.community, &scene.owner, &scene.member, &[&auditor]).await;
    let listed = scene.list(&scene.member, "?limit=100").await.is(200);
    let text = listed.json.to_string();
    assert!(text.contains("invite.created") && !text.contains(&code) && !text.contains("report."));
    let reports = scene.list(&scene.member, "?action=report").await.is(200);
    assert_eq!(reports.items().len(), 0);
    assert_eq!(scene.list(&scene.owner, "?action=report").await.is(200).items().len(), 1);
}
