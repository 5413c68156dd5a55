//! What decides who sees what in one community: its owner, its roles, and the channels where roles alone do not decide.

use std::collections::{BTreeSet, HashMap};

use domain::channel::ChannelEvent;
use domain::community::CommunityEvent;
use domain::permission::{Overwrites, Place, Who, resolve};
use domain::role::Roles;
use domain::{AccountId, ChannelId, Permissions, Role};

use super::change::AccessChange;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rules {
    owner: AccountId,
    roles: Roles,
    restricted: HashMap<ChannelId, Restriction>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Restriction {
    private: bool,
    overwrites: Overwrites,
}

impl Rules {
    /// Of a community that was just made.
    pub(crate) fn of_new(owner: AccountId) -> Self {
        Self { owner, roles: Roles::default(), restricted: HashMap::new() }
    }

    pub(crate) fn of(snapshot: &projections::CommunityAccess) -> Self {
        let restricted = snapshot.restricted.iter().map(|channel| {
            let (private, overwrites) = (channel.private, channel.overwrites.clone());
            (channel.id, Restriction { private, overwrites })
        });
        Self { owner: snapshot.owner_id, roles: snapshot.roles.clone(), restricted: restricted.collect() }
    }

    pub(crate) fn restricted(&self) -> impl Iterator<Item = ChannelId> {
        self.restricted.keys().copied()
    }

    fn who<'a>(&self, account: AccountId, held: &'a BTreeSet<Role>) -> Who<'a> {
        // A time-out takes nothing that seeing asks for.
        Who { account, owner: account == self.owner, roles: held, timed_out: false }
    }

    pub(crate) fn permissions(&self, account: AccountId, held: &BTreeSet<Role>) -> Permissions {
        resolve(self.who(account, held), &self.roles, None)
    }

    pub(crate) fn views(&self, account: AccountId, held: &BTreeSet<Role>, channel: ChannelId) -> bool {
        let restriction = self.restricted.get(&channel);
        let place =
            restriction.map(|r| Place { private: r.private, archived: false, overwrites: &r.overwrites });
        resolve(self.who(account, held), &self.roles, place).contains(Permissions::VIEW)
    }

    /// Takes in a change of these rules. Applying one twice is harmless.
    pub(crate) fn apply(&mut self, change: &AccessChange) {
        match change {
            AccessChange::Rules { event: CommunityEvent::OwnerChanged(changed), .. } => {
                self.owner = changed.owner_id;
            }
            AccessChange::Rules { event, .. } => self.roles.evolve(event),
            AccessChange::Channel { channel, event, .. } => self.restrict(*channel, event),
            _ => {}
        }
    }

    fn restrict(&mut self, channel: ChannelId, event: &ChannelEvent) {
        let restriction = self.restricted.entry(channel).or_default();
        match event {
            ChannelEvent::Created(e) => {
                *restriction = Restriction { private: e.private, overwrites: e.overwrites.clone() };
            }
            ChannelEvent::Changed(e) => restriction.private = e.private.unwrap_or(restriction.private),
            ChannelEvent::Overwritten(e) => restriction.overwrites.set(e.target, e.overwrite),
            ChannelEvent::Deleted(_) => *restriction = Restriction::default(),
            _ => {}
        }
        if *restriction == Restriction::default() {
            self.restricted.remove(&channel);
        }
    }
}
