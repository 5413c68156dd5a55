use domain::community::{
    CommunityEvent, CommunityName, CommunityRenamed, OwnerChanged, RoleChanged, RoleDeleted, RolesOrdered,
};
use domain::role::{Colour, Definition, RoleName};
use domain::{CommunityId, Permissions, Role};

use event_store::Position;
use jiff::Timestamp;
use projections::Coming;

use crate::world::World;

#[tokio::test]
async fn a_member_sees_a_community_with_its_channels_and_their_own_membership() {
    let (world, _running) = World::running().await;
    let (ann, bob, eve) =
        (world.account("Ann").await, world.account("Bob").await, world.account("Eve").await);
    let home = world.community(ann, "Home").await;
    let channels = [world.channel(home, "one").await, world.channel(home, "two").await];
    let other = world.community(eve, "Other").await;
    world.join(home, bob).await;
    world.join(other, bob).await;
    world.give(home, bob, &[Role::Moderator]).await;
    let renamed = CommunityRenamed { community_id: home, name: CommunityName::parse("Hearth").unwrap() };
    world.tell(CommunityEvent::from(renamed)).await;
    world.settle().await;

    let view = world.read.community(bob, home).await.unwrap().unwrap();
    assert_eq!((view.community.id, view.community.name.as_str()), (home, "Hearth"));
    assert_eq!(view.community.owner_id, ann);
    assert_eq!(view.channels.iter().map(|channel| channel.id).collect::<Vec<_>>(), channels);
    assert_eq!((view.member.account.id, view.member.owner), (bob, false));
    assert_eq!(view.member.roles(), &[Role::Moderator].into());

    assert_eq!(world.read.community(eve, home).await.unwrap(), None);
    let views = world.read.communities_of(bob).await.unwrap();
    assert_eq!(views.iter().map(|view| view.community.id).collect::<Vec<_>>(), [home, other]);
    assert_eq!(views[0], view);
    assert!(views[1].channels.is_empty());
}

#[tokio::test]
async fn the_public_face_of_a_community_counts_its_members() {
    let (world, _running) = World::running().await;
    let (ann, bob, eve) =
        (world.account("Ann").await, world.account("Bob").await, world.account("Eve").await);
    let home = world.community(ann, "Home").await;
    world.join(home, bob).await;
    world.join(home, eve).await;
    world.leave(home, eve).await;
    world.settle().await;
    let (community, members) = world.read.public_community(home).await.unwrap().unwrap();
    assert_eq!((community.id, community.name.as_str(), members), (home, "Home", 2));
    assert_eq!(world.read.public_community(CommunityId(world.id())).await.unwrap(), None);
}

#[tokio::test]
async fn a_deleted_community_is_gone_from_every_query() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let bob = world.account("Bob").await;
    world.join(home.0, bob).await;
    let banned = world.account("Eve").await;
    world.ban(home.0, banned, ann).await;
    let (message, _) = world.post(home, ann, "hello").await;
    world.edit(home, message, "hello again").await;
    let code = world.invite(home.0, ann, None).await;
    let deleted = world.delete_community(home.0, ann).await;
    // What a log without exact guards may hold: things behind the deletion.
    world.join(home.0, bob).await;
    let late = world.channel(home.0, "late").await;
    world.settle().await;

    let read = &world.read;
    assert_eq!(read.community(ann, home.0).await.unwrap(), None);
    assert_eq!(read.communities_of(bob).await.unwrap(), []);
    assert_eq!(read.public_community(home.0).await.unwrap(), None);
    assert_eq!(read.standing(bob, home.0).await.unwrap(), None);
    assert_eq!(read.roles(ann, home.0).await.unwrap(), None);
    assert_eq!(read.members(ann, home.0, None, 10).await.unwrap(), None);
    assert_eq!(read.bans(home.0, Timestamp::UNIX_EPOCH).await.unwrap(), []);
    assert_eq!(read.channel(ann, home.1).await.unwrap(), None);
    assert_eq!(read.channel(bob, late).await.unwrap(), None);
    assert_eq!(read.message(ann, message).await.unwrap(), None);
    assert_eq!(read.invite(&code).await.unwrap(), None);
    assert_eq!(read.invites(home.0, None).await.unwrap(), []);
    assert_eq!(read.visible_account(ann, bob).await.unwrap(), None);
    assert_eq!(read.access(bob).await.unwrap().communities, []);
    let gone = Coming::Community { id: home.0, position: deleted, is_member: false };
    assert_eq!(read.comings(ann, Position::START).await.unwrap(), [gone]);
}

