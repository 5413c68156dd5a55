use std::collections::BTreeSet;

use domain::channel::{ChannelEvent, GroupCreated, GroupMemberAdded, GroupMemberRemoved};
use domain::message::{Content, MessageEvent, MessagePosted};
use domain::{AccountId, ChannelId, MessageId, Personal, Role};
use event_store::Position;
use jiff::{SignedDuration, Timestamp};
use projections::{MOST_UNREAD, Mark, Sight, UnreadRow};

use crate::world::{Place, World};

fn mark(channel_id: ChannelId, position: Position, at: Timestamp) -> Mark {
    Mark { channel_id, position, at }
}

/// A mark set now, as far as anything here goes.
fn set_now(channel: ChannelId, position: Position) -> Mark {
    mark(channel, position, Timestamp::MAX)
}

fn row(channel_id: ChannelId, unread: u32, first: MessageId) -> UnreadRow {
    UnreadRow { channel_id, unread, first_unread: Some(first) }
}

fn nothing(channel_id: ChannelId) -> UnreadRow {
    UnreadRow { channel_id, unread: 0, first_unread: None }
}

/// The owner of a place, and another member of it.
async fn two(world: &World) -> (AccountId, AccountId, Place) {
    let (ann, home) = world.place().await;
    let bob = world.account("Bob").await;
    world.join(home.0, bob).await;
    (ann, bob, home)
}

#[tokio::test]
async fn what_others_posted_behind_the_mark_is_unread() {
    let (world, _running) = World::running().await;
    let (ann, bob, home) = two(&world).await;
    let other = world.channel(home.0, "other").await;
    let (first, at_first) = world.post(home, ann, "one").await;
    let (second, at_second) = world.post(home, ann, "two").await;
    let (_, own) = world.post(home, bob, "mine").await;
    let (third, _) = world.post(home, ann, "three").await;
    let (elsewhere, _) = world.post((home.0, other), ann, "elsewhere").await;
    world.settle().await;
    let unread = async |marks: &[Mark]| {
        let mut rows = world.read.unread(bob, marks).await.unwrap();
        rows.sort_by_key(|row| row.channel_id);
        rows
    };
    assert_eq!(unread(&[]).await, [row(home.1, 3, first), row(other, 1, elsewhere)]);
    assert_eq!(
        unread(&[set_now(home.1, at_first)]).await,
        [row(home.1, 2, second), row(other, 1, elsewhere)],
        "one's own message is not unread"
    );
    assert_eq!(unread(&[set_now(home.1, at_second)]).await[0], row(home.1, 1, third));
    assert_eq!(unread(&[set_now(home.1, own)]).await[0], row(home.1, 1, third));
    let all = [set_now(home.1, Position(u64::MAX)), set_now(other, Position(u64::MAX))];
    assert_eq!(unread(&all).await, [nothing(home.1), nothing(other)]);

    world.delete(home, second, ann).await;
    world.settle().await;
    assert_eq!(unread(&[set_now(home.1, at_first)]).await[0], row(home.1, 1, third), "nor is a deleted one");
    let bootstrap = world.read.bootstrap(bob, &[]).await.unwrap();
    assert_eq!(bootstrap.unread, world.read.unread(bob, &[]).await.unwrap());

    let start = world.read.read_start(bob, home.1).await.unwrap().unwrap();
    let one = async |mark| world.read.unread_in(bob, home.1, start, mark).await.unwrap();
    assert_eq!(one(None).await, row(home.1, 2, first));
    assert_eq!(one(Some(set_now(home.1, own))).await, row(home.1, 1, third));
    assert_eq!(one(Some(set_now(home.1, Position(u64::MAX)))).await, nothing(home.1));
}

#[tokio::test]
async fn what_was_there_before_one_joined_counts_as_read() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let (old, at_old) = world.post(home, ann, "before").await;
    let bob = world.account("Bob").await;
    world.join(home.0, bob).await;
    world.settle().await;
    assert_eq!(world.read.unread(bob, &[]).await.unwrap(), [nothing(home.1)]);
    let start = world.read.read_start(bob, home.1).await.unwrap().unwrap();
    assert_eq!((start.position, start.in_conversation), (at_old, false));
    let (new, at_new) = world.post(home, ann, "after").await;
    // A change of roles is no joining.
    world.give(home.0, bob, &[Role::Member, Role::Moderator]).await;
    world.settle().await;
    assert_eq!(world.read.unread(bob, &[]).await.unwrap(), [row(home.1, 1, new)]);
    assert_eq!(world.read.read_start(bob, home.1).await.unwrap(), Some(start));
    let back = set_now(home.1, Position(at_old.0 - 1));
    assert_eq!(
        world.read.unread(bob, &[back]).await.unwrap(),
        [row(home.1, 2, old)],
        "unless it is marked unread"
    );

    // Gone, and back: what was said meanwhile is no news, and the old mark is of another stay.
    world.leave(home.0, bob).await;
    world.post(home, ann, "meanwhile").await;
    world.settle().await;
    assert_eq!(world.read.unread(bob, &[]).await.unwrap(), [], "outside nothing is shown");
    assert_eq!(world.read.read_start(bob, home.1).await.unwrap(), None);
    world.join(home.0, bob).await;
    let (newest, at_newest) = world.post(home, ann, "welcome back").await;
    world.settle().await;
    let again = world.read.read_start(bob, home.1).await.unwrap().unwrap();
    let before = again.since - SignedDuration::from_micros(1);
    for stale in [at_old, at_new] {
        let stale = mark(home.1, stale, before);
        assert_eq!(world.read.unread(bob, &[stale]).await.unwrap(), [row(home.1, 1, newest)]);
    }
    let fresh = mark(home.1, at_new, again.since);
    assert_eq!(world.read.unread(bob, &[fresh]).await.unwrap()[0].unread, 2, "a mark of this stay counts");
    let ahead = mark(home.1, at_newest, before);
    assert_eq!(
        world.read.unread(bob, &[ahead]).await.unwrap(),
        [nothing(home.1)],
        "one that is further on counts anyway"
    );
}

