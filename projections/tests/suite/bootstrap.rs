use std::collections::BTreeSet;

use domain::{AccountId, Role};

use crate::world::{World, run};

#[tokio::test]
async fn a_bootstrap_is_the_account_its_communities_and_the_position() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let settled = world.settle().await;
    let bootstrap = world.read.bootstrap(ann, &[]).await.unwrap();
    assert_eq!(bootstrap.position, settled);
    assert_eq!(bootstrap.account, world.read.account(ann).await.unwrap());
    assert_eq!(bootstrap.communities, world.read.communities_of(ann).await.unwrap());
    assert_eq!(bootstrap.communities[0].channels[0].id, home.1);

    let stranger = world.read.bootstrap(AccountId(world.id()), &[]).await.unwrap();
    assert_eq!((stranger.account, stranger.communities.len()), (None, 0));
}

/// At each position the log says how many channels there are and which role Bob has.
#[tokio::test]
async fn all_of_a_snapshot_is_of_one_position_while_writes_go_on() {
    let world = World::new().await;
    let ann = world.account("Ann").await;
    let bob = world.account("Bob").await;
    let home = world.community(ann, "Home").await;
    world.join(home, bob).await;
    let mut log = vec![(world.head().await, 0, Role::Member)];
    for number in 1..=150 {
        let role = if number % 2 == 0 { Role::Member } else { Role::Guest };
        let given = world.give(home, bob, &[role]).await;
        log.push((given, number - 1, role));
        world.channel(home, "more").await;
        log.push((world.head().await, number, role));
    }
    // In small pages, so that positions in between are seen.
    let _running = run(world.projector().page_size(3));
    let at = |position| log.iter().rfind(|(at, ..)| *at <= position);
    let mut positions = BTreeSet::new();
    while positions.last() < log.last().map(|(position, ..)| position) {
        let bootstrap = world.read.bootstrap(bob, &[]).await.unwrap();
        if let Some(&(_, channels, role)) = at(bootstrap.position) {
            let view = &bootstrap.communities[0];
            assert_eq!((view.channels.len(), view.member.roles()), (channels, &[role].into()));
            positions.insert(bootstrap.position);
        }
        let access = world.read.access(bob).await.unwrap();
        if let Some(&(_, channels, role)) = at(access.position) {
            let community = &access.communities[0];
            assert_eq!((community.channels.len(), &community.held), (channels, &[role].into()));
        }
    }
    assert!(positions.len() > 1, "nothing was seen on the way");
}
