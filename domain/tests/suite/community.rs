use domain::community::{
    Community, CommunityCommand, CommunityCreated, CommunityDeleted, CommunityError, CommunityEvent,
    CommunityName, CommunityRenamed,
};
use domain::{Permissions, Role, Standing};

use crate::given::given;
use crate::people::*;

fn name(text: &str) -> CommunityName {
    CommunityName::parse(text).unwrap()
}

fn created() -> CommunityEvent {
    CommunityCreated { community_id: HERE, name: name("Here"), owner_id: OWNER }.into()
}

fn deleted() -> CommunityEvent {
    CommunityDeleted { community_id: HERE, deleted_by: OWNER }.into()
}

fn rename(by: Standing) -> CommunityCommand {
    CommunityCommand::Rename { by, name: name("There") }
}

#[test]
fn whoever_creates_a_community_owns_it() {
    let command = CommunityCommand::Create { id: HERE, owner: OWNER, name: name("Here") };
    let state = given::<Community>([]).when(command).then([created()]);
    assert_eq!(state.live().map(|community| community.owner_id), Some(OWNER));
}

#[test]
fn a_community_is_created_once() {
    let command = || CommunityCommand::Create { id: HERE, owner: MEMBER, name: name("Mine") };
    given::<Community>([created()]).when(command()).then_nothing();
    given::<Community>([created(), deleted()]).when(command()).then_nothing();
}

#[test]
fn the_owner_renames_the_community() {
    let renamed = CommunityRenamed { community_id: HERE, name: name("There") };
    let state = given::<Community>([created()]).when(rename(owner())).then([renamed.into()]);
    assert_eq!(state.live().map(|community| community.name.as_str()), Some("There"));
}

#[test]
fn giving_the_name_it_has_changes_nothing() {
    let command = CommunityCommand::Rename { by: owner(), name: name("Here") };
    given::<Community>([created()]).when(command).then_nothing();
}

#[test]
fn renaming_without_the_permission_is_refused() {
    for by in [moderator(), member(), guest(), without(owner(), Permissions::MANAGE_COMMUNITY)] {
        given::<Community>([created()]).when(rename(by)).then_refused(CommunityError::MayNotManage);
    }
}

#[test]
fn outsiders_are_not_told_that_a_community_exists() {
    let elsewhere = standing(OWNER, ELSEWHERE, &[Role::Member]);
    for by in [stranger(), elsewhere] {
        given::<Community>([created()]).when(rename(by)).then_refused(CommunityError::Unknown);
        let delete = CommunityCommand::Delete { by };
        given::<Community>([created()]).when(delete).then_refused(CommunityError::Unknown);
    }
}

#[test]
fn the_owner_deletes_the_community() {
    let command = CommunityCommand::Delete { by: owner() };
    let state = given::<Community>([created()]).when(command).then([deleted()]);
    assert_eq!(state, Community::Deleted);
}

#[test]
fn deleting_anothers_community_is_refused() {
    for by in [moderator(), member(), guest()] {
        let command = CommunityCommand::Delete { by };
        given::<Community>([created()]).when(command).then_refused(CommunityError::NotOwner);
    }
}

#[test]
fn a_community_that_is_no_more_or_never_was_is_unknown() {
    for history in [vec![], vec![created(), deleted()]] {
        given::<Community>(history.clone()).when(rename(owner())).then_refused(CommunityError::Unknown);
        let delete = CommunityCommand::Delete { by: owner() };
        given::<Community>(history).when(delete).then_refused(CommunityError::Unknown);
    }
}
