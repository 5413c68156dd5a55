//! A channel's exceptions from what roles grant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Permissions;
use crate::{AccountId, Role};

/// Most overwrites that one channel has.
pub const MAX_OVERWRITES: usize = 100;

/// For whom an overwrite holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Role(Role),
    Account(AccountId),
}

/// What is allowed and denied in spite of the roles. No permission is in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Overwrite {
    pub allow: Permissions,
    pub deny: Permissions,
}

impl Overwrite {
    pub fn is_empty(self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }

    pub(super) fn over(self, permissions: Permissions) -> Permissions {
        permissions.difference(self.deny).union(self.allow)
    }
}

/// The overwrites of one channel, stored as a list of `{target, allow, deny}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Entry>", into = "Vec<Entry>")]
pub struct Overwrites(BTreeMap<Target, Overwrite>);

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    target: Target,
    #[serde(flatten)]
    overwrite: Overwrite,
}

impl From<Vec<Entry>> for Overwrites {
    fn from(entries: Vec<Entry>) -> Self {
        Self(entries.into_iter().map(|Entry { target, overwrite }| (target, overwrite)).collect())
    }
}

impl From<Overwrites> for Vec<Entry> {
    fn from(overwrites: Overwrites) -> Self {
        overwrites.0.into_iter().map(|(target, overwrite)| Entry { target, overwrite }).collect()
    }
}

impl FromIterator<(Target, Overwrite)> for Overwrites {
    fn from_iter<I: IntoIterator<Item = (Target, Overwrite)>>(entries: I) -> Self {
        let mut overwrites = Self::default();
        entries.into_iter().for_each(|(target, overwrite)| overwrites.set(target, overwrite));
        overwrites
    }
}

impl Overwrites {
    pub fn get(&self, target: Target) -> Option<Overwrite> {
        self.0.get(&target).copied()
    }

    /// An empty overwrite takes the target's away.
    pub fn set(&mut self, target: Target, overwrite: Overwrite) {
        if overwrite.is_empty() {
            self.0.remove(&target);
        } else {
            self.0.insert(target, overwrite);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (Target, Overwrite)> + '_ {
        self.0.iter().map(|(target, overwrite)| (*target, *overwrite))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
