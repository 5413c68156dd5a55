//! Channels.

use domain::channel::{ChannelEvent, ChannelKind, ChannelName, ChannelTopic};
use domain::{AccountId, ChannelId, CommunityId};
use jiff::Timestamp;
use tokio_postgres::Row;

use crate::batch::{At, Batch, params};
use crate::database::Unavailable;
use crate::membership::may_view;
use crate::read_model::ReadModel;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRow {
    pub id: ChannelId,
    pub community_id: CommunityId,
    pub kind: ChannelKind,
    pub name: String,
    /// Empty: none.
    pub topic: String,
    /// Never a category that is gone: a channel outlives its category.
    pub category_id: Option<ChannelId>,
    pub created_at: Timestamp,
}

macro_rules! channel_columns {
    () => {
        "channels.id AS channel_id, channels.community_id, channels.kind, channels.name, channels.topic,
            channels.category_id, channels.created_at"
    };
}

impl ChannelRow {
    pub(crate) fn of(row: &Row) -> Self {
        Self {
            id: ChannelId(row.get("channel_id")),
            community_id: CommunityId(row.get("community_id")),
            kind: ChannelKind::parse(row.get("kind")).expect("the projector writes kinds that it knows"),
            name: row.get("name"),
            topic: row.get("topic"),
            category_id: row.get::<_, Option<_>>("category_id").map(ChannelId),
            created_at: row.get("created_at"),
        }
    }
}

/// The channels of all communities of a member, or of the one in `$2`.
pub(crate) const OF_MEMBER: &str = concat!(
    "SELECT ",
    channel_columns!(),
    "
    FROM read.memberships
    JOIN read.channels ON channels.community_id = memberships.community_id
    WHERE memberships.account_id = $1
        AND memberships.state = 'member'
        AND ($2::uuid IS NULL OR memberships.community_id = $2)
    ORDER BY channels.created_at, channels.id"
);

/// What decides whether an account (`$1`) sees a channel (`$2`): a row, and `may_view` of it.
pub(crate) const ACCESS: &str = "
    SELECT memberships.roles, communities.owner_id = memberships.account_id AS owner
    FROM read.channels
    JOIN read.communities ON communities.id = channels.community_id
    JOIN read.memberships
        ON memberships.community_id = channels.community_id
        AND memberships.account_id = $1
        AND memberships.state = 'member'
    WHERE channels.id = $2";

impl ReadModel {
    /// A channel that `viewer` may see.
    pub async fn channel(&self, viewer: AccountId, id: ChannelId) -> Result<Option<ChannelRow>, Unavailable> {
        const SQL: &str = concat!(
            "SELECT memberships.roles, communities.owner_id = memberships.account_id AS owner, ",
            channel_columns!(),
            "
            FROM read.channels
            JOIN read.communities ON communities.id = channels.community_id
            JOIN read.memberships
                ON memberships.community_id = channels.community_id
                AND memberships.account_id = $1
                AND memberships.state = 'member'
            WHERE channels.id = $2"
        );
        let row = self.database().row(SQL, &[&viewer.0, &id.0]).await?;
        Ok(row.filter(may_view).as_ref().map(ChannelRow::of))
    }
}

pub(crate) fn project(batch: &mut Batch, event: ChannelEvent, at: At) {
    const INSERT: &str = "
        INSERT INTO {schema}.channels (id, community_id, category_id, created_at, kind, name, topic)
        SELECT $1, communities.id, (SELECT id FROM {schema}.channels WHERE id = $3), $4, $5, $6, $7
        FROM {schema}.communities
        WHERE communities.id = $2";
    const CHANGE: &str = "
        UPDATE {schema}.channels SET name = coalesce($2, name), topic = coalesce($3, topic) WHERE id = $1";
    match event {
        ChannelEvent::Created(event) => {
            let (id, community) = (event.channel_id.0, event.community_id.0);
            let category = event.category_id.map(|id| id.0);
            let (name, topic) = (event.name.into_string(), event.topic.into_string());
            let kind = event.kind.as_str();
            batch.write(INSERT, params![id, community, category, at.time, kind, name, topic]);
        }
        ChannelEvent::Changed(event) => {
            let name = event.name.map(ChannelName::into_string);
            let topic = event.topic.map(ChannelTopic::into_string);
            batch.write(CHANGE, params![event.channel_id.0, name, topic]);
        }
        ChannelEvent::Deleted(event) => deleted(batch, event.channel_id, event.community_id),
    }
}

fn deleted(batch: &mut Batch, id: ChannelId, community: CommunityId) {
    const VERSIONS: &str = "
        DELETE FROM {schema}.message_versions AS versions
        USING {schema}.messages
        WHERE messages.channel_id = $1 AND versions.message_id = messages.id";
    const MESSAGES: &str = "DELETE FROM {schema}.messages WHERE channel_id = $1";
    const CHANNEL: &str = "DELETE FROM {schema}.channels WHERE id = $1";
    const CATEGORY: &str = "
        UPDATE {schema}.channels SET category_id = NULL WHERE community_id = $2 AND category_id = $1";
    for template in [VERSIONS, MESSAGES, CHANNEL] {
        batch.write(template, params![id.0]);
    }
    batch.write(CATEGORY, params![id.0, community.0]);
}
