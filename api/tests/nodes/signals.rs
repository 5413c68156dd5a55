//! Signals cross nodes, once.

use client::{Live, LiveEvent, Typing};
use uuid::Uuid;

use crate::cast::{Cast, Player};
use crate::cluster::Cluster;
use crate::delivery::streaming;
use crate::node::{PATIENCE, until};

/// Waits until both nodes listen, and not by the same two sessions as `before`: from then on nothing that is said is
/// missed.
pub(crate) async fn both_listen(cluster: &Cluster, before: &[i32]) -> Vec<i32> {
    let query = "
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'echoverse signals' AND state = 'idle'
            AND (query LIKE '%LISTEN signals' OR query LIKE '%pg_notify%')
        ORDER BY pid";
    let database = cluster.database().await;
    let mut sessions = Vec::new();
    until("both nodes listen", async || {
        let rows = database.query(query, &[]).await.expect("the list of sessions");
        sessions = rows.iter().map(|row| row.get("pid")).collect();
        sessions.len() == 2 && sessions != before
    })
    .await;
    sessions
}

/// A stream that has caught up: what is signalled from now on comes.
pub(crate) async fn caught_up(client: &client::Client) -> Live {
    let mut live = client.live_with(None, streaming());
    let come = async { while live.next().await.expect("the stream goes on") != LiveEvent::CaughtUp {} };
    tokio::time::timeout(PATIENCE, come).await.expect("the stream catches up");
    live
}

/// Who types, one signal after the other, up to that of `last`.
async fn typists(live: &mut Live, channel: Uuid, last: &Player) -> Vec<Uuid> {
    let mut heard = Vec::new();
    while heard.last() != Some(&last.account) {
        let event = tokio::time::timeout(PATIENCE, live.next()).await.expect("something comes");
        if let LiveEvent::Signal(signal) = event.expect("the stream goes on") {
            // That others come and go is a signal, too.
            let Some(typing) = signal.typing().expect("as the contract says") else { continue };
            let Typing { channel_id, account_id, expires_at } = typing;
            assert_eq!((channel_id, signal.topic), (channel, format!("channel:{channel}")));
            assert_eq!(expires_at.duration_since(signal.time), jiff::SignedDuration::from_secs(10));
            heard.push(account_id);
        }
    }
    heard
}

#[tokio::test]
async fn typing_at_one_node_is_seen_at_both_and_once() {
    let mut cluster = Cluster::start().await;
    let cast = Cast::gather(&cluster, 4).await;
    let [ada, bob, cleo, dan] = cast.players.as_slice() else { panic!("four play") };
    let sessions = both_listen(&cluster, &[]).await;
    let (mut at_a, mut at_b) = (caught_up(&dan.client).await, caught_up(&dan.elsewhere).await);
    ada.client.signal_typing(cast.channel).await.expect("told at a");
    assert_eq!(typists(&mut at_b, cast.channel, ada).await, [ada.account]);
    bob.elsewhere.signal_typing(cast.channel).await.expect("told at b");
    // What node a had sent itself would have come back to it before this.
    assert_eq!(typists(&mut at_a, cast.channel, bob).await, [ada.account, bob.account]);
    assert_eq!(typists(&mut at_b, cast.channel, bob).await, [bob.account]);

    // A node that was killed hears and is heard again.
    drop(at_a);
    cluster.a.kill();
    cluster.a.restart();
    cluster.a.ready().await;
    both_listen(&cluster, &sessions).await;
    let mut at_a = caught_up(&dan.client).await;
    cleo.elsewhere.signal_typing(cast.channel).await.expect("told at b");
    assert_eq!(typists(&mut at_a, cast.channel, cleo).await, [cleo.account]);
    dan.client.signal_typing(cast.channel).await.expect("told at a");
    assert_eq!(typists(&mut at_b, cast.channel, dan).await, [cleo.account, dan.account]);
    assert!(cluster.b.metric("echoverse_signals_total{from=\"elsewhere\"}").await >= 2.0);
}
