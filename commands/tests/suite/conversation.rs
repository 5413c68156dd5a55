//! Direct and group channels, and blocks, down to the log.

use std::sync::Arc;

use domain::channel::{ChannelError, ChannelName, direct_id};
use domain::message::MessageError;
use domain::{AccountId, ChannelId, streams};
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::scene::Scene;
use crate::world::{World, by, content, keyed, refused};

const ROUNDS: u128 = 200;

async fn trio() -> (World, [AccountId; 3]) {
    let world = World::new().await;
    let people = [world.person("ann").await, world.person("bob").await, world.person("cat").await];
    (world, people)
}

/// Accounts that need no text: who only opens a channel has said nothing yet.
fn account(round: u128, number: u128) -> AccountId {
    AccountId(Uuid::from_u128((round << 64) | number))
}

#[tokio::test]
async fn a_direct_channel_is_one_whoever_opens_it_and_however_often() {
    let (world, [ann, bob, _]) = trio().await;
    let first = world.commands.open_direct(&by(ann), bob).await.unwrap();
    assert_eq!(first.made, direct_id(bob, ann));
    let again = world.another_node().open_direct(&by(bob), ann).await.unwrap();
    assert_eq!((again.made, again.position), (first.made, first.position));
    assert_eq!(world.kinds(streams::channel(first.made)).await, ["direct.opened"]);
    let context = keyed(by(ann), "key", "open");
    world.commands.open_direct(&context, bob).await.unwrap();
    for speaker in [ann, bob] {
        world.commands.post_message(&by(speaker), first.made, content("hi"), None).await.unwrap();
    }
    assert_eq!(refused(world.commands.open_direct(&by(ann), ann).await), ChannelError::WithOneself);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_open_the_same_direct_channel_at_once_one_opens_it() {
    let world = World::new().await;
    world.store.jitter();
    for round in 0..ROUNDS {
        let (one, other) = (account(round, 1), account(round, 2));
        let start = Arc::new(Barrier::new(2));
        let open = |by_whom, with| {
            let (commands, start) = (world.another_node(), start.clone());
            tokio::spawn(async move {
                start.wait().await;
                commands.open_direct(&by(by_whom), with).await.unwrap()
            })
        };
        let (a, b) = tokio::join!(open(one, other), open(other, one));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!((a.made, a.position), (b.made, b.position), "round {round}");
        assert_eq!(world.kinds(streams::channel(a.made)).await, ["direct.opened"], "round {round}");
    }
}

/// In the log's order nothing is posted between a block and its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_post_slips_in_behind_a_block() {
    let (world, [ann, bob, _]) = trio().await;
    let direct = world.commands.open_direct(&by(ann), bob).await.unwrap().made;
    world.store.jitter();
    for round in 0..ROUNDS {
        let start = Arc::new(Barrier::new(2));
        let (poster, blocker, ready) = (world.another_node(), world.commands.clone(), start.clone());
        let post = tokio::spawn(async move {
            ready.wait().await;
            poster.post_message(&by(bob), direct, content("hey"), None).await
        });
        start.wait().await;
        let blocked = blocker.block_account(&by(ann), bob).await.unwrap();
        match post.await.unwrap() {
            Ok(posted) => assert!(posted.position < blocked.position, "round {round}"),
            other => assert_eq!(refused(other), MessageError::Blocked, "round {round}"),
        }
        blocker.unblock_account(&by(ann), bob).await.unwrap();
    }
}

#[tokio::test]
async fn a_block_between_two_refuses_what_begins_between_them() {
    let (world, [ann, bob, cat]) = trio().await;
    world.commands.block_account(&by(ann), bob).await.unwrap();
    for (one, other) in [(ann, bob), (bob, ann)] {
        assert_eq!(refused(world.commands.open_direct(&by(one), other).await), ChannelError::Blocked);
        let group = world.commands.create_group(&by(one), None, [other, cat].into()).await;
        assert_eq!(refused(group), ChannelError::Blocked);
    }
    let group = world.commands.create_group(&by(ann), None, [cat].into()).await.unwrap().made;
    let add = world.commands.add_group_member(&by(ann), group, bob).await;
    assert_eq!(refused(add), ChannelError::Blocked);
    world.commands.add_group_member(&by(cat), group, bob).await.unwrap();
    let kinds = world.kinds(streams::block(ann, bob)).await;
    assert_eq!(kinds, ["account.blocked"]);
    world.commands.block_account(&by(ann), bob).await.unwrap();
    assert_eq!(world.kinds(streams::block(bob, ann)).await, kinds, "once is enough");
}

#[tokio::test]
async fn a_group_is_a_channel_of_its_members() {
    let (world, [ann, bob, cat]) = trio().await;
    let name = ChannelName::parse("us").unwrap();
    let context = keyed(by(ann), "key", "create");
    let group = world.commands.create_group(&context, Some(name.clone()), [bob].into()).await.unwrap().made;
    let again = world.commands.create_group(&context, Some(name), [bob].into()).await.unwrap();
    assert_eq!((again.made, again.repeated), (group, true));
    let post = |author| {
        let commands = world.commands.clone();
        async move { commands.post_message(&by(author), group, content("hi"), None).await }
    };
    post(bob).await.unwrap();
    assert_eq!(refused(post(cat).await), MessageError::UnknownChannel);
    world.commands.add_group_member(&by(bob), group, cat).await.unwrap();
    post(cat).await.unwrap();
    let denied = world.commands.remove_group_member(&by(bob), group, cat).await;
    assert_eq!(refused(denied), ChannelError::NotGroupOwner);
    world.commands.remove_group_member(&by(ann), group, cat).await.unwrap();
    assert_eq!(refused(post(cat).await), MessageError::UnknownChannel);
    world.commands.hand_group_over(&by(ann), group, bob).await.unwrap();
    world.commands.remove_group_member(&by(bob), group, bob).await.unwrap();
    let kinds = world.kinds(streams::channel(group)).await;
    assert_eq!(kinds[kinds.len() - 2..], ["group.handed_over", "group.member_removed"]);
    world.commands.remove_group_member(&by(ann), group, ann).await.unwrap();
    assert_eq!(refused(post(ann).await), MessageError::UnknownChannel);
}

#[tokio::test]
async fn what_is_of_a_group_is_refused_elsewhere() {
    let scene = Scene::set().await;
    let (owner, member) = (scene.owner, scene.member);
    for (id, error) in
        [(scene.channel, ChannelError::NotGroup), (ChannelId(Uuid::from_u128(1)), ChannelError::Unknown)]
    {
        assert_eq!(refused(scene.commands.add_group_member(&by(owner), id, member).await), error);
        assert_eq!(refused(scene.commands.remove_group_member(&by(owner), id, member).await), error);
        assert_eq!(refused(scene.commands.hand_group_over(&by(owner), id, member).await), error);
    }
}
