//! Direct and group channels, from opening to the last word, over both transports.

use serde_json::{Value, json};

use crate::harness::{Account, Answer, TestServer};
use crate::live::{Stream, cursor, poll};

/// Accounts of these names who share a community; Eve shares none.
async fn gathered<const N: usize>(names: [&str; N]) -> (TestServer, [Account; N], Account) {
    let server = TestServer::start().await;
    let mut accounts = Vec::new();
    for name in names {
        accounts.push(server.account(name).await);
    }
    let community = server.community(&accounts[0]).await;
    let others: Vec<&Account> = accounts[1..].iter().collect();
    server.join(&community, &accounts[0], &others).await;
    let eve = server.account("eve").await;
    // All accounts land in the default community: only who leaves it shares none.
    let lobby = server.get("/communities").by(&eve).send().await.is(200).text("/items/0/id");
    let left = server.delete(&format!("/communities/{lobby}/members/me")).by(&eve).send().await.is(200);
    server.get("/me").by(&eve).after(&left).send().await.is(200);
    (server, accounts.try_into().expect("as many"), eve)
}

async fn open(server: &TestServer, by: &Account, with: &Account) -> Answer {
    server.post("/direct-channels").by(by).json(json!({"account": with.id})).send().await
}

async fn group(server: &TestServer, by: &Account, members: &[&Account]) -> Answer {
    let members: Vec<&str> = members.iter().map(|member| &*member.id).collect();
    server.post("/group-channels").by(by).json(json!({"name": "us", "members": members})).send().await
}

fn members(conversation: &Value) -> Vec<&str> {
    let members = conversation["members"].as_array().expect("members");
    members.iter().map(|member| member["handle"].as_str().expect("a handle")).collect()
}

/// The types of the next frames, and their data.
async fn frames(stream: &mut Stream, count: usize) -> Vec<(String, Value)> {
    let mut frames = Vec::new();
    for _ in 0..count {
        let frame = stream.next_frame().await.expect("a frame");
        frames.push((frame.kind, frame.data["data"].clone()));
    }
    frames
}

