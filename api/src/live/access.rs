//! Who may see a frame.

use std::collections::{BTreeSet, HashMap};

use domain::membership::MembershipEvent;
use domain::{AccountId, ChannelId, CommunityId, Event, Permissions, Role, permission};

/// Whom a frame is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The members of a community.
    Community(CommunityId),
    /// Those who may view a channel of a community.
    Channel(CommunityId, ChannelId),
    /// The members of a community who hold a permission.
    Holders(CommunityId, Permissions),
    /// An account, and all who share one of its communities with it.
    Around(AccountId, Vec<CommunityId>),
    /// Nobody hears of it.
    Nobody,
}

impl Audience {
    /// The community that they all are in.
    pub(crate) fn community(&self) -> Option<CommunityId> {
        match self {
            Self::Community(community) | Self::Channel(community, _) | Self::Holders(community, _) => {
                Some(*community)
            }
            Self::Around(..) | Self::Nobody => None,
        }
    }
}

/// What an account may see at a position of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) account: AccountId,
    pub(crate) communities: HashMap<CommunityId, Permissions>,
    owned: BTreeSet<CommunityId>,
}

impl Access {
    pub(crate) fn new(snapshot: &projections::Access, account: AccountId) -> Self {
        let mut access = Self { account, communities: HashMap::new(), owned: BTreeSet::new() };
        for community in &snapshot.communities {
            if community.owner_id == account {
                access.owned.insert(community.id);
            }
            access.admit(community.id, &community.roles);
        }
        access
    }

    pub(crate) fn sees(&self, audience: &Audience) -> bool {
        let holds = |community, permission| {
            self.communities.get(community).is_some_and(|held| held.contains(permission))
        };
        match audience {
            Audience::Community(community) => self.communities.contains_key(community),
            Audience::Channel(community, _) => holds(community, Permissions::VIEW),
            Audience::Holders(community, permission) => holds(community, *permission),
            Audience::Around(account, communities) => {
                *account == self.account || communities.iter().any(|c| self.communities.contains_key(c))
            }
            Audience::Nobody => false,
        }
    }

    /// Whether this account may see more or less after the change than before it.
    pub(crate) fn is_touched_by(&self, change: &AccessChange) -> bool {
        match change {
            AccessChange::Owns { account, .. }
            | AccessChange::Holds { account, .. }
            | AccessChange::Loses { account, .. } => *account == self.account,
            // Who its members were is not known any more.
            AccessChange::Ends { .. } => true,
        }
    }

    fn admit(&mut self, community: CommunityId, roles: &BTreeSet<Role>) {
        let permissions = permission::granted(self.owned.contains(&community), roles);
        self.communities.insert(community, permissions);
    }

    /// Takes in a change of access. Applying one twice is harmless.
    pub(crate) fn apply(&mut self, change: &AccessChange) {
        match change {
            AccessChange::Owns { community, account } if *account == self.account => {
                self.owned.insert(*community);
            }
            AccessChange::Holds { community, account, roles } if *account == self.account => {
                self.admit(*community, roles);
            }
            AccessChange::Loses { community, account } if *account == self.account => {
                self.communities.remove(community);
            }
            AccessChange::Ends { community } => {
                self.communities.remove(community);
            }
            AccessChange::Owns { .. } | AccessChange::Holds { .. } | AccessChange::Loses { .. } => {}
        }
    }
}

/// How an event changes who may see what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AccessChange {
    Owns { community: CommunityId, account: AccountId },
    Holds { community: CommunityId, account: AccountId, roles: BTreeSet<Role> },
    Loses { community: CommunityId, account: AccountId },
    Ends { community: CommunityId },
}

impl AccessChange {
    pub(crate) fn of(event: &Event) -> Option<Self> {
        use domain::community::CommunityEvent;
        match event {
            Event::Membership(membership) => {
                let (community, account) = membership.subject();
                match membership {
                    MembershipEvent::Joined(e) => {
                        Some(Self::Holds { community, account, roles: e.roles.clone() })
                    }
                    MembershipEvent::RolesChanged(e) => {
                        Some(Self::Holds { community, account, roles: e.roles.clone() })
                    }
                    MembershipEvent::Left(_) | MembershipEvent::Kicked(_) | MembershipEvent::Banned(_) => {
                        Some(Self::Loses { community, account })
                    }
                    MembershipEvent::Unbanned(_) => None,
                }
            }
            Event::Community(CommunityEvent::Created(e)) => {
                Some(Self::Owns { community: e.community_id, account: e.owner_id })
            }
            Event::Community(CommunityEvent::Deleted(e)) => Some(Self::Ends { community: e.community_id }),
            _ => None,
        }
    }

    /// Whether the change takes something away: then it counts only after its own frame was sent.
    pub(crate) fn takes_away(&self) -> bool {
        matches!(self, Self::Loses { .. } | Self::Ends { .. })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn access(account: AccountId) -> Access {
        Access { account, communities: HashMap::new(), owned: BTreeSet::new() }
    }

    #[test]
    fn an_owner_keeps_every_permission_whatever_the_roles_say() {
        let (me, home) = (AccountId(Uuid::from_u128(1)), CommunityId(Uuid::from_u128(2)));
        let mut access = access(me);
        access.apply(&AccessChange::Owns { community: home, account: me });
        access.apply(&AccessChange::Holds {
            community: home,
            account: me,
            roles: BTreeSet::from([Role::Guest]),
        });
        assert!(access.sees(&Audience::Holders(home, Permissions::BAN)));
    }

    #[test]
    fn changes_of_others_change_nothing() {
        let (me, other) = (AccountId(Uuid::from_u128(1)), AccountId(Uuid::from_u128(3)));
        let home = CommunityId(Uuid::from_u128(2));
        let mut access = access(me);
        let roles = BTreeSet::from([Role::Member]);
        access.apply(&AccessChange::Holds { community: home, account: other, roles: roles.clone() });
        assert!(!access.sees(&Audience::Community(home)));
        access.apply(&AccessChange::Holds { community: home, account: me, roles });
        access.apply(&AccessChange::Loses { community: home, account: other });
        assert!(access.sees(&Audience::Community(home)));
        access.apply(&AccessChange::Ends { community: home });
        assert!(!access.sees(&Audience::Community(home)));
    }
}
