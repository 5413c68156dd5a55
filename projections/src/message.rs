//! Messages, one by one; `history` has the pages of a channel.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use domain::mention::Mentions;
use domain::message::Forwarded;
use domain::{AccountId, ChannelId, MessageId};
use event_store::Position;
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

mod history;
mod pin;
mod project;

pub use history::{HistoryPage, Range};
pub use pin::{PinPage, PinRow};
pub(crate) use project::{Gathered, project};

use crate::database::{Params, Unavailable, position, rows};
use crate::poll::{self, PollRow};
use crate::reaction::{self, ReactionRow};
use crate::read_model::ReadModel;
use crate::thread::{self, ThreadRow};
use crate::viewing::{may_view, viewed_columns, viewed_from};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    pub id: MessageId,
    pub channel_id: ChannelId,
    pub author_id: AccountId,
    /// `None` when it was deleted or erased.
    pub content: Option<String>,
    pub reply_to: Option<MessageId>,
    pub created_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    pub pinned: bool,
    /// In the order of their first use.
    pub reactions: Vec<ReactionRow>,
    pub poll: Option<PollRow>,
    /// The first message of the thread that it is in.
    pub thread_id: Option<MessageId>,
    /// The thread below it, if there is one.
    pub thread: Option<ThreadRow>,
    /// None when it was deleted.
    pub mentions: Mentions,
    /// `None` when it was deleted, too.
    pub forwarded: Option<ForwardedRow>,
    /// Of its post: its place in the channel.
    pub position: Position,
}

/// What a message passes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardedRow {
    pub origin: Forwarded,
    /// `None` when it was erased.
    pub content: Option<String>,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessagePlace {
    pub channel_id: ChannelId,
    pub thread_id: Option<MessageId>,
    pub position: Position,
}

/// One of the texts that a message has had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    /// 1 is the text as posted.
    pub version: u32,
    /// `None` when it was deleted or erased.
    pub content: Option<String>,
    pub created_at: Timestamp,
}

macro_rules! message_columns {
    () => {
        "messages.id, messages.channel_id, messages.author_id, messages.content, messages.reply_to,
            messages.created_at, messages.edited_at, messages.deleted_at, messages.pinned_position IS NOT NULL AS pinned,
            messages.thread_id, messages.mentions, messages.forwarded, messages.copy, messages.position"
    };
}
pub(crate) use message_columns;

impl MessageRow {
    /// Without its reactions, its poll and its thread: [`complete`] adds them.
    pub(crate) fn of(row: &Row) -> Self {
        let mentions: Option<Json<Mentions>> = row.get("mentions");
        let forwarded: Option<Json<Forwarded>> = row.get("forwarded");
        Self {
            id: MessageId(row.get("id")),
            channel_id: ChannelId(row.get("channel_id")),
            author_id: AccountId(row.get("author_id")),
            content: row.get("content"),
            reply_to: row.get::<_, Option<_>>("reply_to").map(MessageId),
            created_at: row.get("created_at"),
            edited_at: row.get("edited_at"),
            deleted_at: row.get("deleted_at"),
            pinned: row.get("pinned"),
            reactions: Vec::new(),
            poll: None,
            thread_id: row.get::<_, Option<_>>("thread_id").map(MessageId),
            thread: None,
            mentions: mentions.map(|json| json.0).unwrap_or_default(),
            forwarded: forwarded.map(|json| ForwardedRow { origin: json.0, content: row.get("copy") }),
            position: position(row, "position"),
        }
    }
}

/// Adds the reactions, polls and threads of messages as `viewer` sees them: three queries in one round trip, however many messages.
pub(crate) async fn complete(
    client: &impl GenericClient,
    viewer: AccountId,
    mut messages: Vec<MessageRow>,
) -> Result<Vec<MessageRow>, tokio_postgres::Error> {
    let ids: Vec<Uuid> = messages.iter().map(|message| message.id.0).collect();
    if ids.is_empty() {
        return Ok(messages);
    }
    let (mut reactions, mut polls, mut threads) = tokio::try_join!(
        reaction::of_messages(client, viewer, &ids),
        poll::of_messages(client, viewer, &ids),
        thread::of_messages(client, &ids)
    )?;
    for message in &mut messages {
        message.reactions = reactions.remove(&message.id).unwrap_or_default();
        message.poll = polls.remove(&message.id);
        message.thread = threads.remove(&message.id);
    }
    Ok(messages)
}

