use serde_json::json;

use crate::harness::{Account, TestServer};
use crate::live::Stream;

async fn two() -> (TestServer, Account, Account) {
    let server = TestServer::start().await;
    let (ann, bob) = (server.account("ann").await, server.account("bob").await);
    let community = server.community(&ann).await;
    server.join(&community, &ann, &[&bob]).await;
    (server, ann, bob)
}

fn path(of: &Account) -> String {
    format!("/me/blocks/{}", of.id)
}

#[tokio::test]
async fn who_is_blocked_opens_no_direct_channel_and_posts_in_none() {
    let (server, ann, bob) = two().await;
    let open = |by: &Account, with: &Account| {
        server.post("/direct-channels").by(by).json(json!({"account": with.id})).send()
    };
    server.put(&path(&bob)).by(&ann).send().await.is(200);
    // Neither hears who of the two it was.
    for (by, with) in [(&ann, &bob), (&bob, &ann)] {
        open(by, with).await.refused(403, "blocked");
        let group = server.post("/group-channels").by(by).json(json!({"members": [with.id]}));
        group.send().await.refused(403, "blocked");
    }
    server.delete(&path(&bob)).by(&ann).send().await.is(200);
    let id = open(&bob, &ann).await.is(201).text("/channel/id");
    let message = server.message(&id, &bob, "hello").await;

    server.put(&path(&ann)).by(&bob).send().await.is(200);
    let messages = format!("/channels/{id}/messages");
    for by in [&ann, &bob] {
        let post = server.post(&messages).by(by).json(json!({"content": "x"}));
        post.send().await.refused(403, "blocked");
        let react = server.put(&format!("/messages/{message}/reactions/%F0%9F%91%8D")).by(by);
        react.send().await.refused(403, "blocked");
        server.post(&format!("/channels/{id}/typing")).by(by).send().await.refused(403, "blocked");
        assert_eq!(server.get(&messages).by(by).send().await.is(200).items().len(), 1);
    }
    assert_eq!(open(&ann, &bob).await.is(201).text("/channel/id"), id, "it is there, and readable");
    // Taking back a block that is another's changes nothing.
    server.delete(&path(&bob)).by(&ann).send().await.is(200);
    let post = || server.post(&messages).by(&ann).json(json!({"content": "x"})).send();
    post().await.refused(403, "blocked");
    server.delete(&path(&ann)).by(&bob).send().await.is(200);
    post().await.is(201);
}

#[tokio::test]
async fn nobody_adds_whom_they_have_a_block_with() {
    let (server, ann, bob) = two().await;
    let cat = server.account("cat").await;
    let made =
        server.post("/group-channels").by(&ann).json(json!({"members": [cat.id]})).send().await.is(201);
    let id = made.text("/channel/id");
    server.put(&path(&cat)).by(&bob).send().await.is(200);
    let add = |by: &Account| server.put(&format!("/channels/{id}/members/{}", bob.id)).by(by).send();
    add(&cat).await.refused(403, "blocked");
    add(&ann).await.is(200);
}

#[tokio::test]
async fn blocks_are_listed_and_told_to_who_blocks_alone() {
    let (server, ann, bob) = two().await;
    let (mut at_ann, mut at_bob) = (Stream::live(&server, &ann).await, Stream::live(&server, &bob).await);
    let blocked = server.put(&path(&bob)).by(&ann).send().await.is(200);
    let listed = server.get("/me/blocks").by(&ann).after(&blocked).send().await.is(200);
    assert_eq!(listed.items().len(), 1);
    assert_eq!(listed.items()[0]["account"]["handle"], "bob");
    assert_eq!(server.get("/me/blocks").by(&bob).send().await.is(200).items().len(), 0);
    server.put(&path(&bob)).by(&ann).send().await.is(200);
    let unblocked = server.delete(&path(&bob)).by(&ann).send().await.is(200);
    server.patch("/me").by(&ann).json(json!({"about": "x"})).send().await.is(200);
    for kind in ["account.blocked", "account.unblocked"] {
        let frame = at_ann.next_frame().await.expect("a frame");
        assert_eq!((frame.kind.as_str(), &frame.data["data"]["account_id"]), (kind, &json!(bob.id)));
    }
    assert_eq!(at_bob.next_frame().await.expect("a frame").kind, "account.profile_changed");
    let none = server.get("/me/blocks").by(&ann).after(&unblocked).send().await.is(200);
    assert_eq!(none.items().len(), 0);
}

#[tokio::test]
async fn only_who_can_be_seen_is_blocked_and_never_oneself() {
    let (server, ann, _) = two().await;
    let nobody = server.put("/me/blocks/00000000-0000-7000-8000-000000000000").by(&ann).send().await;
    nobody.refused(404, "account_not_found");
    server.put(&path(&ann)).by(&ann).send().await.refused(422, "block_oneself");
}
