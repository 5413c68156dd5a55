//! Who leads may die: another goes on, from exactly where it stood.

use client::NewMessage;

use crate::cast::{Cast, new_account, patiently, strangers};
use crate::cluster::Cluster;
use crate::node::{Node, program, until};

async fn leads(node: &Node) -> bool {
    node.metric("projector_leading ").await == 1.0
}

#[tokio::test]
async fn the_read_model_is_led_by_one_node_and_outlives_it() {
    let mut cluster = Cluster::start().await;
    let cast = Cast::gather(&cluster, 1).await;
    let ada = &cast.players[0];
    let mut posted = 0;
    for _ in 0..3 {
        until("one node leads", async || leads(&cluster.a).await != leads(&cluster.b).await).await;
        let a_leads = leads(&cluster.a).await;
        let (leader, other) =
            if a_leads { (&mut cluster.a, &mut cluster.b) } else { (&mut cluster.b, &mut cluster.a) };
        let (at_leader, at_other) =
            if a_leads { (&ada.client, &ada.elsewhere) } else { (&ada.elsewhere, &ada.client) };
        // Posts that are still being projected when the leader dies, by both nodes.
        let mut last = None;
        for _ in 0..10 {
            posted += 2;
            let message = NewMessage::text("a post");
            at_leader.post_message(cast.channel, &message).await.expect("posted at the leader");
            last = Some(at_other.post_message(cast.channel, &message).await.expect("posted at the other"));
        }
        leader.kill();
        let last = last.expect("ten were posted");
        let shown = patiently(async || at_other.message(last.message.id).min_position(&last.position).await);
        assert_eq!(shown.await, last.message);
        until("the other leads", async || leads(other).await).await;
        leader.restart();
        leader.ready().await;
    }
    let applied = cluster.database().await;
    let count = "SELECT count(*) FROM read.messages";
    let rows: i64 = applied.query_one(count, &[]).await.expect("the read model answers").get(0);
    assert_eq!(rows, posted);
    // What both wrote in turn is what the log says, row by row.
    let place = cluster.place("verifier");
    std::fs::create_dir_all(&place.data).expect("a data directory");
    let verified =
        tokio::task::spawn_blocking(move || program(&place).args(["rebuild", "--verify"]).output());
    let verified = verified.await.expect("no panic").expect("it runs");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// A trigger that lets nobody join stands for a crash between the two appends of a registration: the first is in the log,
/// the second is not, and the node that should have made it is dead.
#[tokio::test]
async fn what_a_dead_node_left_undone_is_done_by_the_other() {
    let mut cluster = Cluster::start().await;
    let cast = Cast::gather(&cluster, 1).await;
    let database = cluster.database().await;
    let forbid = "
        CREATE FUNCTION public.forbid() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'nobody joins now'; END $$;
        CREATE TRIGGER forbid BEFORE INSERT ON log.events
            FOR EACH ROW WHEN (NEW.kind = 'membership.joined') EXECUTE FUNCTION public.forbid()";
    database.batch_execute(forbid).await.expect("a trigger");
    let [a, b] = strangers(&cluster);
    let cut = a.register(&new_account("late")).await.expect_err("the joining fails");
    assert_eq!(cut.status(), Some(503), "{cut:?}");
    let registered = "SELECT count(*) FROM log.events WHERE kind = 'account.registered'";
    let registered: i64 = database.query_one(registered, &[]).await.expect("the log").get(0);
    assert_eq!(registered, 2, "the account itself is there");
    cluster.a.kill();
    database.batch_execute("DROP TRIGGER forbid ON log.events").await.expect("no trigger");

    let joined = "SELECT count(*) FROM log.events WHERE kind = 'membership.joined'";
    let joined = async || -> i64 { database.query_one(joined, &[]).await.expect("the log").get(0) };
    until("the other node lets the account in", async || joined().await == 2).await;
    // Whoever repeats the registration hears that it is done, and nothing happens twice.
    // The read model's writer may have died with the node: until the other has taken over, it says to come again.
    let session =
        patiently(async || b.log_in(&client::NewSession::new("late", crate::cast::PASSWORD)).await).await;
    let late = b.with_token(session.token.expect("a token"));
    let inside = async || !patiently(async || late.bootstrap().await).await.communities.is_empty();
    until("the account is in", inside).await;
    late.post_message(cast.channel, &NewMessage::text("here at last")).await.expect("a member posts");
    cluster.a.restart();
    cluster.a.ready().await;
    late.post_message(cast.channel, &NewMessage::text("and again")).await.expect("a member posts");
    assert_eq!(joined().await, 2);
}
