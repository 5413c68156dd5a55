use event_store::memory::MemoryStore;
use event_store::{EventStore as _, Position};
use projections::ReadModel;

use crate::world::{World, pool};

#[tokio::test]
async fn each_follower_has_a_checkpoint_of_its_own_in_each_log() {
    let world = World::new().await;
    let read = &world.read;
    assert_eq!(read.checkpoint_load("search").await.unwrap(), Position::START);
    read.checkpoint_save("search", Position(7)).await.unwrap();
    read.checkpoint_save("audit", Position(9)).await.unwrap();
    read.checkpoint_save("search", Position(5)).await.unwrap();
    assert_eq!(read.checkpoint_load("search").await.unwrap(), Position(5));
    assert_eq!(read.checkpoint_load("audit").await.unwrap(), Position(9));

    let url = world.database.url();
    let other = ReadModel::prepare(url, pool(url), MemoryStore::new().log_id()).await.unwrap();
    assert_eq!(other.checkpoint_load("search").await.unwrap(), Position::START);
    assert_eq!(read.checkpoint_load("search").await.unwrap(), Position(5));
}
