//! What an account may do in a community: permissions, the roles that grant them, and ranks.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

bitflags::bitflags! {
    /// A set of permissions. The numbers are stored: a bit is never given another meaning.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct Permissions: u64 {
        /// See a channel and read its history.
        const VIEW = 1;
        const POST = 1 << 1;
        const CREATE_INVITES = 1 << 2;
        /// Delete others' messages.
        const MANAGE_MESSAGES = 1 << 3;
        const MANAGE_CHANNELS = 1 << 4;
        /// Change the community itself.
        const MANAGE_COMMUNITY = 1 << 5;
        const MANAGE_ROLES = 1 << 6;
        const KICK = 1 << 7;
        const BAN = 1 << 8;
        /// See and revoke everyone's invites.
        const MANAGE_INVITES = 1 << 9;
    }
}

impl Permissions {
    /// The names in the contract, such as `manage_messages`, in the order of the bits.
    pub fn names(self) -> Vec<String> {
        self.iter_names().map(|(name, _)| name.to_lowercase()).collect()
    }
}

/// A role that every community has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Guest,
    Member,
    Moderator,
}

/// Who may act on whom: only a higher rank on a lower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    Outsider,
    Guest,
    Member,
    Moderator,
    Owner,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Guest, Self::Member, Self::Moderator];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Member => "member",
            Self::Moderator => "moderator",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    pub fn permissions(self) -> Permissions {
        let guest = Permissions::VIEW | Permissions::POST;
        let member = guest | Permissions::CREATE_INVITES;
        match self {
            Self::Guest => guest,
            Self::Member => member,
            Self::Moderator => {
                member
                    | Permissions::MANAGE_MESSAGES
                    | Permissions::MANAGE_CHANNELS
                    | Permissions::MANAGE_ROLES
                    | Permissions::KICK
                    | Permissions::BAN
                    | Permissions::MANAGE_INVITES
            }
        }
    }

    pub fn rank(self) -> Rank {
        match self {
            Self::Guest => Rank::Guest,
            Self::Member => Rank::Member,
            Self::Moderator => Rank::Moderator,
        }
    }
}

/// The union of what `roles` grant; the owner has every permission.
pub fn granted(owner: bool, roles: &BTreeSet<Role>) -> Permissions {
    if owner {
        return Permissions::all();
    }
    roles.iter().fold(Permissions::empty(), |sum, role| sum | role.permissions())
}

/// The highest rank among `roles`.
pub fn rank(owner: bool, roles: &BTreeSet<Role>) -> Rank {
    if owner {
        return Rank::Owner;
    }
    roles.iter().map(|role| role.rank()).max().unwrap_or(Rank::Outsider)
}
