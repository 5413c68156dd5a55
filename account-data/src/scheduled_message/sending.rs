//! The side of whoever posts scheduled messages: several may, on several nodes.

use deadpool_postgres::Transaction;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{ScheduledMessage, columns, scheduled};
use crate::AccountData;
use crate::database::{Unavailable, query};

/// What became of posting one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Sent,
    /// Refused, with this code: kept for its author to see.
    Failed(&'static str),
    /// Nothing is known: to be tried again, not before this time.
    Unsure(Timestamp),
}

/// Removes one; of one that was made with an idempotency key what names it stays.
pub(super) async fn remove(transaction: &Transaction<'_>, id: Uuid) -> Result<bool, tokio_postgres::Error> {
    const FORGET: &str =
        "DELETE FROM account_data.scheduled_messages WHERE id = $1 AND command IS NULL RETURNING id";
    const EMPTY: &str = "
        UPDATE account_data.scheduled_messages
        SET state = 'done', content = NULL, failure = NULL, leased_until = NULL
        WHERE id = $1 AND state <> 'done'
        RETURNING id";
    let forgotten = query(transaction, FORGET, &[&id]).await?;
    Ok(!forgotten.is_empty() || !query(transaction, EMPTY, &[&id]).await?.is_empty())
}

impl AccountData {
    /// Leases at most `limit` that are due at `now`, the oldest first: nobody else gets them for so long. Who does not
    /// come back with their outcome by then has crashed.
    ///
    /// # Errors
    /// [`Unavailable`]: some may be leased.
    pub async fn lease_due_messages(
        &self,
        now: Timestamp,
        lease: SignedDuration,
        limit: i64,
    ) -> Result<Vec<ScheduledMessage>, Unavailable> {
        const SQL: &str = concat!(
            "UPDATE account_data.scheduled_messages SET leased_until = $2
            WHERE id IN (
                SELECT id FROM account_data.scheduled_messages
                WHERE state = 'scheduled' AND send_at <= $1 AND coalesce(leased_until <= $1, true)
                ORDER BY send_at
                LIMIT $3
                FOR UPDATE SKIP LOCKED
            )
            RETURNING ",
            columns!()
        );
        let until = now.saturating_add(lease).map_err(Unavailable::new)?;
        let rows = self.database.rows(SQL, &[&now, &until, &limit]).await?;
        let mut due: Vec<ScheduledMessage> = rows.iter().map(scheduled).collect();
        due.sort_by_key(|message| (message.send_at, message.id));
        Ok(due)
    }

    /// Takes down what became of one; whether that is news.
    ///
    /// # Errors
    /// [`Unavailable`]: it may be taken down.
    pub async fn settle_scheduled_message(&self, id: Uuid, outcome: &Outcome) -> Result<bool, Unavailable> {
        const FAIL: &str = "
            UPDATE account_data.scheduled_messages SET state = 'failed', failure = $2, leased_until = NULL
            WHERE id = $1 AND state = 'scheduled'
            RETURNING id";
        const LATER: &str = "
            UPDATE account_data.scheduled_messages SET leased_until = $2 WHERE id = $1 AND state = 'scheduled'
            RETURNING id";
        match outcome {
            Outcome::Sent => {
                self.database.transaction(async |transaction| remove(transaction, id).await).await
            }
            Outcome::Failed(code) => Ok(self.database.row(FAIL, &[&id, code]).await?.is_some()),
            Outcome::Unsure(again) => self.database.row(LATER, &[&id, again]).await.map(|_| false),
        }
    }
}
