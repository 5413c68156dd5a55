use domain::mention::Mentions;
use domain::{AccountId, MessageId, Role};
use event_store::Position;

use crate::world::{Place, World};

fn of(account: AccountId) -> Mentions {
    Mentions { accounts: [account].into(), ..Mentions::default() }
}

fn everyone() -> Mentions {
    Mentions { everyone: true, ..Mentions::default() }
}

fn members() -> Mentions {
    Mentions { roles: [Role::Member].into(), ..Mentions::default() }
}

async fn say(world: &World, place: Place, author: AccountId, mentions: Mentions) -> MessageId {
    world.post_with(place, author, "you", |posted| posted.mentions = mentions).await.0
}

async fn found(world: &World, viewer: AccountId) -> Vec<MessageId> {
    let page = world.read.mentions(viewer, None, 100).await.unwrap();
    assert_eq!(page.next, None);
    page.items.iter().map(|message| message.id).collect()
}

#[tokio::test]
async fn a_message_mentions_by_account_by_role_and_with_everybody() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let (bob, eve) = (world.account("Bob").await, world.account("Eve").await);
    world.join(home.0, bob).await;
    world.join(home.0, eve).await;
    world.give(home.0, eve, &[Role::Guest]).await;
    let named = say(&world, home, ann, of(bob)).await;
    let role = say(&world, home, ann, members()).await;
    let all = say(&world, home, ann, everyone()).await;
    let here = say(&world, home, ann, Mentions { here: true, ..of(bob) }).await;
    say(&world, home, bob, of(bob)).await;
    world.post(home, ann, "nobody").await;
    world.settle().await;
    assert_eq!(found(&world, bob).await, [here, all, role, named], "each once, and none of one's own");
    assert_eq!(found(&world, eve).await, [here, all]);
    assert_eq!(world.read.message(eve, named).await.unwrap().unwrap().mentions, of(bob));
}

#[tokio::test]
async fn mentions_go_with_the_edit_and_the_deletion_that_takes_them_away() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let (bob, eve) = (world.account("Bob").await, world.account("Eve").await);
    world.join(home.0, bob).await;
    world.join(home.0, eve).await;
    let (first, second) = (say(&world, home, ann, of(bob)).await, say(&world, home, ann, of(bob)).await);
    world.settle().await;
    world.edit_with(home, first, "Eve, not Bob", of(eve)).await;
    world.settle().await;
    assert_eq!((found(&world, bob).await, found(&world, eve).await), (vec![second], vec![first]));
    assert_eq!(world.read.message(bob, first).await.unwrap().unwrap().mentions, of(eve));
    world.delete(home, second, ann).await;
    world.settle().await;
    assert_eq!(found(&world, bob).await, []);
    assert!(world.read.message(bob, second).await.unwrap().unwrap().mentions.is_empty());
}

#[tokio::test]
async fn mentions_in_channels_that_one_may_not_see_any_more_are_not_listed() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let bob = world.account("Bob").await;
    world.join(home.0, bob).await;
    let other = (home.0, world.channel(home.0, "other").await);
    let here = say(&world, home, ann, of(bob)).await;
    say(&world, other, ann, everyone()).await;
    world.delete_channel(other, ann).await;
    world.settle().await;
    assert_eq!(found(&world, bob).await, [here]);
    world.leave(home.0, bob).await;
    world.settle().await;
    assert_eq!(found(&world, bob).await, []);
    world.join(home.0, bob).await;
    world.settle().await;
    assert_eq!(found(&world, bob).await, [here]);
}

#[tokio::test]
async fn pages_of_mentions_miss_and_repeat_nothing() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let bob = world.account("Bob").await;
    world.join(home.0, bob).await;
    let other = (home.0, world.channel(home.0, "other").await);
    let mut all = Vec::new();
    for number in 0..9 {
        let place = if number % 2 == 0 { home } else { other };
        let mentions = if number % 3 == 0 { Mentions { everyone: true, ..of(bob) } } else { of(bob) };
        all.insert(0, say(&world, place, ann, mentions).await);
    }
    world.settle().await;
    for limit in 1..=10 {
        let (mut walked, mut before) = (Vec::new(), None::<Position>);
        loop {
            let page = world.read.mentions(bob, before, limit).await.unwrap();
            assert!(page.items.len() <= limit);
            walked.extend(page.items.iter().map(|message| message.id));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(walked, all, "{limit}");
    }
}
