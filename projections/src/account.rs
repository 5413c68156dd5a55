//! Accounts: names and what they say of themselves.

use std::collections::{HashMap, HashSet};

use domain::account::{AccountEvent, AccountRegistered, ProfileChanged};
use domain::{AccountId, Personal};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::batch::{At, Batch, params};
use crate::database::Unavailable;
use crate::read_model::ReadModel;

/// What others may know of an account. A text is `None` when it was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    pub id: AccountId,
    pub handle: Option<String>,
    pub display_name: Option<String>,
    /// Empty: none.
    pub about: String,
    pub administrator: bool,
    pub created_at: Timestamp,
}

/// An account as its holder sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAccount {
    pub account: AccountRow,
    pub email: Option<String>,
}

/// The columns of [`AccountRow`] from `accounts` and, left-joined as its administrator's, `installation`.
macro_rules! account_columns {
    () => {
        "accounts.id AS account_id, accounts.handle, accounts.display_name, accounts.about,
            installation.administrator IS NOT NULL AS administrator, accounts.created_at AS account_created_at"
    };
}
pub(crate) use account_columns;

impl AccountRow {
    pub(crate) fn of(row: &Row) -> Self {
        Self {
            id: AccountId(row.get("account_id")),
            handle: row.get("handle"),
            display_name: row.get("display_name"),
            about: row.get("about"),
            administrator: row.get("administrator"),
            created_at: row.get("account_created_at"),
        }
    }
}

pub(crate) const OWN: &str = concat!(
    "SELECT ",
    account_columns!(),
    ", accounts.email
    FROM read.accounts
    LEFT JOIN read.installation ON installation.administrator = accounts.id
    WHERE accounts.id = $1"
);

pub(crate) fn own(row: &Row) -> OwnAccount {
    OwnAccount { account: AccountRow::of(row), email: row.get("email") }
}

pub(crate) fn uuids(accounts: &[AccountId]) -> Vec<Uuid> {
    accounts.iter().map(|account| account.0).collect()
}

impl ReadModel {
    /// An account with what only its holder may see.
    pub async fn account(&self, id: AccountId) -> Result<Option<OwnAccount>, Unavailable> {
        Ok(self.database().row(OWN, &[&id.0]).await?.as_ref().map(own))
    }

    /// Those of `ids` that exist, whoever asks.
    pub async fn accounts(&self, ids: &[AccountId]) -> Result<HashMap<AccountId, AccountRow>, Unavailable> {
        const SQL: &str = concat!(
            "SELECT ",
            account_columns!(),
            "
            FROM read.accounts
            LEFT JOIN read.installation ON installation.administrator = accounts.id
            WHERE accounts.id = ANY ($1::uuid[])"
        );
        let rows = self.database().rows(SQL, &[&uuids(ids)]).await?;
        Ok(rows.iter().map(AccountRow::of).map(|account| (account.id, account)).collect())
    }

    /// An account that `viewer` may see: their own, or one that is in a community or a conversation with them.
    pub async fn visible_account(
        &self,
        viewer: AccountId,
        id: AccountId,
    ) -> Result<Option<AccountRow>, Unavailable> {
        if viewer != id && !self.co_members_among(viewer, &[id]).await?.contains(&id) {
            return Ok(None);
        }
        Ok(self.accounts(&[id]).await?.remove(&id))
    }

    /// Those of `accounts` who are in a community or a conversation together with `viewer`.
    pub async fn co_members_among(
        &self,
        viewer: AccountId,
        accounts: &[AccountId],
    ) -> Result<HashSet<AccountId>, Unavailable> {
        const SQL: &str = "
            SELECT other.id
            FROM unnest($2::uuid[]) AS other (id)
            WHERE EXISTS (
                SELECT
                FROM read.memberships AS theirs
                JOIN read.memberships AS own
                    ON own.community_id = theirs.community_id AND own.account_id = $1 AND own.state = 'member'
                JOIN read.communities ON communities.id = theirs.community_id
                WHERE theirs.account_id = other.id AND theirs.state = 'member'
            ) OR EXISTS (
                SELECT
                FROM read.participants AS theirs
                JOIN read.participants AS own
                    ON own.channel_id = theirs.channel_id AND own.account_id = $1 AND own.joined_at IS NOT NULL
                WHERE theirs.account_id = other.id AND theirs.joined_at IS NOT NULL
            )";
        let rows = self.database().rows(SQL, &[&viewer.0, &uuids(accounts)]).await?;
        Ok(rows.iter().map(|row| AccountId(row.get(0))).collect())
    }

