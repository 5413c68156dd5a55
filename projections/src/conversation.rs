//! Direct and group channels, as one of those who take part sees them.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use domain::{AccountId, ChannelId};
use jiff::Timestamp;
use tokio_postgres::Row;

use crate::account::{AccountRow, account_columns};
use crate::channel::{ChannelRow, channel_columns};
use crate::database::{Params, Unavailable, rows};
use crate::read_model::ReadModel;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationRow {
    pub channel: ChannelRow,
    /// In the order in which they came.
    pub members: Vec<AccountRow>,
    /// When the newest message was posted, whatever became of it.
    pub last_message_at: Option<Timestamp>,
}

/// The conversations of an account, or the one in `$2`: what somebody said last comes first.
const OWN: &str = concat!(
    "SELECT ",
    channel_columns!(),
    ", newest.created_at AS last_message_at
    FROM read.participants
    JOIN read.channels ON channels.id = participants.channel_id
    LEFT JOIN LATERAL (
        SELECT messages.created_at FROM read.messages
        WHERE messages.channel_id = channels.id AND messages.thread_id IS NULL
        ORDER BY messages.position DESC
        LIMIT 1
    ) AS newest ON true
    WHERE participants.account_id = $1
        AND participants.joined_at IS NOT NULL
        AND ($2::uuid IS NULL OR participants.channel_id = $2)
    ORDER BY coalesce(newest.created_at, channels.created_at) DESC, channels.id"
);

/// Those who take part in the conversations of an account, or in the one in `$2`.
const MEMBERS: &str = concat!(
    "SELECT others.channel_id AS conversation_id, ",
    account_columns!(),
    "
    FROM read.participants AS own
    JOIN read.participants AS others ON others.channel_id = own.channel_id AND others.joined_at IS NOT NULL
    JOIN read.accounts ON accounts.id = others.account_id
    LEFT JOIN read.installation ON installation.administrator = accounts.id
    WHERE own.account_id = $1
        AND own.joined_at IS NOT NULL
        AND ($2::uuid IS NULL OR own.channel_id = $2)
    ORDER BY others.position, others.account_id"
);

/// The conversations of `viewer`: all of them, or `only` one. In one transaction, where they must be of one moment.
pub(crate) async fn views(
    client: &impl GenericClient,
    viewer: AccountId,
    only: Option<ChannelId>,
) -> Result<Vec<ConversationRow>, tokio_postgres::Error> {
    let only = only.map(|id| id.0);
    let params: Params<'_> = &[&viewer.0, &only];
    let (channels, members) = tokio::try_join!(rows(client, OWN, params), rows(client, MEMBERS, params))?;
    let mut by_channel: HashMap<ChannelId, Vec<AccountRow>> = HashMap::new();
    for row in &members {
        let channel = ChannelId(row.get("conversation_id"));
        by_channel.entry(channel).or_default().push(AccountRow::of(row));
    }
    let view = |row: &Row| {
        let channel = ChannelRow::of(row);
        let members = by_channel.remove(&channel.id).unwrap_or_default();
        ConversationRow { channel, members, last_message_at: row.get("last_message_at") }
    };
    Ok(channels.iter().map(view).collect())
}

impl ReadModel {
    /// A direct or group channel that `viewer` takes part in.
    pub async fn conversation(
        &self,
        viewer: AccountId,
        id: ChannelId,
    ) -> Result<Option<ConversationRow>, Unavailable> {
        self.database().within(async |client| Ok(views(client, viewer, Some(id)).await?.pop())).await
    }

    /// Those that `viewer` takes part in, the one where something was said last first.
    pub async fn conversations_of(&self, viewer: AccountId) -> Result<Vec<ConversationRow>, Unavailable> {
        self.database().within(async |client| views(client, viewer, None).await).await
    }
}
