//! Drafts: what an account began to write, one for each channel and thread.

use domain::{AccountId, ChannelId, MessageId};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::database::{Params, Unavailable, lock_account, query};
use crate::{AccountData, Kept, Place};

/// Most drafts of one account.
pub const MAX_DRAFTS: i64 = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub place: Place,
    pub content: String,
    pub reply_to: Option<MessageId>,
    pub updated_at: Timestamp,
}

fn draft(row: &Row) -> Draft {
    let thread = Some(row.get::<_, Uuid>("thread")).filter(|thread| !thread.is_nil()).map(MessageId);
    Draft {
        place: Place { channel: ChannelId(row.get("channel")), thread },
        content: row.get("content"),
        reply_to: row.get::<_, Option<_>>("reply_to").map(MessageId),
        updated_at: row.get("updated_at"),
    }
}

impl AccountData {
    /// Keeps a draft in place of the one that was there. [`MAX_DRAFTS`] are kept at most.
    ///
    /// # Errors
    /// [`Unavailable`]: it may be kept.
    pub async fn keep_draft(&self, account: AccountId, draft: &Draft) -> Result<Kept, Unavailable> {
        const SQL: &str = "
            INSERT INTO account_data.drafts (account, channel, thread, reply_to, updated_at, content)
            SELECT $1, $2, $3, $4::uuid, $5::timestamptz, $6::text
            WHERE EXISTS (SELECT FROM account_data.drafts WHERE account = $1 AND channel = $2 AND thread = $3)
                OR (SELECT count(*) FROM account_data.drafts WHERE account = $1) < $7
            ON CONFLICT ON CONSTRAINT drafts_pkey DO UPDATE
            SET reply_to = excluded.reply_to, updated_at = excluded.updated_at, content = excluded.content
            RETURNING account";
        let Draft { place, content, reply_to, updated_at } = draft;
        let (thread, reply_to) = (place.thread_key(), reply_to.map(|message| message.0));
        let params: Params<'_> =
            &[&account.0, &place.channel.0, &thread, &reply_to, updated_at, content, &MAX_DRAFTS];
        let kept = self.database.transaction(async |transaction| {
            lock_account(transaction, account).await?;
            query(transaction, SQL, params).await
        });
        Ok(if kept.await?.is_empty() { Kept::TooMany } else { Kept::Yes })
    }

    /// Drops a draft; whether there was one.
    ///
    /// # Errors
    /// [`Unavailable`]: it may be gone.
    pub async fn drop_draft(&self, account: AccountId, place: Place) -> Result<bool, Unavailable> {
        const SQL: &str = "
            DELETE FROM account_data.drafts WHERE account = $1 AND channel = $2 AND thread = $3
            RETURNING account";
        let row = self.database.row(SQL, &[&account.0, &place.channel.0, &place.thread_key()]).await?;
        Ok(row.is_some())
    }

    /// All drafts of `account`, the newest first.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn drafts(&self, account: AccountId) -> Result<Vec<Draft>, Unavailable> {
        const SQL: &str = "
            SELECT channel, thread, reply_to, updated_at, content FROM account_data.drafts WHERE account = $1
            ORDER BY updated_at DESC, channel, thread";
        Ok(self.database.rows(SQL, &[&account.0]).await?.iter().map(draft).collect())
    }
}