/// Deletes the messages of the channels that `$channels` is a condition on, with all that is said of them. Those in
/// threads are found by their threads: no index leads from a channel to them.
macro_rules! delete_messages {
    (part $table:literal, $channels:literal) => {
        concat!(
            "DELETE FROM {schema}.",
            $table,
            " AS part
            WHERE part.message_id IN (
                SELECT place.id FROM {schema}.messages AS place WHERE place.thread_id IS NULL AND place.",
            $channels,
            "
                UNION ALL
                SELECT messages.id
                FROM {schema}.threads AS place
                JOIN {schema}.messages ON messages.thread_id = place.root_id
                WHERE place.",
            $channels,
            "
            )"
        )
    };
    ($channels:literal) => {
        [
            delete_messages!(part "message_versions", $channels),
            delete_messages!(part "reactions", $channels),
            delete_messages!(part "reaction_counts", $channels),
            delete_messages!(part "polls", $channels),
            delete_messages!(part "poll_votes", $channels),
            delete_messages!(part "mentions", $channels),
            concat!(
                "DELETE FROM {schema}.messages USING {schema}.threads AS place
                WHERE messages.thread_id = place.root_id AND place.",
                $channels
            ),
            concat!("DELETE FROM {schema}.messages AS place WHERE place.thread_id IS NULL AND place.", $channels),
            concat!("DELETE FROM {schema}.threads AS place WHERE place.", $channels),
            concat!("DELETE FROM {schema}.thread_parts AS place WHERE place.", $channels),
        ]
    };
}

/// Delete the messages of a channel (`$1`).
pub(crate) const DELETE_IN_CHANNEL: [&str; 10] = delete_messages!("channel_id = $1");

/// The same for all channels of a community (`$1`), before those are deleted.
pub(crate) const DELETE_IN_COMMUNITY: [&str; 10] =
    delete_messages!("channel_id IN (SELECT id FROM {schema}.channels WHERE community_id = $1)");

/// A message (`$2`) beside what decides whether an account (`$1`) sees it.
pub(crate) const SEEN: &str = concat!(
    "SELECT ",
    viewed_columns!(),
    ", ",
    message_columns!(),
    "
    FROM read.messages
    JOIN read.channels ON channels.id = messages.channel_id ",
    viewed_from!(),
    " WHERE messages.id = ANY ($2::uuid[])"
);

impl ReadModel {
    /// A message that `viewer` may see, deleted or not.
    pub async fn message(&self, viewer: AccountId, id: MessageId) -> Result<Option<MessageRow>, Unavailable> {
        Ok(self.messages(viewer, &[id]).await?.remove(&id))
    }

    /// Those of `ids` that `viewer` may see, deleted or not.
    pub async fn messages(
        &self,
        viewer: AccountId,
        ids: &[MessageId],
    ) -> Result<HashMap<MessageId, MessageRow>, Unavailable> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        self.database()
            .within(async |client| {
                // What is said of them is read in the same round trip and dropped where the viewer may not see it.
                let whose: Params<'_> = &[&viewer.0, &ids];
                let (seen, mut reactions, mut polls, mut threads) = tokio::try_join!(
                    rows(client, SEEN, whose),
                    reaction::of_messages(client, viewer, &ids),
                    poll::of_messages(client, viewer, &ids),
                    thread::of_messages(client, &ids)
                )?;
                let whole = |message: MessageRow| MessageRow {
                    reactions: reactions.remove(&message.id).unwrap_or_default(),
                    poll: polls.remove(&message.id),
                    thread: threads.remove(&message.id),
                    ..message
                };
                let seen = seen.iter().filter(|row| may_view(row)).map(MessageRow::of).map(whole);
                Ok(seen.map(|message| (message.id, message)).collect())
            })
            .await
    }

    /// Where a message that `viewer` may see stands.
    pub async fn message_position(
        &self,
        viewer: AccountId,
        id: MessageId,
    ) -> Result<Option<(ChannelId, Position)>, Unavailable> {
        let place = self.message_place(viewer, id).await?;
        Ok(place.map(|place| (place.channel_id, place.position)))
    }

    /// The same, with the thread that it is in.
    pub async fn message_place(
        &self,
        viewer: AccountId,
        id: MessageId,
    ) -> Result<Option<MessagePlace>, Unavailable> {
        let row = self.database().row(SEEN, &[&viewer.0, &[id.0].as_slice()]).await?;
        Ok(row.filter(may_view).map(|row| MessagePlace {
            channel_id: ChannelId(row.get("channel_id")),
            thread_id: row.get::<_, Option<_>>("thread_id").map(MessageId),
            position: position(&row, "position"),
        }))
    }

    /// The texts that a message which `viewer` may see has had, oldest first; the last is the current one.
    pub async fn versions(
        &self,
        viewer: AccountId,
        id: MessageId,
    ) -> Result<Option<Vec<VersionRow>>, Unavailable> {
        const SQL: &str = "
            SELECT version, content, created_at FROM read.message_versions WHERE message_id = $1
            UNION ALL
            SELECT version, content, coalesce(edited_at, created_at) FROM read.messages WHERE id = $1
            ORDER BY version";
        let version = |row: &Row| VersionRow {
            version: row.get::<_, i32>("version").unsigned_abs(),
            content: row.get("content"),
            created_at: row.get("created_at"),
        };
        self.database()
            .within(async |client| {
                let one = [id.0];
                let one: &[Uuid] = &one;
                let (whose, which): (Params<'_>, Params<'_>) = (&[&viewer.0, &one], &[&id.0]);
                let (seen, versions) = tokio::try_join!(rows(client, SEEN, whose), rows(client, SQL, which))?;
                Ok(seen.first().is_some_and(may_view).then(|| versions.iter().map(version).collect()))
            })
            .await
    }
}
