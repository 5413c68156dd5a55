//! What many accounts each said of one thing, such as a message that thousands react to.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::AccountId;

/// The parts that a copy shares with its original until one of them changes.
const PARTS: usize = 16;

/// A map by account of which a copy costs little: a decision's state is copied before it moves on, and only the part
/// that changes is copied whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crowd<T> {
    parts: [Option<Arc<BTreeMap<AccountId, T>>>; PARTS],
    len: u32,
}

impl<T> Default for Crowd<T> {
    fn default() -> Self {
        Self { parts: [const { None }; PARTS], len: 0 }
    }
}

impl<T: Clone> Crowd<T> {
    pub fn len(&self) -> u32 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn get(&self, account: AccountId) -> Option<&T> {
        self.parts[part(account)].as_ref()?.get(&account)
    }

    /// Answers what the account had said before.
    pub fn insert(&mut self, account: AccountId, said: T) -> Option<T> {
        let part = self.parts[part(account)].get_or_insert_default();
        let before = Arc::make_mut(part).insert(account, said);
        self.len += u32::from(before.is_none());
        before
    }

    pub fn remove(&mut self, account: AccountId) -> Option<T> {
        let part = self.parts[part(account)].as_mut().filter(|part| part.contains_key(&account))?;
        let before = Arc::make_mut(part).remove(&account);
        self.len -= u32::from(before.is_some());
        before
    }
}

/// Ids begin with the time, which many of them share; they end at random.
fn part(account: AccountId) -> usize {
    usize::from(account.0.as_bytes()[15]) % PARTS
}
