use serde_json::{Value, json};

use crate::harness::{Account, Answer, Community, TestServer};
use crate::live::{Stream, cursor, poll};

struct Scene {
    server: TestServer,
    owner: Account,
    moderator: Account,
    member: Account,
    reporter: Account,
    community: Community,
    /// Of `member`.
    message: String,
}

impl Scene {
    async fn set() -> Self {
        let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
        let owner = server.account("owner").await;
        let (moderator, member) = (server.account("moderator").await, server.account("member").await);
        let reporter = server.account("reporter").await;
        let community = server.community(&owner).await;
        server.join(&community, &owner, &[&moderator, &member, &reporter]).await;
        let message = server.message(&community.channel, &member, "Buy now").await;
        // Last, because it waits until all of this can be read.
        server.set_roles(&community, &owner, &moderator, &["moderator"]).await;
        Self { server, owner, moderator, member, reporter, community, message }
    }

    async fn report(&self, by: &Account, body: Value) -> Answer {
        self.server.post(&format!("/messages/{}/reports", self.message)).by(by).json(body).send().await
    }

    async fn change(&self, by: &Account, id: &str, body: Value) -> Answer {
        self.server.patch(&format!("/reports/{id}")).by(by).json(body).send().await
    }

    async fn show(&self, by: &Account, id: &str) -> Answer {
        self.server.get(&format!("/reports/{id}")).by(by).send().await
    }

    fn list(&self, query: &str) -> String {
        format!("/communities/{}/reports{query}", self.community.id)
    }
}

#[tokio::test]
async fn a_report_is_made_once_handled_and_reopened() {
    let scene = Scene::set().await;
    let body = json!({"reason": "harassment", "text": "He goes on and on"});
    let made = scene.report(&scene.reporter, body).await.is(201);
    let id = made.text("/report/id");
    let report = &made.json["report"];
    for (field, value) in [
        ("community_id", scene.community.id.as_str()),
        ("channel_id", &scene.community.channel),
        ("message_id", &scene.message),
        ("author_id", &scene.member.id),
        ("reporter_id", &scene.reporter.id),
        ("reason", "harassment"),
        ("text", "He goes on and on"),
        ("state", "open"),
        ("content", "Buy now"),
    ] {
        assert_eq!(report[field], value, "{field}");
    }
    assert!(["note", "changed_by", "changed_at"].iter().all(|field| report[field].is_null()));
    let again = scene.report(&scene.reporter, json!({"reason": "spam"})).await.is(201);
    assert_eq!(again.json["report"], *report, "the first stands");
    assert_ne!(scene.report(&scene.member, json!({"reason": "other"})).await.is(201).text("/report/id"), id);

    let body = json!({"state": "resolved", "note": "Warned"});
    let resolved = scene.change(&scene.moderator, &id, body).await.is(200);
    assert_eq!(resolved.json["report"]["state"], "resolved");
    assert_eq!(resolved.json["report"]["changed_by"], scene.moderator.id.as_str());
    assert_eq!(scene.show(&scene.reporter, &id).await.is(200).text("/note"), "Warned");
    let reopened = scene.change(&scene.owner, &id, json!({"state": "open"})).await.is(200);
    assert_eq!(reopened.json["report"]["state"], "open");
    assert_eq!(reopened.json["report"]["note"], Value::Null);

    // Deleting wins: the text is gone from the report too.
    let message = format!("/messages/{}", scene.message);
    let deleted = scene.server.delete(&message).by(&scene.member).send().await.is(200);
    let shown = scene.server.get(&format!("/reports/{id}")).by(&scene.moderator).after(&deleted).send().await;
    let shown = shown.is(200);
    assert_eq!((&shown.json["content"], shown.text("/text")), (&Value::Null, "He goes on and on".to_owned()));
    scene.report(&scene.reporter, json!({"reason": "spam"})).await.is(201);
    scene.report(&scene.moderator, json!({"reason": "spam"})).await.refused(409, "message_deleted");
}

#[tokio::test]
async fn a_report_is_shown_to_its_reporter_and_to_who_manages_messages() {
    let scene = Scene::set().await;
    let outsider = scene.server.account("outsider").await;
    let spam = || json!({"reason": "spam"});
    scene.report(&outsider, spam()).await.refused(404, "message_not_found");
    let id = scene.report(&scene.reporter, spam()).await.is(201).text("/report/id");
    for by in [&scene.owner, &scene.moderator, &scene.reporter] {
        scene.show(by, &id).await.is(200);
    }
    for by in [&scene.member, &outsider] {
        scene.show(by, &id).await.refused(404, "report_not_found");
        scene.change(by, &id, json!({"state": "dismissed"})).await.refused(404, "report_not_found");
    }
    scene
        .change(&scene.reporter, &id, json!({"state": "dismissed"}))
        .await
        .refused(403, "report_may_not_handle");
    let list = |by| scene.server.get(&scene.list("")).by(by).send();
    list(&scene.member).await.refused(403, "report_may_not_handle");
    list(&scene.reporter).await.refused(403, "report_may_not_handle");
    list(&outsider).await.refused(404, "community_not_found");
    assert_eq!(list(&scene.moderator).await.is(200).items().len(), 1);

    // What was allowed is not, from the change on.
    scene.server.set_roles(&scene.community, &scene.owner, &scene.moderator, &["member"]).await;
    list(&scene.moderator).await.refused(403, "report_may_not_handle");
    scene.show(&scene.moderator, &id).await.refused(404, "report_not_found");
    scene.change(&scene.moderator, &id, json!({"state": "dismissed"})).await.refused(404, "report_not_found");
    let me = format!("/communities/{}/members/me", scene.community.id);
    let left = scene.server.delete(&me).by(&scene.reporter).send().await.is(200);
    let shown = scene.server.get(&format!("/reports/{id}")).by(&scene.reporter).after(&left).send().await;
    shown.refused(404, "report_not_found");
}

