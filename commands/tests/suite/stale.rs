//! Two nodes on one log. What one changes, the other's caches don't know; its answers are exact all the same.

use commands::{ChangedChannel, Commands, NewBan};
use domain::channel::{ChannelError, ChannelKind, ChannelName};
use domain::community::CommunityError;
use domain::invite::InviteError;
use domain::membership::MembershipError;
use domain::message::MessageError;
use domain::{Role, streams};

use crate::scene::{Scene, a_channel, name};
use crate::world::{by, content, refused};

/// Another node whose caches hold the community, the channel and everybody's membership as they are now.
async fn warm_node(scene: &Scene) -> Commands {
    let node = scene.another_node();
    for account in [scene.owner, scene.moderator, scene.member] {
        node.post_message(&by(account), scene.channel, content("warm"), None).await.unwrap();
    }
    node
}

#[tokio::test]
async fn a_ban_holds_on_every_node_at_once() {
    let scene = Scene::set().await;
    let node = warm_node(&scene).await;
    scene
        .commands
        .ban_account(&by(scene.moderator), scene.community, scene.member, NewBan::default())
        .await
        .unwrap();
    let head = scene.head().await;
    let post = node.post_message(&by(scene.member), scene.channel, content("x"), None).await;
    assert_eq!(refused(post), MessageError::UnknownChannel);
    let invite = node.create_invite(&by(scene.member), scene.community, None, None).await;
    assert_eq!(refused(invite), InviteError::UnknownCommunity);
    assert_eq!(scene.head().await, head);
}

#[tokio::test]
async fn a_message_of_who_left_can_be_edited_on_no_node() {
    let scene = Scene::set().await;
    let node = warm_node(&scene).await;
    let id = scene.post(scene.member, "Mine").await;
    scene.commands.leave_community(&by(scene.member), scene.community).await.unwrap();
    let edit = node.edit_message(&by(scene.member), id, content("x")).await;
    assert_eq!(refused(edit), MessageError::Unknown);
    assert_eq!(refused(node.delete_message(&by(scene.member), id).await), MessageError::Unknown);
}

#[tokio::test]
async fn who_was_demoted_moderates_on_no_node() {
    let scene = Scene::set().await;
    let node = warm_node(&scene).await;
    scene.grant(scene.moderator, &[Role::Member]).await;
    let moderator = by(scene.moderator);
    let kick = node.kick_member(&moderator, scene.community, scene.member, None).await;
    assert_eq!(refused(kick), MembershipError::MayNotModerate);
    let create = node.create_channel(&moderator, scene.community, a_channel(ChannelKind::Text)).await;
    assert_eq!(refused(create), ChannelError::MayNotManage);
    assert_eq!(scene.kinds(scene.membership(scene.member)).await, ["membership.joined"]);
}

#[tokio::test]
async fn who_was_promoted_is_kicked_on_no_node() {
    let scene = Scene::set().await;
    let node = warm_node(&scene).await;
    scene.grant(scene.member, &[Role::Moderator]).await;
    let kick = node.kick_member(&by(scene.moderator), scene.community, scene.member, None).await;
    assert_eq!(refused(kick), MembershipError::RankTooLow);
}

#[tokio::test]
async fn who_was_promoted_moderates_on_every_node_at_once() {
    let scene = Scene::set().await;
    let node = warm_node(&scene).await;
    scene.grant(scene.member, &[Role::Moderator]).await;
    let create = node.create_channel(&by(scene.member), scene.community, a_channel(ChannelKind::Text)).await;
    assert_eq!(create.unwrap().made.channel.community_id(), Some(scene.community));
}

#[tokio::test]
async fn who_came_back_posts_on_every_node_at_once() {
    let scene = Scene::set().await;
    let node = warm_node(&scene).await;
    node.leave_community(&by(scene.member), scene.community).await.unwrap();
    scene.let_in(scene.member).await;
    let post = node.post_message(&by(scene.member), scene.channel, content("Back"), None).await.unwrap();
    assert_eq!(post.made.facts.author_id, scene.member);
}

