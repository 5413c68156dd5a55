//! Read markers: up to where an account has read a channel or a thread.

use domain::{AccountId, ChannelId, MessageId};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::AccountData;
use crate::database::{Unavailable, to_bigint};

/// What is read: a channel, or the thread below a message of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    pub channel: ChannelId,
    /// The thread's first message.
    pub thread: Option<MessageId>,
}

impl Place {
    pub fn channel(channel: ChannelId) -> Self {
        Self { channel, thread: None }
    }

    pub(crate) fn thread_key(self) -> Uuid {
        self.thread.map_or(Uuid::nil(), |thread| thread.0)
    }
}

/// Where an account stands in a place: what is behind `position` is unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMarker {
    pub place: Place,
    /// The newest message up to there; `None` when there is none.
    pub message: Option<MessageId>,
    pub position: u64,
    pub moved_at: Timestamp,
}

/// Where reading begins for an account that has not read here since it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// What is up to here was there before.
    pub position: u64,
    /// When it came. A marker from before this is of an earlier stay, and counts only where it is further on.
    pub since: Timestamp,
}

/// Which way a marker is to move; where it is there or beyond, it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// To the newest that was read.
    Forward,
    /// To just before what is to be unread again.
    Back,
}

/// The marker after a move, if there is one, and whether it moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    pub marker: Option<ReadMarker>,
    pub moved: bool,
}

fn marker(row: &Row) -> ReadMarker {
    let thread = Some(row.get::<_, Uuid>("thread")).filter(|thread| !thread.is_nil()).map(MessageId);
    ReadMarker {
        place: Place { channel: ChannelId(row.get("channel")), thread },
        message: row.get::<_, Option<_>>("message").map(MessageId),
        position: row.get::<_, i64>("position").unsigned_abs(),
        moved_at: row.get("moved_at"),
    }
}

impl AccountData {
    /// Moves `account`'s marker to where `to` says, if that is the `direction` from where it stands; where there is no
    /// marker it stands at `start`. Of moves at the same time the furthest wins.
    ///
    /// # Errors
    /// [`Unavailable`]: the marker may have moved.
    pub async fn move_read_marker(
        &self,
        account: AccountId,
        to: &ReadMarker,
        direction: Move,
        start: Start,
    ) -> Result<Marked, Unavailable> {
        // Without a row the first condition decides, with one the last: it sees the newest row, whoever wrote it.
        const SQL: &str = "
            INSERT INTO account_data.read_markers AS marker (account, channel, thread, message, position, moved_at)
            SELECT $1, $2, $3, $4::uuid, $5, $6::timestamptz
            WHERE EXISTS (
                    SELECT FROM account_data.read_markers WHERE account = $1 AND channel = $2 AND thread = $3
                )
                OR CASE WHEN $7::boolean THEN $5::bigint > $8::bigint ELSE $5 < $8 END
            ON CONFLICT ON CONSTRAINT read_markers_pkey DO UPDATE
            SET message = excluded.message, position = excluded.position, moved_at = excluded.moved_at
            WHERE CASE
                WHEN $7 THEN excluded.position
                    > CASE WHEN marker.moved_at < $9 THEN greatest(marker.position, $8) ELSE marker.position END
                ELSE excluded.position
                    < CASE WHEN marker.moved_at < $9 THEN greatest(marker.position, $8) ELSE marker.position END
            END
            RETURNING channel, thread, message, position, moved_at";
        let (channel, thread, message) =
            (to.place.channel.0, to.place.thread_key(), to.message.map(|message| message.0));
        let (position, forward) = (to_bigint(to.position), direction == Move::Forward);
        let begun = to_bigint(start.position);
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 9] = [
            &account.0,
            &channel,
            &thread,
            &message,
            &position,
            &to.moved_at,
            &forward,
            &begun,
            &start.since,
        ];
        match self.database.row(SQL, &params).await? {
            Some(row) => Ok(Marked { marker: Some(marker(&row)), moved: true }),
            None => Ok(Marked { marker: self.read_marker(account, to.place).await?, moved: false }),
        }
    }

    /// # Errors
    /// [`Unavailable`].
    pub async fn read_marker(
        &self,
        account: AccountId,
        place: Place,
    ) -> Result<Option<ReadMarker>, Unavailable> {
        const SQL: &str = "
            SELECT channel, thread, message, position, moved_at FROM account_data.read_markers
            WHERE account = $1 AND channel = $2 AND thread = $3";
        let row = self.database.row(SQL, &[&account.0, &place.channel.0, &place.thread_key()]).await?;
        Ok(row.as_ref().map(marker))
    }

    /// All that `account` has in channels, or in threads.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn read_markers(
        &self,
        account: AccountId,
        in_threads: bool,
    ) -> Result<Vec<ReadMarker>, Unavailable> {
        const SQL: &str = "
            SELECT channel, thread, message, position, moved_at FROM account_data.read_markers
            WHERE account = $1 AND (thread <> $2) = $3";
        let rows = self.database.rows(SQL, &[&account.0, &Uuid::nil(), &in_threads]).await?;
        Ok(rows.iter().map(marker).collect())
    }
}
