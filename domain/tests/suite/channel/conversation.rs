use std::collections::BTreeSet;

use domain::channel::{
    Channel, ChannelChange, ChannelCommand, ChannelError, ChannelEvent, DirectOpened, GroupCreated,
    GroupHandedOver, GroupMemberAdded, GroupMemberRemoved, GroupRenamed, Home, MAX_GROUP_MEMBERS, direct_id,
    pair,
};
use domain::{AccountId, Aggregate as _, Permissions, Standing, streams};
use proptest::prelude::*;
use uuid::Uuid;

use super::name;
use crate::given::{fold, given};
use crate::people::*;

const ANN: AccountId = AccountId(Uuid::from_u128(0xb0));
const BOB: AccountId = AccountId(Uuid::from_u128(0xb1));
const CAT: AccountId = AccountId(Uuid::from_u128(0xb2));

fn opened() -> ChannelEvent {
    DirectOpened { channel_id: direct_id(ANN, BOB), accounts: [ANN, BOB], by: BOB }.into()
}

fn open(by: AccountId, with: AccountId, blocked: bool) -> ChannelCommand {
    ChannelCommand::OpenDirect { by, with, blocked }
}

/// A group of Ann's with Bob.
fn created() -> ChannelEvent {
    GroupCreated { channel_id: CHANNEL, name: None, owner_id: ANN, members: [ANN, BOB].into() }.into()
}

fn added(account_id: AccountId, by: AccountId) -> ChannelEvent {
    GroupMemberAdded { channel_id: CHANNEL, account_id, by }.into()
}

fn removed(account_id: AccountId, by: AccountId) -> ChannelEvent {
    GroupMemberRemoved { channel_id: CHANNEL, account_id, by, ended: false }.into()
}

fn handed(owner_id: AccountId, by: AccountId) -> ChannelEvent {
    GroupHandedOver { channel_id: CHANNEL, owner_id, by }.into()
}

fn create(others: impl IntoIterator<Item = AccountId>, blocked: bool) -> ChannelCommand {
    let others = others.into_iter().collect();
    ChannelCommand::CreateGroup { id: CHANNEL, by: ANN, name: None, others, blocked }
}

/// The standing of `account` in what these events make.
fn in_it(account: AccountId, history: &[ChannelEvent]) -> Standing {
    let channel: Channel = fold(history.iter().cloned());
    match channel.live() {
        Some(live) => Standing::in_channel(account, live, &Default::default(), &Default::default(), NOW),
        None => Standing::outside(account),
    }
}

fn add(by: Standing, account: AccountId) -> ChannelCommand {
    ChannelCommand::AddMember { by, account, blocked: false }
}

fn remove(by: Standing, account: AccountId) -> ChannelCommand {
    ChannelCommand::RemoveMember { by, account }
}

fn hand_over(by: Standing, account: AccountId) -> ChannelCommand {
    ChannelCommand::HandOver { by, account }
}

fn rename(by: Standing, text: &str) -> ChannelCommand {
    let change = ChannelChange { name: Some(name(text)), ..ChannelChange::default() };
    ChannelCommand::Change { by, change }
}

fn many(count: usize) -> impl Iterator<Item = AccountId> {
    (0..count).map(|id| AccountId(Uuid::from_u128(0x1_0000 + id as u128)))
}

#[test]
fn a_pair_has_one_direct_channel_whoever_opens_it() {
    assert_eq!(direct_id(ANN, BOB), direct_id(BOB, ANN));
    assert_ne!(direct_id(ANN, BOB), direct_id(ANN, CAT));
    assert_eq!(pair(BOB, ANN), [ANN, BOB]);
    // In the log for ever.
    assert_eq!(direct_id(ANN, BOB).to_string(), "f679043d-b8a5-520f-ab20-301a74014848");
    let state = given::<Channel>([]).when(open(BOB, ANN, false)).then([opened()]);
    assert_eq!(state.live().map(|channel| channel.home.clone()), Some(Home::Direct([ANN, BOB])));
    for (by, with, blocked) in [(ANN, BOB, false), (BOB, ANN, true)] {
        given::<Channel>([opened()]).when(open(by, with, blocked)).then_nothing();
    }
}

