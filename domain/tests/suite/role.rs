//! Roles of a community's own, and the owner's place above them.

use domain::community::{
    Community, CommunityCommand, CommunityCreated, CommunityError, CommunityEvent, CommunityName,
    OwnerChanged, RoleChange, RoleChanged, RoleCreated, RoleDeleted, RolesOrdered,
};
use domain::membership::{JoinedBy, MemberJoined, Membership};
use domain::role::{Colour, Definition, MAX_ROLES, RoleName, Roles};
use domain::{AccountId, Permissions, Role, Standing};
use uuid::Uuid;

use crate::given::{fold, given};
use crate::people::*;

const LOW: Role = Role::Custom(Uuid::from_u128(0xb0));
const HIGH: Role = Role::Custom(Uuid::from_u128(0xb1));
const NEW: Role = Role::Custom(Uuid::from_u128(0xb2));

fn definition(permissions: Permissions) -> Definition {
    let name = Some(RoleName::parse("Some").unwrap());
    Definition { name, colour: None, permissions, mentionable: false }
}

fn made(role: Role, permissions: Permissions, by: AccountId) -> CommunityEvent {
    RoleCreated { community_id: HERE, role, definition: definition(permissions), by }.into()
}

fn ordered(order: &[Role], by: AccountId) -> CommunityEvent {
    RolesOrdered { community_id: HERE, order: order.to_vec(), by }.into()
}

/// `guest` < `member` < LOW < `moderator` < HIGH
fn history() -> Vec<CommunityEvent> {
    let name = CommunityName::parse("Here").unwrap();
    vec![
        CommunityCreated { community_id: HERE, name, owner_id: OWNER }.into(),
        made(HIGH, Permissions::MANAGE_COMMUNITY, OWNER),
        made(LOW, Permissions::KICK, OWNER),
        ordered(&ORDER, OWNER),
    ]
}

const ORDER: [Role; 5] = [Role::Guest, Role::Member, LOW, Role::Moderator, HIGH];

/// Where an account with these roles stands in the community of [`history`].
fn holder(account: AccountId, roles: &[Role]) -> Standing {
    let joined = MemberJoined {
        community_id: HERE,
        account_id: account,
        roles: roles.iter().copied().collect(),
        joined_by: JoinedBy::Invite,
        invited_by: None,
    };
    let membership: Membership = fold([joined.into()]);
    Standing::of(account, HERE, &fold::<Community>(history()), &membership, NOW)
}

fn moderator_here() -> Standing {
    holder(MODERATOR, &[Role::Moderator])
}

fn create(by: Standing, permissions: Permissions) -> CommunityCommand {
    CommunityCommand::CreateRole { by, role: NEW, definition: definition(permissions) }
}

fn change(by: Standing, role: Role, change: RoleChange) -> CommunityCommand {
    CommunityCommand::ChangeRole { by, role, change }
}

fn to(permissions: Permissions) -> RoleChange {
    RoleChange { permissions: Some(permissions), ..RoleChange::default() }
}

fn order(by: Standing, order: &[Role]) -> CommunityCommand {
    CommunityCommand::OrderRoles { by, order: order.to_vec() }
}

/// Every command on roles, as `by` might give it.
fn acts(by: Standing) -> [CommunityCommand; 4] {
    [
        create(by, Permissions::KICK),
        change(by, LOW, to(Permissions::BAN)),
        CommunityCommand::DeleteRole { by, role: LOW },
        order(by, &ORDER),
    ]
}

#[test]
fn a_new_role_stands_just_above_members() {
    let state = given::<Community>(history()).when(create(moderator_here(), Permissions::KICK)).then([made(
        NEW,
        Permissions::KICK,
        MODERATOR,
    )]);
    let order = state.live().unwrap().roles.order().to_vec();
    assert_eq!(order, [Role::Guest, Role::Member, NEW, LOW, Role::Moderator, HIGH]);
    let again = create(moderator_here(), Permissions::KICK);
    let known = [history(), vec![made(NEW, Permissions::KICK, MODERATOR)]].concat();
    given::<Community>(known).when(again).then_nothing();
}

#[test]
fn a_community_has_at_most_a_hundred_roles_of_its_own() {
    let others = (0..MAX_ROLES - 3).map(|number| {
        let role = Role::Custom(Uuid::from_u128(0x1000 + number as u128));
        made(role, Permissions::empty(), OWNER)
    });
    let almost = [history(), others.collect()].concat();
    let state = given::<Community>(almost.clone()).when(create(owner(), Permissions::empty())).then([made(
        NEW,
        Permissions::empty(),
        OWNER,
    )]);
    assert_eq!(state.live().unwrap().roles.order().len(), MAX_ROLES + Role::BUILT_IN.len());
    let another = made(Role::Custom(Uuid::from_u128(0xb3)), Permissions::empty(), OWNER);
    given::<Community>([almost, vec![another]].concat())
        .when(create(owner(), Permissions::empty()))
        .then_refused(CommunityError::TooManyRoles);
}

