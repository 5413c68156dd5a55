use domain::role::Roles;
use domain::{AccountId, CommunityId, Permissions, Rank, Role};
use projections::MemberKey;

use crate::world::World;

#[tokio::test]
async fn a_member_has_roles_a_rank_and_what_they_grant() {
    let (world, _running) = World::running().await;
    let (ann, bob, eve) =
        (world.account("Ann").await, world.account("Bob").await, world.account("Eve").await);
    let home = world.community(ann, "Home").await;
    world.join(home, bob).await;
    world.settle().await;
    let joined_at = world.read.standing(bob, home).await.unwrap().unwrap().joined_at;
    world.give(home, bob, &[Role::Guest, Role::Moderator]).await;
    world.settle().await;

    let owner = world.read.standing(ann, home).await.unwrap().unwrap();
    assert!(owner.owner);
    assert_eq!((owner.rank, owner.permissions), (Rank::OWNER, Permissions::all()));
    let moderator = world.read.member(ann, home, bob).await.unwrap().unwrap();
    assert_eq!(moderator.roles(), &[Role::Guest, Role::Moderator].into());
    assert_eq!(moderator.rank, Roles::default().rank(moderator.roles()));
    assert_eq!(moderator.permissions, Roles::default().granted(moderator.roles()));
    assert_eq!((moderator.community_id, moderator.account.id), (home, bob));
    assert_eq!(moderator.joined_at, joined_at, "new roles must not look like a new membership");

    assert_eq!(world.read.standing(eve, home).await.unwrap(), None);
    assert_eq!(world.read.member(eve, home, bob).await.unwrap(), None);
    assert_eq!(world.read.member(eve, home, eve).await.unwrap(), None);
    assert_eq!(world.read.member(ann, home, eve).await.unwrap(), None);
    assert_eq!(world.read.standing(ann, CommunityId(world.id())).await.unwrap(), None);
}

#[tokio::test]
async fn members_are_paged_by_display_name_whatever_its_case() {
    let (world, _running) = World::running().await;
    let owner = world.account("mia").await;
    let home = world.community(owner, "Home").await;
    for name in ["Zoe", "adam", "Bea", "bob", "Zoe2", "Élodie", "Adam-b", "carl"] {
        let account = world.account_named(name).await;
        world.join(home, account).await;
    }
    let gone = world.account("gone").await;
    world.join(home, gone).await;
    world.leave(home, gone).await;
    world.settle().await;

    let all = world.read.members(owner, home, None, 100).await.unwrap().unwrap();
    assert_eq!(all.next, None);
    let names: Vec<_> = all.items.iter().map(|member| member.account.display_name.clone().unwrap()).collect();
    assert_eq!(names, ["adam", "Adam-b", "Bea", "bob", "carl", "mia", "Zoe", "Zoe2", "Élodie"]);
    for limit in 1..=10 {
        let (mut paged, mut after) = (vec![], None::<MemberKey>);
        loop {
            let page = world.read.members(owner, home, after, limit).await.unwrap().unwrap();
            assert!(page.items.len() <= limit);
            paged.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(paged, all.items, "in pages of {limit}");
    }
    assert_eq!(world.read.members(gone, home, None, 10).await.unwrap(), None);
}

#[tokio::test]
async fn a_new_name_moves_a_member_in_the_list() {
    let (world, _running) = World::running().await;
    let (ann, bob) = (world.account("Ann").await, world.account("Bob").await);
    let home = world.community(ann, "Home").await;
    world.join(home, bob).await;
    world.change_profile(ann, Some("Zora"), None).await;
    world.settle().await;
    let members = world.read.members(bob, home, None, 10).await.unwrap().unwrap();
    assert_eq!(members.items.iter().map(|m| m.account.id).collect::<Vec<AccountId>>(), [bob, ann]);
}

#[tokio::test]
async fn a_ban_lasts_until_it_is_lifted() {
    let (world, _running) = World::running().await;
    let (ann, bob, eve) =
        (world.account("Ann").await, world.account("Bob").await, world.account("Eve").await);
    let home = world.community(ann, "Home").await;
    world.join(home, bob).await;
    world.ban(home, bob, ann).await;
    world.ban(home, eve, ann).await;
    world.settle().await;
    let bans = world.read.bans(home).await.unwrap();
    assert_eq!(bans.iter().map(|ban| ban.account.id).collect::<Vec<_>>(), [eve, bob], "newest first");
    assert!(bans.iter().all(|ban| ban.banned_by == ann && ban.community_id == home));
    assert_eq!(world.read.standing(bob, home).await.unwrap(), None);

    world.unban(home, bob, ann).await;
    world.settle().await;
    assert_eq!(world.read.bans(home).await.unwrap().len(), 1);
    assert_eq!(world.read.standing(bob, home).await.unwrap(), None, "who is unbanned is outside");
    world.join(home, bob).await;
    world.settle().await;
    assert!(world.read.standing(bob, home).await.unwrap().is_some());
}
