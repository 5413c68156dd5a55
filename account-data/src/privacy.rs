//! What an account lets others know of it.

use domain::AccountId;
use tokio_postgres::Row;

use crate::AccountData;
use crate::database::Unavailable;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Privacy {
    /// Whether others are told what it has read; and whether it is told what they have.
    pub read_receipts: bool,
}

impl Default for Privacy {
    fn default() -> Self {
        Self { read_receipts: true }
    }
}

impl AccountData {
    /// # Errors
    /// [`Unavailable`].
    pub async fn privacy(&self, account: AccountId) -> Result<Privacy, Unavailable> {
        const SQL: &str = "SELECT read_receipts FROM account_data.privacy WHERE account = $1";
        let row = self.database.row(SQL, &[&account.0]).await?;
        let privacy = |row: &Row| Privacy { read_receipts: row.get("read_receipts") };
        Ok(row.as_ref().map(privacy).unwrap_or_default())
    }

    /// # Errors
    /// [`Unavailable`]: it may have been changed.
    pub async fn set_privacy(&self, account: AccountId, privacy: Privacy) -> Result<(), Unavailable> {
        const SQL: &str = "
            INSERT INTO account_data.privacy (account, read_receipts) VALUES ($1, $2)
            ON CONFLICT ON CONSTRAINT privacy_pkey DO UPDATE SET read_receipts = excluded.read_receipts";
        self.database.rows(SQL, &[&account.0, &privacy.read_receipts]).await?;
        Ok(())
    }

    /// Those of `accounts` that tell others what they read, and are told.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn sharing_read_receipts(&self, accounts: &[AccountId]) -> Result<Vec<AccountId>, Unavailable> {
        const SQL: &str = "
            SELECT account FROM unnest($1::uuid[]) AS asked (account)
            WHERE NOT EXISTS (
                SELECT FROM account_data.privacy
                WHERE privacy.account = asked.account AND NOT privacy.read_receipts
            )";
        let ids: Vec<_> = accounts.iter().map(|account| account.0).collect();
        let rows = self.database.rows(SQL, &[&ids]).await?;
        Ok(rows.iter().map(|row| AccountId(row.get("account"))).collect())
    }
}