#[tokio::test]
async fn a_deleted_channel_takes_messages_on_no_node() {
    let scene = Scene::set().await;
    let node = warm_node(&scene).await;
    scene.commands.delete_channel(&by(scene.owner), scene.channel).await.unwrap();
    let post = node.post_message(&by(scene.owner), scene.channel, content("x"), None).await;
    assert_eq!(refused(post), MessageError::UnknownChannel);
    let change = node.change_channel(&by(scene.owner), scene.channel, ChangedChannel::default()).await;
    assert_eq!(refused(change), ChannelError::Unknown);
}

#[tokio::test]
async fn messages_of_a_deleted_channel_are_changed_on_no_node() {
    let scene = Scene::set().await;
    let node = warm_node(&scene).await;
    let id = scene.post(scene.member, "Mine").await;
    scene.commands.delete_channel(&by(scene.owner), scene.channel).await.unwrap();
    let edit = node.edit_message(&by(scene.member), id, content("x")).await;
    assert_eq!(refused(edit), MessageError::Unknown);
    assert_eq!(refused(node.delete_message(&by(scene.owner), id).await), MessageError::Unknown);
}

#[tokio::test]
async fn a_channel_goes_into_a_deleted_category_on_no_node() {
    let scene = Scene::set().await;
    let node = warm_node(&scene).await;
    let category = scene.new_channel(ChannelKind::Category).await;
    let in_category = || commands::NewChannel { category_id: Some(category), ..a_channel(ChannelKind::Text) };
    node.create_channel(&by(scene.owner), scene.community, in_category()).await.unwrap();
    scene.commands.delete_channel(&by(scene.owner), category).await.unwrap();
    let create = node.create_channel(&by(scene.owner), scene.community, in_category()).await;
    assert_eq!(refused(create), ChannelError::CategoryNotFound);
}

#[tokio::test]
async fn a_deleted_community_is_gone_on_every_node() {
    let scene = Scene::set().await;
    let node = warm_node(&scene).await;
    let code = scene.invite(None, None).await;
    scene.commands.delete_community(&by(scene.owner), scene.community).await.unwrap();
    let head = scene.head().await;
    let owner = by(scene.owner);
    let post = node.post_message(&owner, scene.channel, content("x"), None).await;
    assert_eq!(refused(post), MessageError::UnknownChannel);
    let rename = node.rename_community(&owner, scene.community, name("x")).await;
    assert_eq!(refused(rename), CommunityError::Unknown);
    let kick = node.kick_member(&owner, scene.community, scene.member, None).await;
    assert_eq!(refused(kick), MembershipError::UnknownCommunity);
    let redeem = node.redeem_invite(&by(scene.outsider), code).await;
    assert_eq!(refused(redeem), InviteError::Unknown);
    assert_eq!(scene.head().await, head);
}

#[tokio::test]
async fn what_is_so_already_is_judged_by_the_log() {
    let scene = Scene::set().await;
    let node = warm_node(&scene).await;
    scene.commands.rename_community(&by(scene.owner), scene.community, name("There")).await.unwrap();
    // The node believes that it is still called so; to do nothing would be wrong.
    node.rename_community(&by(scene.owner), scene.community, name("Here")).await.unwrap();
    let kinds = ["community.created", "community.renamed", "community.renamed"];
    assert_eq!(scene.kinds(streams::community(scene.community)).await, kinds);

    let change = |commands: Commands, text: &str| {
        let context = by(scene.owner);
        let new = ChangedChannel { name: ChannelName::parse(text).ok(), ..ChangedChannel::default() };
        async move { commands.change_channel(&context, scene.channel, new).await.unwrap() }
    };
    change(scene.commands.clone(), "news").await;
    let back = change(node, "general").await;
    assert_eq!(back.made.channel.name.unwrap().as_str(), "general");
    assert_eq!(scene.kinds(streams::channel(scene.channel)).await.len(), 3);
}

#[tokio::test]
async fn a_deleted_message_is_answered_on_no_node() {
    let scene = Scene::set().await;
    let node = warm_node(&scene).await;
    let id = scene.post(scene.member, "Question").await;
    scene.commands.delete_message(&by(scene.member), id).await.unwrap();
    let reply = node.post_message(&by(scene.owner), scene.channel, content("x"), Some(id)).await;
    assert_eq!(refused(reply), MessageError::ReplyNotFound);
    let edit = node.edit_message(&by(scene.member), id, content("x")).await;
    assert_eq!(refused(edit), MessageError::Deleted);
}
