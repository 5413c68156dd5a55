mod settings;

use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn channels_are_created_changed_and_deleted() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let create =
        |body| server.post(&format!("/communities/{}/channels", community.id)).by(&ada).json(body).send();

    let category = create(json!({"name": "Voices", "kind": "category"})).await.is(201).text("/channel/id");
    let body = json!({"name": "lounge", "kind": "audio", "topic": "quiet", "category_id": category});
    let made = create(body).await.is(201);
    assert_eq!(made.json["channel"]["kind"], "audio");
    assert_eq!(made.json["channel"]["category_id"], category.as_str());
    let path = format!("/channels/{}", made.text("/channel/id"));
    let shown = server.get(&path).by(&ada).after(&made).send().await.is(200);
    assert_eq!(shown.json, made.json["channel"], "what a command answers is what a read shows");

    let changed = server.patch(&path).by(&ada).json(json!({"topic": ""})).send().await.is(200);
    assert_eq!(changed.json["channel"]["topic"], "");
    assert_eq!(changed.json["channel"]["name"], "lounge");
    let deleted = server.delete(&path).by(&ada).send().await.is(200);
    server.get(&path).by(&ada).after(&deleted).send().await.refused(404, "channel_not_found");
    server.patch(&path).by(&ada).json(json!({"name": "x"})).send().await.refused(404, "channel_not_found");
}

#[tokio::test]
async fn what_a_channel_cannot_be_is_refused() {
    let server = TestServer::start().await;
    let (ada, bob) = (server.account("ada").await, server.account("bob").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    let path = format!("/communities/{}/channels", community.id);
    let create = |by, body| server.post(&path).by(by).json(body).send();
    let category = create(&ada, json!({"name": "c", "kind": "category"})).await.is(201).text("/channel/id");
    create(&bob, json!({"name": "x"})).await.refused(403, "channel_may_not_manage");
    let nested = json!({"name": "x", "kind": "category", "category_id": category});
    create(&ada, nested).await.refused(409, "channel_category_in_category");
    let text = json!({"name": "x", "category_id": community.channel});
    create(&ada, text).await.refused(409, "channel_category_not_found");
    create(&ada, json!({"name": "x", "kind": "direct"})).await.invalid(&[("/kind", "unknown_value")]);
    create(&ada, json!({"name": "x", "category_id": "7"})).await.invalid(&[("/category_id", "not_an_id")]);
    let posted =
        server.post(&format!("/channels/{category}/messages")).by(&ada).json(json!({"content": "x"}));
    posted.send().await.refused(409, "message_channel_holds_none");
}
