//! Who may see a frame.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{AccountId, ChannelId, CommunityId, Permissions, Role};

use super::change::AccessChange;
use super::rules::Rules;

/// Whom a frame is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The members of a community.
    Community(CommunityId),
    /// Those who may view a channel of a community.
    Channel(CommunityId, ChannelId),
    /// Those who take part in a direct or group channel.
    Conversation(ChannelId),
    /// The members of a community who hold a permission.
    Holders(CommunityId, Permissions),
    /// One account alone.
    Account(AccountId),
    /// An account, and all who share a community or a conversation with it.
    Around(AccountId, Vec<CommunityId>, Vec<ChannelId>),
    /// All who share a conversation with an account, or a community of which not too many members are connected; not
    /// the account itself. What goes to them may be missed.
    Near(AccountId, Vec<CommunityId>, Vec<ChannelId>),
    /// Nobody hears of it.
    Nobody,
}

impl Audience {
    /// Those who may view a channel, of whatever home.
    pub(crate) fn of_channel(community: Option<CommunityId>, channel: ChannelId) -> Self {
        community.map_or(Self::Conversation(channel), |community| Self::Channel(community, channel))
    }

    /// The direct or group channel that they all take part in.
    pub(crate) fn conversation(&self) -> Option<ChannelId> {
        match self {
            Self::Conversation(channel) => Some(*channel),
            _ => None,
        }
    }

    /// The community that they all are in.
    pub(crate) fn community(&self) -> Option<CommunityId> {
        match self {
            Self::Community(community) | Self::Channel(community, _) | Self::Holders(community, _) => {
                Some(*community)
            }
            Self::Conversation(_) | Self::Account(_) | Self::Around(..) | Self::Near(..) | Self::Nobody => {
                None
            }
        }
    }
}

/// What an account may see at a position of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) account: AccountId,
    pub(crate) communities: HashMap<CommunityId, Part>,
    pub(crate) conversations: HashSet<ChannelId>,
}

/// A membership, as far as it decides what is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    held: BTreeSet<Role>,
    /// In the community as a whole.
    permissions: Permissions,
    /// The channels that are seen although the others are not, or not seen although the others are.
    exceptions: HashSet<ChannelId>,
}

impl Part {
    pub(crate) fn new(account: AccountId, held: BTreeSet<Role>, rules: &Rules) -> Self {
        let (permissions, exceptions) = (rules.permissions(account, &held), HashSet::new());
        let mut part = Self { held, permissions, exceptions };
        rules.restricted().for_each(|channel| part.judge(account, channel, rules));
        part
    }

    /// Judges one channel anew.
    fn judge(&mut self, account: AccountId, channel: ChannelId, rules: &Rules) {
        let seen = rules.views(account, &self.held, channel);
        if seen == self.permissions.contains(Permissions::VIEW) {
            self.exceptions.remove(&channel);
        } else {
            self.exceptions.insert(channel);
        }
    }

    fn views(&self, channel: ChannelId) -> bool {
        self.permissions.contains(Permissions::VIEW) != self.exceptions.contains(&channel)
    }
}

impl Access {
    /// Of an account that is nowhere yet.
    pub(crate) fn nowhere(account: AccountId) -> Self {
        Self { account, communities: HashMap::new(), conversations: HashSet::new() }
    }

    pub(crate) fn sees(&self, audience: &Audience) -> bool {
        match audience {
            Audience::Community(community) => self.communities.contains_key(community),
            Audience::Channel(community, channel) => {
                self.communities.get(community).is_some_and(|part| part.views(*channel))
            }
            Audience::Conversation(channel) => self.conversations.contains(channel),
            Audience::Holders(community, permission) => {
                self.communities.get(community).is_some_and(|part| part.permissions.contains(*permission))
            }
            Audience::Account(account) => *account == self.account,
            Audience::Around(account, communities, conversations) => {
                *account == self.account || self.shares(communities, conversations)
            }
            Audience::Near(account, communities, conversations) => {
                *account != self.account && self.shares(communities, conversations)
            }
            Audience::Nobody => false,
        }
    }

    fn shares(&self, communities: &[CommunityId], conversations: &[ChannelId]) -> bool {
        communities.iter().any(|community| self.communities.contains_key(community))
            || conversations.iter().any(|channel| self.conversations.contains(channel))
    }

    /// Whether this account may see more or less after the change than before it.
    pub(crate) fn is_touched_by(&self, change: &AccessChange) -> bool {
        match change {
            AccessChange::Holds { account, .. }
            | AccessChange::Loses { account, .. }
            | AccessChange::Exits { account, .. } => *account == self.account,
            AccessChange::Enters { accounts, .. } => accounts.contains(&self.account),
            AccessChange::Rules { community, .. } | AccessChange::Channel { community, .. } => {
                self.communities.contains_key(community)
            }
            // Nobody is in it yet.
            AccessChange::Begins { .. } => false,
            // Who its members were is not known any more.
            AccessChange::Ends { .. } => true,
        }
    }

    /// Takes in that the account is a member now, with these roles.
    pub(crate) fn hold(&mut self, community: CommunityId, held: BTreeSet<Role>, rules: &Rules) {
        self.communities.insert(community, Part::new(self.account, held, rules));
    }

    /// Takes in new rules of a community: of one channel, or all of them.
    pub(crate) fn follow(&mut self, community: CommunityId, channel: Option<ChannelId>, rules: &Rules) {
        let Some(part) = self.communities.get_mut(&community) else { return };
        match channel {
            Some(channel) => part.judge(self.account, channel, rules),
            None => *part = Part::new(self.account, std::mem::take(&mut part.held), rules),
        }
    }
}
