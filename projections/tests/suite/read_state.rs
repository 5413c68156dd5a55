use std::collections::BTreeSet;

use domain::channel::{ChannelEvent, GroupCreated, GroupMemberAdded, GroupMemberRemoved};
use domain::mention::Mentions;
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
    UnreadRow { channel_id, unread, first_unread: Some(first), mentions: 0 }
}

fn nothing(channel_id: ChannelId) -> UnreadRow {
    UnreadRow { channel_id, unread: 0, first_unread: None, mentions: 0 }
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
    let one = async |mark| world.read.unread_in(bob, home.1, &start, mark).await.unwrap();
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
    let same = world.read.read_start(bob, home.1).await.unwrap().unwrap();
    assert_eq!((same.position, same.since), (start.position, start.since));
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
async fn messages_that_mention_one_are_counted_once_each() {
    let (world, _running) = World::running().await;
    let (ann, bob, home) = two(&world).await;
    let eve = world.account("Eve").await;
    world.join(home.0, eve).await;
    world.give(home.0, bob, &[Role::Member, Role::Moderator]).await;
    let say = async |author_id, mentions: Mentions, thread_id| {
        let change = |posted: &mut MessagePosted| (posted.mentions, posted.thread_id) = (mentions, thread_id);
        world.post_with(home, author_id, "hello", change).await
    };
    let nobody = Mentions::default();
    let of_bob = Mentions { accounts: [bob].into(), ..nobody.clone() };
    let of_moderators = Mentions { roles: [Role::Moderator].into(), ..nobody.clone() };
    let of_all = Mentions { everyone: true, here: true, ..of_bob.clone() };
    let (root, first) = say(ann, nobody.clone(), None).await;
    say(ann, of_bob.clone(), None).await;
    say(ann, of_moderators.clone(), None).await;
    let (deleted, _) = say(ann, of_all.clone(), None).await;
    say(ann, of_all.clone(), None).await;
    say(bob, of_all.clone(), None).await;
    say(ann, of_bob, Some(root)).await;
    world.delete(home, deleted, ann).await;
    world.settle().await;
    let counts = async |viewer, marks: &[Mark]| {
        let rows = world.read.unread(viewer, marks).await.unwrap();
        (rows[0].unread, rows[0].mentions)
    };
    let mark = [set_now(home.1, first)];
    assert_eq!(
        counts(bob, &mark).await,
        (3, 3),
        "neither one's own nor deleted ones, nor what is in a thread"
    );
    assert_eq!(counts(eve, &mark).await, (4, 2), "who is no moderator is not mentioned as one");
    assert_eq!(counts(ann, &mark).await, (1, 1));
    assert_eq!(counts(bob, &[set_now(home.1, Position(u64::MAX))]).await, (0, 0));
    let start = world.read.read_start(bob, home.1).await.unwrap().unwrap();
    let one = world.read.unread_in(bob, home.1, &start, Some(mark[0])).await.unwrap();
    assert_eq!((one.unread, one.mentions), (3, 3));

    for _ in 0..MOST_UNREAD - 4 {
        say(ann, of_moderators.clone(), None).await;
    }
    world.settle().await;
    assert_eq!(counts(bob, &mark).await, (MOST_UNREAD - 1, MOST_UNREAD - 1));
    for _ in 0..2 {
        say(ann, of_moderators.clone(), None).await;
        world.settle().await;
        assert_eq!(counts(bob, &mark).await, (MOST_UNREAD, MOST_UNREAD));
    }
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
