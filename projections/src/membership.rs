//! Memberships: who is in a community, with which roles, and who is kept out.

use std::collections::BTreeSet;

use domain::role::Roles;
use domain::{AccountId, CommunityId, Permissions, Rank, Role};
use jiff::Timestamp;
use tokio_postgres::Row;

mod project;

pub(crate) use project::project;

use crate::account::{AccountRow, account_columns};
use crate::channel::ChannelRow;
use crate::database::Unavailable;
use crate::read_model::ReadModel;
use crate::viewing::Membership;

/// A member of a community, with what the membership amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    pub community_id: CommunityId,
    pub account: AccountRow,
    pub owner: bool,
    pub permissions: Permissions,
    pub rank: Rank,
    pub joined_at: Timestamp,
    /// What the member goes by here; `None`: the name of the account.
    pub nickname: Option<String>,
    /// The end of the last time-out; it may have passed.
    pub timed_out_until: Option<Timestamp>,
    membership: Membership,
}

/// A place in the list of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberKey {
    pub sort_name: String,
    pub account: AccountId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPage {
    /// By nickname, or else display name.
    pub items: Vec<MemberRow>,
    /// Where to go on, `None` at the end.
    pub next: Option<MemberKey>,
}

/// An account that is kept out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BanRow {
    pub community_id: CommunityId,
    pub account: AccountRow,
    pub banned_by: AccountId,
    /// `None`: none was given, or it was erased.
    pub reason: Option<String>,
    /// When it ends by itself; `None`: never.
    pub until: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// Most bans that a list holds; older ones are left out.
const MAX_BANS: i64 = 1_000;

/// The columns of [`MemberRow`] from `memberships`, beside `communities`, `accounts` and `installation`.
macro_rules! member_columns {
    () => {
        concat!(
            "memberships.community_id AS membership_community_id, memberships.joined_at, memberships.nickname,
            memberships.timed_out_until, ",
            $crate::viewing::membership_columns!(),
            ", ",
            $crate::account::account_columns!()
        )
    };
}
pub(crate) use member_columns;

impl MemberRow {
    pub(crate) fn of(row: &Row) -> Self {
        let membership = Membership::of(row).expect("the row is a member's");
        Self {
            community_id: CommunityId(row.get("membership_community_id")),
            account: AccountRow::of(row),
            permissions: membership.permissions(),
            rank: membership.rank(),
            owner: membership.owner,
            joined_at: row.get("joined_at"),
            nickname: row.get("nickname"),
            timed_out_until: row.get("timed_out_until"),
            membership,
        }
    }

    pub(crate) fn is_member(&self) -> bool {
        self.rank > Rank::OUTSIDER
    }

    /// Those that the member holds.
    pub fn roles(&self) -> &BTreeSet<Role> {
        &self.membership.held
    }

    /// The community's roles, as far as permissions follow from them.
    pub fn community_roles(&self) -> &Roles {
        &self.membership.roles
    }

    /// What the member may do in a channel of the community, time-outs aside.
    pub fn permissions_in(&self, channel: &ChannelRow) -> Permissions {
        self.membership.permissions_in(channel.private, &channel.overwrites)
    }
}

impl ReadModel {
    /// What `viewer` is in a community; `None` outside.
    pub async fn standing(
        &self,
        viewer: AccountId,
        community: CommunityId,
    ) -> Result<Option<MemberRow>, Unavailable> {
        const SQL: &str = concat!(
            "SELECT ",
            member_columns!(),
            "
            FROM read.memberships
            JOIN read.communities ON communities.id = memberships.community_id
            JOIN read.accounts ON accounts.id = memberships.account_id
            LEFT JOIN read.installation ON installation.administrator = accounts.id
            WHERE memberships.community_id = $1 AND memberships.account_id = $2 AND memberships.state = 'member'"
        );
        let row = self.database().row(SQL, &[&community.0, &viewer.0]).await?;
        Ok(row.as_ref().map(MemberRow::of).filter(MemberRow::is_member))
    }