#[tokio::test]
async fn a_direct_channel_is_opened_once_and_reaches_both() {
    let (server, [ann, bob], eve) = gathered(["ann", "bob"]).await;
    let (mut at_ann, mut at_bob) = (Stream::live(&server, &ann).await, Stream::live(&server, &bob).await);
    let (mut at_eve, before) = (Stream::live(&server, &eve).await, cursor(&server, &bob).await);
    let opened = open(&server, &ann, &bob).await.is(201);
    let id = opened.text("/channel/id");
    assert_eq!(opened.json["channel"]["kind"], "direct");
    assert_eq!(
        (&opened.json["channel"]["community_id"], &opened.json["channel"]["name"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(members(&opened.json["channel"]).len(), 2);
    for (by, with) in [(&bob, &ann), (&ann, &bob)] {
        let again = open(&server, by, with).await.is(201);
        assert_eq!(again.json["channel"], opened.json["channel"]);
    }
    let message = server.message(&id, &bob, "hello").await;
    for stream in [&mut at_ann, &mut at_bob] {
        let [(opened, channel), (posted, said)] = &frames(stream, 2).await[..] else { unreachable!() };
        assert_eq!((opened.as_str(), posted.as_str()), ("direct.opened", "message.posted"));
        assert_eq!((&channel["id"], &said["id"]), (&json!(id), &json!(message)));
    }
    let polled = poll(&server, &bob, &before, "").await;
    let kinds: Vec<_> = polled["events"].as_array().expect("events").iter().map(|e| &e["type"]).collect();
    assert_eq!(kinds, ["direct.opened", "message.posted"]);

    let history = format!("/channels/{id}/messages");
    let listed = server.get("/me/conversations").by(&ann).send().await.is(200);
    assert_eq!(listed.items().len(), 1);
    let booted = server.get("/bootstrap").by(&bob).send().await.is(200);
    assert_eq!(booted.json["conversations"][0]["id"], id.as_str());
    assert!(
        booted.json["conversations"][0]["last_message_at"].is_string(),
        "{}",
        booted.json["conversations"]
    );
    assert_eq!(server.get(&history).by(&ann).send().await.is(200).items()[0]["content"], "hello");
    server.post(&format!("/channels/{id}/typing")).by(&ann).send().await.is(204);
    // Nobody else knows of it.
    server.get(&history).by(&eve).send().await.refused(404, "channel_not_found");
    server.get(&format!("/messages/{message}")).by(&eve).send().await.refused(404, "message_not_found");
    let post = server.post(&history).by(&eve).json(json!({"content": "x"}));
    post.send().await.refused(404, "channel_not_found");
    server.patch("/me").by(&eve).json(json!({"about": "still here"})).send().await.is(200);
    let first = at_eve.next_frame().await.expect("a frame").kind;
    assert_eq!(first, "account.profile_changed", "and nothing before it");
    let settings = server.patch(&format!("/channels/{id}")).by(&ann).json(json!({"name": "x"}));
    settings.send().await.refused(409, "channel_of_conversation");
    let deletion = server.delete(&format!("/channels/{id}")).by(&ann).send().await;
    deletion.refused(409, "channel_of_conversation");
    let added = server.put(&format!("/channels/{id}/members/{}", bob.id)).by(&ann).send().await;
    added.refused(409, "channel_not_group");
}

#[tokio::test]
async fn one_talks_only_to_whom_one_shares_a_community_with() {
    let (server, [ann, bob], eve) = gathered(["ann", "bob"]).await;
    for (by, with) in [(&ann, &eve), (&eve, &ann)] {
        open(&server, by, with).await.refused(404, "account_not_found");
        group(&server, by, &[with]).await.refused(404, "account_not_found");
    }
    let nobody = json!({"account": "00000000-0000-7000-8000-000000000000"});
    let nobody = server.post("/direct-channels").by(&ann).json(nobody).send().await;
    nobody.refused(404, "account_not_found");
    open(&server, &ann, &ann).await.refused(422, "channel_with_oneself");
    group(&server, &ann, &[&ann, &bob]).await.refused(422, "channel_with_oneself");
    group(&server, &ann, &[]).await.invalid(&[("/members", "empty")]);
    let group = group(&server, &ann, &[&bob]).await.is(201).text("/channel/id");
    let add = server.put(&format!("/channels/{group}/members/{}", eve.id)).by(&ann).send().await;
    add.refused(404, "account_not_found");
}

#[tokio::test]
async fn a_group_grows_shrinks_changes_hands_and_ends() {
    let (server, [ann, bob, cat], _) = gathered(["ann", "bob", "cat"]).await;
    let made = group(&server, &ann, &[&bob]).await.is(201);
    let id = made.text("/channel/id");
    assert_eq!(
        (&made.json["channel"]["kind"], &made.json["channel"]["owner_id"]),
        (&json!("group"), &json!(ann.id))
    );
    let path = format!("/channels/{id}");
    let member = |account: &Account| format!("{path}/members/{}", account.id);
    server.get(&path).by(&cat).send().await.refused(404, "channel_not_found");
    server.put(&member(&cat)).by(&cat).send().await.refused(404, "channel_not_found");

    let added = server.put(&member(&cat)).by(&bob).send().await.is(200);
    assert_eq!(members(&added.json["channel"]).last(), Some(&"cat"));
    server.message(&id, &cat, "hi all").await;
    let renamed = server.patch(&path).by(&cat).json(json!({"name": "them"})).send().await.is(200);
    assert_eq!(renamed.json["channel"]["name"], "them");
    let archive = server.patch(&path).by(&ann).json(json!({"archived": true})).send().await;
    archive.refused(409, "channel_of_conversation");

    let owner = format!("{path}/owner");
    let hand = |by: &Account, to: &Account| server.put(&owner).by(by).json(json!({"account": to.id})).send();
    hand(&bob, &bob).await.refused(403, "group_not_owner");
    assert_eq!(hand(&ann, &bob).await.is(200).json["channel"]["owner_id"], bob.id.as_str());
    server.delete(&member(&cat)).by(&ann).send().await.refused(403, "group_not_owner");

    // The owner leaves: Ann has been there longest.
    let left = server.delete(&member(&bob)).by(&bob).send().await.is(200);
    server.get(&path).by(&bob).after(&left).send().await.refused(404, "channel_not_found");
    let shown = server.get(&path).by(&ann).send().await.is(200);
    assert_eq!(shown.json["owner_id"], ann.id.as_str());
    hand(&ann, &bob).await.refused(404, "group_member_not_found");
    server.delete(&member(&bob)).by(&ann).send().await.refused(404, "group_member_not_found");

    server.delete(&member(&cat)).by(&cat).send().await.is(200);
    let last = server.delete(&member(&ann)).by(&ann).send().await.is(200);
    server.get(&path).by(&ann).after(&last).send().await.refused(404, "channel_not_found");
    let none = server.get("/me/conversations").by(&ann).send().await.is(200);
    assert_eq!(none.items().len(), 0);
}

#[tokio::test]
async fn a_group_has_at_most_25_members() {
    let (server, [ann], _) = gathered(["ann"]).await;
    let community = server.community(&ann).await;
    let mut others = Vec::new();
    for number in 0..25 {
        others.push(server.account(&format!("other{number}")).await);
    }
    server.join(&community, &ann, &others.iter().collect::<Vec<_>>()).await;
    let all: Vec<&Account> = others.iter().collect();
    group(&server, &ann, &all).await.invalid(&[("/members", "too_many")]);
    let full = group(&server, &ann, &all[..24]).await.is(201);
    let path = format!("/channels/{}/members/", full.text("/channel/id"));
    let add = || server.put(&format!("{path}{}", others[24].id)).by(&ann).send();
    add().await.refused(409, "group_too_many_members");
    server.delete(&format!("{path}{}", others[0].id)).by(&ann).send().await.is(200);
    let full = add().await.is(200);
    assert_eq!(members(&full.json["channel"]).len(), 25);
}

#[tokio::test]
async fn who_is_removed_hears_of_that_and_of_nothing_after_it() {
    let (server, [ann, bob], _) = gathered(["ann", "bob"]).await;
    let id = group(&server, &ann, &[&bob]).await.is(201).text("/channel/id");
    let mut at_bob = Stream::live(&server, &bob).await;
    let before = cursor(&server, &bob).await;
    server.message(&id, &ann, "while you are here").await;
    server.delete(&format!("/channels/{id}/members/{}", bob.id)).by(&ann).send().await.is(200);
    let secret = server.message(&id, &ann, "now that you are gone").await;
    server.patch("/me").by(&bob).json(json!({"about": "gone"})).send().await.is(200);
    let expected = ["message.posted", "group.member_removed", "account.profile_changed"];
    let live = frames(&mut at_bob, 3).await;
    assert_eq!(live.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), expected);
    assert_eq!((&live[1].1["account_id"], &live[1].1["ended"]), (&json!(bob.id), &json!(false)));
    // By the permission of now, what was said before is gone as well.
    let polled = poll(&server, &bob, &before, "").await;
    let kinds: Vec<_> =
        polled["events"].as_array().expect("events").iter().map(|e| e["type"].clone()).collect();
    assert_eq!(kinds, expected[1..]);
    server.get(&format!("/messages/{secret}")).by(&bob).send().await.refused(404, "message_not_found");
    server.get(&format!("/channels/{id}/messages")).by(&bob).send().await.refused(404, "channel_not_found");
}

#[tokio::test]
async fn those_who_talk_to_each_other_see_each_other() {
    let (server, [ann, bob], eve) = gathered(["ann", "bob"]).await;
    open(&server, &ann, &bob).await.is(201);
    for of in server.get("/communities").by(&bob).send().await.is(200).items() {
        let path = format!("/communities/{}/members/me", of["id"].as_str().expect("an id"));
        let left = server.delete(&path).by(&bob).send().await.is(200);
        server.get("/me").by(&bob).after(&left).send().await.is(200);
    }
    let show = |by: &Account, of: &Account| server.get(&format!("/accounts/{}", of.id)).by(by).send();
    assert_eq!(show(&ann, &bob).await.is(200).json["handle"], "bob");
    assert_eq!(show(&bob, &ann).await.is(200).json["handle"], "ann");
    show(&eve, &bob).await.refused(404, "account_not_found");
    open(&server, &bob, &ann).await.is(201);
}
