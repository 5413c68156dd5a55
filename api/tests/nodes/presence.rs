//! Who is connected to one node is seen at all of them, until that node dies.

use client::{Live, LiveEvent};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cast::{Cast, Player};
use crate::cluster::Cluster;
use crate::node::{PATIENCE, until};
use crate::signals::{both_listen, caught_up};

/// Reads on until `account` is seen as `status`; what was seen of anybody before.
async fn seen(live: &mut Live, account: Uuid, status: &str) -> Vec<(Uuid, String)> {
    let mut before = Vec::new();
    loop {
        let event = tokio::time::timeout(PATIENCE, live.next()).await.expect("something comes");
        let LiveEvent::Signal(signal) = event.expect("the stream goes on") else { continue };
        if signal.kind != "presence" {
            continue;
        }
        let text = |name: &str| signal.data[name].as_str().expect("a text").to_owned();
        let told = (text("account_id").parse().expect("an id"), text("status"));
        if told == (account, status.to_owned()) {
            return before;
        }
        before.push(told);
    }
}

/// What a node says to `asker` of `others`.
async fn asked(base: &str, asker: &Player, others: [&Player; 2]) -> [String; 2] {
    let mut told = Vec::new();
    for other in others {
        let url = format!("{base}/v1/presence?accounts={}", other.account);
        let answer = reqwest::Client::new().get(url).bearer_auth(&asker.token).send().await;
        let answer: Value = answer.expect("an answer").json().await.expect("JSON");
        told.push(answer["items"][0]["status"].as_str().expect("a status").to_owned());
    }
    told.try_into().expect("two")
}

#[tokio::test]
async fn a_node_that_dies_takes_those_with_it_who_are_at_no_other() {
    let mut cluster = Cluster::start().await;
    let cast = Cast::gather(&cluster, 3).await;
    let [ada, bob, cleo] = cast.players.as_slice() else { panic!("three play") };
    both_listen(&cluster, &[]).await;
    let database = cluster.database().await;
    // Ada looks on at node b. Bob comes to both, cleo to node a alone.
    let mut of_ada = caught_up(&ada.elsewhere).await;
    let _bob_at_b = caught_up(&bob.elsewhere).await;
    assert_eq!(seen(&mut of_ada, bob.account, "online").await, []);
    let _bob_at_a = caught_up(&bob.client).await;
    let _cleo_at_a = caught_up(&cleo.client).await;
    assert_eq!(seen(&mut of_ada, cleo.account, "online").await, [], "bob is there as he was");
    assert_eq!(asked(&cluster.b.base(), ada, [bob, cleo]).await, ["online", "online"]);
    let count = "SELECT count(*) FROM account_data.connections WHERE account = $1";
    until("bob is taken down at both", async || {
        database.query_one(count, &[&bob.account]).await.expect("the table answers").get::<_, i64>(0) == 2
    })
    .await;

    cluster.a.kill();
    // Its lease runs out in half a minute; that is brought forward.
    let late = "
        UPDATE account_data.nodes SET expires_at = now()
        WHERE node = (SELECT node FROM account_data.connections WHERE account = $1)";
    assert_eq!(database.execute(late, &[&cleo.account]).await.expect("the lease"), 1);
    assert_eq!(seen(&mut of_ada, cleo.account, "offline").await, []);
    assert_eq!(asked(&cluster.b.base(), ada, [bob, cleo]).await, ["online", "offline"]);

    // What is chosen at one node is told at the other, too.
    cluster.a.restart();
    cluster.a.ready().await;
    both_listen(&cluster, &[]).await;
    let mut of_ada = caught_up(&ada.client).await;
    let url = format!("{}/v1/me/presence", cluster.b.base());
    let chosen = reqwest::Client::new().put(url).bearer_auth(&bob.token).json(&json!({"status": "dnd"}));
    assert_eq!(chosen.send().await.expect("an answer").status(), 200);
    let before = seen(&mut of_ada, bob.account, "dnd").await;
    assert!(before.iter().all(|(account, _)| *account != bob.account), "{before:?}");
    assert_eq!(asked(&cluster.a.base(), ada, [bob, cleo]).await, ["dnd", "offline"]);
}
