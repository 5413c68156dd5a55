use std::collections::BTreeSet;

use domain::membership::{
    JoinedBy, MemberBanned, MemberJoined, MemberKicked, MemberLeft, MemberRolesChanged, MemberUnbanned,
    Membership, MembershipCommand, MembershipError, MembershipEvent,
};
use domain::role::Roles;
use domain::{AccountId, Permissions, Role, Standing};

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
    MemberKicked { community_id: HERE, account_id: MEMBER, by }.into()
}

fn banned(by: AccountId) -> MembershipEvent {
    MemberBanned { community_id: HERE, account_id: MEMBER, by }.into()
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
    MembershipCommand::Join { community, account, by: JoinedBy::Invite, invited_by: Some(MODERATOR) }
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
fn acts(by: Standing, target: Standing) -> [MembershipCommand; 3] {
    [
        MembershipCommand::Kick { by, target },
        MembershipCommand::Ban { by, target },
        set_roles(by, target, &[Role::Guest]),
    ]
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
    assert_eq!(state, Membership::Outside);
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
    let kick = MembershipCommand::Kick { by: moderator(), target: member() };
    let state = given::<Membership>([joined()]).when(kick).then([kicked(MODERATOR)]);
    assert_eq!(state, Membership::Outside);
}

#[test]
fn kicking_who_is_no_member_is_refused() {
    let target = standing(MEMBER, HERE, &[]);
    for history in [vec![], vec![joined(), left()], vec![banned(OWNER)]] {
        let kick = MembershipCommand::Kick { by: owner(), target };
        given::<Membership>(history.clone()).when(kick).then_refused(MembershipError::UnknownMember);
        let roles = set_roles(owner(), target, &[Role::Guest]);
        given::<Membership>(history).when(roles).then_refused(MembershipError::UnknownMember);
    }
}

#[test]
fn a_moderator_bans_members_and_who_never_was_one() {
    let ban = MembershipCommand::Ban { by: moderator(), target: member() };
    let state = given::<Membership>([joined()]).when(ban).then([banned(MODERATOR)]);
    assert_eq!(state, Membership::Banned);
    let early = MembershipCommand::Ban { by: moderator(), target: standing(MEMBER, HERE, &[]) };
    given::<Membership>([]).when(early).then([banned(MODERATOR)]);
}

#[test]
fn banning_again_changes_nothing() {
    let ban = MembershipCommand::Ban { by: moderator(), target: standing(MEMBER, HERE, &[]) };
    given::<Membership>([banned(OWNER)]).when(ban).then_nothing();
}

#[test]
fn an_unbanned_account_is_outside_and_may_join() {
    let unban = MembershipCommand::Unban { by: moderator(), account: MEMBER };
    let state = given::<Membership>([banned(OWNER)]).when(unban).then([unbanned(MODERATOR)]);
    assert_eq!(state, Membership::Outside);
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
    let needs = [Permissions::KICK, Permissions::BAN, Permissions::MANAGE_ROLES];
    for (index, permission) in needs.into_iter().enumerate() {
        let [forbidden, ..] = {
            let mut acts = acts(without(moderator(), permission), member());
            acts.rotate_left(index);
            acts
        };
        given::<Membership>([joined()]).when(forbidden).then_refused(MembershipError::MayNotModerate);
        let mut allowed = acts(without(moderator(), Permissions::all() - permission), member());
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
        let [kick, ban, _] = acts(owner(), target);
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
    ];
    assert!(events.iter().all(|event| event.subject() == (HERE, MEMBER)));
}
