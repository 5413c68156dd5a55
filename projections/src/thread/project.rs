//! Threads as rows. All of it comes to the same however the log is cut into pages: sums, firsts and lasts.

use domain::thread::ThreadEvent;
use uuid::Uuid;

use crate::batch::{At, Batch, Write, params};

/// What posts in threads come to, when the posts' rows have been written.
pub(crate) fn begun(posts: &[Uuid], threads: &[Option<Uuid>]) -> Vec<Write> {
    const THREADS: &str = "
        INSERT INTO {schema}.threads AS threads (root_id, channel_id, last_position, last_reply_at, replies)
        SELECT thread_id, channel_id, max(position), (array_agg(created_at ORDER BY position DESC))[1],
            count(*) FILTER (WHERE deleted_at IS NULL)
        FROM {schema}.messages
        WHERE id = ANY ($1::uuid[])
        GROUP BY thread_id, channel_id
        ON CONFLICT ON CONSTRAINT threads_pkey DO UPDATE
        SET last_position = excluded.last_position,
            last_reply_at = excluded.last_reply_at,
            replies = threads.replies + excluded.replies";
    const PARTS: &str = "
        INSERT INTO {schema}.thread_parts AS part
            (account_id, root_id, channel_id, since, replied_position, involved)
        SELECT account_id, root_id, channel_id, min(position), min(position) FILTER (WHERE replied), true
        FROM (
            SELECT author_id AS account_id, thread_id AS root_id, channel_id, position, true AS replied
            FROM {schema}.messages
            WHERE id = ANY ($1::uuid[])
            UNION ALL
            SELECT root.author_id, root.id, root.channel_id, root.position, false
            FROM {schema}.messages AS root
            WHERE root.id IN (SELECT thread_id FROM {schema}.messages WHERE id = ANY ($1::uuid[]))
        ) AS involved
        GROUP BY account_id, root_id, channel_id
        ON CONFLICT ON CONSTRAINT thread_parts_pkey DO UPDATE
        SET since = least(part.since, excluded.since),
            replied_position = least(part.replied_position, excluded.replied_position),
            involved = true";
    let ids: Vec<Uuid> =
        posts.iter().zip(threads).filter(|(_, thread)| thread.is_some()).map(|(id, _)| *id).collect();
    if ids.is_empty() {
        return vec![];
    }
    [THREADS, PARTS].map(|template| Write { template, params: params![ids.clone()] }).into()
}

/// Somebody follows a thread, or not. In a channel that is gone nothing is followed.
pub(crate) fn project(batch: &mut Batch, event: &ThreadEvent, at: At) {
    const SQL: &str = "
        INSERT INTO {schema}.thread_parts AS part (account_id, root_id, channel_id, since, involved, said)
        SELECT $1, $2, id, $4, false, $5 FROM {schema}.channels WHERE id = $3
        ON CONFLICT ON CONSTRAINT thread_parts_pkey DO UPDATE
        SET since = least(part.since, excluded.since), said = excluded.said";
    let (account, root) = event.subject();
    let (channel, follows) = match event {
        ThreadEvent::Followed(event) => (event.channel_id, true),
        ThreadEvent::Unfollowed(event) => (event.channel_id, false),
    };
    batch.write(SQL, params![account.0, root.0, channel.0, at.bigint(), follows]);
}
