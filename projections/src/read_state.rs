//! Read states: how much of each channel an account has not read. Up to where it has read is its own affair and not in the
//! log: the caller brings it.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use domain::{AccountId, ChannelId, CommunityId, MessageId};
use event_store::Position;
use jiff::Timestamp;
use tokio_postgres::Row;

use crate::channel::ChannelRow;
use crate::community::{self, CommunityView};
use crate::database::{Params, Unavailable, position, row, rows, to_bigint};
use crate::mention;
use crate::read_model::ReadModel;
use crate::viewing::{Membership, may_view, viewed_columns, viewed_from};

/// The most that are counted in one channel; as many stand for more, too.
pub const MOST_UNREAD: u32 = 100;
/// How many messages behind the mark are looked at to find them: many of one's own, or deleted ones, cost no more.
const LOOKED_AT: i64 = 1_000;

/// Up to where an account says it has read a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub channel_id: ChannelId,
    pub position: Position,
    /// When it said so. A mark from before it came (it had left, and is back) counts only where it is further on than
    /// what was there when it came.
    pub at: Timestamp,
}

/// What an account has not read of a channel: messages of others that are not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnreadRow {
    pub channel_id: ChannelId,
    /// [`MOST_UNREAD`] at most.
    pub unread: u32,
    pub first_unread: Option<MessageId>,
    /// How many of its messages behind the mark mention the account, by a role too or with everybody; [`MOST_UNREAD`] at
    /// most.
    pub mentions: u32,
}

/// Where reading begins for an account that has read nothing of a channel yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadStart {
    /// What is up to here was there when it came.
    pub position: Position,
    /// When it came.
    pub since: Timestamp,
    /// Whether the channel is a direct or group channel.
    pub in_conversation: bool,
    /// What mentions the account there.
    pub named: Named,
}

/// The targets of mentions that name an account somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named(Vec<String>);

/// What an account may see, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    pub communities: Vec<CommunityId>,
    /// Theirs, and the direct and group channels.
    pub channels: Vec<ChannelId>,
}

/// A channel that an account may see since it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    channel: ChannelId,
    since: Timestamp,
    /// The targets of mentions that name the account there; none has a comma.
    named: String,
}

/// The direct and group channels that an account (`$1`) takes part in.
pub(crate) const CONVERSATIONS: &str = "
    SELECT channel_id, joined_at
    FROM read.participants
    WHERE account_id = $1 AND joined_at IS NOT NULL
    ORDER BY joined_at, channel_id";

impl Seen {
    /// The channels of communities, and the conversations in rows of [`CONVERSATIONS`].
    pub(crate) fn all(viewer: AccountId, views: &[CommunityView], conversations: &[Row]) -> Vec<Self> {
        let of_view = |view: &CommunityView| {
            let since = view.member.joined_at;
            let named = mention::naming(viewer, view.member.roles()).join(",");
            let seen = |channel: &ChannelRow| Self { channel: channel.id, since, named: named.clone() };
            view.channels.iter().map(seen).collect::<Vec<_>>()
        };
        let named = mention::naming(viewer, []).join(",");
        let conversation = |row: &Row| Self {
            channel: ChannelId(row.get("channel_id")),
            since: row.get("joined_at"),
            named: named.clone(),
        };
        views.iter().flat_map(of_view).chain(conversations.iter().map(conversation)).collect()
    }
}

/// The newest message of a channel that was there at a time.
macro_rules! newest_at {
    ($channel:literal, $time:literal) => {
        concat!(
            "(
                SELECT messages.position
                FROM read.messages
                WHERE messages.channel_id = ",
            $channel,
            " AND messages.thread_id IS NULL AND messages.created_at <= ",
            $time,
            "
                ORDER BY messages.created_at DESC, messages.position DESC
                LIMIT 1
            )"
        )
    };
}

