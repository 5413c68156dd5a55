use std::collections::BTreeSet;

use domain::community::{Community, CommunityCreated, CommunityDeleted, CommunityName};
use domain::membership::{JoinedBy, MemberBanned, MemberJoined, Membership};
use domain::permission::{Overwrite, Overwrites, Place, Rule, Target, Who, explain, resolve};
use domain::role::{Definition, RoleName, Roles};
use domain::{Permissions, Rank, Role, Standing};
use proptest::prelude::*;
use uuid::Uuid;

use crate::given::fold;
use crate::people::*;

#[test]
fn each_built_in_role_grants_exactly_these_permissions() {
    let roles = Roles::default();
    let guest = "view post reply react attach speak share_video";
    let member = "view post create_invites reply react attach speak share_video change_nickname";
    let moderator = "view post create_invites manage_messages manage_channels manage_roles kick ban manage_invites \
        reply react attach mention_everyone time_out speak share_video view_audit_log change_nickname \
        manage_nicknames";
    for (role, expected) in [(Role::Guest, guest), (Role::Member, member), (Role::Moderator, moderator)] {
        assert_eq!(roles.permissions(role).names().join(" "), expected, "{role}");
    }
    assert!(roles.granted(&BTreeSet::new()).is_empty());
}

#[test]
fn the_bits_of_permissions_never_change_their_meaning() {
    let names = [
        "view",
        "post",
        "create_invites",
        "manage_messages",
        "manage_channels",
        "manage_community",
        "manage_roles",
        "kick",
        "ban",
        "manage_invites",
        "reply",
        "react",
        "attach",
        "mention_everyone",
        "time_out",
        "speak",
        "share_video",
        "view_audit_log",
        "change_nickname",
        "manage_nicknames",
    ];
    assert_eq!(Permissions::all().names(), names);
    for (bit, name) in names.into_iter().enumerate() {
        assert_eq!(Permissions::parse(name), Some(Permissions::from_bits_retain(1 << bit)));
    }
    assert_eq!(Permissions::parse("everything"), None);
}

#[test]
fn built_in_roles_are_known_by_their_names_and_others_by_their_ids() {
    for (role, name) in Role::BUILT_IN.into_iter().zip(["guest", "member", "moderator"]) {
        assert_eq!((Role::parse(name), role.to_string().as_str()), (Some(role), name));
        assert_eq!(serde_json::to_value(role).unwrap(), name);
    }
    let custom = Role::Custom(Uuid::from_u128(7));
    assert_eq!(Role::parse(&custom.to_string()), Some(custom));
    assert_eq!(serde_json::from_value::<Role>(serde_json::to_value(custom).unwrap()).unwrap(), custom);
    assert_eq!(Role::parse("owner"), None);
}

#[test]
fn a_new_role_stands_just_above_members_and_moves_where_it_is_put() {
    let [first, second] = [1, 2].map(|id| Role::Custom(Uuid::from_u128(id)));
    let mut roles = Roles::default();
    roles.set(first, definition(Permissions::KICK));
    roles.set(second, definition(Permissions::BAN));
    assert_eq!(roles.order(), [Role::Guest, Role::Member, second, first, Role::Moderator]);
    roles.reorder(&[Role::Moderator, first, second, Role::Guest]);
    assert_eq!(roles.order(), [Role::Guest, Role::Member, Role::Moderator, first, second]);
    assert!(roles.rank(&[first].into()) > roles.rank(&[Role::Moderator].into()));
    roles.remove(first);
    roles.remove(Role::Member);
    assert_eq!(roles.order(), [Role::Guest, Role::Member, Role::Moderator, second]);
    assert!(roles.granted(&[first].into()).is_empty(), "a role that is gone grants nothing");
    assert!(roles.rank(&[first].into()) > Rank::OUTSIDER, "whoever held it is still a member");
}

