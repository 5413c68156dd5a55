use commands::NewBan;
use domain::invite::{InviteCode, InviteError};
use domain::membership::{JoinedBy, MembershipEvent};
use domain::{CommunityId, Event, Role, streams};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::scene::Scene;
use crate::world::{anyone, by, decoded, refused};

const NO_COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(1));
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn no_code() -> InviteCode {
    InviteCode::parse("zzzzzzzzzzzz").unwrap()
}

#[tokio::test]
async fn an_invite_says_what_it_allows() {
    let scene = Scene::set().await;
    let now = commands::Clock::now(&*scene.clock);
    let made = scene.commands.create_invite(&by(scene.member), scene.community, Some(3), Some(HOUR)).await;
    let made = made.unwrap();
    let invite = made.made.invite;
    assert_eq!((invite.community_id, invite.created_by), (scene.community, scene.member));
    assert_eq!((invite.max_uses, invite.uses), (Some(3), 0));
    assert_eq!(invite.expires_at, Some(now.checked_add(HOUR).unwrap()));
    assert_eq!(InviteCode::parse(invite.code.as_str()), Some(invite.code.clone()));
    let records = scene.stream(streams::invite(invite.code.as_str())).await;
    assert_eq!(records[0].position, made.position);
    assert_eq!(records[0].recorded_at, made.made.created_at);
}

#[tokio::test]
async fn an_invite_may_last_for_ever_and_no_longer() {
    let scene = Scene::set().await;
    let made = scene
        .commands
        .create_invite(&by(scene.owner), scene.community, None, Some(SignedDuration::MAX))
        .await;
    assert_eq!(made.unwrap().made.invite.expires_at, Some(jiff::Timestamp::MAX));
    let made = scene.commands.create_invite(&by(scene.owner), scene.community, None, None).await.unwrap();
    assert_eq!((made.made.invite.expires_at, made.made.invite.max_uses), (None, None));
}

#[tokio::test]
async fn no_two_codes_are_the_same() {
    let scene = Scene::set().await;
    let mut codes = std::collections::HashSet::new();
    for _ in 0..100 {
        assert!(codes.insert(scene.invite(None, None).await));
    }
}

#[tokio::test]
async fn creating_an_invite_without_the_permission_is_refused() {
    let scene = Scene::set().await;
    scene.grant(scene.member, &[Role::Guest]).await;
    let cases = [
        (by(scene.member), scene.community, InviteError::MayNotInvite),
        (by(scene.outsider), scene.community, InviteError::UnknownCommunity),
        (by(scene.owner), NO_COMMUNITY, InviteError::UnknownCommunity),
        (anyone(), scene.community, InviteError::UnknownCommunity),
    ];
    for (context, community, expected) in cases {
        let made = scene.commands.create_invite(&context, community, None, None).await;
        assert_eq!(refused(made), expected);
    }
}

#[tokio::test]
async fn redeeming_joins_by_the_position_answered() {
    let scene = Scene::set().await;
    let code = scene.invite(Some(1), None).await;
    let done = scene.commands.redeem_invite(&by(scene.outsider), code.clone()).await.unwrap();
    assert_eq!((done.made.community_id, done.made.joined), (scene.community, true));
    let records = scene.stream(scene.membership(scene.outsider)).await;
    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!((done.position, done.recorded_at), (record.position, record.recorded_at));
    let Event::Membership(MembershipEvent::Joined(joined)) = decoded(record) else { panic!("{record:?}") };
    assert_eq!((joined.joined_by, joined.invited_by), (JoinedBy::Invite, Some(scene.owner)));
    assert_eq!(joined.roles, [Role::Member].into());
    assert_eq!(scene.kinds(streams::invite(code.as_str())).await, ["invite.created", "invite.redeemed"]);
}

#[tokio::test]
async fn redeeming_as_a_member_uses_nothing_up() {
    let scene = Scene::set().await;
    let code = scene.invite(Some(1), None).await;
    let done = scene.commands.redeem_invite(&by(scene.member), code.clone()).await.unwrap();
    assert_eq!((done.made.community_id, done.made.joined), (scene.community, false));
    scene.commands.redeem_invite(&by(scene.outsider), code.clone()).await.unwrap();
    // Used up, it still tells a member where it led.
    let again = scene.commands.redeem_invite(&by(scene.outsider), code).await.unwrap();
    assert!(!again.made.joined);
}

