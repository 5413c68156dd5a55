use commands::{ChangedChannel, NewChannel};
use domain::channel::{ChannelError, ChannelKind, ChannelName, ChannelTopic, LiveChannel};
use domain::channel_order::{ChannelOrderError, Placed};
use domain::message::MessageError;
use domain::permission::{Overwrite, Target};
use domain::{ChannelId, CommunityId, Permissions, Role, streams};
use uuid::Uuid;

use crate::scene::{Scene, a_channel};
use crate::world::{anyone, by, content, refused};

const NO_CHANNEL: ChannelId = ChannelId(Uuid::from_u128(1));
const NO_COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(2));

fn name(text: &str) -> Option<ChannelName> {
    Some(ChannelName::parse(text).unwrap())
}

fn to(name: Option<ChannelName>, topic: Option<ChannelTopic>) -> ChangedChannel {
    ChangedChannel { name, topic, ..ChangedChannel::default() }
}

fn name_of(channel: &LiveChannel) -> &str {
    channel.name.as_ref().unwrap().as_str()
}

#[tokio::test]
async fn a_moderator_creates_a_channel_in_a_category() {
    let scene = Scene::set().await;
    let category = scene.new_channel(ChannelKind::Category).await;
    let new = NewChannel { category_id: Some(category), ..a_channel(ChannelKind::Video) };
    let created = scene.commands.create_channel(&by(scene.moderator), scene.community, new).await.unwrap();
    let channel = created.made.channel;
    assert_eq!((channel.community_id(), channel.kind), (Some(scene.community), ChannelKind::Video));
    assert_eq!((name_of(&channel), channel.topic.as_str()), ("lounge", "Tea"));
    assert_eq!(channel.category_id, Some(category));
    let records = scene.stream(streams::channel(channel.id)).await;
    assert_eq!(records[0].position, created.position);
    assert_eq!(records[0].recorded_at, created.made.created_at);
}

#[tokio::test]
async fn creating_a_channel_without_the_permission_is_refused() {
    let scene = Scene::set().await;
    let create = |account| {
        let commands = scene.commands.clone();
        async move { commands.create_channel(&by(account), scene.community, a_channel(ChannelKind::Text)).await }
    };
    assert_eq!(refused(create(scene.member).await), ChannelError::MayNotManage);
    assert_eq!(refused(create(scene.outsider).await), ChannelError::UnknownCommunity);
    let nowhere =
        scene.commands.create_channel(&by(scene.owner), NO_COMMUNITY, a_channel(ChannelKind::Text)).await;
    assert_eq!(refused(nowhere), ChannelError::UnknownCommunity);
    let nobody =
        scene.commands.create_channel(&anyone(), scene.community, a_channel(ChannelKind::Text)).await;
    assert_eq!(refused(nobody), ChannelError::UnknownCommunity);
    scene.commands.delete_community(&by(scene.owner), scene.community).await.unwrap();
    assert_eq!(refused(create(scene.owner).await), ChannelError::UnknownCommunity);
}

#[tokio::test]
async fn a_category_must_be_a_living_category_of_the_same_community() {
    let scene = Scene::set().await;
    let gone = scene.new_channel(ChannelKind::Category).await;
    scene.commands.delete_channel(&by(scene.owner), gone).await.unwrap();
    let other = crate::scene::name("Other");
    let other = scene.commands.create_community(&by(scene.owner), other).await.unwrap().made;
    let elsewhere =
        scene.commands.create_channel(&by(scene.owner), other, a_channel(ChannelKind::Category)).await;
    let elsewhere = elsewhere.unwrap().made.channel.id;
    for category in [NO_CHANNEL, scene.channel, gone, elsewhere] {
        let new = NewChannel { category_id: Some(category), ..a_channel(ChannelKind::Text) };
        let created = scene.commands.create_channel(&by(scene.owner), scene.community, new).await;
        assert_eq!(refused(created), ChannelError::CategoryNotFound);
    }
    let category = scene.new_channel(ChannelKind::Category).await;
    let new = NewChannel { category_id: Some(category), ..a_channel(ChannelKind::Category) };
    let created = scene.commands.create_channel(&by(scene.owner), scene.community, new).await;
    assert_eq!(refused(created), ChannelError::CategoryInCategory);
}

#[tokio::test]
async fn a_change_leaves_what_was_not_given() {
    let scene = Scene::set().await;
    let id = scene.new_channel(ChannelKind::Text).await;
    let renamed =
        scene.commands.change_channel(&by(scene.moderator), id, to(name("tea room"), None)).await.unwrap();
    assert_eq!(name_of(&renamed.made.channel), "tea room");
    assert_eq!(renamed.made.channel.topic.as_str(), "Tea");
    let emptied = ChannelTopic::parse("").unwrap();
    let emptied = scene.commands.change_channel(&by(scene.owner), id, to(None, Some(emptied))).await.unwrap();
    assert_eq!(name_of(&emptied.made.channel), "tea room");
    assert_eq!(emptied.made.channel.topic.as_str(), "");
    assert_eq!(emptied.made.created_at, renamed.made.created_at);
    let kinds = ["channel.created", "channel.changed", "channel.changed"];
    assert_eq!(scene.kinds(streams::channel(id)).await, kinds);
}