#[test]
fn names_need_not_be_unique() {
    let state = given::<Community>(history()).when(create(owner(), Permissions::empty())).then([made(
        NEW,
        Permissions::empty(),
        OWNER,
    )]);
    let roles = &state.live().unwrap().roles;
    assert_eq!(roles.get(NEW).unwrap().name, roles.get(LOW).unwrap().name);
}

#[test]
fn what_is_given_of_a_role_changes() {
    let change_to = RoleChange {
        name: Some(RoleName::parse("Other").unwrap()),
        colour: Some(Some(Colour(0x1f_8b4c))),
        permissions: Some(Permissions::BAN),
        mentionable: Some(true),
    };
    let changed = RoleChanged {
        community_id: HERE,
        role: LOW,
        definition: Definition {
            name: change_to.name.clone(),
            colour: Some(Colour(0x1f_8b4c)),
            permissions: Permissions::BAN,
            mentionable: true,
        },
        by: MODERATOR,
    };
    let state = given::<Community>(history())
        .when(change(moderator_here(), LOW, change_to))
        .then([changed.clone().into()]);
    assert_eq!(state.live().unwrap().roles.get(LOW), Some(&changed.definition));
    let plain = RoleChange { colour: Some(None), ..RoleChange::default() };
    let without_colour = RoleChanged {
        definition: Definition { colour: None, ..changed.definition.clone() },
        by: OWNER,
        ..changed.clone()
    };
    given::<Community>([history(), vec![changed.into()]].concat())
        .when(change(owner(), LOW, plain))
        .then([without_colour.into()]);
}

#[test]
fn what_is_so_already_changes_nothing() {
    let same = RoleChange { permissions: Some(Permissions::KICK), ..RoleChange::default() };
    for change_to in [RoleChange::default(), same] {
        given::<Community>(history()).when(change(owner(), LOW, change_to)).then_nothing();
    }
    given::<Community>(history()).when(order(moderator_here(), &ORDER)).then_nothing();
}

#[test]
fn built_in_roles_change_what_they_grant_but_keep_their_names() {
    let permissions = Roles::default().permissions(Role::Guest) - Permissions::POST;
    let definition = Definition { name: None, colour: None, permissions, mentionable: false };
    let changed = RoleChanged { community_id: HERE, role: Role::Guest, definition, by: MODERATOR };
    given::<Community>(history())
        .when(change(moderator_here(), Role::Guest, to(permissions)))
        .then([changed.into()]);
    let renamed = RoleChange { name: Some(RoleName::parse("Visitor").unwrap()), ..RoleChange::default() };
    for role in Role::BUILT_IN {
        given::<Community>(history())
            .when(change(owner(), role, renamed.clone()))
            .then_refused(CommunityError::RoleBuiltIn);
        given::<Community>(history())
            .when(CommunityCommand::DeleteRole { by: owner(), role })
            .then_refused(CommunityError::RoleBuiltIn);
    }
}

#[test]
fn a_deleted_role_grants_nothing_any_more() {
    let deleted: CommunityEvent = RoleDeleted { community_id: HERE, role: LOW, by: MODERATOR }.into();
    let state = given::<Community>(history())
        .when(CommunityCommand::DeleteRole { by: moderator_here(), role: LOW })
        .then([deleted.clone()]);
    assert!(state.live().unwrap().roles.granted(&[LOW].into()).is_empty());
    let gone = [history(), vec![deleted]].concat();
    for by in [owner(), moderator_here()] {
        let again = CommunityCommand::DeleteRole { by, role: LOW };
        given::<Community>(gone.clone()).when(again).then_refused(CommunityError::UnknownRole);
        let changed = change(by, LOW, to(Permissions::BAN));
        given::<Community>(gone.clone()).when(changed).then_refused(CommunityError::UnknownRole);
    }
}

#[test]
fn managing_roles_without_the_permission_is_refused() {
    for by in [holder(MEMBER, &[Role::Member]), without(moderator_here(), Permissions::MANAGE_ROLES)] {
        for command in acts(by) {
            given::<Community>(history()).when(command).then_refused(CommunityError::MayNotManageRoles);
        }
    }
}

#[test]
fn outsiders_are_not_told_of_a_communitys_roles() {
    for by in [stranger(), standing(OWNER, ELSEWHERE, &[Role::Member])] {
        for command in acts(by) {
            given::<Community>(history()).when(command).then_refused(CommunityError::Unknown);
        }
        let transfer = CommunityCommand::TransferOwnership { by, to: member() };
        given::<Community>(history()).when(transfer).then_refused(CommunityError::Unknown);
    }
}

#[test]
fn nobody_gives_a_role_what_they_lack_nor_takes_it() {
    let lacks = [Permissions::MANAGE_COMMUNITY, Permissions::MANAGE_COMMUNITY | Permissions::KICK];
    for permissions in lacks {
        given::<Community>(history())
            .when(create(moderator_here(), permissions))
            .then_refused(CommunityError::BeyondOwn);
        given::<Community>(history())
            .when(change(moderator_here(), LOW, to(permissions)))
            .then_refused(CommunityError::BeyondOwn);
    }
    let granted = RoleChanged {
        community_id: HERE,
        role: LOW,
        definition: definition(Permissions::MANAGE_COMMUNITY),
        by: OWNER,
    };
    let grown = || [history(), vec![granted.clone().into()]].concat();
    given::<Community>(grown())
        .when(change(moderator_here(), LOW, to(Permissions::empty())))
        .then_refused(CommunityError::BeyondOwn);
    // What stays as it is is nobody's doing.
    let kept = Permissions::MANAGE_COMMUNITY | Permissions::KICK;
    let changed = RoleChanged { community_id: HERE, role: LOW, definition: definition(kept), by: MODERATOR };
    given::<Community>(grown()).when(change(moderator_here(), LOW, to(kept))).then([changed.into()]);
}

