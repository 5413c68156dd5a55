use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn the_bootstrap_is_a_snapshot_that_the_stream_goes_on_from() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let bootstrap = server.get("/bootstrap").by(&ada).send().await.is(200);
    assert_eq!(bootstrap.json["account"]["email"], "ada@example.org");
    let ids: Vec<_> = bootstrap.json["communities"].as_array().expect("communities").iter().collect();
    assert_eq!(ids.len(), 2);
    let message = server.message(&community.channel, &ada, "after the snapshot").await;
    let cursor = bootstrap.text("/cursor");
    let events = server.get(&format!("/events?after={cursor}&wait=5")).by(&ada).send().await.is(200);
    let events = events.json["events"].as_array().expect("events").clone();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["type"], "message.posted");
    assert_eq!(events[0]["data"]["id"], message.as_str());
    assert_eq!(events[0]["data"]["reactions"], json!([]));
}