#[tokio::test]
async fn what_a_report_may_say_has_limits() {
    let scene = Scene::set().await;
    let refusals = [
        (json!({}), "/reason", "required"),
        (json!({"reason": "boring"}), "/reason", "unknown_value"),
        (json!({"reason": "spam", "text": ""}), "/text", "empty"),
        (json!({"reason": "spam", "text": "é".repeat(1_001)}), "/text", "too_long"),
        (json!({"reason": "spam", "note": "x"}), "/note", "unknown_field"),
    ];
    for (body, pointer, code) in refusals {
        scene.report(&scene.reporter, body).await.invalid(&[(pointer, code)]);
    }
    let longest = "é".repeat(1_000);
    let made = scene.report(&scene.reporter, json!({"reason": "other", "text": longest})).await.is(201);
    assert_eq!(made.text("/report/text"), longest);
    let id = made.text("/report/id");
    let refusals = [
        (json!({"note": "x"}), "/state", "required"),
        (json!({"state": "closed"}), "/state", "unknown_value"),
        (json!({"state": "open", "note": "é".repeat(1_001)}), "/note", "too_long"),
        (json!({"state": "open", "reason": "spam"}), "/reason", "unknown_field"),
    ];
    for (body, pointer, code) in refusals {
        scene.change(&scene.owner, &id, body).await.invalid(&[(pointer, code)]);
    }
    let noted = scene.change(&scene.owner, &id, json!({"state": "open", "note": longest})).await.is(200);
    assert_eq!((noted.text("/report/note"), noted.text("/report/state")), (longest, "open".to_owned()));
}

#[tokio::test]
async fn reports_are_listed_page_by_page_in_one_state_or_any() {
    let scene = Scene::set().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let text = format!("text {number}");
        let message = scene.server.message(&scene.community.channel, &scene.member, &text).await;
        let made = scene.server.post(&format!("/messages/{message}/reports")).by(&scene.reporter);
        ids.push(made.json(json!({"reason": "spam"})).send().await.is(201).text("/report/id"));
    }
    scene.change(&scene.moderator, &ids[1], json!({"state": "dismissed"})).await.is(200);
    ids.reverse();
    let walk = async |query: &str| {
        let (mut found, mut path) = (Vec::new(), scene.list(query));
        loop {
            let page = scene.server.get(&path).by(&scene.moderator).send().await.is(200);
            assert!(page.items().len() <= 2);
            found.extend(page.items().iter().map(|report| report["id"].as_str().unwrap_or("?").to_owned()));
            let Some(link) = page.header("link") else { return found };
            let next = link.strip_prefix("</v1").and_then(|link| link.split_once('>'));
            next.expect("a link to the next page").0.clone_into(&mut path);
        }
    };
    assert_eq!(walk("?limit=2").await, ids);
    let open: Vec<_> = ids.iter().filter(|id| **id != ids[3]).cloned().collect();
    assert_eq!(walk("?state=open&limit=2").await, open);
    assert_eq!(walk("?state=dismissed&limit=2").await, [ids[3].clone()]);
    assert_eq!(walk("?state=resolved&limit=2").await, [""; 0]);
    for (query, parameter, code) in [
        ("?state=closed", "state", "unknown_value"),
        ("?before=x", "before", "not_a_cursor"),
        ("?limit=0", "limit", "out_of_range"),
        ("?limit=101", "limit", "out_of_range"),
        ("?after=x", "after", "unknown_field"),
    ] {
        let refused = scene.server.get(&scene.list(query)).by(&scene.owner).send().await;
        refused.invalid(&[(parameter, code)]);
    }
}

#[tokio::test]
async fn only_those_who_manage_messages_hear_of_reports() {
    let scene = Scene::set().await;
    let start = cursor(&scene.server, &scene.moderator).await;
    let mut stream = Stream::open(&scene.server, &scene.moderator, Some(&start)).await;
    let body = json!({"reason": "illegal", "text": "Look"});
    let made = scene.report(&scene.reporter, body).await.is(201);
    let id = made.text("/report/id");
    let opened = stream.next_frame().await.expect("a frame");
    assert_eq!(opened.kind, "report.opened");
    let mut told = made.json["report"].clone();
    for field in ["content", "note", "changed_by", "changed_at"] {
        told.as_object_mut().expect("an object").remove(field);
    }
    assert_eq!(opened.data["data"], told, "the frame is the report, without the message");
    scene.change(&scene.owner, &id, json!({"state": "resolved", "note": "Gone"})).await.is(200);
    let changed = stream.next_frame().await.expect("a frame");
    assert_eq!(changed.kind, "report.changed");
    let data = &changed.data["data"];
    assert_eq!(
        (&data["id"], &data["state"], &data["note"]),
        (&json!(id), &json!("resolved"), &json!("Gone"))
    );
    assert_eq!(data["changed_by"], scene.owner.id.as_str());

    // The others' next frame is the message that comes after.
    scene.server.message(&scene.community.channel, &scene.member, "And now this").await;
    for by in [&scene.member, &scene.reporter] {
        let polled = poll(&scene.server, by, &start, "&wait=25").await;
        assert_eq!(polled["events"][0]["type"], "message.posted", "{polled}");
    }
}