#[test]
fn only_members_of_a_living_community_stand_in_it() {
    let created =
        CommunityCreated { community_id: HERE, name: CommunityName::parse("Here").unwrap(), owner_id: OWNER };
    let deleted = CommunityDeleted { community_id: HERE, deleted_by: OWNER };
    let living: Community = fold([created.clone().into()]);
    let gone: Community = fold([created.into(), deleted.into()]);
    let member: Membership = fold([MemberJoined {
        community_id: HERE,
        account_id: OWNER,
        roles: [Role::Member].into(),
        joined_by: JoinedBy::Founding,
        invited_by: None,
    }
    .into()]);
    let banned = MemberBanned { community_id: HERE, account_id: OWNER, by: OWNER, until: None, reason: None };
    let banned: Membership = fold([banned.into()]);

    assert!(Standing::of(OWNER, HERE, &living, &member, NOW).is_owner());
    assert_eq!(Standing::of(MEMBER, HERE, &living, &member, NOW).rank.number(), 2);
    let outside = [
        Standing::of(OWNER, HERE, &gone, &member, NOW),
        Standing::of(OWNER, HERE, &Community::Absent, &member, NOW),
        Standing::of(OWNER, HERE, &living, &Membership::default(), NOW),
        Standing::of(MEMBER, HERE, &living, &banned, NOW),
    ];
    for standing in outside {
        assert!(!standing.is_member() && !standing.may(Permissions::VIEW), "{standing:?}");
    }
}

fn definition(permissions: Permissions) -> Definition {
    let name = Some(RoleName::parse("Some").unwrap());
    Definition { name, colour: None, permissions, mentionable: false }
}

fn overwrites(entries: &[(Target, Permissions, Permissions)]) -> Overwrites {
    entries.iter().map(|(target, allow, deny)| (*target, Overwrite { allow: *allow, deny: *deny })).collect()
}

#[test]
fn a_higher_roles_overwrite_counts_more_and_the_members_own_most() {
    let (none, post) = (Permissions::empty(), Permissions::POST);
    let held = [Role::Member, Role::Moderator].into();
    let who = Who { account: MEMBER, owner: false, roles: &held, timed_out: false };
    let may = |entries: &[_]| {
        let overwrites = overwrites(entries);
        let place = Place { private: false, archived: false, overwrites: &overwrites };
        resolve(who, &Roles::default(), Some(place)).contains(post)
    };
    let (low, high) = (Target::Role(Role::Member), Target::Role(Role::Moderator));
    let own = Target::Account(MEMBER);
    assert!(!may(&[(low, none, post)]));
    assert!(may(&[(low, none, post), (high, post, none)]));
    assert!(!may(&[(low, post, none), (high, none, post)]));
    assert!(may(&[(high, none, post), (own, post, none)]));
    assert!(!may(&[(high, post, none), (own, none, post)]));
    assert!(may(&[(Target::Account(OTHER), none, post), (Target::Role(Role::Guest), none, post)]));
}

#[test]
fn a_private_channel_is_seen_by_its_owner_and_by_who_is_let_in() {
    let held = [Role::Moderator].into();
    let who = Who { account: MEMBER, owner: false, roles: &held, timed_out: false };
    let view = Permissions::VIEW;
    for (entries, expected) in [
        (vec![], Rule::Private),
        (
            vec![(Target::Account(MEMBER), view, Permissions::empty())],
            Rule::Overwrite(Target::Account(MEMBER)),
        ),
    ] {
        let overwrites = overwrites(&entries);
        let place = Some(Place { private: true, archived: false, overwrites: &overwrites });
        assert_eq!(resolve(who, &Roles::default(), place).contains(view), !entries.is_empty());
        assert_eq!(explain(who, &Roles::default(), place)[0].rule, expected);
        let owner = Who { owner: true, ..who };
        assert_eq!(resolve(owner, &Roles::default(), place), Permissions::all());
    }
}

fn permissions() -> impl Strategy<Value = Permissions> {
    any::<u64>().prop_map(Permissions::from_bits_truncate)
}

fn custom(number: u128) -> Role {
    Role::Custom(Uuid::from_u128(number))
}

fn any_role() -> impl Strategy<Value = Role> {
    prop_oneof![proptest::sample::select(Role::BUILT_IN.to_vec()), (0..4_u128).prop_map(custom)]
}

fn all_roles() -> impl Strategy<Value = Roles> {
    let grants = prop::collection::vec(permissions(), 4);
    (grants, prop::collection::vec(any_role(), 0..7)).prop_map(|(grants, order)| {
        let mut roles = Roles::default();
        for (number, permissions) in (0..).zip(grants) {
            roles.set(custom(number), definition(permissions));
        }
        roles.reorder(&order);
        roles
    })
}

