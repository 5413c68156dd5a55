//! Saved messages: those that an account wants to find again.

use domain::{AccountId, MessageId};
use jiff::Timestamp;
use tokio_postgres::Row;

use crate::database::{Unavailable, lock_account, query};
use crate::{AccountData, Kept};

/// Most messages that one account saves.
pub const MAX_SAVED: i64 = 1_000;

/// A saved message, and its place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavedMessage {
    pub saved_at: Timestamp,
    pub message: MessageId,
}

fn saved(row: &Row) -> SavedMessage {
    SavedMessage { saved_at: row.get("saved_at"), message: MessageId(row.get("message")) }
}

impl AccountData {
    /// Saves a message; one that is saved keeps its place. [`MAX_SAVED`] are kept at most.
    ///
    /// # Errors
    /// [`Unavailable`]: it may be saved.
    pub async fn save_message(
        &self,
        account: AccountId,
        message: MessageId,
        now: Timestamp,
    ) -> Result<Kept, Unavailable> {
        // A saved one is written again as it is, so that it answers a row.
        const SQL: &str = "
            INSERT INTO account_data.saved_messages AS saved (account, message, saved_at)
            SELECT $1, $2, $3::timestamptz
            WHERE EXISTS (SELECT FROM account_data.saved_messages WHERE account = $1 AND message = $2)
                OR (SELECT count(*) FROM account_data.saved_messages WHERE account = $1) < $4
            ON CONFLICT ON CONSTRAINT saved_messages_pkey DO UPDATE SET saved_at = saved.saved_at
            RETURNING account";
        let kept = self.database.transaction(async |transaction| {
            lock_account(transaction, account).await?;
            query(transaction, SQL, &[&account.0, &message.0, &now, &MAX_SAVED]).await
        });
        Ok(if kept.await?.is_empty() { Kept::TooMany } else { Kept::Yes })
    }

    /// Takes a message out of the saved ones; whether it was one.
    ///
    /// # Errors
    /// [`Unavailable`]: it may be out.
    pub async fn unsave_message(&self, account: AccountId, message: MessageId) -> Result<bool, Unavailable> {
        const SQL: &str = "
            DELETE FROM account_data.saved_messages WHERE account = $1 AND message = $2 RETURNING account";
        Ok(self.database.row(SQL, &[&account.0, &message.0]).await?.is_some())
    }

    /// The newest `limit` of those saved before `before`, newest first.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn saved_messages(
        &self,
        account: AccountId,
        before: Option<SavedMessage>,
        limit: usize,
    ) -> Result<Vec<SavedMessage>, Unavailable> {
        const SQL: &str = "
            SELECT saved_at, message FROM account_data.saved_messages
            WHERE account = $1 AND ($2::timestamptz IS NULL OR (saved_at, message) < ($2, $3))
            ORDER BY saved_at DESC, message DESC
            LIMIT $4";
        let (saved_at, message) = before.map(|place| (place.saved_at, place.message.0)).unzip();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.database.rows(SQL, &[&account.0, &saved_at, &message, &limit]).await?;
        Ok(rows.iter().map(saved).collect())
    }
}