fn definition(name: &str, permissions: Permissions) -> Definition {
    let name = Some(RoleName::parse(name).unwrap());
    Definition { name, colour: Some(Colour(0xff_ffff)), permissions, mentionable: true }
}

#[tokio::test]
async fn a_communitys_roles_are_listed_lowest_first_as_they_change() {
    let (world, _running) = World::running().await;
    let (ann, eve) = (world.account("Ann").await, world.account("Eve").await);
    let home = world.community(ann, "Home").await;
    let other = world.community(eve, "Other").await;
    let low = world.role(home, ann, 1, definition("Low", Permissions::KICK)).await;
    let high = world.role(home, ann, 2, definition("High", Permissions::BAN)).await;
    world.role(other, eve, 3, definition("Elsewhere", Permissions::BAN)).await;
    let (community_id, by) = (home, ann);
    let order = vec![Role::Guest, Role::Member, low, Role::Moderator, high];
    world.tell(CommunityEvent::from(RolesOrdered { community_id, order: order.clone(), by })).await;
    let plain = Definition { name: None, colour: None, permissions: Permissions::VIEW, mentionable: false };
    let guest = RoleChanged { community_id, role: Role::Guest, definition: plain, by };
    world.tell(CommunityEvent::from(guest)).await;
    world.settle().await;

    let roles = world.read.roles(ann, home).await.unwrap().unwrap();
    assert_eq!(roles.iter().map(|row| row.role).collect::<Vec<_>>(), order);
    assert_eq!(roles.iter().map(|row| row.rank.number()).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let names: Vec<_> = roles.iter().map(|row| row.name.as_deref()).collect();
    assert_eq!(names, [None, None, Some("Low"), None, Some("High")]);
    assert_eq!((roles[0].permissions, roles[0].mentionable), (Permissions::VIEW, false));
    assert_eq!((roles[2].permissions, roles[2].colour), (Permissions::KICK, Some(Colour(0xff_ffff))));
    assert_eq!(world.read.community(ann, home).await.unwrap().unwrap().roles, roles);
    assert_eq!(world.read.bootstrap(ann, &[]).await.unwrap().communities[0].roles, roles);
    assert_eq!(world.read.roles(eve, home).await.unwrap(), None, "who is outside sees none");

    world.tell(CommunityEvent::from(RoleDeleted { community_id, role: low, by })).await;
    // What a log without exact guards may hold: a change behind the deletion.
    let late = RoleChanged { community_id, role: low, definition: definition("Late", Permissions::KICK), by };
    world.tell(CommunityEvent::from(late)).await;
    world.settle().await;
    let left = world.read.roles(ann, home).await.unwrap().unwrap();
    assert_eq!(
        left.iter().map(|row| row.role).collect::<Vec<_>>(),
        [Role::Guest, Role::Member, Role::Moderator, high]
    );
    world.assert_rebuilt_equals_live().await;
}

#[tokio::test]
async fn a_new_owner_is_above_all_and_the_one_before_is_a_member() {
    let (world, _running) = World::running().await;
    let (ann, bob) = (world.account("Ann").await, world.account("Bob").await);
    let home = world.community(ann, "Home").await;
    world.join(home, bob).await;
    let changed = OwnerChanged { community_id: home, owner_id: bob, previous_owner_id: ann };
    world.tell(CommunityEvent::from(changed)).await;
    world.settle().await;
    let standing = async |account| world.read.standing(account, home).await.unwrap().unwrap();
    let (before, now) = (standing(ann).await, standing(bob).await);
    assert_eq!((now.owner, now.permissions), (true, Permissions::all()));
    assert_eq!((before.owner, before.rank.number()), (false, 2));
    assert_eq!(world.read.community(ann, home).await.unwrap().unwrap().community.owner_id, bob);
}
