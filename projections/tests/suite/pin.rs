use crate::world::World;

#[tokio::test]
async fn pins_are_listed_page_by_page_the_newest_pin_first() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let eve = world.account("Eve").await;
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        ids.push(world.post(home, ann, text).await.0);
    }
    world.settle().await;
    // By the time of the pin, not of the post; one of them posted in the same page.
    let fresh = world.post(home, ann, "four").await.0;
    for id in [ids[2], fresh, ids[0]] {
        world.pin(home, id, ann).await;
    }
    world.react(home, ids[0], ann, "🎉", 1).await;
    world.settle().await;
    let page = async |before, limit| {
        let page = world.read.pins(ann, home.1, before, limit).await.unwrap().unwrap();
        (page.items.iter().map(|pin| pin.message.id).collect::<Vec<_>>(), page)
    };
    let (first, found) = page(None, 2).await;
    assert_eq!(first, [ids[0], fresh]);
    let newest = &found.items[0];
    assert_eq!((newest.pinned_by, newest.message.pinned), (ann, true));
    assert_eq!(newest.message.reactions.len(), 1, "whole messages");
    assert!(newest.pinned_at >= newest.message.created_at);
    let (rest, end) = page(found.next, 2).await;
    assert_eq!((rest, end.next), (vec![ids[2]], None));
    assert_eq!(page(None, 3).await.1.next, None, "a full page that ends the list");
    assert!(!world.read.message(ann, ids[1]).await.unwrap().unwrap().pinned);
    assert_eq!(world.read.pins(eve, home.1, None, 9).await.unwrap(), None, "who may not see the channel");
}

#[tokio::test]
async fn what_is_unpinned_or_deleted_is_no_pin() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let (unpinned, deleted) = (world.post(home, ann, "one").await.0, world.post(home, ann, "two").await.0);
    for id in [unpinned, deleted] {
        world.pin(home, id, ann).await;
    }
    world.settle().await;
    world.unpin(home, unpinned, ann).await;
    world.delete(home, deleted, ann).await;
    // Pinned and deleted in one page.
    let brief = world.post(home, ann, "three").await.0;
    world.pin(home, brief, ann).await;
    world.delete(home, brief, ann).await;
    world.settle().await;
    assert_eq!(world.read.pins(ann, home.1, None, 9).await.unwrap().unwrap().items, []);
    for id in [unpinned, deleted, brief] {
        assert!(!world.read.message(ann, id).await.unwrap().unwrap().pinned);
    }
    world.pin(home, unpinned, ann).await;
    world.settle().await;
    assert!(world.read.message(ann, unpinned).await.unwrap().unwrap().pinned);
    world.assert_rebuilt_equals_live().await;
}
