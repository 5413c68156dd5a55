//! Drafts: kept, listed, dropped, the same on all devices.

use serde_json::{Value, json};

use crate::harness::{Account, Community, TestServer};
use crate::live::Stream;

async fn scene() -> (TestServer, Account, Account, Community) {
    let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
    let (ada, bob) = (server.account("ada").await, server.account("bob").await);
    let community = server.community(&ada).await;
    (server, ada, bob, community)
}

fn path(channel: &str) -> String {
    format!("/channels/{channel}/draft")
}

async fn drafts(server: &TestServer, by: &Account) -> Vec<Value> {
    server.get("/me/drafts").by(by).send().await.is(200).items().clone()
}

#[tokio::test]
async fn a_draft_is_kept_for_a_channel_and_for_each_thread_of_it() {
    let (server, ada, bob, community) = scene().await;
    let channel = &community.channel;
    let root = server.message(channel, &ada, "the root").await;
    let keep = async |body: Value| server.put(&path(channel)).by(&ada).json(body).send().await.is(200).json;
    let kept = keep(json!({"content": "  Hel", "reply_to": root})).await["draft"].clone();
    assert_eq!((&kept["channel_id"], &kept["thread"]), (&json!(channel), &Value::Null));
    assert_eq!((&kept["content"], &kept["reply_to"]), (&json!("  Hel"), &json!(root)));
    let in_thread = keep(json!({"content": "Also", "thread": root})).await["draft"].clone();
    assert_eq!(drafts(&server, &ada).await, [in_thread.clone(), kept]);
    let changed = keep(json!({"content": "Hello"})).await["draft"].clone();
    assert_eq!(changed["reply_to"], Value::Null, "it takes the place of the first as a whole");
    assert_eq!(drafts(&server, &ada).await, [changed.clone(), in_thread.clone()]);
    assert_eq!(drafts(&server, &bob).await, [] as [Value; 0]);

    let server = server.restart().await;
    server.delete(&format!("{}?thread={root}", path(channel))).by(&ada).send().await.is(204);
    assert_eq!(drafts(&server, &ada).await, [changed]);
    // A channel that is gone: what was written is still one's own, and can be dropped.
    server.delete(&format!("/channels/{channel}")).by(&ada).send().await.is(200);
    assert_eq!(drafts(&server, &ada).await.len(), 1);
    server.delete(&path(channel)).by(&ada).send().await.is(204);
    server.delete(&path(channel)).by(&ada).send().await.is(204);
    assert_eq!(drafts(&server, &ada).await, [] as [Value; 0]);
}

#[tokio::test]
async fn other_devices_are_told_and_nobody_else() {
    let (server, ada, bob, community) = scene().await;
    server.join(&community, &ada, &[&bob]).await;
    let channel = &community.channel;
    let mut of_ada = Stream::live(&server, &ada).await;
    let mut of_bob = Stream::live(&server, &bob).await;
    server.put(&path(channel)).by(&ada).json(json!({"content": "Hel"})).send().await.is(200);
    server.delete(&path(channel)).by(&ada).send().await.is(204);
    server.delete(&path(channel)).by(&ada).send().await.is(204);
    server.put(&path(channel)).by(&bob).json(json!({"content": "Ha"})).send().await.is(200);
    let kept = of_ada.next_signal().await.expect("a signal");
    assert_eq!((kept.kind.as_str(), &kept.id), ("draft", &None));
    assert_eq!(kept.data["topic"], format!("account:{}", ada.id));
    assert_eq!(
        (&kept.data["data"]["channel_id"], &kept.data["data"]["thread"]),
        (&json!(channel), &Value::Null)
    );
    assert!(kept.data["data"]["updated_at"].is_string(), "{kept:?}");
    let dropped = of_ada.next_signal().await.expect("a signal");
    assert_eq!((dropped.kind.as_str(), &dropped.data["data"]["updated_at"]), ("draft", &Value::Null));
    let own = of_bob.next_signal().await.expect("a signal");
    assert_eq!(own.data["topic"], format!("account:{}", bob.id));
}

#[tokio::test]
async fn a_draft_for_what_one_may_not_see_or_write_in_is_refused() {
    let (server, ada, bob, community) = scene().await;
    let channel = &community.channel;
    let keep = async |channel: &str, by: &Account, body: Value| {
        server.put(&path(channel)).by(by).json(body).send().await
    };
    let text = json!({"content": "x"});
    keep(channel, &bob, text.clone()).await.refused(404, "channel_not_found");
    keep("00000000-0000-0000-0000-000000000000", &ada, text.clone()).await.refused(404, "channel_not_found");
    keep("nowhere", &ada, text.clone()).await.refused(404, "not_found");
    let category = json!({"name": "Topics", "kind": "category"});
    let channels = format!("/communities/{}/channels", community.id);
    let category = server.post(&channels).by(&ada).json(category).send().await.is(201).text("/channel/id");
    keep(&category, &ada, text).await.refused(409, "message_channel_holds_none");
    let other = server.post(&channels).by(&ada).json(json!({"name": "other"})).send().await.is(201);
    let elsewhere = server.message(&other.text("/channel/id"), &ada, "elsewhere").await;
    let thread = json!({"content": "x", "thread": elsewhere});
    keep(channel, &ada, thread).await.refused(404, "message_not_found");
    let reply = json!({"content": "x", "reply_to": elsewhere});
    keep(channel, &ada, reply).await.refused(409, "message_reply_not_found");
    keep(channel, &ada, json!({"content": ""})).await.invalid(&[("/content", "empty")]);
    keep(channel, &ada, json!({"content": "x".repeat(4_001)})).await.invalid(&[("/content", "too_long")]);
    keep(channel, &ada, json!({"content": "x".repeat(4_000)})).await.is(200);
    server.put(&path(channel)).send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn an_account_has_so_many_drafts() {
    let (server, ada, _, community) = scene().await;
    const FILL: &str = "
        INSERT INTO account_data.drafts (account, channel, thread, updated_at, content)
        SELECT $1::text::uuid, gen_random_uuid(), '00000000-0000-0000-0000-000000000000', now(), 'x'
        FROM generate_series(1, 499)";
    server.database().await.execute(FILL, &[&ada.id]).await.expect("the table takes rows");
    let root = server.message(&community.channel, &ada, "the root").await;
    let keep = async |body: Value| server.put(&path(&community.channel)).by(&ada).json(body).send().await;
    keep(json!({"content": "the last"})).await.is(200);
    keep(json!({"content": "one more", "thread": root})).await.refused(409, "draft_too_many");
    keep(json!({"content": "in its place"})).await.is(200);
    assert_eq!(drafts(&server, &ada).await.len(), 500);
}