#[tokio::test]
async fn an_invite_ends_at_its_very_instant() {
    let scene = Scene::set().await;
    let code = scene.invite(None, Some(HOUR)).await;
    scene.clock.advance(HOUR - SignedDuration::from_nanos(1));
    assert!(scene.commands.redeem_invite(&by(scene.outsider), code.clone()).await.unwrap().made.joined);
    scene.commands.leave_community(&by(scene.outsider), scene.community).await.unwrap();
    scene.clock.advance(SignedDuration::from_nanos(1));
    let late = scene.commands.redeem_invite(&by(scene.outsider), code).await;
    assert_eq!(refused(late), InviteError::Unknown);
}

#[tokio::test]
async fn what_is_used_up_revoked_or_never_made_looks_alike() {
    let scene = Scene::set().await;
    let used_up = scene.invite(Some(1), None).await;
    scene.commands.redeem_invite(&by(scene.outsider), used_up.clone()).await.unwrap();
    scene.commands.leave_community(&by(scene.outsider), scene.community).await.unwrap();
    let revoked = scene.invite(None, None).await;
    scene.commands.revoke_invite(&by(scene.owner), revoked.clone()).await.unwrap();
    let nobody = scene.invite(Some(0), None).await;
    for code in [used_up, revoked, nobody, no_code()] {
        let redeem = scene.commands.redeem_invite(&by(scene.outsider), code).await;
        assert_eq!(refused(redeem), InviteError::Unknown);
    }
    let code = scene.invite(None, None).await;
    let nobody = scene.commands.redeem_invite(&anyone(), code.clone()).await;
    assert_eq!(refused(nobody), InviteError::UnknownCommunity);
    scene.commands.delete_community(&by(scene.owner), scene.community).await.unwrap();
    let gone = scene.commands.redeem_invite(&by(scene.outsider), code).await;
    assert_eq!(refused(gone), InviteError::Unknown);
}

#[tokio::test]
async fn redeeming_while_banned_is_refused_and_uses_nothing_up() {
    let scene = Scene::set().await;
    let code = scene.invite(Some(1), None).await;
    scene
        .commands
        .ban_account(&by(scene.owner), scene.community, scene.outsider, NewBan::default())
        .await
        .unwrap();
    let redeem = scene.commands.redeem_invite(&by(scene.outsider), code.clone()).await;
    assert_eq!(refused(redeem), InviteError::Banned);
    assert_eq!(scene.kinds(streams::invite(code.as_str())).await, ["invite.created"]);
}

#[tokio::test]
async fn an_invite_is_revoked_by_its_creator_and_by_moderators() {
    let scene = Scene::set().await;
    for account in [scene.member, scene.moderator, scene.owner] {
        let made =
            scene.commands.create_invite(&by(scene.member), scene.community, None, None).await.unwrap();
        let code = made.made.invite.code;
        let revoked = scene.commands.revoke_invite(&by(account), code.clone()).await.unwrap();
        let again = scene.commands.revoke_invite(&by(account), code.clone()).await.unwrap();
        assert_eq!(again.position, revoked.position, "it is so already");
        assert_eq!(scene.kinds(streams::invite(code.as_str())).await, ["invite.created", "invite.revoked"]);
    }
}

#[tokio::test]
async fn revoking_anothers_invite_is_refused() {
    let scene = Scene::set().await;
    let code = scene.invite(None, None).await;
    let cases = [
        (by(scene.member), code.clone(), InviteError::MayNotRevoke),
        (by(scene.outsider), code.clone(), InviteError::Unknown),
        (by(scene.owner), no_code(), InviteError::Unknown),
        (anyone(), code, InviteError::UnknownCommunity),
    ];
    for (context, code, expected) in cases {
        assert_eq!(refused(scene.commands.revoke_invite(&context, code).await), expected);
    }
}
