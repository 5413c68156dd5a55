//! Blocks: whom an account wants nothing to do with.

use domain::AccountId;
use domain::block::BlockEvent;
use jiff::Timestamp;

use crate::account::{AccountRow, account_columns};
use crate::batch::{At, Batch, params};
use crate::database::Unavailable;
use crate::read_model::ReadModel;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockRow {
    pub account: AccountRow,
    pub created_at: Timestamp,
}

impl ReadModel {
    /// Those whom `by` has blocked, the newest first.
    pub async fn blocks(&self, by: AccountId) -> Result<Vec<BlockRow>, Unavailable> {
        const SQL: &str = concat!(
            "SELECT ",
            account_columns!(),
            ", blocks.created_at AS blocked_at
            FROM read.blocks
            JOIN read.accounts ON accounts.id = blocks.account_id
            LEFT JOIN read.installation ON installation.administrator = accounts.id
            WHERE blocks.by_account = $1
            ORDER BY blocks.created_at DESC, blocks.account_id"
        );
        let rows = self.database().rows(SQL, &[&by.0]).await?;
        let block = |row| BlockRow { account: AccountRow::of(row), created_at: row.get("blocked_at") };
        Ok(rows.iter().map(block).collect())
    }
}

pub(crate) fn project(batch: &mut Batch, event: BlockEvent, at: At) {
    const INSERT: &str = "
        INSERT INTO {schema}.blocks (by_account, account_id, created_at) VALUES ($1, $2, $3)
        ON CONFLICT ON CONSTRAINT blocks_pkey DO NOTHING";
    const DELETE: &str = "DELETE FROM {schema}.blocks WHERE by_account = $1 AND account_id = $2";
    match event {
        BlockEvent::Blocked(event) => {
            batch.write(INSERT, params![event.by.0, event.account_id.0, at.time]);
        }
        BlockEvent::Unblocked(event) => batch.write(DELETE, params![event.by.0, event.account_id.0]),
    }
}
