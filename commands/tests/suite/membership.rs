use commands::NewBan;
use std::collections::BTreeSet;

use domain::invite::InviteError;
use domain::membership::{MembershipError, MembershipEvent};
use domain::message::MessageError;
use domain::{AccountId, CommunityId, Event, Role};
use uuid::Uuid;

use crate::scene::Scene;
use crate::world::{anyone, by, content, decoded, refused};

const NO_COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(1));
const NO_ACCOUNT: AccountId = AccountId(Uuid::from_u128(2));

fn guest() -> BTreeSet<Role> {
    [Role::Guest].into()
}

#[tokio::test]
async fn who_leaves_is_outside_and_may_come_back() {
    let scene = Scene::set().await;
    let left = scene.commands.leave_community(&by(scene.member), scene.community).await.unwrap();
    assert_eq!(scene.head().await, left.position);
    let post = scene.commands.post_message(&by(scene.member), scene.channel, content("x"), None).await;
    assert_eq!(refused(post), MessageError::UnknownChannel);
    let again = scene.commands.leave_community(&by(scene.member), scene.community).await;
    assert_eq!(refused(again), MembershipError::UnknownCommunity);
    scene.let_in(scene.member).await;
    scene.post(scene.member, "Back").await;
}

#[tokio::test]
async fn the_owner_leaving_is_refused() {
    let scene = Scene::set().await;
    let leave = scene.commands.leave_community(&by(scene.owner), scene.community).await;
    assert_eq!(refused(leave), MembershipError::OwnerCannotLeave);
}

#[tokio::test]
async fn who_is_kicked_may_come_back_by_an_invite() {
    let scene = Scene::set().await;
    scene.commands.kick_member(&by(scene.moderator), scene.community, scene.member, None).await.unwrap();
    let post = scene.commands.post_message(&by(scene.member), scene.channel, content("x"), None).await;
    assert_eq!(refused(post), MessageError::UnknownChannel);
    scene.let_in(scene.member).await;
    let kinds = ["membership.joined", "membership.kicked", "membership.joined"];
    assert_eq!(scene.kinds(scene.membership(scene.member)).await, kinds);
}

#[tokio::test]
async fn who_is_banned_stays_out_until_unbanned() {
    let scene = Scene::set().await;
    let code = scene.invite(None, None).await;
    scene
        .commands
        .ban_account(&by(scene.moderator), scene.community, scene.member, NewBan::default())
        .await
        .unwrap();
    let redeem = scene.commands.redeem_invite(&by(scene.member), code.clone()).await;
    assert_eq!(refused(redeem), InviteError::Banned);
    scene.commands.unban_account(&by(scene.owner), scene.community, scene.member).await.unwrap();
    assert!(scene.commands.redeem_invite(&by(scene.member), code).await.unwrap().made.joined);
    let kinds = ["membership.joined", "membership.banned", "membership.unbanned", "membership.joined"];
    assert_eq!(scene.kinds(scene.membership(scene.member)).await, kinds);
}

#[tokio::test]
async fn an_account_may_be_banned_before_it_ever_comes() {
    let scene = Scene::set().await;
    let banned = scene
        .commands
        .ban_account(&by(scene.moderator), scene.community, scene.outsider, NewBan::default())
        .await
        .unwrap();
    let again = scene
        .commands
        .ban_account(&by(scene.owner), scene.community, scene.outsider, NewBan::default())
        .await
        .unwrap();
    assert_eq!(again.position, banned.position, "it is so already");
    assert_eq!(scene.kinds(scene.membership(scene.outsider)).await, ["membership.banned"]);
}

#[tokio::test]
async fn unbanning_who_is_not_banned_appends_nothing() {
    let scene = Scene::set().await;
    for account in [scene.member, scene.outsider] {
        let before = scene.head().await;
        scene.commands.unban_account(&by(scene.moderator), scene.community, account).await.unwrap();
        assert_eq!(scene.head().await, before);
    }
}

