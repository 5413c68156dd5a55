use serde_json::{Value, json};

use crate::harness::{Account, Community, TestServer};
use crate::live::{Stream, cursor, poll};

struct Scene {
    server: TestServer,
    ada: Account,
    bob: Account,
    eve: Account,
    community: Community,
    /// By `ada`.
    message: String,
}

/// Ada owns the community, Bob is a member, Eve is not.
async fn scene() -> Scene {
    let server = TestServer::start().await;
    let (ada, bob, eve) =
        (server.account("ada").await, server.account("bob").await, server.account("eve").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    let message = server.message(&community.channel, &ada, "Cake!").await;
    Scene { server, ada, bob, eve, community, message }
}

#[tokio::test]
async fn a_reaction_shows_on_its_message_to_each_as_their_own() {
    let Scene { server, ada, bob, community, message, .. } = scene().await;
    let path = format!("/messages/{message}/reactions");
    let added = server.put(&format!("{path}/🎉")).by(&bob).send().await.is(200);
    assert_eq!(added.json["reaction"], json!({"emoji": "🎉", "count": 1, "me": true}));
    let joined = server.put(&format!("{path}/:tada:")).by(&ada).send().await.is(200);
    assert_eq!(joined.json["reaction"], json!({"emoji": "🎉", "count": 2, "me": true}));
    let heart = server.put(&format!("{path}/%E2%9D%A4")).by(&bob).send().await.is(200);
    assert_eq!(heart.json["reaction"]["emoji"], "\u{2764}\u{fe0f}", "in one form however it is written");

    let shown = |by| server.get(&format!("/messages/{message}")).by(by).after(&heart).send();
    let expected = |me: bool| json!([{"emoji": "🎉", "count": 2, "me": true}, {"emoji": "\u{2764}\u{fe0f}", "count": 1, "me": me}]);
    assert_eq!(shown(&ada).await.is(200).json["reactions"], expected(false));
    assert_eq!(shown(&bob).await.is(200).json["reactions"], expected(true));
    let history = server.get(&format!("/channels/{}/messages", community.channel)).by(&bob);
    assert_eq!(history.send().await.is(200).items()[0]["reactions"], expected(true));

    let edited = server.patch(&format!("/messages/{message}")).by(&ada).json(json!({"content": "Pie!"}));
    let edited = edited.send().await.is(200);
    assert_eq!(edited.json["message"]["reactions"], expected(false));
    assert_eq!(shown(&ada).await.is(200).json, edited.json["message"]);

    let gone = server.delete(&format!("{path}/:tada:")).by(&bob).send().await.is(200);
    let after = server.get(&format!("/messages/{message}")).by(&bob).after(&gone).send().await.is(200);
    assert_eq!(after.json["reactions"][0], json!({"emoji": "🎉", "count": 1, "me": false}));
}

#[tokio::test]
async fn who_reacts_is_listed_page_by_page() {
    let Scene { server, ada, bob, eve, message, .. } = scene().await;
    let path = format!("/messages/{message}/reactions/🎉");
    server.put(&path).by(&bob).send().await.is(200);
    let last = server.put(&path).by(&ada).send().await.is(200);
    let page = |query: &str| server.get(&format!("{path}{query}")).by(&ada).after(&last).send();
    let first = page("?limit=1").await.is(200);
    assert_eq!(first.items()[0]["account"]["id"], bob.id);
    let link = first.header("link").expect("a link").to_owned();
    assert!(link.contains("/reactions/%F0%9F%8E%89?after="), "{link}");
    let next = first.text("/next");
    let second = page(&format!("?limit=1&after={next}")).await.is(200);
    assert_eq!(second.items()[0]["account"]["id"], ada.id);
    assert!(second.json["next"].is_null());
    assert!(page("?after=x").await.refused(422, "invalid").json["errors"][0]["code"] == "not_a_cursor");
    server.get(&path).by(&eve).send().await.refused(404, "message_not_found");
    let none = server.get(&format!("/messages/{message}/reactions/:rocket:")).by(&ada).send().await.is(200);
    assert_eq!(none.items(), &Vec::<Value>::new());
}

#[tokio::test]
async fn what_is_no_emoji_is_refused() {
    let Scene { server, ada, message, .. } = scene().await;
    for text in ["x", ":no_such_name:", "🎉🎉", "100"] {
        let path = format!("/messages/{message}/reactions/{text}");
        server.put(&path).by(&ada).send().await.invalid(&[("emoji", "not_an_emoji")]);
        server.delete(&path).by(&ada).send().await.invalid(&[("emoji", "not_an_emoji")]);
        server.get(&path).by(&ada).send().await.invalid(&[("emoji", "not_an_emoji")]);
    }
}

#[tokio::test]
async fn a_message_has_twenty_kinds_and_no_more() {
    let Scene { server, ada, bob, message, .. } = scene().await;
    let list = server.get("/emoji").send().await.is(200);
    let emoji: Vec<&str> = list.items().iter().filter_map(|item| item["emoji"].as_str()).take(21).collect();
    let path = |emoji: &str| format!("/messages/{message}/reactions/{emoji}");
    for emoji in &emoji[..20] {
        server.put(&path(emoji)).by(&ada).send().await.is(200);
    }
    server.put(&path(emoji[20])).by(&bob).send().await.refused(409, "reaction_too_many_kinds");
    server.put(&path(emoji[19])).by(&bob).send().await.is(200);
}

#[tokio::test]
async fn reactions_of_others_are_taken_away_by_moderators_only() {
    let Scene { server, ada, bob, eve, community, message } = scene().await;
    let base = format!("/messages/{message}/reactions");
    for emoji in ["🎉", "👍", "🚀"] {
        server.put(&format!("{base}/{emoji}")).by(&ada).send().await.is(200);
    }
    let one = format!("{base}/🎉?everyone=true");
    server.delete(&one).by(&bob).send().await.refused(403, "reaction_may_not_clear");
    server.delete(&base).by(&bob).send().await.refused(403, "reaction_may_not_clear");
    server.delete(&base).by(&eve).send().await.refused(404, "message_not_found");
    let wrong = server.delete(&format!("{base}/🎉?everyone=1")).by(&ada).send().await;
    wrong.invalid(&[("everyone", "unknown_value")]);
    server.set_roles(&community, &ada, &bob, &["moderator"]).await;
    let cleared = server.delete(&one).by(&bob).send().await.is(200);
    let shown = server.get(&format!("/messages/{message}")).by(&bob).after(&cleared).send().await.is(200);
    assert_eq!(shown.json["reactions"].as_array().map(Vec::len), Some(2));
    // Not everyone's: one's own, of which there is none.
    server.delete(&format!("{base}/👍?everyone=false")).by(&bob).send().await.is(200);
    let cleared = server.delete(&base).by(&bob).send().await.is(200);
    let shown = server.get(&format!("/messages/{message}")).by(&bob).after(&cleared).send().await.is(200);
    assert_eq!(shown.json["reactions"], json!([]));
}

#[tokio::test]
async fn a_key_stands_for_the_query_too() {
    let Scene { server, ada, message, .. } = scene().await;
    let path = format!("/messages/{message}/reactions/🎉");
    server.put(&path).by(&ada).send().await.is(200);
    server.delete(&path).by(&ada).key("k").send().await.is(200);
    let other = server.delete(&format!("{path}?everyone=true")).by(&ada).key("k");
    other.send().await.refused(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_deleted_message_has_no_reactions_and_takes_none() {
    let Scene { server, ada, bob, message, .. } = scene().await;
    let path = format!("/messages/{message}/reactions/🎉");
    server.put(&path).by(&bob).send().await.is(200);
    let deleted = server.delete(&format!("/messages/{message}")).by(&ada).send().await.is(200);
    assert_eq!(deleted.json["message"]["reactions"], json!([]));
    server.put(&path).by(&bob).send().await.refused(409, "message_deleted");
    server.delete(&path).by(&bob).send().await.refused(409, "message_deleted");
    let shown = server.get(&format!("/messages/{message}")).by(&bob).after(&deleted).send().await.is(200);
    assert_eq!(shown.json, deleted.json["message"]);
}

#[tokio::test]
async fn reactions_come_live_the_same_by_both_transports() {
    let Scene { server, ada, bob, eve, community, message } = scene().await;
    let (start, outside) = (cursor(&server, &ada).await, cursor(&server, &eve).await);
    let mut stream = Stream::open(&server, &ada, Some(&start)).await;
    let path = format!("/messages/{message}/reactions");
    server.put(&format!("{path}/🎉")).by(&bob).send().await.is(200);
    server.delete(&format!("{path}/🎉")).by(&bob).send().await.is(200);
    server.put(&format!("{path}/👍")).by(&bob).send().await.is(200);
    server.delete(&path).by(&ada).send().await.is(200);
    let mut frames = Vec::new();
    for _ in 0..4 {
        frames.push(stream.next_frame().await.expect("four frames").data);
    }
    let told: Vec<_> = frames.iter().map(|frame| (frame["type"].clone(), frame["data"].clone())).collect();
    let of = |emoji: &str, count: u32| {
        json!({"message_id": message, "channel_id": community.channel, "account_id": bob.id, "emoji": emoji,
            "count": count})
    };
    let cleared = json!({"message_id": message, "channel_id": community.channel, "emoji": null,
        "cleared_by": ada.id});
    let expected = [
        (json!("reaction.added"), of("🎉", 1)),
        (json!("reaction.removed"), of("🎉", 0)),
        (json!("reaction.added"), of("👍", 1)),
        (json!("reaction.cleared"), cleared),
    ];
    assert_eq!(told, expected);
    let polled = poll(&server, &ada, &start, "").await;
    assert_eq!(polled["events"].as_array(), Some(&frames));
    let strangers = poll(&server, &eve, &outside, "&wait=0").await;
    assert_eq!(strangers["events"], json!([]), "who may not see the channel hears nothing");
}
