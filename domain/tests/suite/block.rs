use domain::block::{AccountBlocked, AccountUnblocked, Block, BlockCommand, BlockError, BlockEvent};
use domain::{AccountId, streams};

use crate::given::{fold, given};
use crate::people::{MEMBER, OTHER};

fn blocked(by: AccountId, account_id: AccountId) -> BlockEvent {
    AccountBlocked { account_id, by }.into()
}

fn block(by: AccountId, account: AccountId) -> BlockCommand {
    BlockCommand::Block { by, account }
}

fn unblock(by: AccountId, account: AccountId) -> BlockCommand {
    BlockCommand::Unblock { by, account }
}

#[test]
fn who_blocks_is_known_and_who_is_blocked_may_block_back() {
    let state = given::<Block>([]).when(block(MEMBER, OTHER)).then([blocked(MEMBER, OTHER)]);
    assert!(state.is_by(MEMBER) && !state.is_by(OTHER) && !state.is_none());
    let back = given::<Block>([blocked(MEMBER, OTHER)]).when(block(OTHER, MEMBER));
    let both = back.then([blocked(OTHER, MEMBER)]);
    assert!(both.is_by(MEMBER) && both.is_by(OTHER));
}

#[test]
fn blocking_again_changes_nothing() {
    given::<Block>([blocked(MEMBER, OTHER)]).when(block(MEMBER, OTHER)).then_nothing();
    given::<Block>([]).when(unblock(MEMBER, OTHER)).then_nothing();
    given::<Block>([blocked(OTHER, MEMBER)]).when(unblock(MEMBER, OTHER)).then_nothing();
}

#[test]
fn unblocking_ends_ones_own_block_alone() {
    let both = [blocked(MEMBER, OTHER), blocked(OTHER, MEMBER)];
    let unblocked = AccountUnblocked { account_id: OTHER, by: MEMBER };
    let state = given::<Block>(both).when(unblock(MEMBER, OTHER)).then([unblocked.into()]);
    assert!(!state.is_by(MEMBER) && state.is_by(OTHER));
    let none: Block =
        fold([blocked(MEMBER, OTHER), AccountUnblocked { account_id: OTHER, by: MEMBER }.into()]);
    assert!(none.is_none());
}

#[test]
fn blocking_oneself_is_refused() {
    given::<Block>([]).when(block(MEMBER, MEMBER)).then_refused(BlockError::Oneself);
}

#[test]
fn a_pair_has_one_stream_whoever_comes_first() {
    assert_eq!(streams::block(MEMBER, OTHER), streams::block(OTHER, MEMBER));
    assert_ne!(streams::block(MEMBER, OTHER), streams::block(MEMBER, crate::people::OWNER));
}
