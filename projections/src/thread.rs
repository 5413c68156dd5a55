//! Threads: what hangs below a message, who follows it, and how much of it is unread.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use domain::{AccountId, MessageId};
use event_store::Position;
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

mod project;

pub(crate) use project::{begun, project};

use crate::community;
use crate::database::{Params, Unavailable, position, rows, to_bigint};
use crate::message::{MessageRow, complete, message_columns};
use crate::read_model::ReadModel;
use crate::read_state::{CONVERSATIONS, MOST_UNREAD};

/// The most participants that are named.
const MOST_PARTICIPANTS: i64 = 5;

/// The thread below a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadRow {
    /// Messages that are not deleted.
    pub replies: u32,
    /// When the newest was posted, deleted since or not.
    pub last_reply_at: Timestamp,
    /// The first who posted in it, five at most.
    pub participants: Vec<AccountId>,
}

/// A thread that an account follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedThread {
    /// Its first message.
    pub root: MessageRow,
    /// Messages of others that are not deleted, behind what the account has read; [`MOST_UNREAD`] at most.
    pub unread: u32,
    /// Of its newest message: its place in the list.
    pub position: Position,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedPage {
    /// The one with the newest message first.
    pub items: Vec<FollowedThread>,
    /// Where to go on, `None` at the end.
    pub next: Option<Position>,
}

/// The threads below messages, for those that have one.
pub(crate) async fn of_messages(
    client: &impl GenericClient,
    messages: &[Uuid],
) -> Result<HashMap<MessageId, ThreadRow>, tokio_postgres::Error> {
    const SQL: &str = "
        SELECT threads.root_id, threads.replies, threads.last_reply_at, ARRAY (
            SELECT account_id
            FROM read.thread_parts
            WHERE thread_parts.root_id = threads.root_id AND replied_position IS NOT NULL
            ORDER BY replied_position
            LIMIT $2
        ) AS participants
        FROM read.threads
        WHERE threads.root_id = ANY ($1)";
    let thread = |row: &Row| ThreadRow {
        replies: row.get::<_, i32>("replies").unsigned_abs(),
        last_reply_at: row.get("last_reply_at"),
        participants: row.get::<_, Vec<Uuid>>("participants").into_iter().map(AccountId).collect(),
    };
    let found = rows(client, SQL, &[&messages, &MOST_PARTICIPANTS]).await?;
    Ok(found.iter().map(|row| (MessageId(row.get("root_id")), thread(row))).collect())
}

/// The threads with a message before `$3` that `$1` (as a target of mentions `$2`) follows in the channels `$4`, with
/// what is unread behind the marks `$6` in the threads `$5`. Without a mark it begins where the account came to follow.
const FOLLOWED: &str = concat!(
    "WITH part AS (
        SELECT root_id, min(since) AS since
        FROM (
            SELECT root_id, since, involved, said
            FROM read.thread_parts
            WHERE account_id = $1
            UNION ALL
            SELECT thread_id, min(position) - 1, true, NULL
            FROM read.mentions
            WHERE target = $2 AND thread_id IS NOT NULL AND author_id <> $1
            GROUP BY thread_id
        ) AS had
        GROUP BY root_id
        HAVING coalesce(bool_or(said), bool_or(involved))
    ),
    followed AS (
        SELECT threads.root_id, threads.last_position, coalesce(mark.position, part.since) AS read_up_to
        FROM part
        JOIN read.threads ON threads.root_id = part.root_id
        LEFT JOIN unnest($5::uuid[], $6::bigint[]) AS mark (root_id, position) ON mark.root_id = part.root_id
        WHERE threads.channel_id = ANY ($4) AND threads.last_position < $3
        ORDER BY threads.last_position DESC
        LIMIT $7
    )
    SELECT followed.last_position, counted.unread, ",
    message_columns!(),
    "
    FROM followed
    JOIN read.messages ON messages.id = followed.root_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS unread
        FROM (
            SELECT
            FROM read.messages AS reply
            WHERE reply.thread_id = followed.root_id
                AND reply.position > followed.read_up_to
                AND reply.author_id <> $1
                AND reply.deleted_at IS NULL
            LIMIT $8
        ) AS behind
    ) AS counted
    ORDER BY followed.last_position DESC"
);

impl ReadModel {
    /// How many messages of others, deleted ones left out, are in a thread behind `read_up_to`; [`MOST_UNREAD`] at most.
    pub async fn unread_in_thread(
        &self,
        viewer: AccountId,
        root: MessageId,
        read_up_to: Position,
    ) -> Result<u32, Unavailable> {
        const SQL: &str = "
            SELECT count(*) AS unread
            FROM (
                SELECT
                FROM read.messages
                WHERE thread_id = $2 AND position > $3 AND author_id <> $1 AND deleted_at IS NULL
                LIMIT $4
            ) AS behind";
        let (position, most) = (to_bigint(read_up_to), i64::from(MOST_UNREAD));
        let row = self.database().row(SQL, &[&viewer.0, &root.0, &position, &most]).await?;
        let unread = row.map_or(0, |row| row.get::<_, i64>("unread"));
        Ok(u32::try_from(unread).unwrap_or(MOST_UNREAD))
    }

    /// The threads that `viewer` follows and may see now, with a newest message before `before`. `marks` says up to where
    /// they have read which.
    pub async fn followed_threads(
        &self,
        viewer: AccountId,
        marks: &[(MessageId, Position)],
        before: Option<Position>,
        limit: usize,
    ) -> Result<FollowedPage, Unavailable> {
        let before = before.map_or(i64::MAX, to_bigint);
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
        let (target, most) = (viewer.to_string(), i64::from(MOST_UNREAD));
        let roots: Vec<Uuid> = marks.iter().map(|(root, _)| root.0).collect();
        let positions: Vec<i64> = marks.iter().map(|(_, position)| to_bigint(*position)).collect();
        self.database()
            .snapshot(async |client| {
                let id: Params<'_> = &[&viewer.0];
                let (views, conversations) = tokio::try_join!(
                    community::views(client, viewer, None),
                    rows(client, CONVERSATIONS, id)
                )?;
                let seen = views.iter().flat_map(|view| &view.channels).map(|channel| channel.id.0);
                let conversations = conversations.iter().map(|row| row.get::<_, Uuid>("channel_id"));
                let channels: Vec<Uuid> = seen.chain(conversations).collect();
                let which: Params<'_> =
                    &[&viewer.0, &target, &before, &channels, &roots, &positions, &wanted, &most];
                let found = rows(client, FOLLOWED, which).await?;
                let shown = &found[..found.len().min(limit)];
                let messages = complete(client, viewer, shown.iter().map(MessageRow::of).collect()).await?;
                let thread = |(row, root): (&Row, MessageRow)| FollowedThread {
                    root,
                    unread: u32::try_from(row.get::<_, i64>("unread")).unwrap_or(MOST_UNREAD),
                    position: position(row, "last_position"),
                };
                let items: Vec<FollowedThread> = shown.iter().zip(messages).map(thread).collect();
                let next = items.last().filter(|_| found.len() > limit).map(|last| last.position);
                Ok(FollowedPage { items, next })
            })
            .await
    }
}
