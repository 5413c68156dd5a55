//! What is taken away at one node is gone at the other.

use std::time::Duration;

use client::{Error, Event, NewMessage};

use crate::cast::Cast;
use crate::cluster::Cluster;
use crate::delivery::{next_event, streaming};
use crate::node::{PATIENCE, until};

#[tokio::test]
async fn a_session_that_is_ended_at_one_node_ends_at_the_other() {
    let cluster = Cluster::start().await;
    let cast = Cast::gather(&cluster, 1).await;
    let (kept, ended) = (&cast.players[0], cast.players[0].again(&cluster).await);
    let mut live = ended.elsewhere.live_with(Some(cast.start.clone()), streaming());
    // The stream is open, and the token known at this node, before it is taken away.
    let posted = kept.client.post_message(cast.channel, &NewMessage::text("before")).await.expect("posted");
    let Event::MessagePosted(before) = next_event(&mut live).await else { panic!("another event") };
    assert_eq!(before.content.as_deref(), Some("before"));
    let polling = ended.elsewhere.poll_events(Some(&posted.position), Duration::from_secs(55), None);
    let polling = tokio::spawn(polling.into_future());

    ended.client.log_out().await.expect("logged out at a");
    let told = async {
        loop {
            if let Err(error) = live.next().await {
                return error;
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, told).await.expect("the stream is told");
    // It may have come again and been refused at the door.
    assert!(matches!(told, Error::SessionEnded) || told.status() == Some(401), "{told:?}");
    let refused = ended.elsewhere.me().await.expect_err("the token is worth nothing at b");
    assert_eq!(refused.code(), Some("session_invalid"));
    let polled = tokio::time::timeout(PATIENCE, polling).await.expect("the poll is told");
    assert_eq!(polled.expect("no panic").expect_err("a refusal").status(), Some(401));
    kept.elsewhere.me().await.expect("other sessions go on");
}

#[tokio::test]
async fn a_token_that_nobody_streams_with_is_refused_at_the_other_node_soon() {
    let cluster = Cluster::start().await;
    let cast = Cast::gather(&cluster, 1).await;
    let ended = cast.players[0].again(&cluster).await;
    ended.elsewhere.me().await.expect("known at b, and cached there");
    cast.players[0].client.log_out().await.expect("another session");
    ended.elsewhere.me().await.expect("its own session goes on");
    ended.client.log_out().await.expect("logged out at a");
    until("the token is refused at b", async || match ended.elsewhere.me().await {
        Ok(_) => false,
        Err(error) => error.code() == Some("session_invalid"),
    })
    .await;
}

#[tokio::test]
async fn a_ban_at_one_node_holds_at_the_other_from_its_answer_on() {
    let cluster = Cluster::start().await;
    let cast = Cast::gather(&cluster, 2).await;
    let (ada, bob) = (&cast.players[0], &cast.players[1]);
    let mut live = bob.elsewhere.live_with(Some(cast.start.clone()), streaming());
    let post = |text: &str| NewMessage::text(text);
    bob.elsewhere.post_message(cast.channel, &post("before")).await.expect("a member posts");
    ada.client.ban(cast.community, bob.account, &client::NewBan::default()).await.expect("banned at a");
    // No wait: the append itself checks what the post was decided on.
    let refused = bob.elsewhere.post_message(cast.channel, &post("too late")).await;
    assert_eq!(refused.expect_err("refused at b").code(), Some("channel_not_found"));
    ada.client.post_message(cast.channel, &post("without bob")).await.expect("posted");
    // Something that the banned account may hear, after what it may not.
    let own = bob.elsewhere.create_community("Elsewhere").await.expect("a community of one's own");
    let channel = own.community.channels[0].id;
    bob.client.post_message(channel, &post("mine")).await.expect("posted");

    let mut heard = Vec::new();
    loop {
        match next_event(&mut live).await {
            Event::MessagePosted(message) if message.channel_id == channel => break,
            Event::MessagePosted(message) => heard.push(message.content.unwrap_or_default()),
            Event::Banned(banned) if banned.account_id == bob.account => heard.push("banned".to_owned()),
            _ => {}
        }
    }
    assert_eq!(heard, ["before", "banned"]);
}