#[tokio::test]
async fn who_may_not_see_a_channel_has_nothing_unread_in_it() {
    let (world, _running) = World::running().await;
    let (ann, bob, home) = two(&world).await;
    let (_, position) = world.post(home, ann, "one").await;
    let eve = world.account("Eve").await;
    world.settle().await;
    assert_eq!(world.read.unread(bob, &[]).await.unwrap()[0].unread, 1);
    let marks = [set_now(home.1, Position(position.0 - 1))];
    let sight = world.read.sight(bob).await.unwrap();
    assert_eq!(sight, Sight { communities: vec![home.0], channels: vec![home.1] });
    assert_eq!(world.read.participants(bob, home.1).await.unwrap(), None, "it is no conversation");
    assert_eq!(world.read.unread(eve, &marks).await.unwrap(), []);
    assert_eq!(world.read.read_start(eve, home.1).await.unwrap(), None);
    world.ban(home.0, bob, ann).await;
    world.settle().await;
    assert_eq!(world.read.unread(bob, &marks).await.unwrap(), []);
    world.delete_channel(home, ann).await;
    world.settle().await;
    assert_eq!(world.read.unread(ann, &marks).await.unwrap(), []);
}

#[tokio::test]
async fn a_conversation_counts_for_those_who_take_part_since_they_came() {
    let (world, _running) = World::running().await;
    let (ann, bob) = (world.account("Ann").await, world.account("Bob").await);
    let eve = world.account("Eve").await;
    let channel_id = ChannelId(world.id());
    let created = GroupCreated { channel_id, name: None, owner_id: ann, members: [ann, bob].into() };
    world.tell(ChannelEvent::from(created)).await;
    let post = async |author_id| {
        let message_id = MessageId(world.id());
        let posted = MessagePosted {
            message_id,
            channel_id,
            community_id: None,
            author_id,
            reply_to: None,
            poll: None,
            thread_id: None,
            forwarded: None,
            mentions: domain::mention::Mentions::default(),
            text: Personal::Clear(Content::parse("hello").unwrap().into()),
        };
        (message_id, world.tell(MessageEvent::from(posted)).await)
    };
    let (first, at_first) = post(ann).await;
    let added = GroupMemberAdded { channel_id, account_id: eve, by: ann };
    world.tell(ChannelEvent::from(added)).await;
    let (second, _) = post(ann).await;
    world.settle().await;
    let unread = async |viewer| world.read.unread(viewer, &[]).await.unwrap();
    assert_eq!(unread(ann).await, [nothing(channel_id)]);
    assert_eq!(unread(bob).await, [row(channel_id, 2, first)]);
    assert_eq!(unread(eve).await, [row(channel_id, 1, second)]);
    assert_eq!(world.read.bootstrap(eve, &[]).await.unwrap().unread, unread(eve).await);
    assert_eq!(
        world.read.sight(eve).await.unwrap(),
        Sight { communities: vec![], channels: vec![channel_id] }
    );
    let start = world.read.read_start(eve, channel_id).await.unwrap().unwrap();
    assert_eq!((start.position, start.in_conversation), (at_first, true));
    let mut participants = world.read.participants(eve, channel_id).await.unwrap().unwrap();
    assert_eq!(participants.pop(), Some(eve), "who came last stands last");
    assert_eq!(participants.into_iter().collect::<BTreeSet<_>>(), [ann, bob].into());

    let removed = GroupMemberRemoved { channel_id, account_id: eve, by: eve, ended: false };
    world.tell(ChannelEvent::from(removed)).await;
    world.settle().await;
    assert_eq!(unread(eve).await, []);
    assert_eq!(world.read.read_start(eve, channel_id).await.unwrap(), None);
    assert_eq!(world.read.participants(eve, channel_id).await.unwrap(), None);
    assert_eq!(world.read.participants(ann, channel_id).await.unwrap().unwrap().len(), 2);
}

#[tokio::test]
async fn as_many_as_are_counted_stand_for_more() {
    let (world, _running) = World::running().await;
    let (ann, bob, home) = two(&world).await;
    let (first, _) = world.post(home, ann, "first").await;
    for _ in 0..MOST_UNREAD - 2 {
        world.post(home, ann, "more").await;
    }
    world.settle().await;
    assert_eq!(world.read.unread(bob, &[]).await.unwrap(), [row(home.1, MOST_UNREAD - 1, first)]);
    for count in [MOST_UNREAD, MOST_UNREAD] {
        world.post(home, ann, "more").await;
        world.settle().await;
        assert_eq!(world.read.unread(bob, &[]).await.unwrap(), [row(home.1, count, first)]);
    }
}
