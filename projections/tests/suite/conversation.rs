use domain::channel::{
    ChannelEvent, ChannelKind, DirectOpened, GroupCreated, GroupHandedOver, GroupMemberAdded,
    GroupMemberRemoved, direct_id, pair,
};
use domain::message::{Content, MessageEvent, MessagePosted};
use domain::{AccountId, ChannelId, MessageId, Personal};

use crate::world::World;

async fn open(world: &World, by: AccountId, with: AccountId) -> ChannelId {
    let (channel_id, accounts) = (direct_id(by, with), pair(by, with));
    world.tell(ChannelEvent::from(DirectOpened { channel_id, accounts, by })).await;
    channel_id
}

async fn post(world: &World, channel_id: ChannelId, author_id: AccountId) -> MessageId {
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
        text: Personal::Clear(Content::parse("between us").unwrap().into()),
    };
    world.tell(MessageEvent::from(posted)).await;
    message_id
}

#[tokio::test]
async fn conversations_are_listed_by_what_was_said_last_to_those_who_take_part() {
    let (world, _running) = World::running().await;
    let (ann, bob, eve) =
        (world.account("Ann").await, world.account("Bob").await, world.account("Eve").await);
    let direct = open(&world, ann, bob).await;
    let channel_id = ChannelId(world.id());
    let created = GroupCreated { channel_id, name: None, owner_id: bob, members: [ann, bob].into() };
    world.tell(ChannelEvent::from(created)).await;
    world.tell(ChannelEvent::from(GroupMemberAdded { channel_id, account_id: eve, by: ann })).await;
    world.settle().await;
    let of = async |viewer| {
        let rows = world.read.conversations_of(viewer).await.unwrap();
        rows.into_iter().map(|row| row.channel.id).collect::<Vec<_>>()
    };
    assert_eq!(of(ann).await, [channel_id, direct], "the younger first, while nothing is said");
    assert_eq!(of(eve).await, [channel_id]);
    let said = post(&world, direct, bob).await;
    world.settle().await;
    assert_eq!(of(ann).await, [direct, channel_id]);

    let row = world.read.conversation(bob, direct).await.unwrap().unwrap();
    assert_eq!((row.channel.kind, row.channel.community_id), (ChannelKind::Direct, None));
    let message = world.read.message(ann, said).await.unwrap().unwrap();
    assert_eq!(row.last_message_at, Some(message.created_at));
    assert_eq!(world.read.conversation(eve, direct).await.unwrap(), None);
    assert_eq!(world.read.message(eve, said).await.unwrap(), None);
    let group = world.read.conversation(eve, channel_id).await.unwrap().unwrap();
    assert_eq!((group.channel.owner_id, group.last_message_at), (Some(bob), None));
    let members: Vec<_> = group.members.iter().map(|member| member.id).collect();
    assert_eq!((members.len(), members[2]), (3, eve), "who came last comes last");
    let bootstrap = world.read.bootstrap(ann, &[]).await.unwrap();
    assert_eq!(bootstrap.conversations, world.read.conversations_of(ann).await.unwrap());
}

#[tokio::test]
async fn a_group_that_has_ended_leaves_nothing_behind() {
    let (world, _running) = World::running().await;
    let (ann, bob) = (world.account("Ann").await, world.account("Bob").await);
    let channel_id = ChannelId(world.id());
    let created = GroupCreated { channel_id, name: None, owner_id: ann, members: [ann, bob].into() };
    world.tell(ChannelEvent::from(created)).await;
    post(&world, channel_id, ann).await;
    world.tell(ChannelEvent::from(GroupHandedOver { channel_id, owner_id: bob, by: ann })).await;
    let removed = |account_id, ended| GroupMemberRemoved { channel_id, account_id, by: account_id, ended };
    world.tell(ChannelEvent::from(removed(ann, false))).await;
    world.settle().await;
    assert_eq!(world.read.conversation(ann, channel_id).await.unwrap(), None);
    let left = world.read.conversation(bob, channel_id).await.unwrap().unwrap();
    assert_eq!((left.members.len(), left.channel.owner_id), (1, Some(bob)));
    world.tell(ChannelEvent::from(removed(bob, true))).await;
    world.settle().await;
    let left = "SELECT (SELECT count(*) FROM read.messages), (SELECT count(*) FROM read.channels)";
    let left = world.client().await.query_one(left, &[]).await.unwrap();
    assert_eq!((left.get::<_, i64>(0), left.get::<_, i64>(1)), (0, 0), "no text may stay behind");
}

#[tokio::test]
async fn who_talks_to_an_account_sees_it_and_is_not_thereby_its_neighbour() {
    let (world, _running) = World::running().await;
    let (ann, bob, eve) =
        (world.account("Ann").await, world.account("Bob").await, world.account("Eve").await);
    let home = world.community(ann, "Home").await;
    world.join(home, eve).await;
    open(&world, ann, bob).await;
    world.settle().await;
    let all = [ann, bob, eve];
    assert_eq!(world.read.co_members_among(bob, &all).await.unwrap(), [ann, bob].into());
    assert_eq!(world.read.neighbours_among(ann, &all).await.unwrap(), [ann, eve].into());
    assert_eq!(world.read.neighbours_among(bob, &all).await.unwrap(), [].into());
    assert!(world.read.visible_account(bob, ann).await.unwrap().is_some());
    assert_eq!(world.read.visible_account(bob, eve).await.unwrap(), None);
}
