use std::collections::BTreeSet;

use domain::community::{Community, CommunityCreated, CommunityDeleted, CommunityName};
use domain::membership::{JoinedBy, MemberBanned, MemberJoined, Membership};
use domain::permission::{granted, rank};
use domain::{Permissions, Rank, Role, Standing};
use proptest::prelude::*;

use crate::given::fold;
use crate::people::*;

fn names(roles: &[Role]) -> Vec<String> {
    granted(false, &roles.iter().copied().collect()).names()
}

#[test]
fn each_role_grants_exactly_these_permissions() {
    assert_eq!(names(&[Role::Guest]), ["view", "post"]);
    assert_eq!(names(&[Role::Member]), ["view", "post", "create_invites"]);
    let moderator = [
        "view",
        "post",
        "create_invites",
        "manage_messages",
        "manage_channels",
        "manage_roles",
        "kick",
        "ban",
        "manage_invites",
    ];
    assert_eq!(names(&[Role::Moderator]), moderator);
    assert!(names(&[]).is_empty());
}

#[test]
fn the_owner_has_every_permission_whatever_the_roles() {
    let all = [
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
    ];
    for roles in [BTreeSet::new(), [Role::Guest].into()] {
        assert_eq!(granted(true, &roles).names(), all);
        assert_eq!(rank(true, &roles), Rank::Owner);
    }
}

#[test]
fn the_bits_of_permissions_never_change_their_meaning() {
    let bits: Vec<(&str, u64)> =
        Permissions::all().iter_names().map(|(name, permission)| (name, permission.bits())).collect();
    let expected = [
        ("VIEW", 1),
        ("POST", 2),
        ("CREATE_INVITES", 4),
        ("MANAGE_MESSAGES", 8),
        ("MANAGE_CHANNELS", 16),
        ("MANAGE_COMMUNITY", 32),
        ("MANAGE_ROLES", 64),
        ("KICK", 128),
        ("BAN", 256),
        ("MANAGE_INVITES", 512),
    ];
    assert_eq!(bits, expected);
}

#[test]
fn ranks_rise_from_outsiders_to_the_owner() {
    let rising = [Rank::Outsider, Rank::Guest, Rank::Member, Rank::Moderator, Rank::Owner];
    assert!(rising.is_sorted_by(|a, b| a < b));
    assert_eq!(Role::ALL.map(Role::rank), rising[1..4]);
}

#[test]
fn roles_are_known_by_their_names() {
    assert_eq!(Role::ALL.map(Role::as_str), ["guest", "member", "moderator"]);
    for role in Role::ALL {
        assert_eq!(Role::parse(role.as_str()), Some(role));
        assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
    }
    assert_eq!(Role::parse("owner"), None);
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
    let banned: Membership = fold([MemberBanned { community_id: HERE, account_id: OWNER, by: OWNER }.into()]);

    assert!(Standing::of(OWNER, HERE, &living, &member).is_owner());
    assert_eq!(Standing::of(MEMBER, HERE, &living, &member).rank, Rank::Member);
    let outside = [
        Standing::of(OWNER, HERE, &gone, &member),
        Standing::of(OWNER, HERE, &Community::Absent, &member),
        Standing::of(OWNER, HERE, &living, &Membership::Outside),
        Standing::of(MEMBER, HERE, &living, &banned),
    ];
    for standing in outside {
        assert!(!standing.is_member() && !standing.may(Permissions::VIEW), "{standing:?}");
    }
}

fn roles() -> impl Strategy<Value = BTreeSet<Role>> {
    proptest::sample::subsequence(Role::ALL.to_vec(), 0..=3).prop_map(|roles| roles.into_iter().collect())
}

proptest! {
    #[test]
    fn taking_a_role_away_never_adds_a_permission_or_rank(roles in roles(), owner: bool) {
        for taken in &roles {
            let mut fewer = roles.clone();
            fewer.remove(taken);
            prop_assert!(granted(owner, &roles).contains(granted(owner, &fewer)));
            prop_assert!(rank(owner, &fewer) <= rank(owner, &roles));
        }
    }

    #[test]
    fn a_higher_rank_never_has_fewer_permissions(a in roles(), b in roles()) {
        if rank(false, &a) >= rank(false, &b) {
            prop_assert!(granted(false, &a).contains(granted(false, &b)));
        }
    }
}
