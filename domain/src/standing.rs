//! What one account is and may do in one community at the moment of a decision.

use crate::community::Community;
use crate::membership::Membership;
use crate::permission::{self, Permissions, Rank};
use crate::{AccountId, CommunityId};

/// An actor's standing, folded from the community and the membership. Commands carry it; `decide` judges by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub account: AccountId,
    pub community: CommunityId,
    pub rank: Rank,
    pub permissions: Permissions,
}

impl Standing {
    pub fn of(account: AccountId, id: CommunityId, community: &Community, membership: &Membership) -> Self {
        let outside =
            Self { account, community: id, rank: Rank::Outsider, permissions: Permissions::empty() };
        let (Some(live), Some(roles)) = (community.live(), membership.roles()) else {
            return outside;
        };
        let owner = live.owner_id == account;
        Self {
            rank: permission::rank(owner, roles),
            permissions: permission::granted(owner, roles),
            ..outside
        }
    }

    pub fn may(&self, permission: Permissions) -> bool {
        self.permissions.contains(permission)
    }

    /// Whether this account knows that the community exists.
    pub fn is_member(&self) -> bool {
        self.rank > Rank::Outsider
    }

    pub fn is_owner(&self) -> bool {
        self.rank == Rank::Owner
    }
}
