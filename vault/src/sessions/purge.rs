//! Removes sessions that are long over.

use crate::{Unavailable, Vault};

/// Rows in one statement, few enough for the time-out.
const BATCH: i64 = 1_000;

impl Vault {
    /// Deletes what expired more than a day ago, by the database's clock. The day covers the differences between
    /// clocks, and lets other nodes see a late revocation.
    pub(crate) async fn purge_sessions(&self) -> Result<(), Unavailable> {
        while self.purge_some().await? == BATCH.unsigned_abs() {}
        Ok(())
    }

    async fn purge_some(&self) -> Result<u64, Unavailable> {
        let connection = self.0.database.connection().await?;
        let delete = "DELETE FROM vault.sessions WHERE id IN (
            SELECT id FROM vault.sessions WHERE expires_at < now() - interval '1 day'
            LIMIT $1 FOR UPDATE SKIP LOCKED
        )";
        connection.within(connection.execute(delete, &[&BATCH])).await
    }
}
