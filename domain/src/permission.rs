//! What an account may do: permissions by name, and how roles and a channel's overwrites come to them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod overwrite;
mod resolve;

pub use overwrite::{MAX_OVERWRITES, Overwrite, Overwrites, Target};
pub use resolve::{Decided, Place, Rule, Who, explain, resolve};

bitflags::bitflags! {
    /// A set of permissions. The numbers are stored: a bit is never given another meaning.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct Permissions: u64 {
        /// See a channel and read its history.
        const VIEW = 1;
        const POST = 1 << 1;
        const CREATE_INVITES = 1 << 2;
        /// Delete others' messages, pin messages, and post faster than a channel's slow mode lets others.
        const MANAGE_MESSAGES = 1 << 3;
        const MANAGE_CHANNELS = 1 << 4;
        /// Change the community itself.
        const MANAGE_COMMUNITY = 1 << 5;
        const MANAGE_ROLES = 1 << 6;
        const KICK = 1 << 7;
        const BAN = 1 << 8;
        /// See and revoke everyone's invites.
        const MANAGE_INVITES = 1 << 9;
        /// Answer a message, in the channel or in a thread.
        const REPLY = 1 << 10;
        const REACT = 1 << 11;
        const ATTACH = 1 << 12;
        /// Mention everyone, those who are here, and roles that are not open to mentions.
        const MENTION_EVERYONE = 1 << 13;
        const TIME_OUT = 1 << 14;
        const SPEAK = 1 << 15;
        const SHARE_VIDEO = 1 << 16;
        const VIEW_AUDIT_LOG = 1 << 17;
        /// Give oneself a nickname.
        const CHANGE_NICKNAME = 1 << 18;
        /// Change others' nicknames.
        const MANAGE_NICKNAMES = 1 << 19;
    }
}

impl Permissions {
    /// Those that make sense in one channel, and so may stand in an overwrite.
    pub const IN_CHANNEL: Self = Self::VIEW
        .union(Self::POST)
        .union(Self::MANAGE_MESSAGES)
        .union(Self::MANAGE_CHANNELS)
        .union(Self::REPLY)
        .union(Self::REACT)
        .union(Self::ATTACH)
        .union(Self::MENTION_EVERYONE)
        .union(Self::SPEAK)
        .union(Self::SHARE_VIDEO);

    /// What is left to a member during a time-out.
    pub const TIMED_OUT: Self = Self::VIEW;

    /// Adding something to a channel. Nobody may where it is archived.
    pub const CONTRIBUTE: Self = Self::POST
        .union(Self::REPLY)
        .union(Self::REACT)
        .union(Self::ATTACH)
        .union(Self::MENTION_EVERYONE)
        .union(Self::SPEAK)
        .union(Self::SHARE_VIDEO);

    /// What a participant of a direct or group channel may do there.
    pub const IN_CONVERSATION: Self = Self::VIEW.union(Self::CONTRIBUTE);

    /// The names in the contract, such as `manage_messages`, in the order of the bits.
    pub fn names(self) -> Vec<String> {
        self.iter_names().map(|(name, _)| name.to_lowercase()).collect()
    }

    /// The one permission of that name.
    pub fn parse(name: &str) -> Option<Self> {
        let named = |(known, _): &(&str, Self)| known.to_lowercase() == name;
        Self::all().iter_names().find(named).map(|(_, permission)| permission)
    }
}

/// Stored as the number of its bits. Bits that this program does not know are kept.
impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.bits().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self::from_bits_retain)
    }
}
