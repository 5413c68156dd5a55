use serde_json::json;

use crate::harness::TestServer;
use crate::live::{cursor, poll};

#[tokio::test]
async fn a_channel_keeps_its_pins_at_hand() {
    let server = TestServer::start().await;
    let (ada, bob, eve) =
        (server.account("ada").await, server.account("bob").await, server.account("eve").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    let channel = &community.channel;
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        ids.push(server.message(channel, &bob, text).await);
    }
    let pin = |id: &str| format!("/messages/{id}/pin");
    server.put(&pin(&ids[0])).by(&bob).send().await.refused(403, "message_may_not_pin");
    server.delete(&pin(&ids[0])).by(&bob).send().await.refused(403, "message_may_not_pin");
    server.put(&pin(&ids[0])).by(&eve).send().await.refused(404, "message_not_found");
    for id in [&ids[1], &ids[2], &ids[0]] {
        server.put(&pin(id)).by(&ada).send().await.is(200);
    }
    let last = server.put(&pin(&ids[0])).by(&ada).send().await.is(200);

    let path = format!("/channels/{channel}/pins");
    let first = server.get(&format!("{path}?limit=2")).by(&bob).after(&last).send().await.is(200);
    let texts = |answer: &crate::harness::Answer| {
        let of = |item: &serde_json::Value| item["message"]["content"].as_str().map(str::to_owned);
        answer.items().iter().filter_map(of).collect::<Vec<_>>()
    };
    assert_eq!(texts(&first), ["one", "three"], "the newest pin first");
    assert_eq!(
        (&first.items()[0]["pinned_by"], &first.items()[0]["message"]["pinned"]),
        (&json!(ada.id), &json!(true))
    );
    let next = first.text("/next");
    let rest = server.get(&format!("{path}?limit=2&before={next}")).by(&bob).send().await.is(200);
    assert_eq!((texts(&rest), rest.json["next"].is_null()), (vec!["two".to_owned()], true));
    server.get(&path).by(&eve).send().await.refused(404, "channel_not_found");
    server.get(&format!("{path}?before=x")).by(&bob).send().await.invalid(&[("before", "not_a_cursor")]);

    let edited = server.patch(&format!("/messages/{}", ids[0])).by(&bob).json(json!({"content": "uno"}));
    assert_eq!(edited.send().await.is(200).json["message"]["pinned"], true);
    server.delete(&pin(&ids[1])).by(&ada).send().await.is(200);
    let deleted = server.delete(&format!("/messages/{}", ids[2])).by(&bob).send().await.is(200);
    assert_eq!(deleted.json["message"]["pinned"], false);
    let left = server.get(&path).by(&bob).after(&deleted).send().await.is(200);
    assert_eq!(texts(&left), ["uno"]);
    server.put(&pin(&ids[2])).by(&ada).send().await.refused(409, "message_deleted");
}

#[tokio::test]
async fn pins_come_live() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let id = server.message(&community.channel, &ada, "Read this").await;
    let start = cursor(&server, &ada).await;
    let path = format!("/messages/{id}/pin");
    server.put(&path).by(&ada).send().await.is(200);
    server.delete(&path).by(&ada).send().await.is(200);
    let mut frames = Vec::new();
    let mut after = start;
    while frames.len() < 2 {
        let answer = poll(&server, &ada, &after, "").await;
        frames.extend(answer["events"].as_array().cloned().unwrap_or_default());
        after = answer["next"].as_str().expect("a cursor").to_owned();
    }
    let at = &frames[0]["time"];
    assert_eq!(
        (&frames[0]["type"], &frames[0]["data"]),
        (
            &json!("message.pinned"),
            &json!({"id": id, "channel_id": community.channel, "pinned_at": at, "pinned_by": ada.id})
        )
    );
    assert_eq!(
        (&frames[1]["type"], &frames[1]["data"]),
        (
            &json!("message.unpinned"),
            &json!({"id": id, "channel_id": community.channel, "unpinned_by": ada.id})
        )
    );
}
