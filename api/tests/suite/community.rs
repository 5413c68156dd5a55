use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn a_community_is_created_with_its_first_channel_and_owned() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let answer = server.post("/communities").by(&ada).json(json!({"name": " Engines "})).send().await.is(201);
    let community = &answer.json["community"];
    assert_eq!(community["name"], "Engines");
    assert_eq!(community["owner_id"], ada.id.as_str());
    assert_eq!(community["member"]["owner"], true);
    assert_eq!(community["member"]["roles"], json!(["member"]));
    assert_eq!(community["channels"].as_array().map(Vec::len), Some(1));
    let shown = server.get(&format!("/communities/{}", answer.text("/community/id"))).by(&ada);
    assert_eq!(shown.after(&answer).send().await.is(200).json, *community);
}

#[tokio::test]
async fn only_the_owner_renames_and_deletes() {
    let server = TestServer::start().await;
    let (ada, bob, eve) =
        (server.account("ada").await, server.account("bob").await, server.account("eve").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    server.set_roles(&community, &ada, &bob, &["moderator"]).await;
    let path = format!("/communities/{}", community.id);
    let rename = |by| server.patch(&path).by(by).json(json!({"name": "Looms"})).send();
    rename(&bob).await.refused(403, "community_may_not_manage");
    rename(&eve).await.refused(404, "community_not_found");
    assert_eq!(rename(&ada).await.is(200).text("/community/name"), "Looms");
    server.delete(&path).by(&bob).send().await.refused(403, "community_not_owner");
    let deleted = server.delete(&path).by(&ada).send().await.is(200);
    server.get(&path).by(&ada).after(&deleted).send().await.refused(404, "community_not_found");
    let channel = format!("/channels/{}", community.channel);
    server.get(&channel).by(&ada).after(&deleted).send().await.refused(404, "channel_not_found");
    rename(&ada).await.refused(404, "community_not_found");
}

#[tokio::test]
async fn communities_are_listed_in_the_order_of_joining() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let (one, two) = (server.community(&ada).await, server.community(&ada).await);
    let listed = server.get("/communities").by(&ada).send().await.is(200);
    let ids: Vec<_> = listed.items().iter().map(|item| item["id"].as_str().unwrap_or_default()).collect();
    assert_eq!(ids[1..], [one.id.as_str(), two.id.as_str()]);
    assert!(listed.json["next"].is_null() && listed.json["prev"].is_null());
}