#[test]
fn both_may_say_something_there_and_nobody_else_sees_it() {
    for (account, may) in [(ANN, true), (BOB, true), (CAT, false)] {
        let by = in_it(account, &[opened()]);
        assert_eq!(by.may(Permissions::VIEW), may);
        assert_eq!(by.may(Permissions::POST), may);
        assert!(!by.may(Permissions::MANAGE_MESSAGES));
    }
}

#[test]
fn a_direct_channel_with_oneself_is_refused() {
    given::<Channel>([]).when(open(ANN, ANN, false)).then_refused(ChannelError::WithOneself);
}

#[test]
fn a_direct_channel_with_a_block_between_is_refused() {
    given::<Channel>([]).when(open(ANN, BOB, true)).then_refused(ChannelError::Blocked);
}

#[test]
fn a_direct_channel_has_no_settings_and_no_end() {
    let by = in_it(ANN, &[opened()]);
    given::<Channel>([opened()]).when(rename(by, "us")).then_refused(ChannelError::OfConversation);
    let delete = ChannelCommand::Delete { by };
    given::<Channel>([opened()]).when(delete).then_refused(ChannelError::OfConversation);
    for command in [add(by, CAT), remove(by, ANN), hand_over(by, BOB)] {
        given::<Channel>([opened()]).when(command).then_refused(ChannelError::NotGroup);
    }
}

#[test]
fn a_group_begins_with_its_owner_and_others() {
    let state = given::<Channel>([]).when(create([BOB], false)).then([created()]);
    let home = state.live().map(|channel| channel.home.clone());
    assert_eq!(home, Some(Home::Group { owner: ANN, members: vec![ANN, BOB] }));
    given::<Channel>([created()]).when(create([CAT], false)).then_nothing();
}

#[test]
fn a_group_of_nobody_else_is_refused() {
    given::<Channel>([]).when(create([], false)).then_refused(ChannelError::WithOneself);
    given::<Channel>([]).when(create([ANN, BOB], false)).then_refused(ChannelError::WithOneself);
}

#[test]
fn a_group_with_a_block_between_is_refused() {
    given::<Channel>([]).when(create([BOB], true)).then_refused(ChannelError::Blocked);
}

#[test]
fn a_group_has_at_most_25_members() {
    assert_eq!(MAX_GROUP_MEMBERS, 25);
    let members: BTreeSet<_> = many(24).chain([ANN]).collect();
    let full = GroupCreated { channel_id: CHANNEL, name: None, owner_id: ANN, members };
    given::<Channel>([]).when(create(many(24), false)).then([full.clone().into()]);
    given::<Channel>([]).when(create(many(25), false)).then_refused(ChannelError::TooManyMembers);

    let full = [ChannelEvent::from(full)];
    let by = in_it(ANN, &full);
    given::<Channel>(full.clone()).when(add(by, CAT)).then_refused(ChannelError::TooManyMembers);
    let one = many(1).next().unwrap();
    let room = [full[0].clone(), removed(one, ANN)];
    given::<Channel>(room).when(add(by, CAT)).then([added(CAT, ANN)]);
}

#[test]
fn any_member_adds_and_renames() {
    let by = in_it(BOB, &[created()]);
    let state = given::<Channel>([created()]).when(add(by, CAT)).then([added(CAT, BOB)]);
    assert!(matches!(&state.live().unwrap().home, Home::Group { members, .. } if members.len() == 3));
    given::<Channel>([created()]).when(add(by, ANN)).then_nothing();
    let renamed = GroupRenamed { channel_id: CHANNEL, name: Some(name("us")), by: BOB };
    let state = given::<Channel>([created()]).when(rename(by, "us")).then([renamed.clone().into()]);
    assert_eq!(state.live().and_then(|channel| channel.name.clone()), Some(name("us")));
    given::<Channel>([created(), renamed.into()]).when(rename(by, "us")).then_nothing();
}

#[test]
fn a_group_has_a_name_and_no_other_settings() {
    let by = in_it(ANN, &[created()]);
    let change = ChannelChange { archived: Some(true), ..ChannelChange::default() };
    let command = ChannelCommand::Change { by, change };
    given::<Channel>([created()]).when(command).then_refused(ChannelError::OfConversation);
    let delete = ChannelCommand::Delete { by };
    given::<Channel>([created()]).when(delete).then_refused(ChannelError::OfConversation);
}

#[test]
fn adding_somebody_with_a_block_between_is_refused() {
    let command = ChannelCommand::AddMember { by: in_it(BOB, &[created()]), account: CAT, blocked: true };
    given::<Channel>([created()]).when(command).then_refused(ChannelError::Blocked);
}

