use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn an_invite_previews_and_lets_in() {
    let server = TestServer::start().await;
    let (ada, bob) = (server.account("ada").await, server.account("bob").await);
    let community = server.community(&ada).await;
    let path = format!("/communities/{}/invites", community.id);
    let made =
        server.post(&path).by(&ada).json(json!({"max_uses": 2, "expires_in": 3600})).send().await.is(201);
    let code = made.text("/invite/code");
    assert_eq!(made.text("/invite/url"), format!("{}/invite/{code}", server.base));
    assert_eq!(made.json["invite"]["max_uses"], 2);
    let preview = server.get(&format!("/invites/{code}")).after(&made).send().await.is(200);
    assert_eq!(preview.json["community"]["member_count"], 1);
    assert_eq!(preview.json["invited_by"]["handle"], "ada");

    let redeem = || server.post(&format!("/invites/{code}/redemptions")).by(&bob).send();
    let joined = redeem().await.is(201);
    assert_eq!(joined.json["community"]["id"], community.id.as_str());
    redeem().await.is(200);
    let listed = server.get(&path).by(&ada).after(&joined).send().await.is(200);
    assert_eq!(listed.json["items"][0]["uses"], 1);
    assert!(
        server.get(&path).by(&bob).send().await.is(200).items().is_empty(),
        "others' invites are not shown"
    );
}

#[tokio::test]
async fn of_twenty_simultaneous_redemptions_of_one_use_exactly_one_joins() {
    let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let mut guests = Vec::new();
    for number in 0..20 {
        guests.push(server.account(&format!("guest{number}")).await);
    }
    let path = format!("/communities/{}/invites", community.id);
    let made = server.post(&path).by(&ada).json(json!({"max_uses": 1})).send().await.is(201);
    let redemptions = format!("/invites/{}/redemptions", made.text("/invite/code"));
    let all = guests.iter().map(|guest| server.post(&redemptions).by(guest).send());
    let answers = futures_util::future::join_all(all).await;
    let joined = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers.iter().filter(|answer| answer.json["code"] == "invite_not_found").count();
    assert_eq!((joined, refused), (1, 19));
    let members = server.get(&format!("/communities/{}/members?limit=100", community.id)).by(&ada);
    assert_eq!(members.send().await.is(200).items().len(), 2);
}

#[tokio::test]
async fn expired_used_up_revoked_and_unknown_look_alike() {
    let server = TestServer::start().await;
    let (ada, bob, eve) =
        (server.account("ada").await, server.account("bob").await, server.account("eve").await);
    let community = server.community(&ada).await;
    let path = format!("/communities/{}/invites", community.id);
    let make = async |body| server.post(&path).by(&ada).json(body).send().await.is(201).text("/invite/code");
    let expired = make(json!({"expires_in": 1})).await;
    let used = make(json!({"max_uses": 1})).await;
    server.post(&format!("/invites/{used}/redemptions")).by(&bob).send().await.is(201);
    let revoked = make(json!({})).await;
    server.delete(&format!("/invites/{revoked}")).by(&eve).send().await.refused(404, "invite_not_found");
    server.delete(&format!("/invites/{revoked}")).by(&bob).send().await.refused(403, "invite_may_not_revoke");
    let answer = server.delete(&format!("/invites/{revoked}")).by(&ada).send().await.is(200);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let mut told = Vec::new();
    for code in [&expired, &used, &revoked, "222222222222", "nonsense"] {
        let preview = server.get(&format!("/invites/{code}")).after(&answer).send().await;
        told.push(preview.refused(404, "invite_not_found").text("/detail"));
        let redeemed = server.post(&format!("/invites/{code}/redemptions")).by(&eve).send().await;
        told.push(redeemed.refused(404, "invite_not_found").text("/detail"));
    }
    assert!(told.iter().all(|detail| *detail == told[0]), "{told:?}");
    // Who is in already hears so, however the invite stands.
    server.post(&format!("/invites/{used}/redemptions")).by(&bob).send().await.is(200);
}

#[tokio::test]
async fn the_limits_of_an_invite_are_checked() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let make =
        |body| server.post(&format!("/communities/{}/invites", community.id)).by(&ada).json(body).send();
    for (field, max) in [("max_uses", 10_000), ("expires_in", 2_592_000)] {
        make(json!({field: max})).await.is(201);
        make(json!({field: 1})).await.is(201);
        let pointer = format!("/{field}");
        for bad in [json!(max + 1), json!(0), json!(-1), json!(1.5), json!(1e30)] {
            make(json!({field: bad})).await.invalid(&[(&pointer, "out_of_range")]);
        }
        make(json!({field: "5"})).await.invalid(&[(&pointer, "wrong_type")]);
    }
    make(json!({"max_uses": null, "expires_in": null})).await.is(201);
}
