use domain::invite::{
    CODE_ALPHABET, CODE_LENGTH, Entry, Invite, InviteCode, InviteCommand, InviteCreated, InviteError,
    InviteEvent, InviteRedeemed, InviteRevoked, entry,
};
use domain::membership::{JoinedBy, MemberBanned, MemberJoined, Membership, MembershipEvent};
use domain::{AccountId, Permissions, Role, Standing};
use jiff::{SignedDuration, Timestamp};

use crate::given::{fold, given};
use crate::people::*;

fn code() -> InviteCode {
    InviteCode::from_digits([7; CODE_LENGTH])
}

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn created(max_uses: Option<u32>, expires_at: Option<Timestamp>) -> InviteEvent {
    InviteCreated { code: code(), community_id: HERE, created_by: MEMBER, max_uses, expires_at }.into()
}

fn redeemed(account: AccountId) -> InviteEvent {
    InviteRedeemed { code: code(), community_id: HERE, account_id: account, invited_by: MEMBER }.into()
}

fn revoked(by: AccountId) -> InviteEvent {
    InviteRevoked { code: code(), community_id: HERE, revoked_by: by }.into()
}

fn create(by: Standing) -> InviteCommand {
    InviteCommand::Create { code: code(), by, max_uses: Some(3), expires_at: Some(now()) }
}

fn redeem(entry: Entry) -> InviteCommand {
    InviteCommand::Redeem { account: STRANGER, entry, now: now() }
}

#[test]
fn a_member_creates_an_invite() {
    let state = given::<Invite>([]).when(create(member())).then([created(Some(3), Some(now()))]);
    assert_eq!(state.last().map(|invite| (invite.uses, invite.created_by)), Some((0, MEMBER)));
}

#[test]
fn creating_an_invite_to_a_community_one_is_not_in_is_refused() {
    given::<Invite>([]).when(create(stranger())).then_refused(InviteError::UnknownCommunity);
}

#[test]
fn creating_an_invite_without_the_permission_is_refused() {
    for by in [guest(), without(member(), Permissions::CREATE_INVITES)] {
        given::<Invite>([]).when(create(by)).then_refused(InviteError::MayNotInvite);
    }
}

#[test]
fn a_code_is_never_given_a_second_meaning() {
    let used = [created(Some(1), None), redeemed(OTHER)];
    given::<Invite>(used.clone()).when(create(member())).then_nothing();
    given::<Invite>(used.into_iter().chain([revoked(MEMBER)])).when(create(owner())).then_nothing();
}

#[test]
fn whoever_may_come_in_redeems_an_invite() {
    let state =
        given::<Invite>([created(None, None)]).when(redeem(Entry::Outside)).then([redeemed(STRANGER)]);
    assert_eq!(state.last().map(|invite| invite.uses), Some(1));
}

#[test]
fn redeeming_as_a_member_changes_nothing_however_the_invite_stands() {
    let histories = [
        vec![created(None, None)],
        vec![created(Some(1), None), redeemed(STRANGER)],
        vec![created(None, Some(now()))],
        vec![created(None, None), revoked(MEMBER)],
    ];
    for history in histories {
        given::<Invite>(history).when(redeem(Entry::Member)).then_nothing();
    }
}

#[test]
fn an_invite_is_expired_from_its_very_end_on() {
    let nanosecond = SignedDuration::from_nanos(1);
    let last = now().checked_add(nanosecond).unwrap();
    given::<Invite>([created(None, Some(last))]).when(redeem(Entry::Outside)).then([redeemed(STRANGER)]);
    let over = now().checked_sub(nanosecond).unwrap();
    for end in [now(), over, Timestamp::MIN] {
        given::<Invite>([created(None, Some(end))])
            .when(redeem(Entry::Outside))
            .then_refused(InviteError::Unknown);
    }
}

#[test]
fn an_invite_is_used_up_by_as_many_as_it_allows() {
    for max in [1, 2, 5] {
        let open: Invite = fold([created(Some(max), None)]);
        let mut history = vec![created(Some(max), None)];
        assert!(open.usable(now()).is_some());
        for _ in 0..max {
            given::<Invite>(history.clone()).when(redeem(Entry::Outside)).then([redeemed(STRANGER)]);
            history.push(redeemed(OTHER));
        }
        given::<Invite>(history).when(redeem(Entry::Outside)).then_refused(InviteError::Unknown);
    }
}

#[test]
fn an_invite_that_allows_nobody_is_never_usable() {
    given::<Invite>([created(Some(0), None)]).when(redeem(Entry::Outside)).then_refused(InviteError::Unknown);
}

