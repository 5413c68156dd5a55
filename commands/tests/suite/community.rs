use domain::community::CommunityError;
use domain::membership::{JoinedBy, MembershipEvent};
use domain::{CommunityId, Event, streams};
use uuid::Uuid;

use crate::scene::{Scene, name};
use crate::world::{anyone, by, decoded, refused};

const NO_COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(1));

#[tokio::test]
async fn a_new_community_has_its_owner_and_a_channel_by_the_position_answered() {
    let scene = Scene::set().await;
    let made = scene.commands.create_community(&by(scene.outsider), name("Mine")).await.unwrap();
    let joined = scene.stream(streams::membership(made.made, scene.outsider)).await;
    let [joined] = &joined[..] else { panic!("{joined:?}") };
    let Event::Membership(MembershipEvent::Joined(event)) = decoded(joined) else { panic!("{joined:?}") };
    assert_eq!((event.joined_by, event.invited_by), (JoinedBy::Founding, None));
    let channel = crate::scene::first_channel(&scene, made.made).await;
    let channel = scene.stream(streams::channel(channel)).await;
    assert!(String::from_utf8_lossy(&channel[0].data).contains(r#""name":"general""#));
    assert!(made.position >= channel[0].position && made.position >= joined.position);
    assert_eq!(scene.head().await, made.position);
}

#[tokio::test]
async fn the_owner_renames_and_deletes_the_community() {
    let scene = Scene::set().await;
    let stream = streams::community(scene.community);
    let renamed = scene.commands.rename_community(&by(scene.owner), scene.community, name("There")).await;
    assert_eq!(scene.head().await, renamed.unwrap().position);
    scene.commands.rename_community(&by(scene.owner), scene.community, name("There")).await.unwrap();
    scene.commands.delete_community(&by(scene.owner), scene.community).await.unwrap();
    let kinds = ["community.created", "community.renamed", "community.deleted"];
    assert_eq!(scene.kinds(stream).await, kinds, "the name it has is no change");
}

#[tokio::test]
async fn renaming_and_deleting_need_the_right_to() {
    let scene = Scene::set().await;
    for account in [scene.moderator, scene.member] {
        let rename = scene.commands.rename_community(&by(account), scene.community, name("Mine")).await;
        assert_eq!(refused(rename), CommunityError::MayNotManage);
        let delete = scene.commands.delete_community(&by(account), scene.community).await;
        assert_eq!(refused(delete), CommunityError::NotOwner);
    }
}

#[tokio::test]
async fn a_community_that_one_is_not_in_is_unknown() {
    let scene = Scene::set().await;
    let contexts =
        [(by(scene.outsider), scene.community), (by(scene.owner), NO_COMMUNITY), (anyone(), scene.community)];
    for (context, id) in contexts {
        let rename = scene.commands.rename_community(&context, id, name("Mine")).await;
        assert_eq!(refused(rename), CommunityError::Unknown);
        assert_eq!(refused(scene.commands.delete_community(&context, id).await), CommunityError::Unknown);
    }
    let nobodys = scene.commands.create_community(&anyone(), name("Nobody's")).await;
    assert_eq!(refused(nobodys), CommunityError::Unknown);
}

#[tokio::test]
async fn a_deleted_community_is_unknown_afterwards() {
    let scene = Scene::set().await;
    scene.commands.delete_community(&by(scene.owner), scene.community).await.unwrap();
    let again = scene.commands.delete_community(&by(scene.owner), scene.community).await;
    assert_eq!(refused(again), CommunityError::Unknown);
    let rename = scene.commands.rename_community(&by(scene.owner), scene.community, name("Back")).await;
    assert_eq!(refused(rename), CommunityError::Unknown);
}