#[test]
fn nobody_touches_a_role_of_their_own_rank_or_above() {
    for role in [Role::Moderator, HIGH] {
        given::<Community>(history())
            .when(change(moderator_here(), role, to(Permissions::empty())))
            .then_refused(CommunityError::RoleTooHigh);
        let delete = CommunityCommand::DeleteRole { by: moderator_here(), role };
        given::<Community>(history()).when(delete).then_refused(CommunityError::RoleTooHigh);
    }
    // A role is made above `member`: who is no higher would make it above themselves.
    let by = Standing { permissions: Permissions::all(), ..holder(MEMBER, &[Role::Member]) };
    given::<Community>(history())
        .when(create(by, Permissions::empty()))
        .then_refused(CommunityError::RoleTooHigh);
}

#[test]
fn roles_of_a_lower_rank_change_their_order() {
    let by = holder(MODERATOR, &[HIGH, Role::Moderator]);
    let wanted = [Role::Guest, Role::Member, Role::Moderator, LOW, HIGH];
    let state = given::<Community>(history()).when(order(by, &wanted)).then([ordered(&wanted, MODERATOR)]);
    assert_eq!(state.live().unwrap().roles.order(), wanted);
    let free = [Role::Guest, Role::Member, HIGH, LOW, Role::Moderator];
    given::<Community>(history()).when(order(owner(), &free)).then([ordered(&free, OWNER)]);
}

#[test]
fn moving_a_role_from_or_to_ones_own_rank_or_above_is_refused() {
    let wanted = [
        // LOW above the moderator; HIGH below; HIGH among those below.
        [Role::Guest, Role::Member, Role::Moderator, LOW, HIGH],
        [Role::Guest, Role::Member, LOW, HIGH, Role::Moderator],
        [Role::Guest, Role::Member, HIGH, LOW, Role::Moderator],
    ];
    for wanted in wanted {
        given::<Community>(history())
            .when(order(moderator_here(), &wanted))
            .then_refused(CommunityError::RoleTooHigh);
    }
}

#[test]
fn an_order_that_is_not_one_of_all_roles_is_refused() {
    let wrong: [&[Role]; 6] = [
        &[],
        &[Role::Guest, Role::Member, LOW, Role::Moderator],
        &[Role::Guest, Role::Member, LOW, LOW, Role::Moderator, HIGH],
        &[Role::Guest, Role::Member, LOW, Role::Moderator, NEW],
        &[Role::Member, Role::Guest, LOW, Role::Moderator, HIGH],
        &[Role::Guest, LOW, Role::Member, Role::Moderator, HIGH],
    ];
    for wrong in wrong {
        given::<Community>(history())
            .when(order(owner(), wrong))
            .then_refused(CommunityError::OrderIncomplete);
    }
}

fn transfer(by: Standing, to: Standing) -> CommunityCommand {
    CommunityCommand::TransferOwnership { by, to }
}

#[test]
fn the_owner_hands_the_community_over_to_a_member() {
    let changed = OwnerChanged { community_id: HERE, owner_id: MEMBER, previous_owner_id: OWNER };
    let state = given::<Community>(history()).when(transfer(owner(), member())).then([changed.into()]);
    let membership = |account| {
        let joined = MemberJoined {
            community_id: HERE,
            account_id: account,
            roles: [Role::Member].into(),
            joined_by: JoinedBy::Invite,
            invited_by: None,
        };
        fold::<Membership>([joined.into()])
    };
    let stands = |account| Standing::of(account, HERE, &state, &membership(account), NOW);
    assert!(stands(MEMBER).is_owner() && !stands(OWNER).is_owner());
    assert!(stands(OWNER).is_member(), "the owner before keeps their roles");
    // And may leave now.
    let leave = domain::membership::MembershipCommand::Leave { by: stands(OWNER) };
    assert!(domain::Aggregate::decide(&membership(OWNER), leave).is_ok());
}

#[test]
fn handing_over_to_oneself_changes_nothing() {
    given::<Community>(history()).when(transfer(owner(), owner())).then_nothing();
}

#[test]
fn handing_over_to_who_is_no_member_is_refused() {
    given::<Community>(history())
        .when(transfer(owner(), stranger()))
        .then_refused(CommunityError::NewOwnerNotMember);
}

#[test]
fn handing_over_what_is_anothers_is_refused() {
    for by in [moderator_here(), member()] {
        given::<Community>(history()).when(transfer(by, other())).then_refused(CommunityError::NotOwner);
    }
}
