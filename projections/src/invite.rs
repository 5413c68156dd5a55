//! Invites.

use domain::invite::InviteEvent;
use domain::{AccountId, CommunityId};
use jiff::Timestamp;
use tokio_postgres::Row;

use crate::batch::{At, Batch, params};
use crate::database::Unavailable;
use crate::read_model::ReadModel;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRow {
    pub code: String,
    pub community_id: CommunityId,
    pub created_by: AccountId,
    /// `None`: as many as come.
    pub max_uses: Option<u32>,
    pub uses: u32,
    /// `None`: never.
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// Most invites that a list holds; older ones are left out.
const MAX_INVITES: i64 = 200;

macro_rules! invite_columns {
    () => {
        "invites.code, invites.community_id, invites.created_by, invites.max_uses, invites.uses,
            invites.expires_at, invites.created_at, invites.revoked_at"
    };
}

impl InviteRow {
    fn of(row: &Row) -> Self {
        Self {
            code: row.get("code"),
            community_id: CommunityId(row.get("community_id")),
            created_by: AccountId(row.get("created_by")),
            max_uses: row.get::<_, Option<i32>>("max_uses").map(i32::unsigned_abs),
            uses: row.get::<_, i32>("uses").unsigned_abs(),
            expires_at: row.get("expires_at"),
            created_at: row.get("created_at"),
            revoked_at: row.get("revoked_at"),
        }
    }

    /// Whether it can be redeemed at `now`.
    pub fn usable_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none()
            && self.expires_at.is_none_or(|at| now < at)
            && self.max_uses.is_none_or(|max| self.uses < max)
    }
}

impl ReadModel {
    /// The invite with this code, usable or not. Knowing the code is the permission.
    pub async fn invite(&self, code: &str) -> Result<Option<InviteRow>, Unavailable> {
        const SQL: &str = concat!("SELECT ", invite_columns!(), " FROM read.invites WHERE invites.code = $1");
        Ok(self.database().row(SQL, &[&code]).await?.as_ref().map(InviteRow::of))
    }

    /// The invites to a community, usable or not, newest first, 200 at most: everyone's, or those made `by` one account.
    /// Whether the asker may know them is the caller's check.
    pub async fn invites(
        &self,
        community: CommunityId,
        by: Option<AccountId>,
    ) -> Result<Vec<InviteRow>, Unavailable> {
        const SQL: &str = concat!(
            "SELECT ",
            invite_columns!(),
            "
            FROM read.invites
            WHERE invites.community_id = $1 AND ($2::uuid IS NULL OR invites.created_by = $2)
            ORDER BY invites.position DESC
            LIMIT $3"
        );
        let by = by.map(|account| account.0);
        let rows = self.database().rows(SQL, &[&community.0, &by, &MAX_INVITES]).await?;
        Ok(rows.iter().map(InviteRow::of).collect())
    }
}

pub(crate) fn project(batch: &mut Batch, event: InviteEvent, at: At) {
    const INSERT: &str = "
        INSERT INTO {schema}.invites
            (code, community_id, created_by, position, created_at, expires_at, max_uses, uses)
        SELECT $1, communities.id, $3, $4, $5, $6, $7, 0
        FROM {schema}.communities
        WHERE communities.id = $2";
    const USE: &str = "UPDATE {schema}.invites SET uses = uses + 1 WHERE code = $1";
    const REVOKE: &str = "UPDATE {schema}.invites SET revoked_at = $2 WHERE code = $1";
    match event {
        InviteEvent::Created(event) => {
            let code = event.code.as_str().to_owned();
            let (community, by) = (event.community_id.0, event.created_by.0);
            let max_uses = event.max_uses.map(|max| i32::try_from(max).unwrap_or(i32::MAX));
            let expires = event.expires_at;
            batch.write(INSERT, params![code, community, by, at.bigint(), at.time, expires, max_uses]);
        }
        InviteEvent::Redeemed(event) => batch.write(USE, params![event.code.as_str().to_owned()]),
        InviteEvent::Revoked(event) => {
            batch.write(REVOKE, params![event.code.as_str().to_owned(), at.time]);
        }
    }
}
