use domain::channel::{ChannelEvent, DirectOpened};
use domain::membership::{MemberTimeOutEnded, MembershipEvent};
use domain::permission::Rule;
use domain::role::Roles;
use domain::{AccountId, ChannelId, CommunityId, Permissions, Rank, Role};
use jiff::{SignedDuration, Timestamp};
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
    let bans = world.read.bans(home, Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(bans.iter().map(|ban| ban.account.id).collect::<Vec<_>>(), [eve, bob], "newest first");
    assert!(bans.iter().all(|ban| ban.banned_by == ann && ban.community_id == home));
    assert_eq!(world.read.standing(bob, home).await.unwrap(), None);

    world.unban(home, bob, ann).await;
    world.settle().await;
    assert_eq!(world.read.bans(home, Timestamp::UNIX_EPOCH).await.unwrap().len(), 1);
    assert_eq!(world.read.standing(bob, home).await.unwrap(), None, "who is unbanned is outside");
    world.join(home, bob).await;
    world.settle().await;
    assert!(world.read.standing(bob, home).await.unwrap().is_some());
}

#[tokio::test]
async fn a_ban_tells_its_reason_and_its_end_and_is_listed_until_then() {
    let (world, _running) = World::running().await;
    let (ann, bob) = (world.account("Ann").await, world.account("Bob").await);
    let home = world.community(ann, "Home").await;
    let until: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    world.ban_until(home, bob, ann, Some(until), Some("Spam")).await;
    world.settle().await;
    let just_before = until - SignedDuration::from_micros(1);
    let bans = world.read.bans(home, just_before).await.unwrap();
    assert_eq!((bans[0].reason.as_deref(), bans[0].until), (Some("Spam"), Some(until)));
    assert_eq!(world.read.bans(home, until).await.unwrap(), []);

    world.ban_until(home, bob, ann, None, None).await;
    world.settle().await;
    let bans = world.read.bans(home, until).await.unwrap();
    assert_eq!((bans.len(), bans[0].reason.as_deref(), bans[0].until), (1, None, None));
    // Whose ban is over may join.
    world.join(home, bob).await;
    world.settle().await;
    assert_eq!(world.read.bans(home, just_before).await.unwrap(), []);
}

#[tokio::test]
async fn a_member_is_listed_by_their_nickname_while_they_have_one() {
    let (world, _running) = World::running().await;
    let (ann, bob) = (world.account("Ann").await, world.account("Bob").await);
    let home = world.community(ann, "Home").await;
    world.join(home, bob).await;
    let names = async || {
        world.settle().await;
        let page = world.read.members(ann, home, None, 10).await.unwrap().unwrap();
        page.items.into_iter().map(|member| (member.account.id, member.nickname)).collect::<Vec<_>>()
    };
    world.nickname(home, ann, "Zoë").await;
    assert_eq!(names().await, [(bob, None), (ann, Some("Zoë".to_owned()))]);
    // The display name counts for nothing meanwhile.
    world.change_profile(ann, Some("Aaa"), None).await;
    assert_eq!(names().await, [(bob, None), (ann, Some("Zoë".to_owned()))]);
    world.nickname(home, ann, "").await;
    assert_eq!(names().await, [(ann, None), (bob, None)]);
    // Who leaves leaves it behind.
    world.nickname(home, bob, "0").await;
    world.leave(home, bob).await;
    world.join(home, bob).await;
    assert_eq!(names().await, [(ann, None), (bob, None)]);
}

#[tokio::test]
async fn a_time_out_is_shown_and_outlasts_leaving() {
    let (world, _running) = World::running().await;
    let (ann, bob) = (world.account("Ann").await, world.account("Bob").await);
    let home = world.community(ann, "Home").await;
    world.join(home, bob).await;
    let until: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    world.time_out(home, bob, until, ann).await;
    world.leave(home, bob).await;
    world.join(home, bob).await;
    let shown = async || {
        world.settle().await;
        world.read.standing(bob, home).await.unwrap().unwrap().timed_out_until
    };
    assert_eq!(shown().await, Some(until));
    let ended = MemberTimeOutEnded { community_id: home, account_id: bob, by: ann };
    world.tell(MembershipEvent::from(ended)).await;
    assert_eq!(shown().await, None);
}

#[tokio::test]
async fn why_somebody_may_do_something_follows_from_rows() {
    let (world, _running) = World::running().await;
    let (ann, bob, eve) =
        (world.account("Ann").await, world.account("Bob").await, world.account("Eve").await);
    let home = world.community(ann, "Home").await;
    let channel = world.channel(home, "general").await;
    world.join(home, bob).await;
    let until: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    world.time_out(home, bob, until, ann).await;
    world.settle().await;
    let rules = async |account, now| {
        let decided = world.read.access_explained(account, channel, now).await.unwrap();
        assert_eq!(decided.len(), Permissions::all().iter().count());
        let of = |permission| decided.iter().find(|one| one.permission == permission).unwrap();
        [Permissions::VIEW, Permissions::POST, Permissions::KICK].map(|one| (of(one).allowed, of(one).rule))
    };
    assert_eq!(rules(ann, until).await, [(true, Rule::Owner); 3]);
    let member = Rule::Role(Role::Member);
    assert_eq!(rules(bob, until).await, [(true, member), (true, member), (false, Rule::NotGranted)]);
    let just_before = until - SignedDuration::from_micros(1);
    let silent = [(true, member), (false, Rule::TimedOut), (false, Rule::NotGranted)];
    assert_eq!(rules(bob, just_before).await, silent);
    assert_eq!(rules(eve, until).await, [(false, Rule::Outsider); 3]);
    assert!(world.read.permissions_in(bob, channel).await.unwrap().contains(Permissions::POST));
    assert_eq!(world.read.permissions_in(eve, channel).await.unwrap(), Permissions::empty());

    let (dm, bob_and_eve) = (ChannelId(world.id()), [bob, eve]);
    let opened = DirectOpened { channel_id: dm, accounts: bob_and_eve, by: bob };
    world.tell(ChannelEvent::from(opened)).await;
    world.settle().await;
    let in_dm = async |account| {
        let decided = world.read.access_explained(account, dm, until).await.unwrap();
        assert!(decided.iter().all(|one| one.rule == Rule::Participant));
        decided
            .into_iter()
            .filter(|one| one.allowed)
            .fold(Permissions::empty(), |sum, one| sum | one.permission)
    };
    assert_eq!(in_dm(eve).await, Permissions::IN_CONVERSATION);
    assert_eq!(in_dm(ann).await, Permissions::empty());
}
