use domain::ChannelId;
use domain::channel::{ChannelChanged, ChannelEvent, ChannelKind, ChannelName, ChannelTopic, SlowMode};
use domain::channel_order::{ChannelOrderEvent, ChannelsOrdered, Placed};

use crate::world::World;

#[tokio::test]
async fn a_channel_is_what_it_was_made_as_and_changed_since() {
    let (world, _running) = World::running().await;
    let (ann, eve) = (world.account("Ann").await, world.account("Eve").await);
    let home = world.community(ann, "Home").await;
    let category = world.channel_of(home, "talks", ChannelKind::Category, None).await;
    let channel_id = world.channel_of(home, "radio", ChannelKind::Audio, Some(category)).await;
    let change = |name: Option<&str>, topic: Option<&str>| {
        let name = name.map(|name| ChannelName::parse(name).unwrap());
        let topic = topic.map(|topic| ChannelTopic::parse(topic).unwrap());
        ChannelEvent::from(ChannelChanged { name, topic, ..ChannelChanged::nothing(channel_id, home) })
    };
    world.tell(change(Some("wireless"), None)).await;
    world.tell(change(None, Some("on air"))).await;
    world.settle().await;

    let channel = world.read.channel(ann, channel_id).await.unwrap().unwrap();
    assert_eq!((channel.id, channel.community_id), (channel_id, Some(home)));
    assert_eq!((channel.kind, channel.category_id), (ChannelKind::Audio, Some(category)));
    assert_eq!((channel.name.as_deref(), channel.topic.as_str()), (Some("wireless"), "on air"));
    assert_eq!(world.read.channel(eve, channel_id).await.unwrap(), None);
    assert_eq!(world.read.channel(ann, ChannelId(world.id())).await.unwrap(), None);
}

#[tokio::test]
async fn a_channel_outlives_its_category() {
    let (world, _running) = World::running().await;
    let ann = world.account("Ann").await;
    let home = world.community(ann, "Home").await;
    let category = world.channel_of(home, "talks", ChannelKind::Category, None).await;
    let before = world.channel_of(home, "before", ChannelKind::Text, Some(category)).await;
    world.delete_channel((home, category), ann).await;
    let after = world.channel_of(home, "after", ChannelKind::Text, Some(category)).await;
    world.settle().await;
    for channel in [before, after] {
        assert_eq!(world.read.channel(ann, channel).await.unwrap().unwrap().category_id, None);
    }
}

#[tokio::test]
async fn a_deleted_channel_takes_its_messages_along_and_leaves_others_alone() {
    let (world, _running) = World::running().await;
    let (ann, gone) = world.place().await;
    let kept = (gone.0, world.channel(gone.0, "kept").await);
    let (lost, _) = world.post(gone, ann, "lost").await;
    world.edit(gone, lost, "edited and lost").await;
    let (stays, _) = world.post(kept, ann, "stays").await;
    world.delete_channel(gone, ann).await;
    // What a log without exact guards may hold: a post behind the deletion.
    let (late, _) = world.post(gone, ann, "late").await;
    world.settle().await;

    assert_eq!(world.read.channel(ann, gone.1).await.unwrap(), None);
    assert_eq!(world.read.message(ann, lost).await.unwrap(), None);
    assert_eq!(world.read.message(ann, late).await.unwrap(), None);
    assert!(world.read.message(ann, stays).await.unwrap().is_some());
    let community = world.read.community(ann, gone.0).await.unwrap().unwrap();
    assert_eq!(community.channels.iter().map(|channel| channel.id).collect::<Vec<_>>(), [kept.1]);
    let left = "SELECT (SELECT count(*) FROM read.messages), (SELECT count(*) FROM read.message_versions)";
    let left = world.client().await.query_one(left, &[]).await.unwrap();
    assert_eq!((left.get::<_, i64>(0), left.get::<_, i64>(1)), (1, 0), "no text may stay behind");
}

#[tokio::test]
async fn settings_are_as_they_were_last_said() {
    let (world, _running) = World::running().await;
    let (ann, (home, channel_id)) = world.place().await;
    let category = world.channel_of(home, "talks", ChannelKind::Category, None).await;
    let change = async |changed: ChannelChanged| {
        world.tell(ChannelEvent::from(changed)).await;
        world.settle().await;
        world.read.channel(ann, channel_id).await.unwrap().unwrap()
    };
    let nothing = || ChannelChanged::nothing(channel_id, home);
    let row =
        change(ChannelChanged { slow_mode: SlowMode::new(30), archived: Some(true), ..nothing() }).await;
    assert_eq!((row.slow_mode, row.archived, row.private), (30, true, false));
    let row = change(ChannelChanged { archived: Some(false), private: Some(true), ..nothing() }).await;
    assert_eq!((row.slow_mode, row.archived, row.private), (30, false, true));
    let row = change(ChannelChanged { category_id: Some(Some(category)), ..nothing() }).await;
    assert_eq!(row.category_id, Some(category));
    let row = change(ChannelChanged { category_id: Some(None), ..nothing() }).await;
    assert_eq!(row.category_id, None);
    let row = change(ChannelChanged { category_id: Some(Some(ChannelId(world.id()))), ..nothing() }).await;
    assert_eq!(row.category_id, None, "never one that is gone");
}

#[tokio::test]
async fn channels_stand_in_the_order_that_was_said_last() {
    let (world, _running) = World::running().await;
    let (ann, (home, first)) = world.place().await;
    let category = world.channel_of(home, "talks", ChannelKind::Category, None).await;
    let second = world.channel(home, "second").await;
    let order = async |layout: &[(ChannelId, Option<ChannelId>)]| {
        let channels = layout.iter().map(|(id, category_id)| Placed { id: *id, category_id: *category_id });
        let ordered = ChannelsOrdered { community_id: home, channels: channels.collect(), by: ann };
        world.tell(ChannelOrderEvent::from(ordered)).await;
        world.settle().await;
        let view = world.read.community(ann, home).await.unwrap().unwrap();
        view.channels.iter().map(|channel| (channel.id, channel.category_id)).collect::<Vec<_>>()
    };
    let layout = [(second, Some(category)), (category, None), (first, None)];
    assert_eq!(order(&layout).await, layout);
    let less = [(first, Some(category))];
    let expected = [(first, Some(category)), (category, None), (second, Some(category))];
    assert_eq!(order(&less).await, expected, "the others come after it, oldest first, where they are");
    assert_eq!(world.read.channel_count(home).await.unwrap(), 3);
    world.delete_channel((home, category), ann).await;
    world.settle().await;
    assert_eq!(world.read.channel_count(home).await.unwrap(), 2);
}