#[tokio::test]
async fn roles_are_replaced_by_those_given() {
    let scene = Scene::set().await;
    scene.commands.set_roles(&by(scene.moderator), scene.community, scene.member, guest()).await.unwrap();
    let records = scene.stream(scene.membership(scene.member)).await;
    let Event::Membership(MembershipEvent::RolesChanged(changed)) = decoded(&records[1]) else {
        panic!("{records:?}")
    };
    assert_eq!((changed.roles, changed.by), (guest(), scene.moderator));
    let invite = scene.commands.create_invite(&by(scene.member), scene.community, None, None).await;
    assert_eq!(refused(invite), InviteError::MayNotInvite, "a guest's permissions count from now on");
}

#[tokio::test]
async fn granting_no_role_or_too_high_a_role_is_refused() {
    let scene = Scene::set().await;
    let moderator = by(scene.moderator);
    let set = |roles| scene.commands.set_roles(&moderator, scene.community, scene.member, roles);
    assert_eq!(refused(set(BTreeSet::new()).await), MembershipError::NoRole);
    assert_eq!(refused(set([Role::Moderator].into()).await), MembershipError::RoleTooHigh);
}

#[tokio::test]
async fn moderating_without_the_permission_is_refused() {
    let scene = Scene::set().await;
    let (member, here) = (by(scene.member), scene.community);
    let kick = scene.commands.kick_member(&member, here, scene.moderator, None).await;
    let ban = scene.commands.ban_account(&member, here, scene.outsider, NewBan::default()).await;
    let unban = scene.commands.unban_account(&member, here, scene.outsider).await;
    let roles = scene.commands.set_roles(&member, here, scene.moderator, guest()).await;
    for result in [kick, ban, unban, roles] {
        assert_eq!(refused(result), MembershipError::MayNotModerate);
    }
}

#[tokio::test]
async fn nobody_acts_on_an_equal_or_higher_rank() {
    let scene = Scene::set().await;
    scene.let_in(scene.outsider).await;
    scene.grant(scene.outsider, &[Role::Moderator]).await;
    let cases = [
        (scene.moderator, scene.owner),
        (scene.moderator, scene.outsider),
        (scene.moderator, scene.moderator),
        (scene.owner, scene.owner),
    ];
    for (account, target) in cases {
        let context = by(account);
        let kick = scene.commands.kick_member(&context, scene.community, target, None).await;
        let ban = scene.commands.ban_account(&context, scene.community, target, NewBan::default()).await;
        let roles = scene.commands.set_roles(&context, scene.community, target, guest()).await;
        for result in [kick, ban, roles] {
            assert_eq!(refused(result), MembershipError::RankTooLow);
        }
    }
}

#[tokio::test]
async fn acting_on_who_is_not_there_is_refused() {
    let scene = Scene::set().await;
    let owner = by(scene.owner);
    for account in [scene.outsider, NO_ACCOUNT] {
        let kick = scene.commands.kick_member(&owner, scene.community, account, None).await;
        assert_eq!(refused(kick), MembershipError::UnknownMember);
        let roles = scene.commands.set_roles(&owner, scene.community, account, guest()).await;
        assert_eq!(refused(roles), MembershipError::UnknownMember);
    }
    let ban = scene.commands.ban_account(&owner, scene.community, NO_ACCOUNT, NewBan::default()).await;
    assert_eq!(refused(ban), MembershipError::UnknownMember, "only accounts are banned");
}

#[tokio::test]
async fn a_community_that_one_is_not_in_is_unknown() {
    let scene = Scene::set().await;
    let contexts =
        [(by(scene.outsider), scene.community), (by(scene.owner), NO_COMMUNITY), (anyone(), scene.community)];
    for (context, here) in contexts {
        let commands = &scene.commands;
        let results = [
            commands.leave_community(&context, here).await,
            commands.kick_member(&context, here, scene.member, None).await,
            commands.ban_account(&context, here, scene.member, NewBan::default()).await,
            commands.unban_account(&context, here, scene.member).await,
            commands.set_roles(&context, here, scene.member, guest()).await,
        ];
        for result in results {
            assert_eq!(refused(result), MembershipError::UnknownCommunity);
        }
    }
}
