//! Receipts and the privacy switch.

use serde_json::json;

use crate::harness::{Account, Community, TestServer};
use crate::live::Stream;

/// A community of ada's with bob in it.
async fn scene() -> (TestServer, Account, Account, Community) {
    let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
    let (ada, bob) = (server.account("ada").await, server.account("bob").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    (server, ada, bob, community)
}

#[tokio::test]
async fn channels_of_communities_have_no_receipts() {
    let (server, ada, bob, community) = scene().await;
    let eve = server.account("eve").await;
    let message = server.message(&community.channel, &ada, "hello").await;
    let body = json!({"message": message});
    let (marker, list) = (
        format!("/channels/{}/delivery-marker", community.channel),
        format!("/channels/{}/receipts", community.channel),
    );
    server.put(&marker).by(&bob).json(body.clone()).send().await.refused(409, "channel_has_no_receipts");
    server.get(&list).by(&bob).send().await.refused(409, "channel_has_no_receipts");
    server.put(&marker).by(&eve).json(body).send().await.refused(404, "channel_not_found");
    server.get(&list).by(&eve).send().await.refused(404, "channel_not_found");
    server.put(&marker).by(&bob).json(json!({})).send().await.invalid(&[("/message", "required")]);
    let body = json!({"message": community.id});
    server.put(&marker).by(&bob).json(body).send().await.invalid(&[("/message", "not_found")]);
}

#[tokio::test]
async fn the_privacy_switch_is_kept_and_ones_own_devices_are_told() {
    let (server, ada, bob, _) = scene().await;
    let mut of_bob = Stream::open(&server, &bob, None).await;
    while of_bob.next().await.expect("a heartbeat").id.is_none() {}
    let show =
        async |server: &TestServer, by: &Account| server.get("/me/privacy").by(by).send().await.is(200).json;
    let (on, off) = (json!({"read_receipts": true}), json!({"read_receipts": false}));
    assert_eq!(show(&server, &bob).await, on);
    let change = async |body| server.patch("/me/privacy").by(&bob).json(body).send().await.is(200).json;
    assert_eq!(change(json!({})).await["privacy"], on, "what is left out stays");
    assert_eq!(change(off.clone()).await["privacy"], off);
    assert_eq!(change(json!({"read_receipts": null})).await["privacy"], off);
    assert_eq!(change(on.clone()).await["privacy"], on);
    for expected in [&off, &on] {
        let told = of_bob.next_frame().await.expect("a signal");
        assert_eq!((told.kind.as_str(), &told.id), ("privacy", &None));
        assert_eq!(told.data["data"], *expected, "what does not change is not told");
    }
    change(off.clone()).await;
    let server = server.restart().await;
    assert_eq!(show(&server, &bob).await, off);
    assert_eq!(server.get("/bootstrap").by(&bob).send().await.is(200).json["privacy"], off);
    assert_eq!(show(&server, &ada).await, on);
    let wrong = json!({"read_receipts": 1, "typing": false});
    let faults = [("/read_receipts", "wrong_type"), ("/typing", "unknown_field")];
    server.patch("/me/privacy").by(&bob).json(wrong).send().await.invalid(&faults);
    server.get("/me/privacy").send().await.refused(401, "unauthenticated");
}