#[test]
fn the_owner_removes_and_everyone_leaves() {
    let history = [created(), added(CAT, BOB)];
    given::<Channel>(history.clone()).when(remove(in_it(ANN, &history), BOB)).then([removed(BOB, ANN)]);
    given::<Channel>(history.clone()).when(remove(in_it(BOB, &history), BOB)).then([removed(BOB, BOB)]);
    let others = remove(in_it(BOB, &history), CAT);
    given::<Channel>(history.clone()).when(others).then_refused(ChannelError::NotGroupOwner);
    let nobody = remove(in_it(ANN, &history), OTHER);
    given::<Channel>(history).when(nobody).then_refused(ChannelError::UnknownMember);
}

#[test]
fn the_owner_who_leaves_hands_over_to_who_has_been_there_longest() {
    let history = [created(), added(OWNER, BOB), removed(BOB, ANN), added(CAT, ANN), added(BOB, ANN)];
    let command = remove(in_it(ANN, &history), ANN);
    let state = given::<Channel>(history).when(command).then([handed(OWNER, ANN), removed(ANN, ANN)]);
    let home = state.live().map(|channel| channel.home.clone());
    assert_eq!(home, Some(Home::Group { owner: OWNER, members: vec![OWNER, CAT, BOB] }));
}

#[test]
fn a_group_ends_with_its_last_member() {
    let history = [created(), removed(BOB, BOB)];
    let command = remove(in_it(ANN, &history), ANN);
    let last = GroupMemberRemoved { channel_id: CHANNEL, account_id: ANN, by: ANN, ended: true };
    let state = given::<Channel>(history).when(command).then([last.clone().into()]);
    assert!(matches!(state, Channel::Deleted(_)));
    let after = [created(), removed(BOB, BOB), last.into()];
    let late = add(in_it(ANN, &after), BOB);
    given::<Channel>(after).when(late).then_refused(ChannelError::Unknown);
}

#[test]
fn the_owner_hands_over_to_a_member() {
    let by = in_it(ANN, &[created()]);
    let state = given::<Channel>([created()]).when(hand_over(by, BOB)).then([handed(BOB, ANN)]);
    assert!(matches!(&state.live().unwrap().home, Home::Group { owner: BOB, .. }));
    given::<Channel>([created()]).when(hand_over(by, ANN)).then_nothing();
    given::<Channel>([created()]).when(hand_over(by, CAT)).then_refused(ChannelError::UnknownMember);
    let command = hand_over(in_it(BOB, &[created()]), BOB);
    given::<Channel>([created()]).when(command).then_refused(ChannelError::NotGroupOwner);
}

#[test]
fn a_group_that_one_is_not_in_is_unknown() {
    let by = in_it(CAT, &[created()]);
    for command in [add(by, CAT), remove(by, ANN), hand_over(by, CAT), rename(by, "mine")] {
        given::<Channel>([created()]).when(command).then_refused(ChannelError::Unknown);
    }
}

#[test]
fn conversations_are_in_the_streams_of_channels() {
    let id = direct_id(ANN, BOB);
    assert_eq!(streams::channel(id), format!("channel-{id}"));
}

proptest! {
    /// Whatever people try, a group has an owner among its members as long as it has members, and ends for good.
    #[test]
    fn a_group_is_owned_by_one_of_its_members(
        tries in proptest::collection::vec((0..4_usize, 0..3_u8, 0..4_usize), 0..60),
    ) {
        let people = [ANN, BOB, CAT, OTHER];
        let mut history = vec![created()];
        let mut ended = false;
        for (who, what, whom) in tries {
            let (by, whom) = (in_it(people[who], &history), people[whom]);
            let command = match what {
                0 => add(by, whom),
                1 => remove(by, whom),
                _ => hand_over(by, whom),
            };
            let channel: Channel = fold(history.iter().cloned());
            history.extend(channel.decide(command).unwrap_or_default());
            let channel: Channel = fold(history.iter().cloned());
            match channel.live().map(|live| &live.home) {
                Some(Home::Group { owner, members }) => {
                    prop_assert!(!ended && members.contains(owner));
                    prop_assert_eq!(members.iter().collect::<BTreeSet<_>>().len(), members.len());
                }
                _ => ended = true,
            }
        }
    }
}
