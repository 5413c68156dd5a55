//! Reactions: how many of each kind a message has, and who reacts.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use domain::emoji::Emoji;
use domain::{AccountId, MessageId};
use event_store::Position;
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

mod project;

pub(crate) use project::{Gathered, project};

use crate::account::{AccountRow, account_columns};
use crate::database::{Params, Unavailable, position, rows, to_bigint};
use crate::message;
use crate::read_model::ReadModel;
use crate::viewing::may_view;

/// One kind of reaction on a message, as a viewer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionRow {
    pub emoji: String,
    pub count: u32,
    /// Whether the viewer is among them.
    pub me: bool,
}

/// An account that reacts to a message, or votes on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantRow {
    pub account: AccountRow,
    pub created_at: Timestamp,
    pub position: Position,
}

/// A page of those who react with one emoji, or vote for one option: the first first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantPage {
    pub items: Vec<ParticipantRow>,
    /// Where to go on, `None` at the end.
    pub next: Option<Position>,
}

impl ParticipantPage {
    /// Of rows with one more than the page holds, if the list goes on.
    pub(crate) fn of(rows: &[Row], limit: usize) -> Self {
        let participant = |row: &Row| ParticipantRow {
            account: AccountRow::of(row),
            created_at: row.get("created_at"),
            position: position(row, "position"),
        };
        let items: Vec<_> = rows.iter().take(limit).map(participant).collect();
        let next = items.last().filter(|_| rows.len() > limit).map(|last| last.position);
        Self { items, next }
    }
}

/// The reactions of `messages` (`$1`) as an account (`$2`) sees them, in the order of their first use.
const OF_MESSAGES: &str = "
    SELECT counts.message_id, counts.emoji, counts.count, EXISTS (
        SELECT FROM read.reactions
        WHERE reactions.message_id = counts.message_id
            AND reactions.emoji = counts.emoji
            AND reactions.account_id = $2
    ) AS me
    FROM read.reaction_counts AS counts
    WHERE counts.message_id = ANY ($1)
    ORDER BY counts.position";

/// The reactions of messages, for those that have any.
pub(crate) async fn of_messages(
    client: &impl GenericClient,
    viewer: AccountId,
    messages: &[Uuid],
) -> Result<HashMap<MessageId, Vec<ReactionRow>>, tokio_postgres::Error> {
    let params: Params<'_> = &[&messages, &viewer.0];
    let mut reactions: HashMap<MessageId, Vec<ReactionRow>> = HashMap::new();
    for row in rows(client, OF_MESSAGES, params).await? {
        let count = row.get::<_, i32>("count").unsigned_abs();
        let reaction = ReactionRow { emoji: row.get("emoji"), count, me: row.get("me") };
        reactions.entry(MessageId(row.get("message_id"))).or_default().push(reaction);
    }
    Ok(reactions)
}

impl ReadModel {
    /// Who reacts to a message with `emoji`, after `after`; `None` when `viewer` may not see the message.
    pub async fn reactors(
        &self,
        viewer: AccountId,
        id: MessageId,
        emoji: &Emoji,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Option<ParticipantPage>, Unavailable> {
        const SQL: &str = concat!(
            "SELECT reactions.position, reactions.created_at, ",
            account_columns!(),
            "
            FROM read.reactions
            JOIN read.accounts ON accounts.id = reactions.account_id
            LEFT JOIN read.installation ON installation.administrator = accounts.id
            WHERE reactions.message_id = $1 AND reactions.emoji = $2 AND reactions.position > $3
            ORDER BY reactions.position
            LIMIT $4"
        );
        let after = after.map_or(0, to_bigint);
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
        self.database()
            .within(async |client| {
                let one: &[Uuid] = &[id.0];
                let whose: Params<'_> = &[&viewer.0, &one];
                let which: Params<'_> = &[&id.0, &emoji.as_str(), &after, &wanted];
                let (seen, found) =
                    tokio::try_join!(rows(client, message::SEEN, whose), rows(client, SQL, which))?;
                let seen = seen.first().is_some_and(may_view);
                Ok(seen.then(|| ParticipantPage::of(&found, limit)))
            })
            .await
    }
}
