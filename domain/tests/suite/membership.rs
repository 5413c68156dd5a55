use std::collections::BTreeSet;

use domain::community::{Community, CommunityCreated, CommunityName};
use domain::membership::{
    JoinedBy, MAX_TIME_OUT, MemberBanned, MemberJoined, MemberKicked, MemberLeft, MemberRolesChanged,
    MemberTimeOutEnded, MemberTimedOut, MemberUnbanned, Membership, MembershipCommand, MembershipError,
    MembershipEvent, Nickname, NicknameChanged, Reason,
};
use domain::role::{Definition, RoleName, Roles};
use domain::{AccountId, Permissions, Personal, Role, Standing};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::given::{fold, given};
use crate::people::*;

fn joined_with(account: AccountId, role: Role) -> MembershipEvent {
    MemberJoined {
        community_id: HERE,
        account_id: account,
        roles: [role].into(),
        joined_by: JoinedBy::Invite,
        invited_by: Some(MODERATOR),
    }
    .into()
}

fn joined() -> MembershipEvent {
    joined_with(MEMBER, Role::Member)
}

fn left() -> MembershipEvent {
    MemberLeft { community_id: HERE, account_id: MEMBER }.into()
}

fn kicked(by: AccountId) -> MembershipEvent {
    MemberKicked { community_id: HERE, account_id: MEMBER, by, reason: None }.into()
}

fn banned(by: AccountId) -> MembershipEvent {
    MemberBanned { community_id: HERE, account_id: MEMBER, by, until: None, reason: None }.into()
}

fn unbanned(by: AccountId) -> MembershipEvent {
    MemberUnbanned { community_id: HERE, account_id: MEMBER, by }.into()
}

fn roles_changed(roles: &[Role], by: AccountId) -> MembershipEvent {
    let roles = roles.iter().copied().collect();
    MemberRolesChanged { community_id: HERE, account_id: MEMBER, roles, by }.into()
}

fn join() -> MembershipCommand {
    let (community, account) = (HERE, MEMBER);
    MembershipCommand::Join {
        community,
        account,
        by: JoinedBy::Invite,
        invited_by: Some(MODERATOR),
        now: NOW,
    }
}

fn set_roles(by: Standing, target: Standing, roles: &[Role]) -> MembershipCommand {
    MembershipCommand::SetRoles {
        by,
        target,
        roles: roles.iter().copied().collect(),
        known: Roles::default(),
    }
}

