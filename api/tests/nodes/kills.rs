//! Nothing that was answered is lost, doubled or out of order, whichever node is killed.
//!
//! Writers post at both nodes and readers follow both, while the nodes are killed in turn at random moments and start
//! again. Everyone goes on at the other node: a writer with the same key, a reader from its cursor.

use std::time::Duration;

use crate::cast::Cast;
use crate::chance::{Chance, tell};
use crate::cluster::Cluster;
use crate::readers::{READERS, Readers};
use crate::verdict;
use crate::writers::Writers;

const KILLS: usize = 6;
/// From the moment that messages are answered to the next kill.
const SOONEST: Duration = Duration::from_millis(50);
const LATEST: Duration = Duration::from_millis(400);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_delivered_once_though_nodes_are_killed_in_turn() {
    let mut chance = Chance::new("nodes");
    let mut cluster = Cluster::start().await;
    let cast = Cast::gather(&cluster, 4).await;
    let writers = Writers::start(&cast, &mut chance);
    let readers = Readers::start(&cast, &mut chance);
    for kill in 0..KILLS {
        writers.progress().await;
        chance.moment(SOONEST, LATEST).await;
        let node = if kill % 2 == 0 { &mut cluster.a } else { &mut cluster.b };
        node.kill();
        // The other one carries on alone.
        writers.progress().await;
        node.restart();
        node.ready().await;
    }
    writers.progress().await;

    let (mut answered, failures) = writers.finish().await;
    let (last, end) = cast.post_last().await;
    answered.push(last);
    let followed = readers.finish(end.clone()).await;
    let log = verdict::read_log(cluster.database_url(), cast.channel).await;
    let history = verdict::read_history(&cast, &end).await;
    let interruptions: usize = followed.iter().map(|reader| reader.interruptions).sum();
    let told = format!("{} answered, {failures} tries failed, {interruptions} reads cut", answered.len());
    tell(&told);
    // After the first kill everyone is at one node; from then on each kill meets all of them.
    assert!(failures >= KILLS && interruptions >= READERS, "the kills were hardly felt: {told}");
    let faults = verdict::faults(&answered, &log, &history, &followed);
    assert!(faults.is_empty(), "{told}\n{}", faults.join("\n"));
}
