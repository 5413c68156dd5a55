use std::time::Duration;

use crate::world::{PATIENCE, World, run};

#[tokio::test]
async fn one_of_two_projectors_leads_and_the_other_takes_over() {
    let world = World::new().await;
    let (other, projector) = world.other_node().await;
    let nodes = [(&world.read, run(world.projector())), (&other, run(projector))];
    let (ann, home) = world.place().await;
    let position = world.head().await;
    for (read, _) in &nodes {
        assert!(read.wait_for(position, PATIENCE).await, "who does not lead asks for the checkpoint");
    }
    let leading = [world.read.health().await.unwrap().leading, other.health().await.unwrap().leading];
    assert_ne!(leading[0], leading[1], "one and only one leads");

    let [(first, first_running), (second, second_running)] = nodes;
    let (leader, follower, stopped, kept) = if leading[0] {
        (first, second, first_running, second_running)
    } else {
        (second, first, second_running, first_running)
    };
    stopped.stop().await;
    let (id, position) = world.post(home, ann, "after").await;
    assert!(follower.wait_for(position, PATIENCE).await);
    assert!(follower.health().await.unwrap().leading);
    assert!(!leader.health().await.unwrap().leading);
    assert!(leader.wait_for(position, PATIENCE).await);
    assert!(leader.message(ann, id).await.unwrap().is_some());
    drop(kept);
}

/// Whenever a session ends, an event is either applied with the checkpoint or not at all.
#[tokio::test]
async fn a_projector_whose_connection_is_cut_again_and_again_applies_each_event_once() {
    let world = World::new().await;
    let (ann, home) = world.place().await;
    for _ in 0..300 {
        let (id, _) = world.post(home, ann, "one").await;
        world.edit(home, id, "two").await;
    }
    let code = world.invite(home.0, ann, None).await;
    for _ in 0..100 {
        world.redeem(home.0, &code, ann).await;
    }
    let head = world.head().await;
    let (_, projector) = world.other_node().await;
    let _nodes = [run(world.projector().page_size(5)), run(projector.page_size(7))];
    let client = world.client().await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'echoverse projections' AND datname = current_database()";
    let (mut cuts, mut seen) = (0, world.read.health().await.unwrap().position);
    while seen < head && cuts < 25 {
        let position = world.read.health().await.unwrap().position;
        if position > seen {
            cuts += client.query(cut, &[]).await.unwrap().len();
        }
        seen = position;
    }
    assert!(cuts > 1, "nothing was cut");
    world.reach(head).await;
    assert_eq!(world.read.invite(&code).await.unwrap().unwrap().uses, 100);
    world.assert_rebuilt_equals_live().await;
}

/// The projector's transactions are not flushed: a crash takes the last of them back, after they were told to readers.
#[tokio::test]
async fn what_a_crash_takes_back_is_not_told_any_longer() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let before = world.settle().await;
    let (id, position) = world.post(home, ann, "hello").await;
    world.reach(position).await;

    let mut client = world.client().await;
    let crash = client.transaction().await.unwrap();
    let take_back = format!(
        "LOCK TABLE read.checkpoint;
        UPDATE read.checkpoint SET position = {before};
        DELETE FROM read.messages;
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'echoverse projections' AND datname = current_database()"
    );
    crash.batch_execute(&take_back).await.unwrap();
    while world.read.position() >= position {
        tokio::task::yield_now().await;
    }
    assert!(!world.read.wait_for(position, Duration::ZERO).await);
    crash.commit().await.unwrap();
    world.reach(position).await;
    assert!(world.read.message(ann, id).await.unwrap().is_some());
}

#[tokio::test]
async fn waiting_for_what_does_not_come_ends_in_time() {
    let (world, _running) = World::running().await;
    let settled = world.settle().await;
    assert!(world.read.wait_for(settled, Duration::ZERO).await);
    let beyond = event_store::Position(settled.0 + 1_000);
    assert!(!world.read.wait_for(beyond, Duration::from_millis(20)).await);
}