#[test]
fn an_invite_without_limits_lasts() {
    let history = std::iter::once(created(None, None)).chain((0..1_000).map(|_| redeemed(OTHER)));
    let command = InviteCommand::Redeem { account: STRANGER, entry: Entry::Outside, now: Timestamp::MAX };
    given::<Invite>(history).when(command).then([redeemed(STRANGER)]);
}

#[test]
fn redeeming_what_was_revoked_or_never_made_is_refused() {
    for history in [vec![], vec![created(None, None), revoked(MEMBER)]] {
        given::<Invite>(history).when(redeem(Entry::Outside)).then_refused(InviteError::Unknown);
    }
}

#[test]
fn redeeming_an_invite_to_a_community_that_is_no_more_is_refused() {
    given::<Invite>([created(None, None)]).when(redeem(Entry::Gone)).then_refused(InviteError::Unknown);
}

#[test]
fn redeeming_while_banned_is_refused_and_tells_only_of_a_usable_invite() {
    given::<Invite>([created(None, None)]).when(redeem(Entry::Banned)).then_refused(InviteError::Banned);
    given::<Invite>([created(None, Some(now()))])
        .when(redeem(Entry::Banned))
        .then_refused(InviteError::Unknown);
}

#[test]
fn an_invite_is_revoked_by_its_creator_or_whoever_manages_invites() {
    for by in [member(), moderator(), owner(), without(member(), Permissions::CREATE_INVITES)] {
        let revoke = InviteCommand::Revoke { by };
        let state = given::<Invite>([created(None, None)]).when(revoke).then([revoked(by.account)]);
        assert_eq!(state.usable(now()), None);
    }
}

#[test]
fn revoking_again_changes_nothing() {
    let history = [created(None, None), revoked(MEMBER)];
    given::<Invite>(history).when(InviteCommand::Revoke { by: owner() }).then_nothing();
}

#[test]
fn revoking_anothers_invite_is_refused() {
    for by in [other(), guest()] {
        given::<Invite>([created(None, None)])
            .when(InviteCommand::Revoke { by })
            .then_refused(InviteError::MayNotRevoke);
    }
}

#[test]
fn revoking_what_one_cannot_know_is_refused() {
    let elsewhere = standing(OWNER, ELSEWHERE, &[Role::Member]);
    for by in [stranger(), elsewhere] {
        given::<Invite>([created(None, None)])
            .when(InviteCommand::Revoke { by })
            .then_refused(InviteError::Unknown);
    }
    given::<Invite>([]).when(InviteCommand::Revoke { by: owner() }).then_refused(InviteError::Unknown);
}

#[test]
fn the_entry_follows_from_the_membership_of_a_living_community() {
    let joined = MemberJoined {
        community_id: HERE,
        account_id: MEMBER,
        roles: [Role::Member].into(),
        joined_by: JoinedBy::Invite,
        invited_by: None,
    };
    let member: Membership = fold([joined.into()]);
    let banned: Membership = fold([banned_until(None)]);
    let states = [Membership::default(), member, banned];
    assert_eq!(
        states.each_ref().map(|state| entry(true, state, NOW)),
        [Entry::Outside, Entry::Member, Entry::Banned]
    );
    assert!(states.iter().all(|state| entry(false, state, NOW) == Entry::Gone));
}

#[test]
fn a_ban_that_has_ended_lets_in() {
    let banned: Membership = fold([banned_until(Some(NOW))]);
    assert_eq!(entry(true, &banned, NOW), Entry::Outside);
    assert_eq!(entry(true, &banned, NOW - SignedDuration::from_micros(1)), Entry::Banned);
}

fn banned_until(until: Option<Timestamp>) -> MembershipEvent {
    MemberBanned { community_id: HERE, account_id: MEMBER, by: OWNER, until, reason: None }.into()
}

#[test]
fn codes_are_twelve_letters_of_their_alphabet() {
    let code = InviteCode::from_digits(std::array::from_fn(|i| i as u8));
    assert_eq!(code.as_str(), "23456789ABCD");
    let last = InviteCode::from_digits([56; CODE_LENGTH]);
    assert_eq!(last.as_str(), "zzzzzzzzzzzz");
    for good in [&code, &last] {
        assert_eq!(InviteCode::parse(good.as_str()).as_ref(), Some(good));
    }
    for bad in
        ["", "23456789ABC", "23456789ABCDE", "23456789ABC0", "23456789ABCl", "23456789AB é", "日本語日"]
    {
        assert_eq!(InviteCode::parse(bad), None, "{bad:?}");
    }
    assert_eq!(CODE_ALPHABET.len(), 57);
}
