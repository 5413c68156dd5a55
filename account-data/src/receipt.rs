//! Receipts: which message reached a participant's devices last, and which one they have read.

use std::collections::HashMap;

use domain::{AccountId, ChannelId, MessageId};
use tokio_postgres::Row;

use crate::AccountData;
use crate::database::{Unavailable, to_bigint};

/// How far the messages of a channel have come with one account, as far as the asker may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    pub account: AccountId,
    /// The newest that reached one of its devices.
    pub delivered: Option<MessageId>,
    /// The newest that it has read.
    pub read: Option<MessageId>,
}

/// What a receipt says about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It is on one of the account's devices.
    Delivered,
    /// The account has read it, and so it was delivered.
    Read,
}

impl AccountData {
    /// Notes how far a message of `channel`, at `position` of the log, has come with `account`; whether that is news.
    /// Whether the account lets others know what it reads is the caller's question.
    ///
    /// # Errors
    /// [`Unavailable`]: it may have been noted.
    pub async fn note_receipt(
        &self,
        account: AccountId,
        channel: ChannelId,
        (message, position): (MessageId, u64),
        reached: Reached,
    ) -> Result<bool, Unavailable> {
        const DELIVERED: &str = "
            INSERT INTO account_data.receipts AS receipt
                (channel, account, delivered, delivered_position, read, read_position)
            VALUES ($1, $2, $3, $4, NULL, 0)
            ON CONFLICT ON CONSTRAINT receipts_pkey DO UPDATE
            SET delivered = excluded.delivered, delivered_position = excluded.delivered_position
            WHERE receipt.delivered_position < excluded.delivered_position
            RETURNING 1";
        const READ: &str = "
            INSERT INTO account_data.receipts AS receipt
                (channel, account, delivered, delivered_position, read, read_position)
            VALUES ($1, $2, $3, $4, $3, $4)
            ON CONFLICT ON CONSTRAINT receipts_pkey DO UPDATE
            SET delivered = CASE
                    WHEN receipt.delivered_position < excluded.delivered_position THEN excluded.delivered
                    ELSE receipt.delivered
                END,
                delivered_position = greatest(receipt.delivered_position, excluded.delivered_position),
                read = excluded.read,
                read_position = excluded.read_position
            WHERE receipt.read_position < excluded.read_position
            RETURNING 1";
        let sql = match reached {
            Reached::Delivered => DELIVERED,
            Reached::Read => READ,
        };
        let position = to_bigint(position);
        let row = self.database.row(sql, &[&channel.0, &account.0, &message.0, &position]).await?;
        Ok(row.is_some())
    }

    /// The receipts of `participants` in a channel, in their order, as `viewer` may see them. Who keeps to themselves what
    /// they read is not shown with it, and does not see it of others.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn receipts(
        &self,
        viewer: AccountId,
        channel: ChannelId,
        participants: &[AccountId],
    ) -> Result<Vec<Receipt>, Unavailable> {
        const SQL: &str = "
            SELECT participant.account, receipts.delivered, receipts.read,
                coalesce(privacy.read_receipts, true) AS shows
            FROM unnest($2::uuid[]) AS participant (account)
            LEFT JOIN account_data.receipts
                ON receipts.channel = $1 AND receipts.account = participant.account
            LEFT JOIN account_data.privacy ON privacy.account = participant.account";
        let ids: Vec<_> = participants.iter().chain([&viewer]).map(|account| account.0).collect();
        let rows = self.database.rows(SQL, &[&channel.0, &ids]).await?;
        let found: HashMap<AccountId, &Row> =
            rows.iter().map(|row| (AccountId(row.get("account")), row)).collect();
        let shows = |account: &AccountId| found.get(account).is_none_or(|row| row.get("shows"));
        let mutual = shows(&viewer);
        let receipt = |account: &AccountId| {
            let row = found.get(account);
            let message = |column| row.and_then(|row| row.get::<_, Option<_>>(column)).map(MessageId);
            let seen = *account == viewer || (mutual && shows(account));
            Receipt {
                account: *account,
                delivered: message("delivered"),
                read: message("read").filter(|_| seen),
            }
        };
        Ok(participants.iter().map(receipt).collect())
    }
}
