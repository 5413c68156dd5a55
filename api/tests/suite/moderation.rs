//! Bans with reasons and ends, kicks with reasons, time-outs, nicknames.

use serde_json::{Value, json};

use crate::harness::{Account, Community, TestServer, in_hours};
use crate::live::Stream;

async fn scene() -> (TestServer, Account, Account, Account, Community) {
    let server = TestServer::start().await;
    let (ada, bob, eve) =
        (server.account("ada").await, server.account("bob").await, server.account("eve").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob, &eve]).await;
    server.set_roles(&community, &ada, &bob, &["moderator"]).await;
    (server, ada, bob, eve, community)
}

fn member(community: &Community, account: &Account) -> String {
    format!("/communities/{}/members/{}", community.id, account.id)
}

#[tokio::test]
async fn a_ban_tells_why_and_until_when_to_those_who_may_ban() {
    let (server, ada, bob, eve, community) = scene().await;
    let path = format!("/communities/{}/bans/{}", community.id, eve.id);
    let ban = |body: Value| server.put(&path).by(&bob).json(body).send();
    let until = in_hours(1);
    ban(json!({"reason": "", "expires_at": "soon"}))
        .await
        .invalid(&[("/reason", "empty"), ("/expires_at", "not_a_time")]);
    ban(json!({"reason": "é".repeat(513)})).await.invalid(&[("/reason", "too_long")]);
    ban(json!({"because": "x"})).await.invalid(&[("/because", "unknown_field")]);
    ban(json!({"expires_at": in_hours(-1)})).await.refused(422, "member_ends_in_the_past");
    let longest = "é".repeat(512);
    let banned = ban(json!({"reason": longest, "expires_at": until})).await.is(200);
    let list = format!("/communities/{}/bans", community.id);
    let listed = server.get(&list).by(&ada).after(&banned).send().await.is(200);
    let [shown] = &listed.items()[..] else { panic!("{}", listed.json) };
    assert_eq!((&shown["reason"], &shown["banned_by"]), (&json!(longest), &json!(bob.id)));
    let ends: jiff::Timestamp = shown["expires_at"].as_str().expect("a time").parse().expect("a time");
    let asked: jiff::Timestamp = until.parse().expect("a time");
    assert_eq!(ends.as_microsecond(), asked.as_microsecond());

    // Anew, with another reason and for ever.
    let banned = ban(json!({"reason": "Spam"})).await.is(200);
    let listed = server.get(&list).by(&ada).after(&banned).send().await.is(200);
    assert_eq!(listed.items().len(), 1);
    assert_eq!(listed.json["items"][0]["reason"], "Spam");
    assert_eq!(listed.json["items"][0]["expires_at"], Value::Null);
    // Without a body: it is so already.
    let again = server.put(&path).by(&bob).send().await.is(200);
    assert_eq!(again.text("/position"), banned.text("/position"));
    let listed = server.get(&list).by(&ada).after(&again).send().await.is(200);
    assert_eq!(listed.json["items"][0]["reason"], "Spam");
}

#[tokio::test]
async fn a_kick_may_tell_why() {
    let (server, _, bob, eve, community) = scene().await;
    let kick = |body: Value| server.delete(&member(&community, &eve)).by(&bob).json(body).send();
    kick(json!({"reason": " "})).await.invalid(&[("/reason", "empty")]);
    kick(json!({"reason": "x", "ban": true})).await.invalid(&[("/ban", "unknown_field")]);
    kick(json!({"reason": "Noise"})).await.is(200);
    kick(json!({})).await.refused(404, "member_not_found");
    server.delete(&member(&community, &bob)).by(&bob).send().await.refused(403, "member_rank_too_low");
}

#[tokio::test]
async fn the_same_key_with_another_reason_is_another_request() {
    let (server, _, bob, eve, community) = scene().await;
    let path = format!("/communities/{}/bans/{}", community.id, eve.id);
    let ban = |body: Value| server.put(&path).by(&bob).key("one").json(body).send();
    let first = ban(json!({"reason": "Spam"})).await.is(200);
    assert_eq!(ban(json!({"reason": "Spam"})).await.is(200).json, first.json);
    ban(json!({"reason": "Noise"})).await.refused(422, "idempotency_key_reused");
}

