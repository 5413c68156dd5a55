use domain::community::{CommunityError, CommunityEvent, RoleChange};
use domain::membership::MembershipError;
use domain::message::MessageError;
use domain::role::{Colour, Definition, RoleName};
use domain::{CommunityId, Event, Permissions, Role, streams};
use uuid::Uuid;

use crate::scene::Scene;
use crate::world::{anyone, by, content, decoded, keyed, refused};

const NO_COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(1));

fn definition(name: &str, permissions: Permissions) -> Definition {
    let name = Some(RoleName::parse(name).unwrap());
    Definition { name, colour: Some(Colour(0xff)), permissions, mentionable: false }
}

fn to(permissions: Permissions) -> RoleChange {
    RoleChange { permissions: Some(permissions), ..RoleChange::default() }
}

#[tokio::test]
async fn a_role_is_created_given_changed_and_deleted() {
    let scene = Scene::set().await;
    let (owner, here) = (by(scene.owner), scene.community);
    let mute = definition("Mute", Permissions::VIEW);
    let role = scene.commands.create_role(&owner, here, mute).await.unwrap().made;
    scene.grant(scene.member, &[role]).await;
    let context = by(scene.member);
    let post = || scene.commands.post_message(&context, scene.channel, content("x"), None);
    assert_eq!(refused(post().await), MessageError::MayNotPost);
    let talk = to(Permissions::VIEW | Permissions::POST);
    scene.commands.change_role(&owner, here, role, talk).await.unwrap();
    post().await.unwrap();
    scene.commands.delete_role(&owner, here, role).await.unwrap();
    assert_eq!(refused(post().await), MessageError::UnknownChannel, "it grants nothing any more");
    let again = scene.commands.delete_role(&owner, here, role).await;
    assert_eq!(refused(again), CommunityError::UnknownRole);
    let give = scene.commands.set_roles(&owner, here, scene.member, [role].into()).await;
    assert_eq!(refused(give), MembershipError::UnknownRole(role));
    let kinds = ["community.created", "role.created", "role.changed", "role.deleted"];
    assert_eq!(scene.kinds(streams::community(here)).await, kinds);
}

#[tokio::test]
async fn a_repeated_creation_answers_the_first_role() {
    let scene = Scene::set().await;
    let (context, here) = (keyed(by(scene.owner), "one", "create"), scene.community);
    let create = || scene.commands.create_role(&context, here, definition("Role", Permissions::VIEW));
    let first = create().await.unwrap();
    // Another that stands in its place by then.
    let other = definition("Other", Permissions::VIEW);
    let other = scene.commands.create_role(&by(scene.owner), here, other).await.unwrap();
    let second = create().await.unwrap();
    assert!(second.repeated);
    assert_eq!((second.made, second.position), (first.made, first.position));
    assert_ne!(other.made, first.made);
}

#[tokio::test]
async fn roles_are_put_into_another_order() {
    let scene = Scene::set().await;
    let (owner, here) = (by(scene.owner), scene.community);
    let role =
        scene.commands.create_role(&owner, here, definition("Top", Permissions::VIEW)).await.unwrap().made;
    let order = vec![Role::Guest, Role::Member, Role::Moderator, role];
    let by_moderator = scene.commands.order_roles(&by(scene.moderator), here, order.clone()).await;
    assert_eq!(refused(by_moderator), CommunityError::RoleTooHigh);
    let ordered = scene.commands.order_roles(&owner, here, order.clone()).await.unwrap();
    let records = scene.stream(streams::community(here)).await;
    let Event::Community(CommunityEvent::RolesOrdered(said)) = decoded(records.last().unwrap()) else {
        panic!("{records:?}")
    };
    assert_eq!((said.order, said.by), (order, scene.owner));
    assert_eq!(scene.head().await, ordered.position);
    let half = scene.commands.order_roles(&owner, here, vec![Role::Guest, Role::Member]).await;
    assert_eq!(refused(half), CommunityError::OrderIncomplete);
}

#[tokio::test]
async fn a_lost_permission_counts_from_its_very_event_on() {
    let scene = Scene::set().await;
    let here = scene.community;
    // Another node changes the role; this one has the community cached.
    scene.post(scene.member, "before").await;
    let less = domain::role::Roles::default().permissions(Role::Member) - Permissions::POST;
    let node = scene.another_node();
    node.change_role(&by(scene.moderator), here, Role::Member, to(less)).await.unwrap();
    let post = scene.commands.post_message(&by(scene.member), scene.channel, content("x"), None).await;
    assert_eq!(refused(post), MessageError::MayNotPost);
}

#[tokio::test]
async fn a_community_that_one_is_not_in_is_unknown() {
    let scene = Scene::set().await;
    let contexts =
        [(by(scene.outsider), scene.community), (by(scene.owner), NO_COMMUNITY), (anyone(), scene.community)];
    for (context, here) in contexts {
        let commands = &scene.commands;
        let create = commands.create_role(&context, here, definition("x", Permissions::VIEW)).await;
        let results = [
            create.map(|done| done.map(drop)),
            commands.change_role(&context, here, Role::Guest, to(Permissions::VIEW)).await,
            commands.delete_role(&context, here, Role::Guest).await,
            commands.order_roles(&context, here, vec![]).await,
            commands.transfer_ownership(&context, here, scene.member).await,
        ];
        for result in results {
            assert_eq!(refused(result), CommunityError::Unknown);
        }
    }
}

#[tokio::test]
async fn the_owner_hands_over_and_leaves() {
    let scene = Scene::set().await;
    let here = scene.community;
    let outside = scene.commands.transfer_ownership(&by(scene.owner), here, scene.outsider).await;
    assert_eq!(refused(outside), CommunityError::NewOwnerNotMember);
    let others = scene.commands.transfer_ownership(&by(scene.moderator), here, scene.moderator).await;
    assert_eq!(refused(others), CommunityError::NotOwner);
    scene.commands.transfer_ownership(&by(scene.owner), here, scene.member).await.unwrap();
    let back = scene.commands.transfer_ownership(&by(scene.owner), here, scene.owner).await;
    assert_eq!(refused(back), CommunityError::NotOwner);
    scene.commands.leave_community(&by(scene.owner), here).await.unwrap();
    let leave = scene.commands.leave_community(&by(scene.member), here).await;
    assert_eq!(refused(leave), MembershipError::OwnerCannotLeave);
    scene.commands.delete_community(&by(scene.member), here).await.unwrap();
}