    /// Those of `accounts` who are in a community together with `viewer`: with them one may begin to talk.
    pub async fn neighbours_among(
        &self,
        viewer: AccountId,
        accounts: &[AccountId],
    ) -> Result<HashSet<AccountId>, Unavailable> {
        const SQL: &str = "
            SELECT other.id
            FROM unnest($2::uuid[]) AS other (id)
            WHERE EXISTS (
                SELECT
                FROM read.memberships AS theirs
                JOIN read.memberships AS own
                    ON own.community_id = theirs.community_id AND own.account_id = $1 AND own.state = 'member'
                JOIN read.communities ON communities.id = theirs.community_id
                WHERE theirs.account_id = other.id AND theirs.state = 'member'
            )";
        let rows = self.database().rows(SQL, &[&viewer.0, &uuids(accounts)]).await?;
        Ok(rows.iter().map(|row| AccountId(row.get(0))).collect())
    }
}

/// By what a name is ordered.
pub(crate) fn sort_name(name: &str) -> String {
    name.to_lowercase()
}

pub(crate) fn project(batch: &mut Batch, event: AccountEvent, at: At) {
    match event {
        AccountEvent::Registered(event) => registered(batch, event, at),
        AccountEvent::ProfileChanged(event) => profile_changed(batch, event),
    }
}

fn registered(batch: &mut Batch, event: AccountRegistered, at: At) {
    const INSERT: &str = "
        INSERT INTO {schema}.accounts (id, created_at, handle, display_name, email, sort_name)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let id = event.account_id.0;
    let (handle, display_name, email) = match event.identity {
        Personal::Clear(identity) => (
            Some(identity.handle.as_str().to_owned()),
            Some(identity.display_name.into_string()),
            Some(identity.email.as_str().to_owned()),
        ),
        Personal::Erased | Personal::Sealed => (None, None, None),
    };
    let sort_name = display_name.as_deref().map_or(String::new(), sort_name);
    batch.write(INSERT, params![id, at.time, handle, display_name, email, sort_name]);
}

fn profile_changed(batch: &mut Batch, event: ProfileChanged) {
    const UPDATE: &str = "
        UPDATE {schema}.accounts
        SET display_name = coalesce($2, display_name),
            about = coalesce($3, about),
            sort_name = coalesce($4, sort_name)
        WHERE id = $1";
    // One key seals all personal text of an account: where one text is erased, the earlier ones are too.
    const ERASE: &str = "
        UPDATE {schema}.accounts
        SET handle = NULL, display_name = NULL, about = '', email = NULL, sort_name = ''
        WHERE id = $1";
    const SORT: &str =
        "UPDATE {schema}.memberships SET sort_name = $2 WHERE account_id = $1 AND nickname IS NULL";
    const ERASE_NICKNAMES: &str = "
        UPDATE {schema}.memberships SET nickname = NULL, sort_name = '' WHERE account_id = $1";
    // Reasons that the account gave.
    const ERASE_REASONS: &str = "UPDATE {schema}.memberships SET ban_reason = NULL WHERE banned_by = $1";
    let id = event.account_id.0;
    match event.change {
        Personal::Clear(change) => {
            let display_name = change.display_name.map(domain::account::DisplayName::into_string);
            let about = change.about.map(domain::account::About::into_string);
            let sort = display_name.as_deref().map(sort_name);
            batch.write(UPDATE, params![id, display_name, about, sort.clone()]);
            if let Some(sort) = sort {
                batch.write(SORT, params![id, sort]);
            }
        }
        Personal::Erased | Personal::Sealed => {
            for template in [ERASE, ERASE_NICKNAMES, ERASE_REASONS] {
                batch.write(template, params![id]);
            }
        }
    }
}
