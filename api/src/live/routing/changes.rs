//! What changes of access do to the accounts here.

use std::collections::BTreeSet;

use domain::{AccountId, ChannelId, CommunityId, Role};
use event_store::Position;

use super::super::change::AccessChange;
use super::super::outlet::End;
use super::{Here, Key, MAX_CHANGES, Routing};

impl Routing {
    /// Takes in what changes about who sees what, and remembers it for subscribers with an older snapshot.
    pub(super) fn apply(&mut self, position: Position, change: &AccessChange) {
        self.change(change);
        self.changes.push_back((position, change.clone()));
        if self.changes.len() > MAX_CHANGES
            && let Some((oldest, _)) = self.changes.pop_front()
        {
            self.changes_floor = oldest;
        }
    }

    fn change(&mut self, change: &AccessChange) {
        match change {
            AccessChange::Begins { .. } => {}
            AccessChange::Holds { community, account, roles } => self.hold(*community, account, roles),
            AccessChange::Loses { community, account } => {
                if let Some(entry) = self.accounts.get_mut(account) {
                    entry.access.communities.remove(community);
                }
                self.remove_member(*community, account);
            }
            AccessChange::Ends { community } => {
                let members = self.communities.remove(community).map(|here| here.members);
                for account in members.into_iter().flatten() {
                    if let Some(entry) = self.accounts.get_mut(&account) {
                        entry.access.communities.remove(community);
                    }
                }
            }
            AccessChange::Rules { community, .. } => self.judge(*community, None, change),
            AccessChange::Channel { community, channel, .. } => {
                self.judge(*community, Some(*channel), change);
            }
            AccessChange::Enters { channel, accounts } => {
                for account in accounts {
                    if let Some(entry) = self.accounts.get_mut(account) {
                        entry.access.conversations.insert(*channel);
                        self.participants.entry(*channel).or_default().insert(*account);
                    }
                }
            }
            AccessChange::Exits { channel, account } => {
                if let Some(entry) = self.accounts.get_mut(account) {
                    entry.access.conversations.remove(channel);
                }
                self.remove_participant(*channel, account);
            }
        }
    }

    fn hold(&mut self, community: CommunityId, account: &AccountId, roles: &BTreeSet<Role>) {
        let Some(entry) = self.accounts.get_mut(account) else { return };
        if let Some(here) = self.communities.get_mut(&community) {
            entry.access.hold(community, roles.clone(), &here.rules);
            here.members.insert(*account);
        } else {
            // The first member here, and nobody knows the rules: its readers come again, with a snapshot that has them.
            self.forget(account, End::Lagged);
        }
    }

    /// Judges the members of a community by its new rules.
    fn judge(&mut self, community: CommunityId, channel: Option<ChannelId>, change: &AccessChange) {
        let Some(Here { rules, members }) = self.communities.get_mut(&community) else { return };
        rules.apply(change);
        for account in &*members {
            if let Some(entry) = self.accounts.get_mut(account) {
                entry.access.follow(community, channel, rules);
            }
        }
    }

    fn remove_member(&mut self, community: CommunityId, account: &AccountId) {
        if let Some(here) = self.communities.get_mut(&community) {
            here.members.remove(account);
            if here.members.is_empty() {
                self.communities.remove(&community);
            }
        }
    }

    fn remove_participant(&mut self, channel: ChannelId, account: &AccountId) {
        if let Some(participants) = self.participants.get_mut(&channel) {
            participants.remove(account);
            if participants.is_empty() {
                self.participants.remove(&channel);
            }
        }
    }

    /// Forgets an account, and ends what subscriptions it has.
    pub(super) fn forget(&mut self, account: &AccountId, end: End) {
        let keys = self.accounts.get(account).map(|entry| entry.subscribers.iter().map(|(key, _)| *key));
        let keys: Vec<Key> = keys.into_iter().flatten().collect();
        keys.into_iter().for_each(|key| self.end(key, end));
        let Some(entry) = self.accounts.remove(account) else { return };
        entry.access.communities.keys().for_each(|community| self.remove_member(*community, account));
        entry.access.conversations.iter().for_each(|channel| self.remove_participant(*channel, account));
    }
}
