//! `block-{uuid of the pair's direct channel}`: who of two accounts wants nothing to do with the other.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::codec::{events, fact};
use crate::{AccountId, Aggregate};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountBlocked {
    pub account_id: AccountId,
    pub by: AccountId,
}
fact!(AccountBlocked = "account.blocked", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountUnblocked {
    pub account_id: AccountId,
    pub by: AccountId,
}
fact!(AccountUnblocked = "account.unblocked", 1);

events! {
    pub enum BlockEvent {
        Blocked(AccountBlocked),
        Unblocked(AccountUnblocked),
    }
}

/// The fold of a block's stream: those of the two who block the other. One stream for both directions, so that one guard
/// holds whoever blocks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    blockers: BTreeSet<AccountId>,
}

impl Block {
    /// Whether neither blocks the other.
    pub fn is_none(&self) -> bool {
        self.blockers.is_empty()
    }

    pub fn is_by(&self, account: AccountId) -> bool {
        self.blockers.contains(&account)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockCommand {
    Block { by: AccountId, account: AccountId },
    Unblock { by: AccountId, account: AccountId },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    #[error("there is no such account")]
    UnknownAccount,
    #[error("you cannot block yourself")]
    Oneself,
}

impl Aggregate for Block {
    type Event = BlockEvent;
    type Command = BlockCommand;
    type Error = BlockError;

    fn evolve(&mut self, event: &BlockEvent) {
        match event {
            BlockEvent::Blocked(blocked) => self.blockers.insert(blocked.by),
            BlockEvent::Unblocked(unblocked) => self.blockers.remove(&unblocked.by),
        };
    }

    fn decide(&self, command: BlockCommand) -> Result<Vec<BlockEvent>, BlockError> {
        match command {
            BlockCommand::Block { by, account } if by == account => Err(BlockError::Oneself),
            BlockCommand::Block { by, .. } if self.is_by(by) => Ok(vec![]),
            BlockCommand::Block { by, account } => {
                Ok(vec![AccountBlocked { account_id: account, by }.into()])
            }
            BlockCommand::Unblock { by, account } if self.is_by(by) => {
                Ok(vec![AccountUnblocked { account_id: account, by }.into()])
            }
            BlockCommand::Unblock { .. } => Ok(vec![]),
        }
    }
}
