use domain::Role;
use event_store::Position;
use projections::Coming;

use crate::world::World;

#[tokio::test]
async fn access_is_every_channel_of_every_community_of_an_account() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let bob = world.account("Bob").await;
    let other = world.community(bob, "Other").await;
    world.join(home.0, bob).await;
    let settled = world.settle().await;
    let mut access = world.read.access(bob).await.unwrap();
    assert_eq!(access.position, settled);
    access.communities.sort_by_key(|community| community.id);
    let [first, second] = &access.communities[..] else { panic!("{access:?}") };
    assert_eq!((first.id, first.owner_id, &first.channels[..]), (home.0, ann, &[home.1][..]));
    assert_eq!((&first.held, first.roles.order().len()), (&[Role::Member].into(), 3));
    assert_eq!((second.id, second.owner_id, second.channels.len()), (other, bob, 0));

    world.leave(home.0, bob).await;
    world.delete_community(other, bob).await;
    world.settle().await;
    assert_eq!(world.read.access(bob).await.unwrap().communities, []);
}

#[tokio::test]
async fn comings_are_the_last_of_each_community_after_a_position() {
    let (world, _running) = World::running().await;
    let (ann, bob) = (world.account("Ann").await, world.account("Bob").await);
    let mut communities = vec![];
    for name in ["Kept", "Left", "Banned", "Deleted", "Joined"] {
        communities.push(world.community(ann, name).await);
    }
    let [kept, left, banned, deleted, joined] = communities[..] else { unreachable!() };
    let mut start = Position::START;
    for community in [kept, left, banned, deleted] {
        start = world.join(community, bob).await;
    }
    let changes = [
        (left, world.leave(left, bob).await, false),
        (banned, world.ban(banned, bob, ann).await, false),
        (deleted, world.delete_community(deleted, ann).await, false),
        (joined, world.join(joined, bob).await, true),
    ];
    world.settle().await;
    let expected = changes.map(|(id, position, is_member)| Coming::Community { id, position, is_member });
    assert_eq!(world.read.comings(bob, start).await.unwrap(), expected);
    assert_eq!(world.read.comings(bob, changes[1].1).await.unwrap(), expected[2..]);
    let all = world.read.comings(bob, Position::START).await.unwrap();
    assert!(all.len() == 5 && matches!(all[0], Coming::Community { id, is_member: true, .. } if id == kept));
}
