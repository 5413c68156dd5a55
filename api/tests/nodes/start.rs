//! What nodes must share, and what happens when they do not.

use client::{NewMessage, NewSession};

use crate::cast::{Cast, PASSWORD, patiently, strangers};
use crate::cluster::Cluster;
use crate::node::Node;

#[tokio::test]
async fn nodes_started_at_once_on_an_empty_database_are_one_server() {
    let cluster = Cluster::start_on_nothing().await;
    let cast = Cast::gather(&cluster, 2).await;
    let [_, b] = strangers(&cluster);
    let session = b.log_in(&NewSession::new("player0", PASSWORD)).await.expect("known at the other node");
    assert_eq!(session.account.id, cast.players[0].account);
    // Names are claimed once among all nodes.
    let taken = b.register(&crate::cast::new_account("player0")).await.expect_err("taken");
    assert_eq!(taken.code(), Some("handle_taken"));
    // What was sealed at one node opens at the other.
    let answer = cast.players[1].client.post_message(cast.channel, &NewMessage::text("ciao")).await;
    let answer = answer.expect("posted");
    let shown =
        patiently(async || b_message(&cast, answer.message.id).min_position(&answer.position).await).await;
    assert_eq!(shown.content.as_deref(), Some("ciao"));
}

fn b_message(cast: &Cast, id: uuid::Uuid) -> client::Read<client::Message> {
    cast.players[0].elsewhere.message(id)
}

#[tokio::test]
async fn a_node_with_another_master_key_does_not_start() {
    let cluster = Cluster::start().await;
    let mut place = cluster.place("stranger");
    place.key_file = place.data.join("master.key");
    let (status, said) = Node::start(place).ended().await;
    assert!(!status.success());
    assert!(said.contains("the master key is not the one this database was made with"), "{said}");
}
