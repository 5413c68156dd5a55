//! What one account is and may do, in a community or in a channel, at the moment of a decision.

use jiff::Timestamp;

use crate::block::Block;
use crate::channel::{Home, LiveChannel};
use crate::community::Community;
use crate::membership::Membership;
use crate::permission::{Place, Who, resolve};
use crate::role::Rank;
use crate::{AccountId, ChannelId, CommunityId, Permissions};

/// An actor's standing, folded from streams. Commands carry it; `decide` judges by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub account: AccountId,
    /// Where; `None` in a direct or group channel.
    pub community: Option<CommunityId>,
    /// Which channel the permissions are those in; `None`: in the community as a whole.
    pub channel: Option<ChannelId>,
    pub rank: Rank,
    pub permissions: Permissions,
    /// Until when the member is timed out, if they are now.
    pub timed_out: Option<Timestamp>,
    /// Whether the channel is archived.
    pub archived: bool,
    /// Whether one of the two in a direct channel has blocked the other.
    pub blocked: bool,
}

impl Standing {
    /// Of somebody who has nothing to do with the place.
    pub fn outside(account: AccountId) -> Self {
        let (rank, permissions) = (Rank::OUTSIDER, Permissions::empty());
        Self {
            account,
            community: None,
            channel: None,
            rank,
            permissions,
            timed_out: None,
            archived: false,
            blocked: false,
        }
    }

    /// In the community as a whole.
    pub fn of(
        account: AccountId,
        id: CommunityId,
        community: &Community,
        membership: &Membership,
        now: Timestamp,
    ) -> Self {
        Self { community: Some(id), ..Self::resolved(account, community, membership, None, now) }
    }

    /// In one channel. `community` and `membership` are those of the channel's community, and count for nothing in a
    /// direct or group channel.
    pub fn in_channel(
        account: AccountId,
        channel: &LiveChannel,
        community: &Community,
        membership: &Membership,
        now: Timestamp,
    ) -> Self {
        let standing = match &channel.home {
            Home::Community(id) => {
                let LiveChannel { private, archived, overwrites, .. } = channel;
                let place = Place { private: *private, archived: *archived, overwrites };
                let standing = Self::resolved(account, community, membership, Some(place), now);
                Self { community: Some(*id), ..standing }
            }
            Home::Direct(accounts) if accounts.contains(&account) => Self::participant(account, Rank::OWNER),
            Home::Group { owner, .. } if *owner == account => Self::participant(account, Rank::OWNER),
            Home::Group { members, .. } if members.contains(&account) => {
                Self::participant(account, Rank::PARTICIPANT)
            }
            Home::Direct(_) | Home::Group { .. } => Self::outside(account),
        };
        Self { channel: Some(channel.id), archived: channel.archived, ..standing }
    }

    /// In a direct channel, given who of the two has blocked whom: nothing is added there while one has.
    pub fn under(self, block: &Block) -> Self {
        if block.is_none() {
            return self;
        }
        Self { permissions: self.permissions - Permissions::CONTRIBUTE, blocked: true, ..self }
    }

    fn participant(account: AccountId, rank: Rank) -> Self {
        Self { rank, permissions: Permissions::IN_CONVERSATION, ..Self::outside(account) }
    }

    fn resolved(
        account: AccountId,
        community: &Community,
        membership: &Membership,
        channel: Option<Place<'_>>,
        now: Timestamp,
    ) -> Self {
        let outside = Self::outside(account);
        let (Some(live), Some(member)) = (community.live(), membership.member()) else {
            return outside;
        };
        let owner = live.owner_id == account;
        let timed_out = member.timed_out_until.filter(|until| now < *until && !owner);
        let who = Who { account, owner, roles: &member.roles, timed_out: timed_out.is_some() };
        let rank = if owner { Rank::OWNER } else { live.roles.rank(&member.roles) };
        Self { rank, permissions: resolve(who, &live.roles, channel), timed_out, ..outside }
    }

    pub fn may(&self, permission: Permissions) -> bool {
        self.permissions.contains(permission)
    }

    /// Whether this is a standing in that channel of that community, and lets the account see it.
    pub fn sees(&self, channel: ChannelId, community: Option<CommunityId>) -> bool {
        self.channel == Some(channel) && self.community == community && self.may(Permissions::VIEW)
    }

    /// Whether this account knows that the community exists.
    pub fn is_member(&self) -> bool {
        self.rank > Rank::OUTSIDER
    }

    pub fn is_owner(&self) -> bool {
        self.rank == Rank::OWNER
    }
}
