//! Where others see an account.

use domain::channel::{ChannelEvent, GroupCreated, GroupMemberRemoved};
use domain::{AccountId, ChannelId};
use projections::Surroundings;

use crate::world::World;

#[tokio::test]
async fn an_account_is_seen_in_its_communities_and_conversations_while_it_is_in_them() {
    let (world, _running) = World::running().await;
    let (ann, bob) = (world.account("Ann").await, world.account("Bob").await);
    let alone = world.account("Alone").await;
    let (home, other) = (world.community(ann, "Home").await, world.community(ann, "Other").await);
    world.join(home, bob).await;
    let channel_id = ChannelId(world.id());
    let created = GroupCreated { channel_id, name: None, owner_id: ann, members: [ann, bob].into() };
    world.tell(ChannelEvent::from(created)).await;
    world.settle().await;
    let around = async || {
        let mut around = world.read.surroundings(&[ann, bob, alone]).await.unwrap();
        [ann, bob, alone].map(|account: AccountId| around.remove(&account).unwrap_or_default())
    };
    let mut both = vec![home, other];
    both.sort();
    let of_ann = Surroundings { communities: both, conversations: vec![channel_id] };
    let of_bob = Surroundings { communities: vec![home], conversations: vec![channel_id] };
    assert_eq!(around().await, [of_ann.clone(), of_bob, Surroundings::default()]);

    world.leave(home, bob).await;
    world
        .tell(ChannelEvent::from(GroupMemberRemoved { channel_id, account_id: bob, by: bob, ended: false }))
        .await;
    world.settle().await;
    assert_eq!(around().await, [of_ann, Surroundings::default(), Surroundings::default()]);
}

#[tokio::test]
async fn members_are_named_to_members_only() {
    let (world, _running) = World::running().await;
    let (ann, bob, eve) =
        (world.account("Ann").await, world.account("Bob").await, world.account("Eve").await);
    let home = world.community(ann, "Home").await;
    world.join(home, bob).await;
    world.settle().await;
    let mut both = vec![ann, bob];
    both.sort();
    assert_eq!(world.read.member_ids(bob, home).await.unwrap(), Some(both));
    assert_eq!(world.read.member_ids(eve, home).await.unwrap(), None);
    world.leave(home, bob).await;
    world.settle().await;
    assert_eq!(world.read.member_ids(bob, home).await.unwrap(), None);
    assert_eq!(world.read.member_ids(ann, home).await.unwrap(), Some(vec![ann]));
}

#[tokio::test]
async fn of_messages_by_id_those_are_found_that_may_be_seen() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let (bob, place) = world.place().await;
    let (seen, _) = world.post(home, ann, "seen").await;
    let (hidden, _) = world.post(place, bob, "hidden").await;
    world.settle().await;
    let found = world.read.messages(ann, &[hidden, seen, domain::MessageId(world.id())]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found.get(&seen), world.read.message(ann, seen).await.unwrap().as_ref());
    assert_eq!(found[&seen].content.as_deref(), Some("seen"));
    assert!(world.read.messages(ann, &[]).await.unwrap().is_empty());
}
