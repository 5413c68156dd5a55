//! Presence: what accounts chose to show, and what others see of it.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;
use domain::AccountId;
use domain::presence::{Presence, Sight, Status};
use jiff::Timestamp;
use tokio_postgres::Row;

use crate::AccountData;
use crate::connection::{connected_among, take_turns};
use crate::database::{Unavailable, query, uuids};

/// What others see of an account is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SightChange {
    pub account: AccountId,
    pub sight: Sight,
    /// By the database's clock, in the order of the changes of all nodes.
    pub time: Timestamp,
}

const PRESENCES: &str = "
    SELECT account, status, text, emoji, expires_at FROM account_data.presences WHERE account = ANY ($1::uuid[])";

fn presence(row: &Row) -> Presence {
    Presence {
        // A status that a newer node knows is shown as the plainest there is.
        status: Status::parse(row.get("status")).unwrap_or_default(),
        text: row.get("text"),
        emoji: row.get("emoji"),
        expires_at: row.get("expires_at"),
    }
}

fn by_account(rows: &[Row]) -> HashMap<AccountId, Presence> {
    rows.iter().map(|row| (AccountId(row.get("account")), presence(row))).collect()
}

/// What of the passage from those who were connected to those who are is seen by others.
pub(crate) async fn changes(
    transaction: &Transaction<'_>,
    before: &HashSet<AccountId>,
    after: &HashSet<AccountId>,
    now: Timestamp,
) -> Result<Vec<SightChange>, tokio_postgres::Error> {
    let moved: Vec<AccountId> = before.symmetric_difference(after).copied().collect();
    if moved.is_empty() {
        return Ok(vec![]);
    }
    let mut chosen = by_account(&query(transaction, PRESENCES, &[&uuids(&moved)]).await?);
    let time = time(transaction).await?;
    let seen = |account: AccountId| {
        let presence = chosen.remove(&account).unwrap_or_default();
        let sight = presence.clone().seen(after.contains(&account), now);
        let differs = sight != presence.seen(before.contains(&account), now);
        differs.then_some(SightChange { account, sight, time })
    };
    Ok(moved.into_iter().filter_map(seen).collect())
}

/// Asked while nobody else changes anything: later changes have later times, whichever node makes them.
async fn time(transaction: &Transaction<'_>) -> Result<Timestamp, tokio_postgres::Error> {
    let rows = query(transaction, "SELECT clock_timestamp() AS time", &[]).await?;
    Ok(rows.first().map_or(Timestamp::UNIX_EPOCH, |row| row.get("time")))
}

impl AccountData {
    /// What `account` chose, with what of it has expired.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn presence(&self, account: AccountId) -> Result<Presence, Unavailable> {
        let row = self.database.row(PRESENCES, &[&uuids(&[account])]).await?;
        Ok(row.as_ref().map(presence).unwrap_or_default())
    }

    /// Keeps what `account` chose, in place of what it chose before. Answers what others see then, if that is not what
    /// they saw.
    ///
    /// # Errors
    /// [`Unavailable`]: it may be kept.
    pub async fn set_presence(
        &self,
        account: AccountId,
        chosen: &Presence,
        now: Timestamp,
    ) -> Result<Option<SightChange>, Unavailable> {
        const SET: &str = "
            INSERT INTO account_data.presences (account, status, text, emoji, expires_at)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT ON CONSTRAINT presences_pkey DO UPDATE
            SET status = excluded.status, text = excluded.text, emoji = excluded.emoji,
                expires_at = excluded.expires_at";
        let Presence { status, text, emoji, expires_at } = chosen;
        self.database
            .transaction(async |transaction| {
                take_turns(transaction).await?;
                let rows = query(transaction, PRESENCES, &[&uuids(&[account])]).await?;
                let before = rows.first().map(presence).unwrap_or_default();
                let connected = connected_among(transaction, &[account]).await?.contains(&account);
                let set: crate::database::Params<'_> =
                    &[&account.0, &status.as_str(), text, emoji, expires_at];
                query(transaction, SET, set).await?;
                let sight = chosen.clone().seen(connected, now);
                if sight == before.seen(connected, now) {
                    return Ok(None);
                }
                Ok(Some(SightChange { account, sight, time: time(transaction).await? }))
            })
            .await
    }

    /// What others see of those of `accounts` who are not offline.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn sights(
        &self,
        accounts: &[AccountId],
        now: Timestamp,
    ) -> Result<HashMap<AccountId, Sight>, Unavailable> {
        let connected = self
            .database
            .transaction(async |transaction| {
                let connected: Vec<AccountId> =
                    connected_among(transaction, accounts).await?.into_iter().collect();
                let chosen = by_account(&query(transaction, PRESENCES, &[&uuids(&connected)]).await?);
                Ok((connected, chosen))
            })
            .await;
        let (connected, mut chosen) = connected?;
        let sight = |account: AccountId| {
            let sight = chosen.remove(&account).unwrap_or_default().seen(true, now);
            (!sight.is_offline()).then_some((account, sight))
        };
        Ok(connected.into_iter().filter_map(sight).collect())
    }
}
