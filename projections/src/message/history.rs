//! Pages of a channel or of a thread. Each is a range of one index, and one look-up of what is said of its messages: its cost does not
//! grow with the channel's history.

use deadpool_postgres::GenericClient;
use domain::{AccountId, ChannelId, MessageId};
use event_store::Position;
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{MessageRow, SEEN, complete, message_columns};
use crate::channel;
use crate::database::{Params, Unavailable, position, rows, to_bigint};
use crate::read_model::ReadModel;
use crate::viewing::may_view;

/// Which page of a channel or a thread. Positions are those of messages, or any others of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    Newest,
    /// The newest before this position.
    Before(Position),
    /// The oldest after this position.
    After(Position),
    /// As many up to this position as from it on; more on one side where the other has fewer.
    Around(Position),
    /// The newest that were there at this time.
    At(Timestamp),
}

/// A piece of a history without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    /// Newest first.
    pub items: Vec<MessageRow>,
    /// [`Range::Before`] this are the next older ones; `None` when there are none.
    pub older: Option<Position>,
    /// [`Range::After`] this are the next newer ones; `None` when there are none yet.
    pub newer: Option<Position>,
}

/// The statements over one history.
struct Statements {
    older: &'static str,
    newer: &'static str,
    at: &'static str,
}

/// `$place` is the condition on `$1` that a history is.
macro_rules! statements {
    ($place:literal) => {
        Statements {
            older: concat!(
                "SELECT ",
                message_columns!(),
                "
                FROM read.messages
                WHERE ",
                $place,
                " AND messages.position < $2
                ORDER BY messages.position DESC
                LIMIT $3"
            ),
            newer: concat!(
                "SELECT ",
                message_columns!(),
                "
                FROM read.messages
                WHERE ",
                $place,
                " AND messages.position >= $2
                ORDER BY messages.position
                LIMIT $3"
            ),
            at: concat!(
                "SELECT messages.position
                FROM read.messages
                WHERE ",
                $place,
                " AND messages.created_at <= $2
                ORDER BY messages.created_at DESC, messages.position DESC
                LIMIT 1"
            ),
        }
    };
}

const OF_CHANNEL: Statements = statements!("messages.channel_id = $1 AND messages.thread_id IS NULL");
const OF_THREAD: Statements = statements!("messages.thread_id = $1");

/// How many messages of each side of a cut belong to a page.
#[derive(Debug, Clone, Copy)]
struct Share {
    older: usize,
    newer: usize,
}

impl ReadModel {
    /// A page of at most `limit` messages, deleted ones included, those of threads not; `None` when `viewer` may not see the channel.
    pub async fn history(
        &self,
        viewer: AccountId,
        channel: ChannelId,
        range: Range,
        limit: usize,
    ) -> Result<Option<HistoryPage>, Unavailable> {
        self.database()
            .within(async |client| {
                // The page is read in the same round trip and dropped if the viewer may not see it.
                let whose: Params<'_> = &[&viewer.0, &channel.0];
                let (access, page) = tokio::try_join!(
                    rows(client, channel::ACCESS, whose),
                    page(client, &OF_CHANNEL, channel.0, range, limit)
                )?;
                if !access.first().is_some_and(may_view) {
                    return Ok(None);
                }
                let items = complete(client, viewer, page.items).await?;
                Ok(Some(HistoryPage { items, ..page }))
            })
            .await
    }

    /// A page of the thread below `root`, without `root` itself; `None` when `viewer` may not see that.
    pub async fn thread(
        &self,
        viewer: AccountId,
        root: MessageId,
        range: Range,
        limit: usize,
    ) -> Result<Option<HistoryPage>, Unavailable> {
        self.database()
            .within(async |client| {
                let root: &[Uuid] = &[root.0];
                let whose: Params<'_> = &[&viewer.0, &root];
                let (seen, page) = tokio::try_join!(
                    rows(client, SEEN, whose),
                    page(client, &OF_THREAD, root[0], range, limit)
                )?;
                if !seen.first().is_some_and(may_view) {
                    return Ok(None);
                }
                let items = complete(client, viewer, page.items).await?;
                Ok(Some(HistoryPage { items, ..page }))
            })
            .await
    }
}

/// Cuts the history before one position, and takes a share of each side with one message more than can be needed, which
/// tells whether the history goes on there.
async fn page(
    client: &impl GenericClient,
    statements: &Statements,
    place: Uuid,
    range: Range,
    limit: usize,
) -> Result<HistoryPage, tokio_postgres::Error> {
    let (cut, most) = match range {
        Range::Newest => (i64::MAX, Share { older: limit, newer: 0 }),
        Range::Before(position) => (to_bigint(position), Share { older: limit, newer: 0 }),
        Range::After(position) => (to_bigint(position).saturating_add(1), Share { older: 0, newer: limit }),
        Range::Around(position) => (to_bigint(position), Share { older: limit, newer: limit }),
        Range::At(time) => {
            let newest = rows(client, statements.at, &[&place, &time]).await?;
            let cut = newest.first().map_or(i64::MIN, |row| row.get::<_, i64>("position") + 1);
            (cut, Share { older: limit, newer: 0 })
        }
    };
    let fetched = |most: usize| i64::try_from(most).unwrap_or(i64::MAX - 1) + 1;
    let (fetch_older, fetch_newer) = (fetched(most.older), fetched(most.newer));
    let older: Params<'_> = &[&place, &cut, &fetch_older];
    let newer: Params<'_> = &[&place, &cut, &fetch_newer];
    let (older, newer) =
        tokio::try_join!(rows(client, statements.older, older), rows(client, statements.newer, newer))?;
    let share = most.divide(limit, older.len(), newer.len());
    Ok(HistoryPage {
        items: newer[..share.newer].iter().rev().chain(&older[..share.older]).map(MessageRow::of).collect(),
        older: goes_on(&older, &newer, share.older, |older| older + 1),
        newer: goes_on(&newer, &older, share.newer, |newer| newer - 1),
    })
}

/// Where to go on at a side of the cut of which `taken` messages are in the page, nearest first: past the last of them,
/// or, without any, past the nearest of the other side, or, on an empty page, just short of what is next.
fn goes_on(side: &[Row], other: &[Row], taken: usize, short_of: impl Fn(u64) -> u64) -> Option<Position> {
    let at = |row: &Row| position(row, "position");
    let next = side.get(taken)?;
    let passed = taken.checked_sub(1).map(|last| &side[last]).or(other.first());
    Some(passed.map_or_else(|| Position(short_of(at(next).0)), at))
}

impl Share {
    fn divide(self, limit: usize, older: usize, newer: usize) -> Self {
        let (older, newer) = (older.min(self.older), newer.min(self.newer));
        let half = older.min(limit / 2);
        let newer = newer.min(limit - half);
        Self { older: older.min(limit - newer), newer }
    }
}
