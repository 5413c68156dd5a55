use domain::block::{AccountBlocked, AccountUnblocked, BlockEvent};

use crate::world::World;

#[tokio::test]
async fn blocks_are_listed_for_who_blocks_the_newest_first() {
    let (world, _running) = World::running().await;
    let (ann, bob, eve) =
        (world.account("Ann").await, world.account("Bob").await, world.account("Eve").await);
    for (by, account_id) in [(ann, bob), (ann, eve), (bob, ann)] {
        world.tell(BlockEvent::from(AccountBlocked { account_id, by })).await;
    }
    world.settle().await;
    let blocked = async |by| {
        let rows = world.read.blocks(by).await.unwrap();
        rows.into_iter().map(|row| row.account.id).collect::<Vec<_>>()
    };
    assert_eq!(blocked(ann).await, [eve, bob]);
    assert_eq!(blocked(bob).await, [ann]);
    assert_eq!(blocked(eve).await, []);
    world.tell(BlockEvent::from(AccountUnblocked { account_id: eve, by: ann })).await;
    world.settle().await;
    assert_eq!(blocked(ann).await, [bob]);
}