/// What `viewer` has not read of each channel that it sees. Each costs a range of one index, however long its history is.
pub(crate) async fn unread(
    client: &Transaction<'_>,
    viewer: AccountId,
    seen: &[Seen],
    marks: &[Mark],
) -> Result<Vec<UnreadRow>, tokio_postgres::Error> {
    const SQL: &str = concat!(
        "SELECT asked.channel_id, counted.unread, counted.first_unread, mentioned.mentions
        FROM unnest($2::uuid[], $3::bigint[], $4::timestamptz[], $7::text[])
            AS asked (channel_id, position, since, named)
        CROSS JOIN LATERAL (SELECT greatest(asked.position, ",
        newest_at!("asked.channel_id", "asked.since"),
        ") AS position) AS mark
        CROSS JOIN LATERAL (
            SELECT count(*) AS unread, (array_agg(unread.id ORDER BY unread.position))[1] AS first_unread
            FROM (
                SELECT behind.id, behind.position
                FROM (
                    SELECT id, position, author_id, deleted_at
                    FROM read.messages
                    WHERE messages.channel_id = asked.channel_id
                        AND messages.thread_id IS NULL
                        AND messages.position > mark.position
                    ORDER BY messages.position
                    LIMIT $5
                ) AS behind
                WHERE behind.author_id <> $1 AND behind.deleted_at IS NULL
                ORDER BY behind.position
                LIMIT $6
            ) AS unread
        ) AS counted
        CROSS JOIN LATERAL (
            SELECT least(count(DISTINCT named.position), $6) AS mentions
            FROM unnest(string_to_array(asked.named, ',')) AS target (target)
            CROSS JOIN LATERAL (
                SELECT behind.position
                FROM (
                    SELECT position, author_id, thread_id
                    FROM read.mentions
                    WHERE mentions.channel_id = asked.channel_id
                        AND mentions.target = target.target
                        AND mentions.position > mark.position
                    ORDER BY mentions.position
                    LIMIT $5
                ) AS behind
                WHERE behind.author_id <> $1 AND behind.thread_id IS NULL
                LIMIT $6
            ) AS named
        ) AS mentioned"
    );
    // What is planned for channels of the usual length would read the whole of a huge one, or compile first.
    const PLAN: &str = "
        SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off;
        SET LOCAL jit = off";
    let marks: HashMap<ChannelId, &Mark> = marks.iter().map(|mark| (mark.channel_id, mark)).collect();
    let (mut channels, mut positions, mut times, mut named) = (vec![], vec![], vec![], vec![]);
    for Seen { channel, since, named: targets } in seen {
        let mark = marks.get(channel);
        channels.push(channel.0);
        named.push(targets.as_str());
        positions.push(mark.map_or(0, |mark| to_bigint(mark.position)));
        times.push(mark.is_none_or(|mark| mark.at < *since).then_some(*since));
    }
    let most = i64::from(MOST_UNREAD);
    let params: Params<'_> = &[&viewer.0, &channels, &positions, &times, &LOOKED_AT, &most, &named];
    let count = |row: &Row, column| u32::try_from(row.get::<_, i64>(column)).unwrap_or(MOST_UNREAD);
    let unread = |row: &Row| UnreadRow {
        channel_id: ChannelId(row.get("channel_id")),
        unread: count(row, "unread"),
        mentions: count(row, "mentions"),
        first_unread: row.get::<_, Option<_>>("first_unread").map(MessageId),
    };
    client.batch_execute(PLAN).await?;
    Ok(rows(client, SQL, params).await?.iter().map(unread).collect())
}

impl ReadModel {
    /// What `viewer` has not read of each channel that it may see, given its marks.
    pub async fn unread(&self, viewer: AccountId, marks: &[Mark]) -> Result<Vec<UnreadRow>, Unavailable> {
        self.database()
            .snapshot(async |client| {
                let id: Params<'_> = &[&viewer.0];
                let (views, conversations) = tokio::try_join!(
                    community::views(client, viewer, None),
                    rows(client, CONVERSATIONS, id)
                )?;
                unread(client, viewer, &Seen::all(viewer, &views, &conversations), marks).await
            })
            .await
    }

    /// What `viewer` may see.
    pub async fn sight(&self, viewer: AccountId) -> Result<Sight, Unavailable> {
        self.database()
            .snapshot(async |client| {
                let id: Params<'_> = &[&viewer.0];
                let (views, conversations) = tokio::try_join!(
                    community::views(client, viewer, None),
                    rows(client, CONVERSATIONS, id)
                )?;
                Ok(Sight {
                    communities: views.iter().map(|view| view.community.id).collect(),
                    channels: Seen::all(viewer, &views, &conversations)
                        .iter()
                        .map(|seen| seen.channel)
                        .collect(),
                })
            })
            .await
    }

    /// What `viewer` has not read of one channel that it may see, since `start`.
    pub async fn unread_in(
        &self,
        viewer: AccountId,
        channel: ChannelId,
        start: &ReadStart,
        mark: Option<Mark>,
    ) -> Result<UnreadRow, Unavailable> {
        let seen = [Seen { channel, since: start.since, named: start.named.0.join(",") }];
        let marks: Vec<Mark> = mark.into_iter().collect();
        let rows = self.database().snapshot(async |client| unread(client, viewer, &seen, &marks).await);
        rows.await?.pop().ok_or_else(|| Unavailable::new("a row for each channel that was asked for"))
    }

    /// Who takes part in a direct or group channel that `viewer` takes part in, longest first; `None` for any other.
    pub async fn participants(
        &self,
        viewer: AccountId,
        channel: ChannelId,
    ) -> Result<Option<Vec<AccountId>>, Unavailable> {
        const SQL: &str = "
            SELECT account_id
            FROM read.participants
            WHERE channel_id = $1 AND joined_at IS NOT NULL
            ORDER BY joined_at, account_id";
        let rows = self.database().rows(SQL, &[&channel.0]).await?;
        let accounts: Vec<AccountId> = rows.iter().map(|row| AccountId(row.get("account_id"))).collect();
        Ok(accounts.contains(&viewer).then_some(accounts))
    }

    /// Where reading a channel begins for `viewer`; `None` when it may not see the channel.
    pub async fn read_start(
        &self,
        viewer: AccountId,
        channel: ChannelId,
    ) -> Result<Option<ReadStart>, Unavailable> {
        const SQL: &str = concat!(
            "SELECT coalesce(participants.joined_at, memberships.joined_at) AS since,
                channels.community_id IS NULL AS in_conversation, coalesce(",
            newest_at!("channels.id", "coalesce(participants.joined_at, memberships.joined_at)"),
            ", 0) AS position, ",
            viewed_columns!(),
            " FROM read.channels ",
            viewed_from!(),
            " WHERE channels.id = $2"
        );
        let start = self.database().within(async |client| row(client, SQL, &[&viewer.0, &channel.0]).await);
        let row = start.await?.filter(may_view);
        let held = |row: &Row| Membership::of(row).map(|membership| membership.held).unwrap_or_default();
        let start = |row: &Row| ReadStart {
            position: position(row, "position"),
            since: row.get("since"),
            in_conversation: row.get("in_conversation"),
            named: Named(mention::naming(viewer, &held(row))),
        };
        Ok(row.as_ref().map(start))
    }
}
