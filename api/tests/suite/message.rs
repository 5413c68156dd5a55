use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn a_message_is_posted_edited_and_deleted() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let post = format!("/channels/{}/messages", community.channel);
    let made = server.post(&post).by(&ada).json(json!({"content": "one"})).send().await.is(201);
    let path = format!("/messages/{}", made.text("/message/id"));
    let shown = server.get(&path).by(&ada).after(&made).send().await.is(200);
    assert_eq!(shown.json, made.json["message"], "what a command answers is what a read shows");

    let edited = server.patch(&path).by(&ada).json(json!({"content": "two"})).send().await.is(200);
    assert!(edited.json["message"]["edited_at"].is_string());
    let shown = server.get(&path).by(&ada).after(&edited).send().await.is(200);
    assert_eq!(shown.json, edited.json["message"]);
    let versions = server.get(&format!("{path}/versions")).by(&ada).send().await.is(200);
    let texts: Vec<_> =
        versions.items().iter().map(|v| (v["version"].as_u64(), v["content"].as_str())).collect();
    assert_eq!(texts, [(Some(1), Some("one")), (Some(2), Some("two"))]);

    let deleted = server.delete(&path).by(&ada).send().await.is(200);
    assert!(deleted.json["message"]["content"].is_null());
    let shown = server.get(&path).by(&ada).after(&deleted).send().await.is(200);
    assert_eq!(shown.json, deleted.json["message"]);
    let versions = server.get(&format!("{path}/versions")).by(&ada).send().await.is(200);
    assert!(versions.items().iter().all(|version| version["content"].is_null()), "deleted is gone for good");
    let late = server.patch(&path).by(&ada).json(json!({"content": "three"}));
    late.send().await.refused(409, "message_deleted");
    server.delete(&path).by(&ada).send().await.is(200);
}

#[tokio::test]
async fn others_messages_are_not_edited_and_only_moderators_delete_them() {
    let server = TestServer::start().await;
    let (ada, bob, eve) =
        (server.account("ada").await, server.account("bob").await, server.account("eve").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    let message = server.message(&community.channel, &ada, "hers").await;
    let path = format!("/messages/{message}");
    let edit = |by| server.patch(&path).by(by).json(json!({"content": "mine"})).send();
    edit(&bob).await.refused(403, "message_not_author");
    edit(&eve).await.refused(404, "message_not_found");
    server.delete(&path).by(&bob).send().await.refused(403, "message_may_not_delete");
    server.delete(&path).by(&eve).send().await.refused(404, "message_not_found");
    server.set_roles(&community, &ada, &bob, &["moderator"]).await;
    server.delete(&path).by(&bob).send().await.is(200);
}

#[tokio::test]
async fn a_reply_answers_a_message_of_its_channel() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let (here, there) = (server.community(&ada).await, server.community(&ada).await);
    let first = server.message(&here.channel, &ada, "first").await;
    let reply = |channel: &str, to: &str| {
        let body = json!({"content": "re", "reply_to": to});
        server.post(&format!("/channels/{channel}/messages")).by(&ada).json(body).send()
    };
    assert_eq!(reply(&here.channel, &first).await.is(201).text("/message/reply_to"), first);
    reply(&there.channel, &first).await.refused(409, "message_reply_not_found");
    reply(&here.channel, &ada.id).await.refused(409, "message_reply_not_found");
}

#[tokio::test]
async fn a_banned_members_post_cannot_slip_in() {
    let server = TestServer::start().await;
    let (ada, bob) = (server.account("ada").await, server.account("bob").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    server.message(&community.channel, &bob, "hi").await;
    server.put(&format!("/communities/{}/bans/{}", community.id, bob.id)).by(&ada).send().await.is(200);
    let post = server.post(&format!("/channels/{}/messages", community.channel)).by(&bob);
    post.json(json!({"content": "still here"})).send().await.refused(404, "channel_not_found");
}

/// The contents of every page from `path` on, following `next` or `prev`.
async fn walk(
    server: &TestServer,
    by: &crate::harness::Account,
    path: &str,
    start: &str,
    back: bool,
) -> Vec<String> {
    let (field, parameter) = if back { ("prev", "after") } else { ("next", "before") };
    let mut contents = Vec::new();
    let mut query = start.to_owned();
    loop {
        let page = server.get(&format!("{path}?limit=3{query}")).by(by).send().await.is(200);
        let mut texts: Vec<String> =
            page.items().iter().map(|m| m["content"].as_str().unwrap_or("?").to_owned()).collect();
        if back {
            texts.reverse();
        }
        contents.extend(texts);
        match page.json[field].as_str() {
            Some(cursor) => query = format!("&{parameter}={cursor}"),
            None => return contents,
        }
    }
}

#[tokio::test]
async fn history_has_no_gap_and_no_duplicate_in_either_direction() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let path = format!("/channels/{}/messages", community.channel);
    let mut ids = Vec::new();
    let mut last = None;
    for number in 0..11 {
        let post = server.post(&path).by(&ada).json(json!({"content": number.to_string()}));
        let answer = post.send().await.is(201);
        ids.push(answer.text("/message/id"));
        last = Some(answer);
    }
    let last = last.expect("eleven were posted");
    server.get(&path).by(&ada).after(&last).send().await.is(200);
    let newest_first: Vec<String> = (0..11).rev().map(|n: u32| n.to_string()).collect();
    let oldest_first: Vec<String> = (0..11).map(|n: u32| n.to_string()).collect();
    assert_eq!(walk(&server, &ada, &path, "", false).await, newest_first);
    assert_eq!(walk(&server, &ada, &path, &format!("&after={}", ids[0]), true).await, oldest_first[1..]);
    let before = walk(&server, &ada, &path, &format!("&before={}", ids[5]), false).await;
    assert_eq!(before, newest_first[6..]);

    let page = |query: String| server.get(&format!("{path}?{query}")).by(&ada).send();
    let around = page(format!("around={}&limit=5", ids[5])).await.is(200);
    let texts: Vec<_> = around.items().iter().filter_map(|m| m["content"].as_str()).collect();
    assert!(texts.contains(&"5") && texts.len() == 5, "{texts:?}");
    let link = around.header("link").expect("links").to_owned();
    assert!(link.contains("rel=\"next\"") && link.contains("rel=\"prev\""), "{link}");
    let at = around.text("/items/0/created_at");
    let at = page(format!("at={at}&limit=1")).await.is(200);
    assert_eq!(at.items()[0]["content"], around.items()[0]["content"]);
    assert_eq!(page(String::new()).await.is(200).items().len(), 10, "ten, if no limit is given");
}

#[tokio::test]
async fn what_is_no_place_in_the_channel_is_refused() {
    let server = TestServer::start().await;
    let (ada, eve) = (server.account("ada").await, server.account("eve").await);
    let (here, there) = (server.community(&ada).await, server.community(&ada).await);
    let elsewhere = server.post(&format!("/channels/{}/messages", there.channel)).by(&ada);
    let elsewhere = elsewhere.json(json!({"content": "x"})).send().await.is(201);
    let path = format!("/channels/{}/messages", here.channel);
    let id = elsewhere.text("/message/id");
    let page = |query: &str| server.get(&format!("{path}?{query}")).by(&ada).after(&elsewhere).send();
    page(&format!("before={id}")).await.invalid(&[("before", "not_found")]);
    page(&format!("before={id}&after={id}")).await.invalid(&[("before", "too_many")]);
    page("at=yesterday").await.invalid(&[("at", "not_a_time")]);
    let theirs = server.get(&format!("{path}?before={id}")).by(&eve);
    theirs.send().await.refused(404, "channel_not_found");
}
