use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn members_are_listed_by_name_page_by_page() {
    let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let mut others = Vec::new();
    for name in ["eve", "Dan", "carol", "Bob"] {
        others.push(server.account(name).await);
    }
    server.join(&community, &ada, &others.iter().collect::<Vec<_>>()).await;
    let mut path = format!("/communities/{}/members?limit=2", community.id);
    let mut names = Vec::new();
    loop {
        let page = server.get(&path).by(&ada).send().await.is(200);
        names.extend(
            page.items().iter().map(|m| m["account"]["display_name"].as_str().unwrap_or("?").to_owned()),
        );
        let Some(next) = page.json["next"].as_str() else {
            assert_eq!(page.header("link"), None);
            break;
        };
        let link = page.header("link").expect("a link").to_owned();
        assert_eq!(
            link,
            format!("</v1/communities/{}/members?after={next}&limit=2>; rel=\"next\"", community.id)
        );
        path = format!("/communities/{}/members?limit=2&after={next}", community.id);
    }
    assert_eq!(names, ["ada", "Bob", "carol", "Dan", "eve"]);
    let bad = format!("/communities/{}/members?after=bm9wZQ", community.id);
    server.get(&bad).by(&ada).send().await.invalid(&[("after", "not_a_cursor")]);
}

#[tokio::test]
async fn a_moderator_moderates_at_once_and_below_their_rank_only() {
    let server = TestServer::start().await;
    let (ada, bob, eve) =
        (server.account("ada").await, server.account("bob").await, server.account("eve").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob, &eve]).await;
    let member = |of: &str| format!("/communities/{}/members/{of}", community.id);
    server.delete(&member(&eve.id)).by(&bob).send().await.refused(403, "member_may_not_moderate");
    let answer =
        server.patch(&member(&bob.id)).by(&ada).json(json!({"roles": ["moderator"]})).send().await.is(200);
    assert_eq!(answer.json["member"]["rank"], 3);

    let roles =
        |by, of: &str, roles: &[&str]| server.patch(&member(of)).by(by).json(json!({"roles": roles})).send();
    roles(&bob, &eve.id, &["guest"]).await.is(200);
    roles(&bob, &eve.id, &["moderator"]).await.refused(403, "member_role_too_high");
    roles(&bob, &ada.id, &["guest"]).await.refused(403, "member_rank_too_low");
    roles(&bob, &eve.id, &[]).await.refused(422, "member_no_role");
    roles(&bob, &eve.id, &["king"]).await.invalid(&[("/roles", "unknown_value")]);
    server.delete(&member(&ada.id)).by(&bob).send().await.refused(403, "member_rank_too_low");
    let kicked = server.delete(&member(&eve.id)).by(&bob).send().await.is(200);
    let shown = server.get(&format!("/communities/{}", community.id)).by(&eve).after(&kicked);
    shown.send().await.refused(404, "community_not_found");
    server.delete(&member(&eve.id)).by(&bob).send().await.refused(404, "member_not_found");
}

#[tokio::test]
async fn everyone_but_the_owner_can_leave_and_come_back() {
    let server = TestServer::start().await;
    let (ada, bob) = (server.account("ada").await, server.account("bob").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    let me = format!("/communities/{}/members/me", community.id);
    server.delete(&me).by(&ada).send().await.refused(409, "member_owner_cannot_leave");
    let left = server.delete(&me).by(&bob).send().await.is(200);
    let listed = server.get("/communities").by(&bob).after(&left).send().await.is(200);
    let ids: BTreeSet<_> = listed.items().iter().filter_map(|item| item["id"].as_str()).collect();
    assert!(!ids.contains(community.id.as_str()));
    server.join(&community, &ada, &[&bob]).await;
}

#[tokio::test]
async fn a_ban_keeps_out_until_it_is_lifted() {
    let server = TestServer::start().await;
    let (ada, bob, eve) =
        (server.account("ada").await, server.account("bob").await, server.account("eve").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    let code = server.invite(&community, &ada).await;
    let redeem = |by| server.post(&format!("/invites/{code}/redemptions")).by(by).send();
    let ban = |of: &str| format!("/communities/{}/bans/{of}", community.id);
    server.put(&ban(&bob.id)).by(&ada).send().await.is(200);
    // Somebody who never was a member can be banned; nobody at all cannot.
    let banned = server.put(&ban(&eve.id)).by(&ada).send().await.is(200);
    server
        .put(&ban("00000000-0000-7000-8000-000000000000"))
        .by(&ada)
        .send()
        .await
        .refused(404, "member_not_found");
    server.put(&ban(&ada.id)).by(&ada).send().await.refused(403, "member_rank_too_low");
    redeem(&bob).await.refused(403, "invite_banned");

    let list = format!("/communities/{}/bans", community.id);
    let listed = server.get(&list).by(&ada).after(&banned).send().await.is(200);
    assert_eq!(listed.items().len(), 2);
    assert_eq!(listed.json["items"][0]["banned_by"], ada.id.as_str());
    server.get(&list).by(&bob).send().await.refused(404, "community_not_found");
    server.delete(&ban(&bob.id)).by(&ada).send().await.is(200);
    redeem(&bob).await.is(201);
    server.get(&list).by(&bob).send().await.refused(403, "member_may_not_moderate");
}
