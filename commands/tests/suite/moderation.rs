//! Bans that end, time-outs, nicknames, and whose their texts are.

use commands::NewBan;
use domain::invite::InviteError;
use domain::membership::{MAX_TIME_OUT, MembershipError, Nickname, Reason};
use domain::message::MessageError;
use jiff::{SignedDuration, Timestamp};
use vault::Opened;

use crate::scene::Scene;
use crate::world::{by, content, refused};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn reason(text: &str) -> Option<Reason> {
    Some(Reason::parse(text).unwrap())
}

fn nickname(text: &str) -> Nickname {
    Nickname::parse(text).unwrap()
}

impl Scene {
    fn now(&self) -> Timestamp {
        commands::Clock::now(&*self.clock)
    }
}

#[tokio::test]
async fn a_ban_ends_by_itself() {
    let scene = Scene::set().await;
    let (moderator, here) = (by(scene.moderator), scene.community);
    let code = scene.invite(None, None).await;
    let ban = NewBan { reason: reason("Spam"), until: Some(scene.now() + HOUR) };
    scene.commands.ban_account(&moderator, here, scene.member, ban).await.unwrap();
    scene.clock.advance(HOUR - SignedDuration::from_micros(1));
    let early = scene.commands.redeem_invite(&by(scene.member), code.clone()).await;
    assert_eq!(refused(early), InviteError::Banned);
    scene.clock.advance(SignedDuration::from_micros(1));
    assert!(scene.commands.redeem_invite(&by(scene.member), code).await.unwrap().made.joined);
    let over = NewBan { reason: None, until: Some(scene.now()) };
    let late = scene.commands.ban_account(&moderator, here, scene.member, over).await;
    assert_eq!(refused(late), MembershipError::EndsInThePast);
}

#[tokio::test]
async fn who_is_timed_out_says_nothing_until_it_ends() {
    let scene = Scene::set().await;
    let (moderator, here, member) = (by(scene.moderator), scene.community, scene.member);
    let context = by(member);
    let post = || scene.commands.post_message(&context, scene.channel, content("x"), None);
    let until = scene.now() + HOUR;
    scene.commands.time_out_member(&moderator, here, member, until, None).await.unwrap();
    assert_eq!(refused(post().await), MessageError::TimedOut);
    scene.clock.advance(HOUR);
    post().await.unwrap();
    scene.commands.time_out_member(&moderator, here, member, scene.now() + HOUR, None).await.unwrap();
    assert_eq!(refused(post().await), MessageError::TimedOut);
    scene.commands.end_time_out(&moderator, here, member).await.unwrap();
    post().await.unwrap();
    let too_long = scene.now() + MAX_TIME_OUT + SignedDuration::from_micros(1);
    let result = scene.commands.time_out_member(&moderator, here, member, too_long, None).await;
    assert_eq!(refused(result), MembershipError::TimeOutTooLong);
    let longest = scene.now() + MAX_TIME_OUT;
    scene.commands.time_out_member(&moderator, here, member, longest, None).await.unwrap();
}

#[tokio::test]
async fn moderating_without_the_permission_or_the_rank_is_refused() {
    let scene = Scene::set().await;
    let (here, until) = (scene.community, scene.now() + HOUR);
    let member = by(scene.member);
    let results = [
        scene.commands.time_out_member(&member, here, scene.moderator, until, None).await,
        scene.commands.end_time_out(&member, here, scene.moderator).await,
        scene.commands.change_nickname(&member, here, scene.moderator, nickname("x")).await,
    ];
    for result in results {
        assert_eq!(refused(result), MembershipError::MayNotModerate);
    }
    let moderator = by(scene.moderator);
    let results = [
        scene.commands.time_out_member(&moderator, here, scene.owner, until, None).await,
        scene.commands.end_time_out(&moderator, here, scene.owner).await,
        scene.commands.change_nickname(&moderator, here, scene.owner, nickname("x")).await,
    ];
    for result in results {
        assert_eq!(refused(result), MembershipError::RankTooLow);
    }
    let results = [
        scene.commands.time_out_member(&moderator, here, scene.outsider, until, None).await,
        scene.commands.end_time_out(&moderator, here, scene.outsider).await,
        scene.commands.change_nickname(&moderator, here, scene.outsider, nickname("x")).await,
    ];
    for result in results {
        assert_eq!(refused(result), MembershipError::UnknownMember);
    }
    let outsider = by(scene.outsider);
    let results = [
        scene.commands.time_out_member(&outsider, here, scene.member, until, None).await,
        scene.commands.end_time_out(&outsider, here, scene.member).await,
        scene.commands.change_nickname(&outsider, here, scene.outsider, nickname("x")).await,
    ];
    for result in results {
        assert_eq!(refused(result), MembershipError::UnknownCommunity);
    }
}

#[tokio::test]
async fn a_reason_is_its_givers_and_a_nickname_its_bearers() {
    let scene = Scene::set().await;
    let (moderator, here, member) = (by(scene.moderator), scene.community, scene.member);
    scene.commands.change_nickname(&moderator, here, member, nickname("Pest")).await.unwrap();
    let until = scene.now() + HOUR;
    scene.commands.time_out_member(&moderator, here, member, until, reason("Noise")).await.unwrap();
    scene.commands.kick_member(&moderator, here, member, reason("More noise")).await.unwrap();
    let ban = NewBan { reason: reason("Spam"), until: None };
    scene.commands.ban_account(&moderator, here, member, ban).await.unwrap();

    let records = scene.stream(scene.membership(member)).await;
    let told: Vec<_> = records.iter().filter(|record| record.sealed.is_some()).collect();
    let mut said = Vec::new();
    for record in &told {
        said.push((record.kind.as_str(), scene.text(record).await));
    }
    let expected = [
        ("membership.nickname_changed", "Pest"),
        ("membership.timed_out", "Noise"),
        ("membership.kicked", "More noise"),
        ("membership.banned", "Spam"),
    ];
    assert_eq!(said, expected.map(|(kind, text)| (kind, serde_json::Value::from(text))));
    // Whoever is forgotten takes along what is theirs.
    scene.vault.shred(member.0).await.unwrap();
    assert!(matches!(scene.opened(told[0]).await, Opened::Erased));
    assert!(matches!(scene.opened(told[1]).await, Opened::Text(_)));
    scene.vault.shred(scene.moderator.0).await.unwrap();
    for record in &told[1..] {
        assert!(matches!(scene.opened(record).await, Opened::Erased), "{}", record.kind);
    }
}
