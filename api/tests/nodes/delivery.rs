//! What is written through one node is read, heard and repeated through the other.

use std::collections::HashSet;
use std::time::Duration;

use client::live::{Polled, Transport};
use client::{Event, Live, LiveEvent, LiveOptions, NewMessage};

use crate::cast::{Cast, patiently};
use crate::cluster::Cluster;
use crate::node::PATIENCE;
use crate::verdict;

/// A follower that was told by a hint, rather than finding out by polling, counts so.
const HINTED: &str = "log_followed_records_total{woken_by=\"hint\"}";

pub(crate) fn streaming() -> LiveOptions {
    LiveOptions { only: Some(Transport::Sse), ..LiveOptions::default() }
}

/// The next event of the log.
pub(crate) async fn next_event(live: &mut Live) -> Event {
    loop {
        let event = tokio::time::timeout(PATIENCE, live.next()).await.expect("something comes");
        if let LiveEvent::Frame(frame) = event.expect("the stream goes on") {
            return frame.event().expect("frames are what the contract says");
        }
    }
}

#[tokio::test]
async fn a_post_at_one_node_wakes_the_streams_and_polls_of_the_other() {
    const POSTS: u32 = 20;
    let cluster = Cluster::start().await;
    let cast = Cast::gather(&cluster, 1).await;
    let ada = &cast.players[0];
    let mut live = ada.elsewhere.live_with(Some(cast.start.clone()), streaming());
    let mut cursor = cast.start.clone();
    let before = cluster.b.metric(HINTED).await;
    for n in 0..POSTS {
        let content = format!("message {n}");
        let message = NewMessage::text(content.clone());
        let post = async { ada.client.post_message(cast.channel, &message).await.expect("posted") };
        let poll = async {
            let poll = ada.elsewhere.poll_events(Some(&cursor), Duration::from_secs(55), None);
            poll.await.expect("an answer")
        };
        let (posted, polled) = tokio::join!(post, poll);
        let Event::MessagePosted(streamed) = next_event(&mut live).await else { panic!("another event") };
        assert_eq!(streamed, posted.message);
        let [Polled::Frame(frame)] = polled.events.as_slice() else { panic!("{polled:?}") };
        assert_eq!(frame.id, posted.position, "one cursor for all nodes");
        assert_eq!(frame.event().expect("a post"), Event::MessagePosted(posted.message));
        cursor = polled.next.expect("a poll says where to go on");
    }
    // Now and then the polling behind the hints may have been faster.
    let hinted = cluster.b.metric(HINTED).await - before;
    assert!(hinted >= f64::from(POSTS / 2), "{hinted} of {POSTS} posts came by a hint");
}

#[tokio::test]
async fn a_command_at_one_node_is_read_at_the_other_from_its_position_on() {
    let cluster = Cluster::start().await;
    let cast = Cast::gather(&cluster, 1).await;
    let ada = &cast.players[0];
    for n in 0..10 {
        let posted = ada.client.post_message(cast.channel, &NewMessage::text(format!("post {n}"))).await;
        let posted = posted.expect("posted");
        let id = posted.message.id;
        let shown = patiently(async || ada.elsewhere.message(id).min_position(&posted.position).await).await;
        assert_eq!(shown, posted.message);
        // And back, over a state that the second node has never seen change.
        let edited = ada.elsewhere.edit_message(id, &format!("edit {n}")).await.expect("edited");
        let shown = patiently(async || ada.client.message(id).min_position(&edited.position).await).await;
        assert_eq!(shown, edited.message);
    }
}

#[tokio::test]
async fn one_key_sent_to_both_nodes_at_once_has_one_effect() {
    const PAIRS: usize = 30;
    let cluster = Cluster::start().await;
    let cast = Cast::gather(&cluster, 1).await;
    let ada = &cast.players[0];
    let mut messages = Vec::new();
    for n in 0..PAIRS {
        let message = NewMessage::text(format!("message {n}"));
        let post = |client: &client::Client| {
            client.post_message(cast.channel, &message).idempotency_key(format!("key-{n}"))
        };
        let (a, b) = tokio::join!(post(&ada.client).into_future(), post(&ada.elsewhere).into_future());
        let (a, b) = (a.expect("an answer of a"), b.expect("an answer of b"));
        assert_eq!(a, b);
        messages.push(a.message.id);
    }
    assert_eq!(messages.iter().collect::<HashSet<_>>().len(), PAIRS);
    let log = verdict::read_log(cluster.database_url(), cast.channel).await;
    assert_eq!(log.into_iter().map(|(_, message)| message).collect::<Vec<_>>(), messages);
    // The same key with something else is refused, wherever it was used first.
    let other = NewMessage::text("another");
    let reused = ada.elsewhere.post_message(cast.channel, &other).idempotency_key("key-0").await;
    assert_eq!(reused.expect_err("refused").code(), Some("idempotency_key_reused"));
}
