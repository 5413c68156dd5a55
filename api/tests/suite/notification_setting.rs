//! Notification settings: what is kept, what holds, and who is told.

use jiff::{SignedDuration, Timestamp, Unit};
use serde_json::{Value, json};

use crate::harness::{Account, Answer, Community, TestServer, now};
use crate::live::Stream;

/// A community of ada's with bob in it.
async fn scene() -> (TestServer, Account, Account, Community) {
    let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
    let (ada, bob) = (server.account("ada").await, server.account("bob").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    (server, ada, bob, community)
}

fn of_community(community: &Community) -> String {
    format!("/communities/{}/notification-settings", community.id)
}

fn of_channel(community: &Community) -> String {
    format!("/channels/{}/notification-settings", community.channel)
}

fn in_days(days: i64) -> Timestamp {
    let time = now() + SignedDuration::from_hours(24 * days);
    time.round(Unit::Second).expect("a time")
}

fn setting(community: Option<&str>, channel: Option<&str>, level: &str, muted: bool, until: Value) -> Value {
    json!({
        "community_id": community, "channel_id": channel, "level": level, "muted": muted, "muted_until": until,
    })
}

async fn put(server: &TestServer, path: &str, by: &Account, body: Value) -> Answer {
    server.put(path).by(by).json(body).send().await
}

#[tokio::test]
async fn settings_are_kept_until_they_are_replaced_or_reset() {
    let (server, ada, bob, community) = scene().await;
    let (id, channel) = (Some(community.id.as_str()), Some(community.channel.as_str()));
    let until = in_days(3);
    let told = put(&server, &of_community(&community), &bob, json!({"level": "mentions"})).await.is(200);
    assert_eq!(told.json["notification_setting"], setting(id, None, "mentions", false, Value::Null));
    let body = json!({"level": "all", "muted_until": until});
    let told = put(&server, &of_channel(&community), &bob, body).await.is(200);
    let in_channel = setting(None, channel, "all", true, json!(until));
    assert_eq!(told.json["notification_setting"], in_channel);
    let told = put(&server, &of_community(&community), &bob, json!({"muted": true})).await.is(200);
    let in_community = setting(id, None, "default", true, Value::Null);
    assert_eq!(told.json["notification_setting"], in_community, "what was left out is as if never set");

    let server = server.restart().await;
    let list = async |by: &Account| {
        server.get("/me/notification-settings").by(by).send().await.is(200).json["items"].clone()
    };
    assert_eq!(list(&bob).await, json!([in_channel, in_community]));
    assert_eq!(list(&ada).await, json!([]));
    let bootstrap = server.get("/bootstrap").by(&bob).send().await.is(200);
    assert_eq!(bootstrap.json["notification_settings"], json!([in_channel, in_community]));
    for _ in 0..2 {
        server.delete(&of_channel(&community)).by(&bob).send().await.is(204);
    }
    assert_eq!(list(&bob).await, json!([in_community]));
    let path = format!("/communities/{}/members/me", community.id);
    let left = server.delete(&path).by(&bob).send().await.is(200);
    let list = server.get("/me/notification-settings").by(&bob).after(&left).send().await.is(200);
    assert_eq!(list.items().len(), 0, "what may not be seen any more is not shown");
}

#[tokio::test]
async fn what_holds_in_a_channel_is_told_with_its_reasons() {
    let (server, _, bob, community) = scene().await;
    let holds = async || server.get(&of_channel(&community)).by(&bob).send().await.is(200).json;
    let nothing = json!({"channel": null, "community": null, "effective": {"level": "all", "until": null}});
    assert_eq!(holds().await, nothing);
    put(&server, &of_community(&community), &bob, json!({"level": "nothing"})).await.is(200);
    assert_eq!(holds().await["effective"], json!({"level": "nothing", "until": null}));
    put(&server, &of_channel(&community), &bob, json!({"level": "mentions"})).await.is(200);
    let told = holds().await;
    assert_eq!(told["effective"], json!({"level": "mentions", "until": null}));
    assert_eq!(
        (&told["channel"]["level"], &told["community"]["level"]),
        (&json!("mentions"), &json!("nothing"))
    );
    let until = in_days(1);
    put(&server, &of_community(&community), &bob, json!({"muted_until": until})).await.is(200);
    assert_eq!(holds().await["effective"], json!({"level": "nothing", "until": until}));
}

#[tokio::test]
async fn the_end_of_a_mute_is_to_come_and_not_too_far_away() {
    let (server, _, bob, community) = scene().await;
    let path = of_channel(&community);
    let call = async |until: Timestamp| put(&server, &path, &bob, json!({"muted_until": until})).await;
    call(in_days(365) - SignedDuration::from_secs(2)).await.is(200);
    call(in_days(0) + SignedDuration::from_secs(60)).await.is(200);
    for wrong in [in_days(365) + SignedDuration::from_secs(60), in_days(0) - SignedDuration::from_secs(2)] {
        call(wrong).await.invalid(&[("/muted_until", "out_of_range")]);
    }
    for muted in [true, false] {
        let body = json!({"muted": muted, "muted_until": in_days(1)});
        put(&server, &path, &bob, body).await.invalid(&[("/muted_until", "too_many")]);
    }
    let body = json!({"level": "some", "muted": 1, "muted_until": "forever", "sound": true});
    put(&server, &path, &bob, body).await.invalid(&[
        ("/level", "unknown_value"),
        ("/muted", "wrong_type"),
        ("/muted_until", "not_a_time"),
        ("/sound", "unknown_field"),
    ]);
}

#[tokio::test]
async fn ones_own_devices_are_told_and_nobody_else() {
    let (server, ada, bob, community) = scene().await;
    let (mut of_bob, mut of_ada) =
        (Stream::open(&server, &bob, None).await, Stream::open(&server, &ada, None).await);
    for stream in [&mut of_bob, &mut of_ada] {
        while stream.next().await.expect("a heartbeat").id.is_none() {}
    }
    let id = Some(community.id.as_str());
    put(&server, &of_community(&community), &bob, json!({"level": "nothing"})).await.is(200);
    server.delete(&of_community(&community)).by(&bob).send().await.is(204);
    // Nothing is set any more: there is nothing to tell.
    server.delete(&of_community(&community)).by(&bob).send().await.is(204);
    put(&server, &of_community(&community), &bob, json!({"level": "all"})).await.is(200);
    for level in ["nothing", "default", "all"] {
        let told = of_bob.next_frame().await.expect("a signal");
        assert_eq!((told.kind.as_str(), &told.id), ("notification_settings", &None));
        assert_eq!(told.data["data"], setting(id, None, level, false, Value::Null));
    }
    put(&server, &of_community(&community), &ada, json!({"level": "mentions"})).await.is(200);
    let told = of_ada.next_frame().await.expect("a signal");
    assert_eq!(told.data["data"]["level"], "mentions", "what bob does is not told to ada");
}

#[tokio::test]
async fn nothing_is_set_for_what_one_may_not_see() {
    let (server, _, _, community) = scene().await;
    let eve = server.account("eve").await;
    let body = json!({"level": "all"});
    put(&server, &of_community(&community), &eve, body.clone()).await.refused(404, "community_not_found");
    put(&server, &of_channel(&community), &eve, body).await.refused(404, "channel_not_found");
    server.delete(&of_community(&community)).by(&eve).send().await.refused(404, "community_not_found");
    server.delete(&of_channel(&community)).by(&eve).send().await.refused(404, "channel_not_found");
    server.get(&of_channel(&community)).by(&eve).send().await.refused(404, "channel_not_found");
    server.get("/me/notification-settings").send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_conversation_has_settings_and_no_community() {
    let (server, ada, bob, _) = scene().await;
    let opened =
        server.post("/direct-channels").by(&ada).json(json!({"account": bob.id})).send().await.is(201);
    let channel = opened.text("/channel/id");
    let path = format!("/channels/{channel}/notification-settings");
    put(&server, &path, &bob, json!({"muted": true})).await.is(200);
    let muted = setting(None, Some(&channel), "default", true, Value::Null);
    let told = server.get(&path).by(&bob).send().await.is(200).json;
    let effective = json!({"level": "nothing", "until": null});
    assert_eq!(told, json!({"channel": muted, "community": null, "effective": effective}));
    let list = server.get("/me/notification-settings").by(&bob).send().await.is(200);
    assert_eq!(list.json["items"], json!([muted]));
    let bootstrap = server.get("/bootstrap").by(&bob).send().await.is(200);
    assert_eq!(bootstrap.json["notification_settings"], json!([muted]));
}
