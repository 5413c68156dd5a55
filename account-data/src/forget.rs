//! Forgetting all that an account has here.

use deadpool_postgres::GenericClient as _;
use domain::AccountId;

use crate::AccountData;
use crate::database::Unavailable;

const TABLES: &[&str] = &[
    "connections",
    "drafts",
    "notification_settings",
    "paces",
    "presences",
    "privacy",
    "read_markers",
    "receipts",
    "saved_messages",
    "scheduled_messages",
];

impl AccountData {
    /// Removes all that `account` keeps, in one transaction. Doing it again is harmless.
    ///
    /// # Errors
    /// [`Unavailable`]: nothing was removed.
    pub async fn forget(&self, account: AccountId) -> Result<(), Unavailable> {
        self.database
            .transaction(async |transaction| {
                for table in TABLES {
                    let delete = format!("DELETE FROM account_data.{table} WHERE account = $1");
                    let delete = transaction.prepare_cached(&delete).await?;
                    transaction.execute(&delete, &[&account.0]).await?;
                }
                Ok(())
            })
            .await
    }
}
