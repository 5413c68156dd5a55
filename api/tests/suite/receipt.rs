//! Receipts and the privacy switch.

use serde_json::{Value, json};

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

/// A group of ada's with bob and cleo in it.
async fn group(server: &TestServer, ada: &Account, others: &[&Account]) -> String {
    let members: Vec<&str> = others.iter().map(|account| account.id.as_str()).collect();
    let body = json!({"name": "Engines", "members": members});
    server.post("/group-channels").by(ada).json(body).send().await.is(201).text("/channel/id")
}

async fn receipts(server: &TestServer, channel: &str, by: &Account) -> Vec<(String, Value, Value)> {
    let list = server.get(&format!("/channels/{channel}/receipts")).by(by).send().await.is(200);
    let field = |receipt: &Value, name: &str| receipt[name].clone();
    let receipt = |receipt: &Value| {
        let account = receipt["account_id"].as_str().expect("an id").to_owned();
        (account, field(receipt, "delivered"), field(receipt, "read"))
    };
    let mut receipts: Vec<_> = list.items().iter().map(receipt).collect();
    receipts.sort_by(|a, b| a.0.cmp(&b.0));
    receipts
}

async fn delivered(server: &TestServer, channel: &str, by: &Account, message: &str) {
    let path = format!("/channels/{channel}/delivery-marker");
    server.put(&path).by(by).json(json!({"message": message})).send().await.is(204);
}

async fn read(server: &TestServer, channel: &str, by: &Account, message: &str) {
    let path = format!("/channels/{channel}/read-marker");
    server.put(&path).by(by).json(json!({"message": message})).send().await.is(200);
}

async fn caught_up(server: &TestServer, account: &Account) -> Stream {
    let mut stream = Stream::open(server, account, None).await;
    while stream.next().await.expect("a heartbeat").id.is_none() {}
    stream
}

/// The next receipt that is told: of whom, and which message was delivered and read.
async fn told(stream: &mut Stream, channel: &str) -> (String, Value, Value) {
    loop {
        let signal = stream.next_frame().await.expect("a signal");
        if signal.kind == "receipt" {
            assert_eq!((&signal.id, &signal.data["topic"]), (&None, &json!(format!("channel:{channel}"))));
            let data = &signal.data["data"];
            assert_eq!(data["channel_id"], channel);
            let account = data["account_id"].as_str().expect("an id").to_owned();
            return (account, data["delivered"].clone(), data["read"].clone());
        }
    }
}

#[tokio::test]
async fn participants_learn_what_was_delivered_and_read() {
    let (server, ada, bob, community) = scene().await;
    let (cleo, eve) = (server.account("cleo").await, server.account("eve").await);
    server.join(&community, &ada, &[&cleo]).await;
    let channel = group(&server, &ada, &[&bob, &cleo]).await;
    let first = server.message(&channel, &ada, "one").await;
    let second = server.message(&channel, &ada, "two").await;
    let (mut of_ada, mut of_cleo) = (caught_up(&server, &ada).await, caught_up(&server, &cleo).await);

    delivered(&server, &channel, &bob, &second).await;
    // It moves forward only, and what is no news is not told.
    delivered(&server, &channel, &bob, &first).await;
    read(&server, &channel, &bob, &first).await;
    // To mark something unread takes back no receipt.
    let path = format!("/channels/{channel}/read-marker");
    let body = json!({"message": first, "unread": true});
    server.put(&path).by(&bob).json(body).send().await.is(200);
    read(&server, &channel, &bob, &second).await;
    for stream in [&mut of_ada, &mut of_cleo] {
        assert_eq!(told(stream, &channel).await, (bob.id.clone(), json!(second), json!(null)));
        assert_eq!(told(stream, &channel).await, (bob.id.clone(), json!(first), json!(first)));
        assert_eq!(told(stream, &channel).await, (bob.id.clone(), json!(second), json!(second)));
    }
    let server = server.restart().await;
    let mut expected = vec![
        (ada.id.clone(), json!(null), json!(null)),
        (bob.id.clone(), json!(second), json!(second)),
        (cleo.id.clone(), json!(null), json!(null)),
    ];
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    for by in [&ada, &bob, &cleo] {
        assert_eq!(receipts(&server, &channel, by).await, expected);
    }
    let list = format!("/channels/{channel}/receipts");
    server.get(&list).by(&eve).send().await.refused(404, "channel_not_found");
    let marker = format!("/channels/{channel}/delivery-marker");
    let body = json!({"message": first});
    server.put(&marker).by(&eve).json(body).send().await.refused(404, "channel_not_found");
}

#[tokio::test]
async fn who_keeps_their_reading_to_themselves_neither_tells_nor_is_told() {
    let (server, ada, bob, community) = scene().await;
    let cleo = server.account("cleo").await;
    server.join(&community, &ada, &[&cleo]).await;
    let channel = group(&server, &ada, &[&bob, &cleo]).await;
    let message = server.message(&channel, &ada, "one").await;
    let switch = async |on: bool| {
        server.patch("/me/privacy").by(&bob).json(json!({"read_receipts": on})).send().await.is(200);
    };
    switch(false).await;
    let (mut of_ada, mut of_bob) = (caught_up(&server, &ada).await, caught_up(&server, &bob).await);
    read(&server, &channel, &bob, &message).await;
    read(&server, &channel, &cleo, &message).await;
    let (read_by_cleo, reached_cleo) =
        ((cleo.id.clone(), json!(message), json!(message)), (cleo.id.clone(), json!(message), json!(null)));
    assert_eq!(told(&mut of_ada, &channel).await, read_by_cleo, "of bob nothing was told");
    assert_eq!(told(&mut of_bob, &channel).await, reached_cleo);
    let seen = async |by: &Account, of: &Account| {
        let all = receipts(&server, &channel, by).await;
        all.into_iter().find(|(account, ..)| *account == of.id).expect("a participant")
    };
    let nothing_of_bob = (bob.id.clone(), json!(null), json!(null));
    assert_eq!(seen(&ada, &bob).await, nothing_of_bob);
    assert_eq!(seen(&ada, &cleo).await, read_by_cleo);
    assert_eq!(seen(&bob, &cleo).await, reached_cleo);

    // What was read meanwhile is not told later; that it is delivered always is.
    switch(true).await;
    assert_eq!(seen(&ada, &bob).await, nothing_of_bob);
    assert_eq!(seen(&bob, &cleo).await, read_by_cleo);
    switch(false).await;
    delivered(&server, &channel, &bob, &message).await;
    let reached_bob = (bob.id.clone(), json!(message), json!(null));
    assert_eq!(told(&mut of_ada, &channel).await, reached_bob);
    assert_eq!(seen(&ada, &bob).await, reached_bob);
}