fn any_overwrites() -> impl Strategy<Value = Overwrites> {
    let target = prop_oneof![
        any_role().prop_map(Target::Role),
        Just(Target::Account(MEMBER)),
        Just(Target::Account(OTHER))
    ];
    let overwrite = (permissions(), permissions())
        .prop_map(|(allow, deny)| Overwrite { allow, deny: deny.difference(allow) });
    prop::collection::vec((target, overwrite), 0..6).prop_map(|entries| entries.into_iter().collect())
}

fn held() -> impl Strategy<Value = BTreeSet<Role>> {
    prop::collection::btree_set(any_role(), 0..5)
}

#[test]
fn to_an_archived_channel_nobody_adds_anything_and_all_who_saw_it_still_do() {
    let held = [Role::Moderator].into();
    let overwrites = overwrites(&[(Target::Account(MEMBER), Permissions::POST, Permissions::empty())]);
    let place = Place { private: false, archived: true, overwrites: &overwrites };
    for owner in [false, true] {
        let who = Who { account: MEMBER, owner, roles: &held, timed_out: false };
        let left = resolve(who, &Roles::default(), Some(place));
        let open = resolve(who, &Roles::default(), Some(Place { archived: false, ..place }));
        assert_eq!(left, open - Permissions::CONTRIBUTE);
        assert!(left.contains(Permissions::VIEW | Permissions::MANAGE_CHANNELS));
        let decided = explain(who, &Roles::default(), Some(place));
        let post = decided.iter().find(|one| one.permission == Permissions::POST).unwrap();
        assert_eq!((post.allowed, post.rule), (false, Rule::Archived));
    }
}

proptest! {
    #[test]
    fn a_denial_never_widens(
        roles in all_roles(), held in held(), overwrites in any_overwrites(), private: bool, archived: bool,
        timed_out: bool, target in any_role(), denied in permissions(),
    ) {
        let who = Who { account: MEMBER, owner: false, roles: &held, timed_out };
        let before = resolve(who, &roles, Some(Place { private, archived, overwrites: &overwrites }));
        for target in [Target::Role(target), Target::Account(MEMBER)] {
            let mut more = overwrites.clone();
            let old = more.get(target).unwrap_or_default();
            more.set(target, Overwrite { allow: old.allow.difference(denied), deny: old.deny.union(denied) });
            let after = resolve(who, &roles, Some(Place { private, archived, overwrites: &more }));
            prop_assert!(before.contains(after), "{before:?} became {after:?}");
        }
    }

    #[test]
    fn the_owner_always_may(roles in all_roles(), held in held(), overwrites in any_overwrites(), private: bool) {
        let who = Who { account: MEMBER, owner: true, roles: &held, timed_out: true };
        let place = Place { private, archived: false, overwrites: &overwrites };
        prop_assert_eq!(resolve(who, &roles, Some(place)), Permissions::all());
        let archived = Place { archived: true, ..place };
        let left = Permissions::all() - Permissions::CONTRIBUTE;
        prop_assert_eq!(resolve(who, &roles, Some(archived)), left);
        prop_assert_eq!(resolve(who, &roles, None), Permissions::all());
    }

    #[test]
    fn what_is_explained_is_what_is_resolved(
        roles in all_roles(), held in held(), overwrites in any_overwrites(), private: bool, timed_out: bool,
        owner: bool, in_channel: bool, archived: bool,
    ) {
        let who = Who { account: MEMBER, owner, roles: &held, timed_out };
        let place = in_channel.then_some(Place { private, archived, overwrites: &overwrites });
        let allowed = explain(who, &roles, place).into_iter().filter(|one| one.allowed);
        let allowed = allowed.fold(Permissions::empty(), |sum, one| sum | one.permission);
        prop_assert_eq!(resolve(who, &roles, place), allowed);
    }

    #[test]
    fn taking_a_role_away_never_adds_a_permission_or_rank(roles in all_roles(), held in held()) {
        for taken in &held {
            let mut fewer = held.clone();
            fewer.remove(taken);
            prop_assert!(roles.granted(&held).contains(roles.granted(&fewer)));
            prop_assert!(roles.rank(&fewer) <= roles.rank(&held));
        }
    }

    #[test]
    fn overwrites_are_stored_and_read_back(overwrites in any_overwrites()) {
        let stored = serde_json::to_value(&overwrites).unwrap();
        prop_assert_eq!(serde_json::from_value::<Overwrites>(stored).unwrap(), overwrites);
    }
}
