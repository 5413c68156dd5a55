//! Scheduled messages: what accounts want posted later. `sending` has the side of whoever posts them.

mod sending;

use domain::{AccountId, ChannelId, MessageId};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::AccountData;
use crate::database::{Params, Unavailable, lock_account, query};

pub use sending::Outcome;

/// Most scheduled messages of one account, those that could not be sent included.
pub const MAX_SCHEDULED: i64 = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledMessage {
    pub id: Uuid,
    pub account: AccountId,
    pub channel: ChannelId,
    pub content: String,
    pub reply_to: Option<MessageId>,
    pub send_at: Timestamp,
    pub created_at: Timestamp,
    /// The code of the refusal, where it was due and could not be sent.
    pub failure: Option<String>,
}

/// A command that may come twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyed {
    /// Named by account and idempotency key.
    pub command: Uuid,
    /// A keyed digest of what was asked.
    pub request: [u8; 32],
}

/// What became of scheduling a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheduled {
    Made,
    /// The same command made one before, with this id, at this time. It may have been sent meanwhile.
    Repeated {
        id: Uuid,
        created_at: Timestamp,
    },
    /// Another command had this key.
    KeyReused,
    TooMany,
}

/// What became of changing or cancelling one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rescheduled {
    Done(ScheduledMessage),
    /// There is none, or none any more.
    Unknown,
    /// It is on its way.
    BeingSent,
}

macro_rules! columns {
    () => {
        "id, account, channel, content, reply_to, send_at, created_at, failure"
    };
}
use columns;

fn scheduled(row: &Row) -> ScheduledMessage {
    ScheduledMessage {
        id: row.get("id"),
        account: AccountId(row.get("account")),
        channel: ChannelId(row.get("channel")),
        content: row.get("content"),
        reply_to: row.get::<_, Option<_>>("reply_to").map(MessageId),
        send_at: row.get("send_at"),
        created_at: row.get("created_at"),
        failure: row.get("failure"),
    }
}

/// What `account` made by the command before, if it was made.
const BEFORE: &str = "
    SELECT id, created_at, request FROM account_data.scheduled_messages WHERE account = $1 AND command = $2";

fn before(row: &Row, request: &[u8]) -> Scheduled {
    if row.get::<_, &[u8]>("request") == request {
        Scheduled::Repeated { id: row.get("id"), created_at: row.get("created_at") }
    } else {
        Scheduled::KeyReused
    }
}

impl AccountData {
    /// What became of a command that came before, if it did.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn scheduled_before(
        &self,
        account: AccountId,
        keyed: Keyed,
    ) -> Result<Option<Scheduled>, Unavailable> {
        let row = self.database.row(BEFORE, &[&account.0, &keyed.command]).await?;
        Ok(row.map(|row| before(&row, &keyed.request)))
    }

    /// Keeps a message to be posted later. [`MAX_SCHEDULED`] are kept at most.
    ///
    /// # Errors
    /// [`Unavailable`]: it may be kept; with a key the command can be repeated.
    pub async fn schedule_message(
        &self,
        new: &ScheduledMessage,
        keyed: Option<Keyed>,
    ) -> Result<Scheduled, Unavailable> {
        const INSERT: &str = "
            INSERT INTO account_data.scheduled_messages
                (id, account, channel, reply_to, send_at, created_at, state, content, command, request)
            SELECT $1, $2, $3, $4::uuid, $5::timestamptz, $6::timestamptz, 'scheduled', $7::text, $8::uuid, $9::bytea
            WHERE (
                SELECT count(*) FROM account_data.scheduled_messages WHERE account = $2 AND state <> 'done'
            ) < $10
            RETURNING id";
        let (command, request) = keyed.map(|keyed| (keyed.command, keyed.request.to_vec())).unzip();
        let reply_to = new.reply_to.map(|message| message.0);
        let (account, channel) = (new.account.0, new.channel.0);
        let insert: Params<'_> = &[
            &new.id,
            &account,
            &channel,
            &reply_to,
            &new.send_at,
            &new.created_at,
            &new.content,
            &command,
            &request,
            &MAX_SCHEDULED,
        ];
        self.database
            .transaction(async |transaction| {
                lock_account(transaction, new.account).await?;
                let earlier = query(transaction, BEFORE, &[&account, &command]).await?;
                if let (Some(row), Some(request)) = (earlier.first(), &request) {
                    return Ok(before(row, request));
                }
                let made = query(transaction, INSERT, insert).await?;
                Ok(if made.is_empty() { Scheduled::TooMany } else { Scheduled::Made })
            })
            .await
    }

    /// Those of `account` that are not sent, the next first.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn scheduled_messages(&self, account: AccountId) -> Result<Vec<ScheduledMessage>, Unavailable> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM account_data.scheduled_messages WHERE account = $1 AND state <> 'done' ORDER BY send_at, id"
        );
        Ok(self.database.rows(SQL, &[&account.0]).await?.iter().map(scheduled).collect())
    }

    /// Changes the text or the time of one of `account`'s. One that could not be sent is tried again if its time
    /// changes.
    ///
    /// # Errors
    /// [`Unavailable`]: it may be changed.
    pub async fn reschedule_message(
        &self,
        account: AccountId,
        id: Uuid,
        content: Option<&str>,
        send_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Rescheduled, Unavailable> {
        const SQL: &str = concat!(
            "UPDATE account_data.scheduled_messages
            SET content = coalesce($4, content),
                send_at = coalesce($5::timestamptz, send_at),
                state = CASE WHEN $5 IS NULL THEN state ELSE 'scheduled' END,
                failure = CASE WHEN $5 IS NULL THEN failure END,
                leased_until = NULL
            WHERE id = $1 AND account = $2 AND state <> 'done' AND coalesce(leased_until <= $3, true)
            RETURNING ",
            columns!()
        );
        let row = self.database.row(SQL, &[&id, &account.0, &now, &content, &send_at]).await?;
        self.or_why(account, id, row.as_ref().map(scheduled)).await
    }

    /// Cancels one of `account`'s; answers what it was.
    ///
    /// # Errors
    /// [`Unavailable`]: it may be cancelled.
    pub async fn cancel_scheduled_message(
        &self,
        account: AccountId,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Rescheduled, Unavailable> {
        const SELECT: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM account_data.scheduled_messages
            WHERE id = $1 AND account = $2 AND state <> 'done' AND coalesce(leased_until <= $3, true)
            FOR UPDATE"
        );
        let cancelled = self.database.transaction(async |transaction| {
            let rows = query(transaction, SELECT, &[&id, &account.0, &now]).await?;
            let Some(row) = rows.first() else { return Ok(None) };
            sending::remove(transaction, id).await?;
            Ok(Some(scheduled(row)))
        });
        self.or_why(account, id, cancelled.await?).await
    }

    /// `done`, or why nothing was.
    async fn or_why(
        &self,
        account: AccountId,
        id: Uuid,
        done: Option<ScheduledMessage>,
    ) -> Result<Rescheduled, Unavailable> {
        const SQL: &str = "
            SELECT id FROM account_data.scheduled_messages WHERE id = $1 AND account = $2 AND state <> 'done'";
        if let Some(done) = done {
            return Ok(Rescheduled::Done(done));
        }
        let there = self.database.row(SQL, &[&id, &account.0]).await?.is_some();
        Ok(if there { Rescheduled::BeingSent } else { Rescheduled::Unknown })
    }
}
