//! Paces: when an account last posted in a channel in slow mode.

use domain::{AccountId, ChannelId};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::AccountData;
use crate::database::Unavailable;

/// The wish of a command to post in a channel now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaceClaim {
    pub account: AccountId,
    pub channel: ChannelId,
    pub command: Uuid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paced {
    /// The moment is the command's.
    Now,
    /// This command has claimed its moment before.
    Before,
    /// Somebody's turn is not before this.
    NotBefore(Timestamp),
}

impl AccountData {
    /// Claims `now` for a command, if the account's last post in the channel is `interval` ago or more. One statement:
    /// of two that claim at once, one has to wait.
    ///
    /// # Errors
    /// [`Unavailable`]: it may have been claimed.
    pub async fn claim_pace(
        &self,
        claim: &PaceClaim,
        now: Timestamp,
        interval: SignedDuration,
    ) -> Result<Paced, Unavailable> {
        // What was claimed up to here is long enough ago.
        const SQL: &str = "
            INSERT INTO account_data.paces AS pace (account, channel, command, claimed_at)
            VALUES ($1, $2, $3, $4)
            ON CONFLICT ON CONSTRAINT paces_pkey DO UPDATE
            SET command = excluded.command, claimed_at = excluded.claimed_at, previous_at = pace.claimed_at
            WHERE pace.command <> excluded.command AND pace.claimed_at <= $5
            RETURNING true";
        const THERE: &str =
            "SELECT command, claimed_at FROM account_data.paces WHERE account = $1 AND channel = $2";
        let PaceClaim { account, channel, command } = claim;
        let until = now.checked_sub(interval).unwrap_or(Timestamp::MIN);
        let claimed = self.database.row(SQL, &[&account.0, &channel.0, command, &now, &until]).await?;
        if claimed.is_some() {
            return Ok(Paced::Now);
        }
        let there = self.database.row(THERE, &[&account.0, &channel.0]).await?;
        Ok(match there {
            Some(row) if row.get::<_, Uuid>("command") == *command => Paced::Before,
            Some(row) => {
                let last: Timestamp = row.get("claimed_at");
                Paced::NotBefore(last.checked_add(interval).unwrap_or(Timestamp::MAX))
            }
            // Given back since: whoever asks again gets it.
            None => Paced::NotBefore(now),
        })
    }

    /// Forgets the claim of a command of which nothing came.
    ///
    /// # Errors
    /// [`Unavailable`]: it may still hold.
    pub async fn give_pace_back(&self, claim: &PaceClaim) -> Result<(), Unavailable> {
        const BACK: &str = "
            UPDATE account_data.paces
            SET claimed_at = previous_at, previous_at = NULL, command = $4
            WHERE account = $1 AND channel = $2 AND command = $3 AND previous_at IS NOT NULL
            RETURNING true";
        const GONE: &str =
            "DELETE FROM account_data.paces WHERE account = $1 AND channel = $2 AND command = $3";
        let PaceClaim { account, channel, command } = claim;
        // Whose the earlier moment was is not kept: it is nobody's who could repeat it.
        let back = self.database.row(BACK, &[&account.0, &channel.0, command, &Uuid::nil()]).await?;
        if back.is_none() {
            self.database.rows(GONE, &[&account.0, &channel.0, command]).await?;
        }
        Ok(())
    }
}
