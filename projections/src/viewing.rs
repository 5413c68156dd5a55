//! What decides whether an account sees a channel, as it stands in rows. The rules themselves are the domain's.

use std::collections::BTreeSet;

use domain::permission::{Overwrites, Place, Who, resolve};
use domain::role::{Definition, Roles};
use domain::{AccountId, Permissions, Rank, Role};
use tokio_postgres::Row;
use tokio_postgres::types::Json;

/// The columns of [`Membership`] from `memberships` and `communities`.
macro_rules! membership_columns {
    () => {
        "memberships.account_id AS viewer_id, memberships.roles, communities.owner_id AS viewed_owner_id,
            communities.role_order, communities.role_permissions"
    };
}
pub(crate) use membership_columns;

/// The columns that [`may_view`] reads, from what [`viewed_from`] joins.
macro_rules! viewed_columns {
    () => {
        concat!(
            $crate::viewing::membership_columns!(),
            ", channels.private AS viewed_private, channels.archived AS viewed_archived, channels.overwrites AS viewed_overwrites,
            participants.joined_at IS NOT NULL AS participant"
        )
    };
}
pub(crate) use viewed_columns;

/// What stands around a channel for the account `$1`.
macro_rules! viewed_from {
    () => {
        "LEFT JOIN read.communities ON communities.id = channels.community_id
        LEFT JOIN read.memberships
            ON memberships.community_id = channels.community_id
            AND memberships.account_id = $1
            AND memberships.state = 'member'
        LEFT JOIN read.participants
            ON participants.channel_id = channels.id
            AND participants.account_id = $1
            AND channels.community_id IS NULL"
    };
}
pub(crate) use viewed_from;

/// A member's part in a community, as far as permissions follow from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) account: AccountId,
    pub(crate) owner: bool,
    pub(crate) held: BTreeSet<Role>,
    /// The community's.
    pub(crate) roles: Roles,
}

impl Membership {
    /// `None`: there is none in this row.
    pub(crate) fn of(row: &Row) -> Option<Self> {
        let account = AccountId(row.get::<_, Option<_>>("viewer_id")?);
        let owner_id: Option<uuid::Uuid> = row.get("viewed_owner_id");
        let owner = owner_id? == account.0;
        Some(Self { account, owner, held: roles(row), roles: community_roles(row) })
    }

    pub(crate) fn who(&self) -> Who<'_> {
        // A time-out takes nothing that reading asks for.
        Who { account: self.account, owner: self.owner, roles: &self.held, timed_out: false }
    }

    pub(crate) fn permissions(&self) -> Permissions {
        resolve(self.who(), &self.roles, None)
    }

    /// As in a channel that is not archived.
    pub(crate) fn permissions_in(&self, private: bool, overwrites: &Overwrites) -> Permissions {
        resolve(self.who(), &self.roles, Some(Place { private, archived: false, overwrites }))
    }

    pub(crate) fn rank(&self) -> Rank {
        if self.owner { Rank::OWNER } else { self.roles.rank(&self.held) }
    }
}

/// The roles held in a row; names that this program does not know grant nothing.
pub(crate) fn roles(row: &Row) -> BTreeSet<Role> {
    let names: Vec<&str> = row.get("roles");
    names.into_iter().filter_map(Role::parse).collect()
}

/// The community's roles in a row, as far as permissions follow from them.
pub(crate) fn community_roles(row: &Row) -> Roles {
    let order: Vec<&str> = row.get("role_order");
    let permissions: Vec<i64> = row.get("role_permissions");
    let each = order.into_iter().zip(permissions);
    each.filter_map(|(name, bits)| {
        let permissions = Permissions::from_bits_retain(bits.cast_unsigned());
        let definition = Definition { name: None, colour: None, permissions, mentionable: false };
        Role::parse(name).map(|role| (role, definition))
    })
    .collect()
}

/// The permissions that the account in `row` has in the channel in `row`.
pub(crate) fn permissions(row: &Row) -> Permissions {
    if row.get("participant") {
        return Permissions::IN_CONVERSATION;
    }
    let Some(membership) = Membership::of(row) else { return Permissions::empty() };
    let Json(overwrites): Json<Overwrites> = row.get("viewed_overwrites");
    let permissions = membership.permissions_in(row.get("viewed_private"), &overwrites);
    if row.get("viewed_archived") { permissions - Permissions::CONTRIBUTE } else { permissions }
}

/// Whether the account in `row` sees the channel in `row`.
pub(crate) fn may_view(row: &Row) -> bool {
    permissions(row).contains(Permissions::VIEW)
}
