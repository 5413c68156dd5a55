//! The pins of a channel.

use domain::{AccountId, ChannelId};
use event_store::Position;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::{MessageRow, complete, message_columns};
use crate::channel;
use crate::database::{Params, Unavailable, position, rows, to_bigint};
use crate::read_model::ReadModel;
use crate::viewing::may_view;

/// A pinned message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinRow {
    pub message: MessageRow,
    pub pinned_by: AccountId,
    pub pinned_at: Timestamp,
    /// Of the pin: its place among the pins.
    pub position: Position,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinPage {
    /// The newest pin first.
    pub items: Vec<PinRow>,
    /// Where to go on, `None` at the end.
    pub next: Option<Position>,
}

const PINS: &str = concat!(
    "SELECT messages.pinned_position, messages.pinned_at, messages.pinned_by, ",
    message_columns!(),
    "
    FROM read.messages
    WHERE messages.channel_id = $1 AND messages.pinned_position < $2
    ORDER BY messages.pinned_position DESC
    LIMIT $3"
);

impl ReadModel {
    /// The pins of a channel before `before`; `None` when `viewer` may not see the channel.
    pub async fn pins(
        &self,
        viewer: AccountId,
        channel: ChannelId,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Option<PinPage>, Unavailable> {
        let before = before.map_or(i64::MAX, to_bigint);
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
        self.database()
            .within(async |client| {
                let whose: Params<'_> = &[&viewer.0, &channel.0];
                let which: Params<'_> = &[&channel.0, &before, &wanted];
                let (access, found) =
                    tokio::try_join!(rows(client, channel::ACCESS, whose), rows(client, PINS, which))?;
                if !access.first().is_some_and(may_view) {
                    return Ok(None);
                }
                let shown = &found[..found.len().min(limit)];
                let messages = complete(client, viewer, shown.iter().map(MessageRow::of).collect()).await?;
                let pin = |(row, message): (&Row, MessageRow)| PinRow {
                    message,
                    pinned_by: AccountId(row.get("pinned_by")),
                    pinned_at: row.get("pinned_at"),
                    position: position(row, "pinned_position"),
                };
                let items: Vec<PinRow> = shown.iter().zip(messages).map(pin).collect();
                let next = items.last().filter(|_| found.len() > limit).map(|last| last.position);
                Ok(Some(PinPage { items, next }))
            })
            .await
    }
}