#[tokio::test]
async fn changing_to_what_is_so_already_appends_nothing() {
    let scene = Scene::set().await;
    let id = scene.new_channel(ChannelKind::Text).await;
    let same = scene.commands.change_channel(&by(scene.owner), id, to(name("lounge"), None)).await.unwrap();
    assert_eq!(name_of(&same.made.channel), "lounge");
    assert_eq!(scene.kinds(streams::channel(id)).await, ["channel.created"]);
}

#[tokio::test]
async fn changing_or_deleting_without_the_permission_is_refused() {
    let scene = Scene::set().await;
    let change =
        scene.commands.change_channel(&by(scene.member), scene.channel, to(name("mine"), None)).await;
    assert_eq!(refused(change), ChannelError::MayNotManage);
    let delete = scene.commands.delete_channel(&by(scene.member), scene.channel).await;
    assert_eq!(refused(delete), ChannelError::MayNotManage);
    for (account, id) in [(scene.outsider, scene.channel), (scene.owner, NO_CHANNEL)] {
        let change = scene.commands.change_channel(&by(account), id, to(name("mine"), None)).await;
        assert_eq!(refused(change), ChannelError::Unknown);
        assert_eq!(refused(scene.commands.delete_channel(&by(account), id).await), ChannelError::Unknown);
    }
    let nobody = scene.commands.change_channel(&anyone(), scene.channel, to(name("mine"), None)).await;
    assert_eq!(refused(nobody), ChannelError::Unknown);
    assert_eq!(refused(scene.commands.delete_channel(&anyone(), scene.channel).await), ChannelError::Unknown);
}

#[tokio::test]
async fn a_deleted_channel_is_unknown_afterwards() {
    let scene = Scene::set().await;
    let deleted = scene.commands.delete_channel(&by(scene.moderator), scene.channel).await.unwrap();
    assert_eq!(scene.head().await, deleted.position);
    let again = scene.commands.delete_channel(&by(scene.moderator), scene.channel).await;
    assert_eq!(refused(again), ChannelError::Unknown);
    let change = scene.commands.change_channel(&by(scene.owner), scene.channel, to(name("back"), None)).await;
    assert_eq!(refused(change), ChannelError::Unknown);
}

#[tokio::test]
async fn an_overwrite_holds_for_the_rank_that_its_target_has_now() {
    let scene = Scene::set().await;
    let deny = Overwrite { allow: Permissions::empty(), deny: Permissions::POST };
    let overwrite = |account, target| {
        let commands = scene.commands.clone();
        async move { commands.overwrite_channel(&by(account), scene.channel, target, deny).await }
    };
    let member = Target::Account(scene.member);
    assert_eq!(refused(overwrite(scene.member, member).await), ChannelError::MayNotManage);
    let outside = Target::Account(scene.outsider);
    assert_eq!(refused(overwrite(scene.owner, outside).await), ChannelError::UnknownTarget);
    let nothing = Target::Role(Role::Custom(Uuid::from_u128(1)));
    assert_eq!(refused(overwrite(scene.owner, nothing).await), ChannelError::UnknownTarget);
    overwrite(scene.moderator, member).await.unwrap();
    let post = scene.commands.post_message(&by(scene.member), scene.channel, content("x"), None).await;
    assert_eq!(refused(post), MessageError::MayNotPost);
    scene.grant(scene.member, &[Role::Moderator]).await;
    let none = Overwrite::default();
    let reset =
        scene.another_node().overwrite_channel(&by(scene.moderator), scene.channel, member, none).await;
    assert_eq!(refused(reset), ChannelError::TargetTooHigh);
}

#[tokio::test]
async fn an_order_is_in_a_stream_of_its_own() {
    let scene = Scene::set().await;
    let category = scene.new_channel(ChannelKind::Category).await;
    let layout = vec![
        Placed { id: category, category_id: None },
        Placed { id: scene.channel, category_id: Some(category) },
    ];
    let order = |account, layout: Vec<Placed>| {
        let commands = scene.commands.clone();
        async move { commands.order_channels(&by(account), scene.community, layout).await }
    };
    let before = scene.stream(streams::channel(scene.channel)).await.len();
    order(scene.moderator, layout.clone()).await.unwrap();
    assert_eq!(scene.stream(streams::channel(scene.channel)).await.len(), before);
    assert_eq!(scene.kinds(streams::channel_order(scene.community)).await, ["channels.ordered"]);
    let denied = order(scene.member, layout.clone()).await;
    assert_eq!(refused(denied), ChannelOrderError::MayNotManage);
    assert_eq!(refused(order(scene.outsider, layout).await), ChannelOrderError::UnknownCommunity);
    let unknown = vec![Placed { id: NO_CHANNEL, category_id: None }];
    assert_eq!(refused(order(scene.owner, unknown).await), ChannelOrderError::UnknownChannel(NO_CHANNEL));
    // A category need not be named to be stood in.
    let moved = vec![Placed { id: scene.channel, category_id: Some(category) }];
    order(scene.owner, moved).await.unwrap();
}