#[tokio::test]
async fn who_is_timed_out_only_looks_on() {
    let (server, ada, bob, eve, community) = scene().await;
    let path = format!("{}/time-out", member(&community, &eve));
    let time_out = |by, body: Value| server.put(&path).by(by).json(body).send();
    let messages = format!("/channels/{}/messages", community.channel);
    let post = || server.post(&messages).by(&eve).json(json!({"content": "x"})).send();

    let wrong = json!({"until": 5, "reason": "é".repeat(513), "for": 1});
    let faults = [("/until", "wrong_type"), ("/reason", "too_long"), ("/for", "unknown_field")];
    time_out(&bob, wrong).await.invalid(&faults);
    time_out(&bob, json!({"until": in_hours(-1)})).await.refused(422, "member_ends_in_the_past");
    time_out(&bob, json!({"until": in_hours(28 * 24 + 1)})).await.refused(422, "member_time_out_too_long");
    time_out(&eve, json!({"until": in_hours(1)})).await.refused(403, "member_may_not_moderate");

    let mut stream = Stream::live(&server, &eve).await;
    let timed_out = time_out(&bob, json!({"until": in_hours(28 * 24), "reason": "Noise"})).await.is(200);
    assert!(timed_out.json["member"]["timed_out_until"].is_string(), "{}", timed_out.json);
    let frame = stream.next_frame().await.expect("a frame");
    assert_eq!(frame.kind, "membership.timed_out");
    assert_eq!(frame.data["data"]["until"], timed_out.json["member"]["timed_out_until"]);
    assert!(!frame.data.to_string().contains("Noise"), "the reason is for those who moderate");
    let refused = post().await;
    assert_eq!(refused.status.as_u16(), 403, "{}", refused.json);
    server.get(&messages).by(&eve).send().await.is(200);

    let ended = server.delete(&path).by(&bob).send().await.is(200);
    assert_eq!(ended.json["member"]["timed_out_until"], Value::Null);
    assert_eq!(stream.next_frame().await.expect("a frame").kind, "membership.time_out_ended");
    post().await.is(201);
    server.delete(&path).by(&bob).send().await.is(200);
    let owner = format!("{}/time-out", member(&community, &ada));
    let body = json!({"until": in_hours(1)});
    server.put(&owner).by(&bob).json(body).send().await.refused(403, "member_rank_too_low");
    let mallory = server.account("mallory").await;
    time_out(&mallory, json!({"until": in_hours(1)})).await.refused(404, "community_not_found");
}

#[tokio::test]
async fn nicknames_are_shown_told_and_listed_by() {
    let (server, ada, bob, eve, community) = scene().await;
    let path = format!("{}/nickname", member(&community, &eve));
    let name = |by, nickname: &str| server.put(&path).by(by).json(json!({"nickname": nickname})).send();
    name(&eve, &"é".repeat(65)).await.invalid(&[("/nickname", "too_long")]);
    assert_eq!(name(&eve, &"é".repeat(64)).await.is(200).text("/member/nickname"), "é".repeat(64));
    let mut stream = Stream::live(&server, &ada).await;
    let named = name(&eve, " Aaron ").await.is(200);
    assert_eq!(named.text("/member/nickname"), "Aaron");
    let frame = stream.next_frame().await.expect("a frame");
    let expected = json!({"community_id": community.id, "account_id": eve.id, "nickname": "Aaron"});
    assert_eq!((frame.kind.as_str(), &frame.data["data"]), ("membership.nickname_changed", &expected));
    let list = format!("/communities/{}/members", community.id);
    let listed = server.get(&list).by(&bob).after(&named).send().await.is(200);
    let names: Vec<_> = listed.items().iter().map(|member| &member["account"]["display_name"]).collect();
    assert_eq!(names, ["eve", "ada", "bob"]);
    // Elsewhere she goes by her own.
    let other = server.community(&eve).await;
    let shown = server.get(&format!("/communities/{}", other.id)).by(&eve).send().await.is(200);
    assert_eq!(shown.json["member"]["nickname"], Value::Null);

    let cleared = name(&bob, "").await.is(200);
    assert_eq!(cleared.json["member"]["nickname"], Value::Null);
    assert_eq!(stream.next_frame().await.expect("a frame").data["data"]["nickname"], Value::Null);
    let of_bob = format!("{}/nickname", member(&community, &bob));
    let body = json!({"nickname": "Bobby"});
    server.put(&of_bob).by(&eve).json(body).send().await.refused(403, "member_may_not_moderate");
    let of_ada = format!("{}/nickname", member(&community, &ada));
    let body = json!({"nickname": "Ada II"});
    server.put(&of_ada).by(&bob).json(body).send().await.refused(403, "member_rank_too_low");
    server.set_roles(&community, &ada, &eve, &["guest"]).await;
    name(&eve, "Guest").await.refused(403, "member_may_not_moderate");
}