/// Every command that acts on another member.
fn acts(by: Standing, target: Standing) -> [MembershipCommand; 5] {
    [
        kick(by, target),
        ban(by, target),
        set_roles(by, target, &[Role::Guest]),
        time_out(by, target, NOW + HOUR),
        MembershipCommand::ChangeNickname { by, target, nickname: Nickname::parse("Nick").unwrap() },
    ]
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn kick(by: Standing, target: Standing) -> MembershipCommand {
    MembershipCommand::Kick { by, target, reason: None }
}

fn ban(by: Standing, target: Standing) -> MembershipCommand {
    MembershipCommand::Ban { by, target, reason: None, until: None, now: NOW }
}

fn time_out(by: Standing, target: Standing, until: Timestamp) -> MembershipCommand {
    MembershipCommand::TimeOut { by, target, until, reason: None, now: NOW }
}

#[test]
fn whoever_is_outside_joins_as_a_member() {
    let histories = [
        vec![],
        vec![joined(), left()],
        vec![joined(), kicked(MODERATOR)],
        vec![banned(MODERATOR), unbanned(MODERATOR)],
    ];
    for history in histories {
        let state = given::<Membership>(history).when(join()).then([joined()]);
        assert_eq!(state.roles(), Some(&BTreeSet::from([Role::Member])));
    }
}

#[test]
fn who_comes_back_does_not_bring_back_roles() {
    let moderated = [joined(), roles_changed(&[Role::Moderator], OWNER), left(), joined()];
    assert_eq!(fold::<Membership>(moderated).roles(), Some(&BTreeSet::from([Role::Member])));
}

#[test]
fn joining_as_a_member_changes_nothing() {
    given::<Membership>([joined()]).when(join()).then_nothing();
}

#[test]
fn joining_while_banned_is_refused() {
    given::<Membership>([banned(MODERATOR)]).when(join()).then_refused(MembershipError::Banned);
    given::<Membership>([joined(), banned(OWNER)]).when(join()).then_refused(MembershipError::Banned);
}

#[test]
fn a_member_leaves() {
    let state =
        given::<Membership>([joined()]).when(MembershipCommand::Leave { by: member() }).then([left()]);
    assert_eq!(state, Membership::default());
}

#[test]
fn leaving_what_one_is_not_in_is_refused() {
    let leave = MembershipCommand::Leave { by: standing(MEMBER, HERE, &[]) };
    given::<Membership>([]).when(leave.clone()).then_refused(MembershipError::UnknownCommunity);
    given::<Membership>([banned(OWNER)]).when(leave).then_refused(MembershipError::UnknownCommunity);
    // A standing from before the membership ended.
    let late = MembershipCommand::Leave { by: member() };
    given::<Membership>([joined(), left()]).when(late).then_refused(MembershipError::UnknownCommunity);
}

#[test]
fn the_owner_leaving_is_refused() {
    let leave = MembershipCommand::Leave { by: owner() };
    given::<Membership>([joined_with(OWNER, Role::Member)])
        .when(leave)
        .then_refused(MembershipError::OwnerCannotLeave);
}

#[test]
fn a_moderator_kicks_and_a_kicked_member_is_outside() {
    let state = given::<Membership>([joined()]).when(kick(moderator(), member())).then([kicked(MODERATOR)]);
    assert_eq!(state, Membership::default());
}

#[test]
fn kicking_who_is_no_member_is_refused() {
    let target = standing(MEMBER, HERE, &[]);
    for history in [vec![], vec![joined(), left()], vec![banned(OWNER)]] {
        given::<Membership>(history.clone())
            .when(kick(owner(), target))
            .then_refused(MembershipError::UnknownMember);
        let roles = set_roles(owner(), target, &[Role::Guest]);
        given::<Membership>(history).when(roles).then_refused(MembershipError::UnknownMember);
    }
}

#[test]
fn a_moderator_bans_members_and_who_never_was_one() {
    let state = given::<Membership>([joined()]).when(ban(moderator(), member())).then([banned(MODERATOR)]);
    assert!(state.is_banned(NOW + 1_000_000 * HOUR));
    let early = ban(moderator(), standing(MEMBER, HERE, &[]));
    given::<Membership>([]).when(early).then([banned(MODERATOR)]);
}

#[test]
fn banning_again_changes_nothing() {
    let again = ban(moderator(), standing(MEMBER, HERE, &[]));
    given::<Membership>([banned(OWNER)]).when(again).then_nothing();
}

#[test]
fn an_unbanned_account_is_outside_and_may_join() {
    let unban = MembershipCommand::Unban { by: moderator(), account: MEMBER };
    let state = given::<Membership>([banned(OWNER)]).when(unban).then([unbanned(MODERATOR)]);
    assert_eq!(state, Membership::default());
}

#[test]
fn unbanning_who_is_not_banned_changes_nothing() {
    let unban = || MembershipCommand::Unban { by: moderator(), account: MEMBER };
    given::<Membership>([]).when(unban()).then_nothing();
    given::<Membership>([joined()]).when(unban()).then_nothing();
}

#[test]
fn roles_are_replaced_by_those_given() {
    let command = set_roles(owner(), member(), &[Role::Moderator, Role::Guest]);
    let expected = roles_changed(&[Role::Guest, Role::Moderator], OWNER);
    let state = given::<Membership>([joined()]).when(command).then([expected]);
    assert_eq!(state.roles(), Some(&BTreeSet::from([Role::Guest, Role::Moderator])));
    let demoted = set_roles(moderator(), member(), &[Role::Guest]);
    given::<Membership>([joined()]).when(demoted).then([roles_changed(&[Role::Guest], MODERATOR)]);
}

#[test]
fn giving_the_roles_one_has_changes_nothing() {
    given::<Membership>([joined()]).when(set_roles(moderator(), member(), &[Role::Member])).then_nothing();
}

#[test]
fn leaving_a_member_without_a_role_is_refused() {
    given::<Membership>([joined()])
        .when(set_roles(owner(), member(), &[]))
        .then_refused(MembershipError::NoRole);
}

#[test]
fn granting_a_role_of_ones_own_rank_is_refused() {
    for roles in [&[Role::Moderator][..], &[Role::Member, Role::Moderator]] {
        given::<Membership>([joined()])
            .when(set_roles(moderator(), member(), roles))
            .then_refused(MembershipError::RoleTooHigh);
    }
}

#[test]
fn moderating_without_the_permission_is_refused() {
    for by in [other(), guest(), without(moderator(), Permissions::all())] {
        for command in acts(by, member()) {
            given::<Membership>([joined()]).when(command).then_refused(MembershipError::MayNotModerate);
        }
        let unban = MembershipCommand::Unban { by, account: MEMBER };
        given::<Membership>([banned(OWNER)]).when(unban).then_refused(MembershipError::MayNotModerate);
    }
}

#[test]
fn each_act_needs_its_own_permission() {
    let needs = [
        Permissions::KICK,
        Permissions::BAN,
        Permissions::MANAGE_ROLES,
        Permissions::TIME_OUT,
        Permissions::MANAGE_NICKNAMES,
    ];
    for (index, permission) in needs.into_iter().enumerate() {
        let [forbidden, ..] = {
            let mut acts = acts(without(moderator(), permission), member());
            acts.rotate_left(index);
            acts
        };
        given::<Membership>([joined()]).when(forbidden).then_refused(MembershipError::MayNotModerate);
        // To give a role one needs what it grants, too.
        let guests = Roles::default().permissions(Role::Guest);
        let mut allowed = acts(without(moderator(), Permissions::all() - permission - guests), member());
        allowed.rotate_left(index);
        let [allowed, ..] = allowed;
        assert!(fold::<Membership>([joined()]).decides(allowed), "{permission:?}");
    }
}

trait Decides {
    fn decides(&self, command: MembershipCommand) -> bool;
}

impl Decides for Membership {
    fn decides(&self, command: MembershipCommand) -> bool {
        domain::Aggregate::decide(self, command).is_ok_and(|events| !events.is_empty())
    }
}

#[test]
fn outsiders_are_not_told_that_a_community_exists() {
    for command in acts(stranger(), member()) {
        given::<Membership>([joined()]).when(command).then_refused(MembershipError::UnknownCommunity);
    }
    let unban = MembershipCommand::Unban { by: stranger(), account: MEMBER };
    given::<Membership>([banned(OWNER)]).when(unban).then_refused(MembershipError::UnknownCommunity);
}

#[test]
fn nobody_acts_on_an_equal_or_higher_rank() {
    let everyone = [
        (owner(), Role::Member),
        (moderator(), Role::Moderator),
        (member(), Role::Member),
        (guest(), Role::Guest),
    ];
    for (by, _) in everyone {
        // Even with every permission, which ranks alone must withstand.
        let by = Standing { permissions: Permissions::all(), ..by };
        for (target, role) in everyone {
            for command in acts(by, target) {
                let own_name = matches!(command, MembershipCommand::ChangeNickname { .. });
                if own_name && by.account == target.account {
                    continue;
                }
                let state: Membership = fold([joined_with(target.account, role)]);
                let decided = domain::Aggregate::decide(&state, command.clone());
                if target.rank >= by.rank {
                    assert_eq!(decided, Err(MembershipError::RankTooLow), "{command:?}");
                } else if by.rank == owner().rank {
                    assert!(decided.is_ok(), "the owner always may: {command:?}");
                }
            }
        }
    }
}

#[test]
fn the_owner_acts_on_everyone_else() {
    for (target, role) in [(moderator(), Role::Moderator), (member(), Role::Member), (guest(), Role::Guest)] {
        let state: Membership = fold([joined_with(target.account, role)]);
        let [kick, ban, ..] = acts(owner(), target);
        assert!(state.decides(kick) && state.decides(ban));
        for granted in Role::BUILT_IN.into_iter().filter(|granted| *granted != role) {
            assert!(state.decides(set_roles(owner(), target, &[granted])), "{granted:?}");
        }
    }
}

#[test]
fn an_event_knows_whose_membership_it_is_about() {
    let events = [
        joined(),
        left(),
        kicked(OWNER),
        banned(OWNER),
        unbanned(OWNER),
        roles_changed(&[Role::Guest], OWNER),
        timed_out(NOW),
        MemberTimeOutEnded { community_id: HERE, account_id: MEMBER, by: OWNER }.into(),
        nickname_changed(OWNER, "Nick"),
    ];
    assert!(events.iter().all(|event| event.subject() == (HERE, MEMBER)));
}

fn timed_out(until: Timestamp) -> MembershipEvent {
    MemberTimedOut { community_id: HERE, account_id: MEMBER, until, by: MODERATOR, reason: None }.into()
}

fn nickname_changed(by: AccountId, name: &str) -> MembershipEvent {
    let nickname = Personal::Clear(Nickname::parse(name).unwrap());
    NicknameChanged { community_id: HERE, account_id: MEMBER, by, nickname }.into()
}

/// Where the member stands after `history`, at `now`.
fn member_after(history: impl IntoIterator<Item = MembershipEvent>, now: Timestamp) -> Standing {
    let name = CommunityName::parse("Here").unwrap();
    let created = CommunityCreated { community_id: HERE, name, owner_id: OWNER };
    let community: Community = fold([created.into()]);
    Standing::of(MEMBER, HERE, &community, &fold(history), now)
}

#[test]
fn a_reason_is_told_with_the_deed() {
    let reason = || Some(Reason::parse("Spam").unwrap());
    let told = || reason().map(Personal::Clear);
    let (community_id, account_id, by) = (HERE, MEMBER, MODERATOR);
    let kick = MembershipCommand::Kick { by: moderator(), target: member(), reason: reason() };
    let kicked = MemberKicked { community_id, account_id, by, reason: told() };
    given::<Membership>([joined()]).when(kick).then([kicked.into()]);
    let until = NOW + HOUR;
    let ban = MembershipCommand::Ban {
        by: moderator(),
        target: member(),
        reason: reason(),
        until: Some(until),
        now: NOW,
    };
    let banned = MemberBanned { community_id, account_id, by, until: Some(until), reason: told() };
    given::<Membership>([joined()]).when(ban).then([banned.into()]);
    let (by_moderator, target) = (moderator(), member());
    let time_out = MembershipCommand::TimeOut { by: by_moderator, target, until, reason: reason(), now: NOW };
    let timed_out = MemberTimedOut { community_id, account_id, until, by, reason: told() };
    given::<Membership>([joined()]).when(time_out).then([timed_out.into()]);
}

fn ban_until(until: Option<Timestamp>, reason: Option<&str>, now: Timestamp) -> MembershipCommand {
    let reason = reason.map(|text| Reason::parse(text).unwrap());
    MembershipCommand::Ban { by: moderator(), target: standing(MEMBER, HERE, &[]), reason, until, now }
}

fn banned_until(until: Option<Timestamp>, reason: Option<&str>) -> MembershipEvent {
    let reason = reason.map(|text| Personal::Clear(Reason::parse(text).unwrap()));
    MemberBanned { community_id: HERE, account_id: MEMBER, by: MODERATOR, until, reason }.into()
}

#[test]
fn a_ban_ends_by_itself() {
    let until = NOW + HOUR;
    let history = || [joined(), banned_until(Some(until), None)];
    let join = |now| MembershipCommand::Join {
        community: HERE,
        account: MEMBER,
        by: JoinedBy::Invite,
        invited_by: Some(MODERATOR),
        now,
    };
    let before = until - SignedDuration::from_nanos(1);
    given::<Membership>(history()).when(join(before)).then_refused(MembershipError::Banned);
    let state = given::<Membership>(history()).when(join(until)).then([joined()]);
    assert!(state.roles().is_some() && !state.is_banned(NOW));
}

#[test]
fn banning_anew_changes_the_reason_and_the_end() {
    let until = Some(NOW + HOUR);
    let history = || [banned_until(until, None)];
    given::<Membership>(history()).when(ban_until(until, None, NOW)).then_nothing();
    for (until, reason) in [(None, None), (Some(NOW + 2 * HOUR), None), (until, Some("Spam"))] {
        given::<Membership>(history())
            .when(ban_until(until, reason, NOW))
            .then([banned_until(until, reason)]);
    }
    // A ban that is over does not stand for a new one.
    let later = Some(NOW + 3 * HOUR);
    given::<Membership>(history())
        .when(ban_until(later, None, NOW + 2 * HOUR))
        .then([banned_until(later, None)]);
}

#[test]
fn a_ban_or_a_time_out_that_is_over_before_it_begins_is_refused() {
    for until in [NOW, NOW - HOUR] {
        given::<Membership>([joined()])
            .when(ban_until(Some(until), None, NOW))
            .then_refused(MembershipError::EndsInThePast);
        given::<Membership>([joined()])
            .when(time_out(moderator(), member(), until))
            .then_refused(MembershipError::EndsInThePast);
    }
}

#[test]
fn a_time_out_leaves_only_viewing_until_it_ends() {
    let until = NOW + MAX_TIME_OUT;
    let state =
        given::<Membership>([joined()]).when(time_out(moderator(), member(), until)).then([timed_out(until)]);
    assert_eq!(state.member().and_then(|member| member.timed_out_until), Some(until));
    let history = || [joined(), timed_out(until)];
    let silent = member_after(history(), until - SignedDuration::from_nanos(1));
    assert_eq!((silent.permissions, silent.timed_out), (Permissions::VIEW, Some(until)));
    let free = member_after(history(), until);
    assert_eq!((free.permissions, free.timed_out), (member().permissions, None));
}

#[test]
fn a_time_out_of_more_than_28_days_is_refused() {
    given::<Membership>([joined()])
        .when(time_out(moderator(), member(), NOW + MAX_TIME_OUT + SignedDuration::from_nanos(1)))
        .then_refused(MembershipError::TimeOutTooLong);
}

#[test]
fn a_new_time_out_takes_the_place_of_the_last_and_the_same_changes_nothing() {
    let until = NOW + HOUR;
    let target = member_after([joined(), timed_out(until)], NOW);
    let history = || [joined(), timed_out(until)];
    given::<Membership>(history()).when(time_out(moderator(), target, until)).then_nothing();
    let longer = NOW + 2 * HOUR;
    given::<Membership>(history()).when(time_out(moderator(), target, longer)).then([timed_out(longer)]);
    // With another reason it is told again.
    let reason = Some(Reason::parse("Spam").unwrap());
    let again =
        MembershipCommand::TimeOut { by: moderator(), target, until, reason: reason.clone(), now: NOW };
    let told = MemberTimedOut {
        community_id: HERE,
        account_id: MEMBER,
        until,
        by: MODERATOR,
        reason: reason.map(Personal::Clear),
    };
    given::<Membership>(history()).when(again).then([told.into()]);
}

#[test]
fn a_time_out_is_ended_before_its_time() {
    let until = NOW + HOUR;
    let target = member_after([joined(), timed_out(until)], NOW);
    let ended: MembershipEvent =
        MemberTimeOutEnded { community_id: HERE, account_id: MEMBER, by: MODERATOR }.into();
    let end = |target| MembershipCommand::EndTimeOut { by: moderator(), target };
    given::<Membership>([joined(), timed_out(until)]).when(end(target)).then([ended.clone()]);
    assert_eq!(member_after([joined(), timed_out(until), ended], NOW), member_after([joined()], NOW));
    given::<Membership>([joined()]).when(end(member())).then_nothing();
    // One that is over by itself needs no end.
    let over = member_after([joined(), timed_out(until)], until);
    given::<Membership>([joined(), timed_out(until)]).when(end(over)).then_nothing();
}

#[test]
fn ending_a_time_out_needs_permission_and_rank() {
    let end = |by, target| MembershipCommand::EndTimeOut { by, target };
    let state = || given::<Membership>([joined(), timed_out(NOW + HOUR)]);
    state().when(end(other(), member())).then_refused(MembershipError::MayNotModerate);
    state().when(end(stranger(), member())).then_refused(MembershipError::UnknownCommunity);
    let equal = standing(OTHER, HERE, &[Role::Moderator]);
    state().when(end(moderator(), equal)).then_refused(MembershipError::RankTooLow);
    let gone = standing(MEMBER, HERE, &[]);
    given::<Membership>([]).when(end(owner(), gone)).then_refused(MembershipError::UnknownMember);
}

#[test]
fn leaving_and_coming_back_ends_no_time_out() {
    let until = NOW + HOUR;
    for gone in [left(), kicked(MODERATOR)] {
        let back = member_after([joined(), timed_out(until), gone, joined()], NOW);
        assert_eq!(back.timed_out, Some(until));
    }
    let banned = member_after([joined(), timed_out(until), banned(OWNER), unbanned(OWNER), joined()], NOW);
    assert_eq!(banned.timed_out, None, "the ban took its place");
}

#[test]
fn nobody_times_the_owner_out() {
    let state: Membership = fold([joined_with(OWNER, Role::Member)]);
    let by = Standing { permissions: Permissions::all(), ..moderator() };
    let decided = domain::Aggregate::decide(&state, time_out(by, owner(), NOW + HOUR));
    assert_eq!(decided, Err(MembershipError::RankTooLow));
    let own = domain::Aggregate::decide(&state, time_out(owner(), owner(), NOW + HOUR));
    assert_eq!(own, Err(MembershipError::RankTooLow));
}

fn change_nickname(by: Standing, name: &str) -> MembershipCommand {
    MembershipCommand::ChangeNickname { by, target: member(), nickname: Nickname::parse(name).unwrap() }
}

#[test]
fn a_member_names_themselves_and_a_moderator_names_them() {
    for name in ["Nick", ""] {
        given::<Membership>([joined()])
            .when(change_nickname(member(), name))
            .then([nickname_changed(MEMBER, name)]);
        given::<Membership>([joined()])
            .when(change_nickname(moderator(), name))
            .then([nickname_changed(MODERATOR, name)]);
    }
    // Whoever may name others may name themselves.
    let namer = Standing { permissions: Permissions::MANAGE_NICKNAMES, ..member() };
    given::<Membership>([joined()])
        .when(change_nickname(namer, "Nick"))
        .then([nickname_changed(MEMBER, "Nick")]);
}

#[test]
fn naming_oneself_without_the_permission_is_refused() {
    let by = without(member(), Permissions::CHANGE_NICKNAME);
    given::<Membership>([joined()])
        .when(change_nickname(by, "Nick"))
        .then_refused(MembershipError::MayNotModerate);
    let silent = member_after([joined(), timed_out(NOW + HOUR)], NOW);
    given::<Membership>([joined()])
        .when(change_nickname(silent, "Nick"))
        .then_refused(MembershipError::MayNotModerate);
}

/// A role of the community's own, between `member` and `moderator`.
const HELPER: Role = Role::Custom(Uuid::from_u128(0xb0));

fn with_helper(permissions: Permissions) -> Roles {
    let mut roles = Roles::default();
    let name = Some(RoleName::parse("Helper").unwrap());
    roles.set(HELPER, Definition { name, colour: None, permissions, mentionable: false });
    roles
}

#[test]
fn a_role_of_the_communitys_own_is_given_like_any_other() {
    let known = with_helper(Permissions::KICK);
    let roles: BTreeSet<Role> = [Role::Member, HELPER].into();
    let give = |known| MembershipCommand::SetRoles {
        by: Standing { rank: known_rank(&known), ..moderator() },
        target: member(),
        roles: roles.clone(),
        known,
    };
    given::<Membership>([joined()])
        .when(give(known))
        .then([roles_changed(&[Role::Member, HELPER], MODERATOR)]);
    let unknown = MembershipCommand::SetRoles {
        by: owner(),
        target: member(),
        roles: roles.clone(),
        known: Roles::default(),
    };
    given::<Membership>([joined()]).when(unknown).then_refused(MembershipError::UnknownRole(HELPER));
}

/// A moderator's.
fn known_rank(known: &Roles) -> domain::Rank {
    known.rank_of(Role::Moderator)
}

#[test]
fn giving_a_role_that_may_do_what_one_may_not_is_refused() {
    let known = with_helper(Permissions::MANAGE_COMMUNITY);
    let by = Standing { rank: known_rank(&known), ..moderator() };
    let set = |roles: &[Role]| MembershipCommand::SetRoles {
        by,
        target: member(),
        roles: roles.iter().copied().collect(),
        known: known.clone(),
    };
    given::<Membership>([joined()])
        .when(set(&[Role::Member, HELPER]))
        .then_refused(MembershipError::GrantsMore);
    // Who has it already may keep it or lose it.
    let has = || [joined(), roles_changed(&[Role::Member, HELPER], OWNER)];
    given::<Membership>(has())
        .when(set(&[Role::Guest, HELPER]))
        .then([roles_changed(&[Role::Guest, HELPER], MODERATOR)]);
    given::<Membership>(has()).when(set(&[Role::Member])).then([roles_changed(&[Role::Member], MODERATOR)]);
}

#[test]
fn texts_about_members_have_their_limits() {
    let long = |length| "é".repeat(length);
    assert!(Reason::parse(&long(512)).is_ok() && Reason::parse(&long(513)).is_err());
    assert!(Reason::parse(" ").is_err());
    assert!(Nickname::parse(&long(64)).is_ok() && Nickname::parse(&long(65)).is_err());
    assert_eq!(Nickname::parse("  ").unwrap().as_str(), "");
}
