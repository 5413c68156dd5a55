//! Saved messages: what is listed, and what not any more.

use serde_json::{Value, json};

use crate::harness::{Account, Community, TestServer};
use crate::live::Stream;

async fn scene() -> (TestServer, Account, Account, Community) {
    let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
    let (ada, bob) = (server.account("ada").await, server.account("bob").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    (server, ada, bob, community)
}

fn path(message: &str) -> String {
    format!("/me/saved-messages/{message}")
}

async fn save(server: &TestServer, by: &Account, message: &str) {
    server.put(&path(message)).by(by).send().await.is(204);
}

/// The texts of a page, and its `next`.
async fn page(server: &TestServer, by: &Account, query: &str) -> (Vec<String>, Option<String>) {
    let answer = server.get(&format!("/me/saved-messages{query}")).by(by).send().await.is(200);
    let text = |item: &Value| item["message"]["content"].as_str().unwrap_or("(none)").to_owned();
    (answer.items().iter().map(text).collect(), answer.json["next"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn saved_messages_are_paged_the_one_saved_last_first() {
    let (server, ada, bob, community) = scene().await;
    let mut messages = Vec::new();
    for number in 0..5 {
        messages.push(server.message(&community.channel, &ada, &format!("message {number}")).await);
    }
    for nth in [3, 0, 4, 1] {
        save(&server, &bob, &messages[nth]).await;
    }
    save(&server, &bob, &messages[3]).await;
    let (first, next) = page(&server, &bob, "?limit=2").await;
    assert_eq!(first, ["message 1", "message 4"]);
    let next = next.expect("there is more");
    let (second, end) = page(&server, &bob, &format!("?limit=2&before={next}")).await;
    assert_eq!((second, end), (vec!["message 0".to_owned(), "message 3".to_owned()], None));
    assert_eq!(page(&server, &ada, "").await, (vec![], None));

    let server = server.restart().await;
    server.delete(&path(&messages[4])).by(&bob).send().await.is(204);
    server.delete(&path(&messages[4])).by(&bob).send().await.is(204);
    assert_eq!(page(&server, &bob, "").await.0, ["message 1", "message 0", "message 3"]);
    let bad = server.get("/me/saved-messages?before=nonsense").by(&bob).send().await;
    bad.invalid(&[("before", "not_a_cursor")]);
    server.get("/me/saved-messages?limit=101").by(&bob).send().await.invalid(&[("limit", "out_of_range")]);
}

#[tokio::test]
async fn what_may_not_be_seen_any_more_is_left_out_and_pages_have_no_holes() {
    let (server, ada, bob, community) = scene().await;
    let own = server.community(&bob).await;
    for number in 0..3 {
        let own = server.message(&own.channel, &bob, &format!("own {number}")).await;
        let hers = server.message(&community.channel, &ada, &format!("hers {number}")).await;
        save(&server, &bob, &own).await;
        save(&server, &bob, &hers).await;
    }
    assert_eq!(page(&server, &bob, "").await.0.len(), 6);
    let left =
        server.delete(&format!("/communities/{}/members/me", community.id)).by(&bob).send().await.is(200);
    let first = server.get("/me/saved-messages?limit=2").by(&bob).after(&left).send().await.is(200);
    assert_eq!(first.items().len(), 2);
    let next = first.text("/next");
    let (rest, end) = page(&server, &bob, &format!("?limit=2&before={next}")).await;
    assert_eq!((rest, end), (vec!["own 0".to_owned()], None));
    // Back again, they are there again.
    server.join(&community, &ada, &[&bob]).await;
    assert_eq!(page(&server, &bob, "").await.0.len(), 6);
}

#[tokio::test]
async fn a_deleted_message_stays_as_the_history_shows_it() {
    let (server, ada, bob, community) = scene().await;
    let message = server.message(&community.channel, &ada, "a slip").await;
    save(&server, &bob, &message).await;
    let deleted = server.delete(&format!("/messages/{message}")).by(&ada).send().await.is(200);
    let listed = server.get("/me/saved-messages").by(&bob).after(&deleted).send().await.is(200);
    let shown = server.get(&format!("/messages/{message}")).by(&bob).send().await.is(200);
    assert_eq!(listed.items()[0]["message"], shown.json);
    assert_eq!(shown.json["content"], Value::Null);
}

#[tokio::test]
async fn what_one_may_not_see_cannot_be_saved() {
    let (server, ada, bob, community) = scene().await;
    let eve = server.account("eve").await;
    let message = server.message(&community.channel, &ada, "for members").await;
    server.put(&path(&message)).by(&eve).send().await.refused(404, "message_not_found");
    let nothing = "00000000-0000-0000-0000-000000000000";
    server.put(&path(nothing)).by(&ada).send().await.refused(404, "message_not_found");
    server.put(&path("nothing")).by(&ada).send().await.refused(404, "not_found");
    server.put(&path(&message)).send().await.refused(401, "unauthenticated");
    save(&server, &bob, &message).await;
}

#[tokio::test]
async fn own_devices_are_told() {
    let (server, ada, _, community) = scene().await;
    let message = server.message(&community.channel, &ada, "keep this").await;
    let mut stream = Stream::live(&server, &ada).await;
    save(&server, &ada, &message).await;
    server.delete(&path(&message)).by(&ada).send().await.is(204);
    for saved in [true, false] {
        let told = stream.next_signal().await.expect("a signal");
        assert_eq!(told.kind, "saved_message");
        assert_eq!(told.data["data"], json!({"message_id": message, "saved": saved}));
    }
}

#[tokio::test]
async fn an_account_saves_so_many_messages() {
    let (server, ada, _, community) = scene().await;
    const FILL: &str = "
        INSERT INTO account_data.saved_messages (account, message, saved_at)
        SELECT $1::text::uuid, gen_random_uuid(), now() FROM generate_series(1, 999)";
    server.database().await.execute(FILL, &[&ada.id]).await.expect("the table takes rows");
    let [last, more] = [
        server.message(&community.channel, &ada, "the last").await,
        server.message(&community.channel, &ada, "one more").await,
    ];
    save(&server, &ada, &last).await;
    server.put(&path(&more)).by(&ada).send().await.refused(409, "saved_message_too_many");
    save(&server, &ada, &last).await;
    // Rows of messages that are not there any more are stepped over.
    assert_eq!(page(&server, &ada, "").await, (vec!["the last".to_owned()], None));
}