    /// All members of a community, by id; `None` when `viewer` is not one of them.
    pub async fn member_ids(
        &self,
        viewer: AccountId,
        community: CommunityId,
    ) -> Result<Option<Vec<AccountId>>, Unavailable> {
        const SQL: &str = "
            SELECT account_id FROM read.memberships WHERE community_id = $1 AND state = 'member' ORDER BY account_id";
        if self.standing(viewer, community).await?.is_none() {
            return Ok(None);
        }
        let rows = self.database().rows(SQL, &[&community.0]).await?;
        Ok(Some(rows.iter().map(|row| AccountId(row.get("account_id"))).collect()))
    }

    /// A member of a community that `viewer` is in too.
    pub async fn member(
        &self,
        viewer: AccountId,
        community: CommunityId,
        account: AccountId,
    ) -> Result<Option<MemberRow>, Unavailable> {
        if viewer != account && self.standing(viewer, community).await?.is_none() {
            return Ok(None);
        }
        self.standing(account, community).await
    }

    /// The members after `after`, by nickname, or else display name, in lower case; `None` when `viewer` is not one of them.
    pub async fn members(
        &self,
        viewer: AccountId,
        community: CommunityId,
        after: Option<MemberKey>,
        limit: usize,
    ) -> Result<Option<MemberPage>, Unavailable> {
        const SQL: &str = concat!(
            "SELECT memberships.sort_name, ",
            member_columns!(),
            "
            FROM read.memberships
            JOIN read.communities ON communities.id = memberships.community_id
            JOIN read.accounts ON accounts.id = memberships.account_id
            LEFT JOIN read.installation ON installation.administrator = accounts.id
            WHERE memberships.community_id = $1
                AND memberships.state = 'member'
                AND (memberships.sort_name, memberships.account_id) > ($2, $3)
            ORDER BY memberships.sort_name, memberships.account_id
            LIMIT $4"
        );
        if self.standing(viewer, community).await?.is_none() {
            return Ok(None);
        }
        let after =
            after.unwrap_or(MemberKey { sort_name: String::new(), account: AccountId(uuid::Uuid::nil()) });
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&community.0, &after.sort_name, &after.account.0, &wanted];
        let rows = self.database().rows(SQL, &params).await?;
        let more = rows.len() > limit;
        let rows = &rows[..rows.len().min(limit)];
        let key = |row: &Row| MemberKey {
            sort_name: row.get("sort_name"),
            account: AccountId(row.get("account_id")),
        };
        let next = rows.last().filter(|_| more).map(key);
        Ok(Some(MemberPage { items: rows.iter().map(MemberRow::of).collect(), next }))
    }

    /// Who is banned from a community at `now`, newest first, 1,000 at most. Whether the asker may know is the caller's
    /// check.
    pub async fn bans(&self, community: CommunityId, now: Timestamp) -> Result<Vec<BanRow>, Unavailable> {
        const SQL: &str = concat!(
            "SELECT memberships.community_id, memberships.banned_by, memberships.banned_at, memberships.banned_until,
                memberships.ban_reason, ",
            account_columns!(),
            "
            FROM read.memberships
            JOIN read.accounts ON accounts.id = memberships.account_id
            LEFT JOIN read.installation ON installation.administrator = accounts.id
            WHERE memberships.community_id = $1
                AND memberships.state = 'banned'
                AND (memberships.banned_until IS NULL OR memberships.banned_until > $3)
            ORDER BY memberships.position DESC
            LIMIT $2"
        );
        let rows = self.database().rows(SQL, &[&community.0, &MAX_BANS, &now]).await?;
        let ban = |row: &Row| BanRow {
            community_id: CommunityId(row.get("community_id")),
            account: AccountRow::of(row),
            banned_by: AccountId(row.get("banned_by")),
            reason: row.get("ban_reason"),
            until: row.get("banned_until"),
            created_at: row.get("banned_at"),
        };
        Ok(rows.iter().map(ban).collect())
    }
}
