//! How an event changes who may see what.

use std::collections::BTreeSet;

use domain::channel::ChannelEvent;
use domain::community::CommunityEvent;
use domain::membership::MembershipEvent;
use domain::{AccountId, ChannelId, CommunityId, Event, Role};

/// A change of access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AccessChange {
    Begins {
        community: CommunityId,
        owner: AccountId,
    },
    Ends {
        community: CommunityId,
    },
    Holds {
        community: CommunityId,
        account: AccountId,
        roles: BTreeSet<Role>,
    },
    Loses {
        community: CommunityId,
        account: AccountId,
    },
    /// Who owns a community, or what its roles grant.
    Rules {
        community: CommunityId,
        event: CommunityEvent,
    },
    /// What decides who sees a channel.
    Channel {
        community: CommunityId,
        channel: ChannelId,
        event: ChannelEvent,
    },
    Enters {
        channel: ChannelId,
        accounts: Vec<AccountId>,
    },
    Exits {
        channel: ChannelId,
        account: AccountId,
    },
}

impl AccessChange {
    pub(crate) fn of(event: &Event) -> Option<Self> {
        match event {
            Event::Membership(event) => Self::of_membership(event),
            Event::Community(event) => Self::of_community(event),
            Event::Channel(event) => Self::of_channel(event),
            _ => None,
        }
    }

    /// Whether a channel is gone with it: then its rules are, too, and say nothing any more about who saw it.
    pub(crate) fn ends_a_channel(&self) -> bool {
        matches!(self, Self::Channel { event: ChannelEvent::Deleted(_), .. })
    }

    fn of_membership(event: &MembershipEvent) -> Option<Self> {
        let (community, account) = event.subject();
        match event {
            MembershipEvent::Joined(e) => Some(Self::Holds { community, account, roles: e.roles.clone() }),
            MembershipEvent::RolesChanged(e) => {
                Some(Self::Holds { community, account, roles: e.roles.clone() })
            }
            MembershipEvent::Left(_) | MembershipEvent::Kicked(_) | MembershipEvent::Banned(_) => {
                Some(Self::Loses { community, account })
            }
            // A time-out, a nickname or a ban's end changes nothing about what is seen.
            _ => None,
        }
    }

    fn of_community(event: &CommunityEvent) -> Option<Self> {
        match event {
            CommunityEvent::Created(e) => Some(Self::Begins { community: e.community_id, owner: e.owner_id }),
            CommunityEvent::Deleted(e) => Some(Self::Ends { community: e.community_id }),
            CommunityEvent::OwnerChanged(e) => Some(Self::rules(e.community_id, event)),
            CommunityEvent::RoleCreated(e) => Some(Self::rules(e.community_id, event)),
            CommunityEvent::RoleChanged(e) => Some(Self::rules(e.community_id, event)),
            CommunityEvent::RoleDeleted(e) => Some(Self::rules(e.community_id, event)),
            CommunityEvent::RolesOrdered(e) => Some(Self::rules(e.community_id, event)),
            CommunityEvent::Renamed(_) => None,
        }
    }

    fn rules(community: CommunityId, event: &CommunityEvent) -> Self {
        Self::Rules { community, event: event.clone() }
    }

    fn of_channel(event: &ChannelEvent) -> Option<Self> {
        let of = |community, channel| Some(Self::Channel { community, channel, event: event.clone() });
        match event {
            ChannelEvent::Created(e) if e.private || !e.overwrites.is_empty() => {
                of(e.community_id, e.channel_id)
            }
            ChannelEvent::Changed(e) if e.private.is_some() => of(e.community_id, e.channel_id),
            ChannelEvent::Overwritten(e) => of(e.community_id, e.channel_id),
            ChannelEvent::Deleted(e) => of(e.community_id, e.channel_id),
            ChannelEvent::DirectOpened(e) => {
                Some(Self::Enters { channel: e.channel_id, accounts: e.accounts.to_vec() })
            }
            ChannelEvent::GroupCreated(e) => {
                Some(Self::Enters { channel: e.channel_id, accounts: e.members.iter().copied().collect() })
            }
            ChannelEvent::GroupMemberAdded(e) => {
                Some(Self::Enters { channel: e.channel_id, accounts: vec![e.account_id] })
            }
            ChannelEvent::GroupMemberRemoved(e) => {
                Some(Self::Exits { channel: e.channel_id, account: e.account_id })
            }
            _ => None,
        }
    }
}
