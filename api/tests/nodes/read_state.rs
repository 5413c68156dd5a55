//! Read markers are the same at every node, and told across nodes.

use client::{LiveEvent, NewMessage};

use crate::cast::{Cast, patiently};
use crate::cluster::Cluster;
use crate::node::PATIENCE;
use crate::signals::{both_listen, caught_up};

#[tokio::test]
async fn what_was_read_at_one_node_was_read_at_both() {
    let cluster = Cluster::start().await;
    let cast = Cast::gather(&cluster, 2).await;
    let [ada, bob] = cast.players.as_slice() else { panic!("two play") };
    both_listen(&cluster, &[]).await;
    let mut at_b = caught_up(&bob.elsewhere).await;
    let posted =
        ada.client.post_message(cast.channel, &NewMessage::text("hello")).await.expect("posted at a");
    let read = bob.client.mark_read(cast.channel, posted.message.id).await.expect("marked at a").read_state;
    assert_eq!((read.last_read_message_id, read.unread), (Some(posted.message.id), 0));
    let told = async {
        loop {
            if let LiveEvent::Signal(signal) = at_b.next().await.expect("the stream goes on")
                && let Some(state) = signal.read_marker().expect("as the contract says")
            {
                return state;
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, told).await.expect("bob's device at b is told");
    assert_eq!(told, read);
    let there = patiently(async || bob.elsewhere.read_states().min_position(&posted.position).await).await;
    assert_eq!(there.items, [read]);
    let back =
        bob.elsewhere.mark_unread(cast.channel, posted.message.id).await.expect("marked at b").read_state;
    assert_eq!((back.unread, back.first_unread_message_id), (1, Some(posted.message.id)));
    let here = patiently(async || bob.client.read_states().min_position(&posted.position).await).await;
    assert_eq!(here.items, [back]);
}
