use event_store::memory::MemoryStore;
use event_store::{EventStore as _, Position};
use projections::ReadModel;

use crate::world::{PATIENCE, World, pool, run};

#[tokio::test]
async fn a_read_model_that_fits_is_kept() {
    let (world, running) = World::running().await;
    let (ann, home) = world.place().await;
    let (id, _) = world.post(home, ann, "one").await;
    let settled = world.settle().await;
    running.stop().await;
    let (read, _) = world.other_node().await;
    assert_eq!(read.position(), settled);
    assert!(read.message(ann, id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_read_model_of_another_log_is_made_anew() {
    let (world, running) = World::running().await;
    let (ann, _) = world.place().await;
    world.settle().await;
    running.stop().await;
    let url = world.database.url();
    let read = ReadModel::prepare(url, pool(url), MemoryStore::new().log_id()).await.unwrap();
    assert_eq!(read.position(), Position::START);
    assert_eq!(read.account(ann).await.unwrap(), None);
}

#[tokio::test]
async fn a_read_model_of_another_shape_is_made_anew_and_filled_from_the_beginning() {
    let (world, running) = World::running().await;
    let (ann, _) = world.place().await;
    world.settle().await;
    running.stop().await;
    let other_program = "
        ALTER TABLE read.checkpoint DROP COLUMN halted;
        UPDATE read.checkpoint SET shape = 'older';
        ALTER TABLE read.accounts DROP COLUMN about";
    world.client().await.batch_execute(other_program).await.unwrap();
    let (read, projector) = world.other_node().await;
    assert_eq!(read.position(), Position::START);
    let _running = run(projector);
    assert!(read.wait_for(world.head().await, PATIENCE).await);
    assert!(read.account(ann).await.unwrap().is_some());
}

/// A server of an older program that still runs must not write into the tables of a newer one.
#[tokio::test]
async fn a_projector_keeps_its_hands_off_tables_of_another_shape() {
    let (world, running) = World::running().await;
    let (ann, home) = world.place().await;
    let settled = world.settle().await;
    world.client().await.batch_execute("UPDATE read.checkpoint SET shape = 'newer'").await.unwrap();
    let (id, position) = world.post(home, ann, "one").await;
    // It has tried once it no longer leads.
    while world.read.health().await.unwrap().leading {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.read.health().await.unwrap().position, settled);
    assert_eq!(world.read.message(ann, id).await.unwrap(), None);
    drop(running);

    let (read, projector) = world.other_node().await;
    let _running = run(projector);
    assert!(read.wait_for(position, PATIENCE).await);
    assert!(read.message(ann, id).await.unwrap().is_some());
}
