//! Communities, channels and who is in them, folded from the log by the domain's own code.

use std::collections::{BTreeSet, HashMap};

use domain::account::AccountEvent;
use domain::channel::{Channel, Home};
use domain::community::Community;
use domain::membership::{Membership, MembershipEvent};
use domain::{AccountId, Aggregate as _, ChannelId, CommunityId, Event, Permissions, Standing};
use jiff::Timestamp;
use uuid::Uuid;

#[derive(Default)]
pub(crate) struct Places {
    communities: HashMap<CommunityId, Community>,
    memberships: HashMap<(CommunityId, AccountId), Membership>,
    channels: HashMap<ChannelId, Channel>,
    accounts: BTreeSet<AccountId>,
}

/// Where an event belongs, by its topic.
enum Place {
    Community(CommunityId),
    Channel(ChannelId),
    Account(AccountId),
    Elsewhere,
}

fn place(event: &Event) -> Place {
    // A channel's life has its community's topic, but is for those who see the channel.
    if let Event::Channel(event) = event {
        return Place::Channel(event.channel());
    }
    let topic = event.topic();
    let Some((kind, id)) = topic.split_once(':') else { return Place::Elsewhere };
    let Ok(id) = Uuid::parse_str(id) else { return Place::Elsewhere };
    match kind {
        "community" => Place::Community(CommunityId(id)),
        "channel" => Place::Channel(ChannelId(id)),
        "account" => Place::Account(AccountId(id)),
        _ => Place::Elsewhere,
    }
}

impl Places {
    pub(crate) fn of_profile(event: &AccountEvent) -> AccountId {
        match event {
            AccountEvent::Registered(e) => e.account_id,
            AccountEvent::ProfileChanged(e) => e.account_id,
        }
    }

    pub(crate) fn follow(&mut self, event: &Event) {
        match event {
            Event::Account(event) => {
                self.accounts.insert(Self::of_profile(event));
            }
            Event::Community(event) => {
                if let Place::Community(id) = place(&Event::Community(event.clone())) {
                    self.communities.entry(id).or_default().evolve(event);
                }
            }
            Event::Membership(event) => {
                self.memberships.entry(MembershipEvent::subject(event)).or_default().evolve(event);
            }
            Event::Channel(event) => self.channels.entry(event.channel()).or_default().evolve(event),
            _ => {}
        }
    }

    /// Who may see `event` as things stand.
    pub(crate) fn seers(&self, event: &Event) -> BTreeSet<AccountId> {
        let all = self.accounts.iter().copied();
        match place(event) {
            Place::Account(account) => all.filter(|one| *one == account).collect(),
            Place::Channel(channel) => all.filter(|account| self.sees(*account, channel)).collect(),
            Place::Community(community) => {
                let needed = match event {
                    Event::Membership(MembershipEvent::Unbanned(_)) => Permissions::BAN,
                    Event::Report(_) => Permissions::MANAGE_MESSAGES,
                    Event::Invite(_) => return BTreeSet::new(),
                    _ => Permissions::empty(),
                };
                let member = |account: &AccountId| {
                    let standing = self.standing(*account, community);
                    standing.is_member() && standing.may(needed)
                };
                all.filter(member).collect()
            }
            Place::Elsewhere => BTreeSet::new(),
        }
    }

    /// The channel of a community that `event` is of, and the community's members.
    pub(crate) fn members_around(&self, event: &Event) -> Option<(ChannelId, BTreeSet<AccountId>)> {
        let Place::Channel(id) = place(event) else { return None };
        let community = self.channels.get(&id)?.live()?.community_id()?;
        let members = self.accounts.iter().copied();
        Some((id, members.filter(|account| self.standing(*account, community).is_member()).collect()))
    }

    /// Who sees which channel.
    pub(crate) fn sights(&self) -> Vec<(ChannelId, AccountId)> {
        let channels = self.channels.keys().copied();
        let each = channels.flat_map(|id| self.accounts.iter().map(move |account| (id, *account)));
        each.filter(|(id, account)| self.sees(*account, *id)).collect()
    }

    fn standing(&self, account: AccountId, id: CommunityId) -> Standing {
        let (nowhere, nobody) = (Community::default(), Membership::default());
        let community = self.communities.get(&id).unwrap_or(&nowhere);
        let membership = self.memberships.get(&(id, account)).unwrap_or(&nobody);
        Standing::of(account, id, community, membership, Timestamp::UNIX_EPOCH)
    }

    fn sees(&self, account: AccountId, channel: ChannelId) -> bool {
        let Some(live) = self.channels.get(&channel).and_then(Channel::live) else { return false };
        let (nowhere, nobody) = (Community::default(), Membership::default());
        let id = live.community_id();
        let community = id.and_then(|id| self.communities.get(&id)).unwrap_or(&nowhere);
        let membership = id.and_then(|id| self.memberships.get(&(id, account))).unwrap_or(&nobody);
        let standing = Standing::in_channel(account, live, community, membership, Timestamp::UNIX_EPOCH);
        standing.may(Permissions::VIEW)
    }

    /// The pairs of accounts that share a community or a conversation.
    pub(crate) fn together(&self) -> BTreeSet<(AccountId, AccountId)> {
        let mut pairs = BTreeSet::new();
        for one in &self.accounts {
            for other in &self.accounts {
                let communities = self.communities.keys();
                let mut shared = communities
                    .filter(|id| [one, other].iter().all(|a| self.standing(**a, **id).is_member()));
                if shared.next().is_some() || self.converse(*one, *other) {
                    pairs.insert((*one, *other));
                }
            }
        }
        pairs
    }

    fn converse(&self, one: AccountId, other: AccountId) -> bool {
        self.channels.values().filter_map(Channel::live).any(|channel| match &channel.home {
            Home::Community(_) => false,
            Home::Direct(accounts) => accounts.contains(&one) && accounts.contains(&other),
            Home::Group { members, .. } => members.contains(&one) && members.contains(&other),
        })
    }
}
