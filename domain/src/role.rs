//! Roles: what members of a community are, and what that grants. Their events are in the community's stream.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::Permissions;
use crate::text::bounded;

bounded!(RoleName, line, 1..=64);

/// Most roles of its own that a community has, beside the built-in ones.
pub const MAX_ROLES: usize = 100;

/// A role: one that every community has, or one of its own. Its name in the contract and in the log is `guest`,
/// `member`, `moderator`, or an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Guest,
    Member,
    Moderator,
    Custom(Uuid),
}

impl Role {
    pub const BUILT_IN: [Self; 3] = [Self::Guest, Self::Member, Self::Moderator];

    /// The role of that name or id. Whether a community has it is another question.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "guest" => Some(Self::Guest),
            "member" => Some(Self::Member),
            "moderator" => Some(Self::Moderator),
            id => Uuid::parse_str(id).ok().map(Self::Custom),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guest => f.write_str("guest"),
            Self::Member => f.write_str("member"),
            Self::Moderator => f.write_str("moderator"),
            Self::Custom(id) => id.fmt(f),
        }
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| serde::de::Error::custom("not the name of a role"))
    }
}

/// Who may act on whom: only a higher rank on a lower one. Outside is the lowest; a role's rank is its place in the
/// community's order; the owner is above all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank(u16);

impl Rank {
    pub const OUTSIDER: Self = Self(0);
    /// In a group channel, whoever does not own it.
    pub const PARTICIPANT: Self = Self(1);
    pub const OWNER: Self = Self(u16::MAX);

    /// Of the role in that place from below, the first being 1.
    pub fn at(place: u16) -> Self {
        Self(place)
    }

    /// The number in the contract: higher acts on lower.
    pub fn number(self) -> u16 {
        self.0
    }
}

/// A colour, as `0xRRGGBB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Colour(pub u32);

impl Colour {
    /// Reads `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        hex.then(|| u32::from_str_radix(digits, 16).ok().map(Self)).flatten()
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:06x}", self.0)
    }
}

/// What a role is in one community.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// `None`: a built-in role, which goes by the name that it has everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<RoleName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<Colour>,
    pub permissions: Permissions,
    /// Whether everybody may mention it.
    pub mentionable: bool,
}

/// The roles of one community.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// Lowest first. `guest` and `member` are always the lowest two, so that who comes in is below all others.
    order: Vec<Role>,
    definitions: BTreeMap<Role, Definition>,
}

impl Default for Roles {
    fn default() -> Self {
        let guest = Permissions::VIEW
            | Permissions::POST
            | Permissions::REPLY
            | Permissions::REACT
            | Permissions::ATTACH
            | Permissions::SPEAK
            | Permissions::SHARE_VIDEO;
        let member = guest | Permissions::CREATE_INVITES | Permissions::CHANGE_NICKNAME;
        let moderator = member
            | Permissions::MANAGE_MESSAGES
            | Permissions::MANAGE_CHANNELS
            | Permissions::MANAGE_ROLES
            | Permissions::KICK
            | Permissions::BAN
            | Permissions::MANAGE_INVITES
            | Permissions::MENTION_EVERYONE
            | Permissions::TIME_OUT
            | Permissions::VIEW_AUDIT_LOG
            | Permissions::MANAGE_NICKNAMES;
        let built_in = |permissions| Definition { name: None, colour: None, permissions, mentionable: false };
        Self {
            order: Role::BUILT_IN.to_vec(),
            definitions: [
                (Role::Guest, built_in(guest)),
                (Role::Member, built_in(member)),
                (Role::Moderator, built_in(moderator)),
            ]
            .into(),
        }
    }
}

/// Lowest first.
impl FromIterator<(Role, Definition)> for Roles {
    fn from_iter<I: IntoIterator<Item = (Role, Definition)>>(roles: I) -> Self {
        let mut made = Self { order: vec![], definitions: BTreeMap::new() };
        for (role, definition) in roles {
            if made.definitions.insert(role, definition).is_none() {
                made.order.push(role);
            }
        }
        made
    }
}

impl Roles {
    /// Lowest first.
    pub fn order(&self) -> &[Role] {
        &self.order
    }

    pub fn get(&self, role: Role) -> Option<&Definition> {
        self.definitions.get(&role)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Role, &Definition)> {
        self.order.iter().filter_map(|role| self.definitions.get(role).map(|definition| (*role, definition)))
    }

    /// What a role grants; one that the community does not have grants nothing.
    pub fn permissions(&self, role: Role) -> Permissions {
        self.get(role).map_or(Permissions::empty(), |definition| definition.permissions)
    }

    /// The union of what `held` grant.
    pub fn granted(&self, held: &BTreeSet<Role>) -> Permissions {
        held.iter().fold(Permissions::empty(), |sum, role| sum | self.permissions(*role))
    }

    pub fn rank_of(&self, role: Role) -> Rank {
        let place = self.order.iter().position(|known| *known == role).map_or(0, |place| place + 1);
        Rank(u16::try_from(place).expect("a community has fewer than 65,535 roles"))
    }

    /// The highest rank among `held`. Who is a member stands above outsiders whatever became of their roles.
    pub fn rank(&self, held: &BTreeSet<Role>) -> Rank {
        let highest = held.iter().map(|role| self.rank_of(*role)).max();
        highest.map_or(Rank::OUTSIDER, |rank| rank.max(Rank(1)))
    }

    /// Adds a role just above `member`, or replaces what it is.
    pub fn set(&mut self, role: Role, definition: Definition) {
        if self.definitions.insert(role, definition).is_none() {
            self.order.insert(2, role);
        }
    }

    /// A built-in role stays.
    pub fn remove(&mut self, role: Role) {
        if matches!(role, Role::Custom(_)) && self.definitions.remove(&role).is_some() {
            self.order.retain(|known| *known != role);
        }
    }

    /// Puts the roles above `member` into this order, lowest first. What is not named stays below what is; names that the
    /// community does not have are passed over.
    pub fn reorder(&mut self, wanted: &[Role]) {
        let movable = |role: &Role| !matches!(role, Role::Guest | Role::Member);
        let named: Vec<Role> = wanted
            .iter()
            .copied()
            .filter(|role| movable(role) && self.definitions.contains_key(role))
            .collect();
        let unnamed = self.order.iter().copied().filter(|role| movable(role) && !named.contains(role));
        self.order =
            [Role::Guest, Role::Member].into_iter().chain(unnamed).chain(named.iter().copied()).collect();
    }
}
