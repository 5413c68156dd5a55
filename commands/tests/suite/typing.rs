//! Who may say that they type, which nothing keeps.

use commands::Refusal;
use domain::channel::ChannelKind;
use domain::message::MessageError;
use domain::{AccountId, ChannelId};
use uuid::Uuid;

use crate::scene::Scene;
use crate::world::by;

/// What `account` hears when it types in `channel`.
async fn refusal(scene: &Scene, account: AccountId, channel: ChannelId) -> MessageError {
    match scene.commands.may_type(account, channel).await {
        Err(Refusal::Domain(refusal)) => refusal,
        other => panic!("a refusal was expected: {other:?}"),
    }
}

#[tokio::test]
async fn whoever_may_post_may_type_and_nothing_is_appended() {
    let scene = Scene::set().await;
    let head = scene.head().await;
    for account in [scene.owner, scene.moderator, scene.member] {
        assert_eq!(scene.commands.may_type(account, scene.channel).await.unwrap(), Some(scene.community));
    }
    assert_eq!(scene.head().await, head);
}

#[tokio::test]
async fn typing_is_refused_as_posting_would_be() {
    let scene = Scene::set().await;
    let (member, outsider) = (scene.member, scene.outsider);
    let category = scene.new_channel(ChannelKind::Category).await;
    let nowhere = ChannelId(Uuid::from_u128(9));
    for (account, channel, expected) in [
        (outsider, scene.channel, MessageError::UnknownChannel),
        (member, nowhere, MessageError::UnknownChannel),
        (member, category, MessageError::ChannelHoldsNoMessages),
    ] {
        assert_eq!(refusal(&scene, account, channel).await, expected);
    }
    scene.commands.leave_community(&by(member), scene.community).await.unwrap();
    assert_eq!(refusal(&scene, member, scene.channel).await, MessageError::UnknownChannel);
}

#[tokio::test]
async fn who_came_back_may_type_on_every_node_at_once() {
    let scene = Scene::set().await;
    let node = scene.another_node();
    node.leave_community(&by(scene.member), scene.community).await.unwrap();
    assert!(node.may_type(scene.member, scene.channel).await.is_err());
    scene.let_in(scene.member).await;
    assert_eq!(node.may_type(scene.member, scene.channel).await.unwrap(), Some(scene.community));
}
