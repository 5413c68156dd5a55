//! Channels.

use domain::channel::ChannelKind;
use domain::permission::Overwrites;
use domain::{AccountId, ChannelId, CommunityId};
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use crate::database::Unavailable;
use crate::read_model::ReadModel;
use crate::viewing::{may_view, viewed_columns, viewed_from};

mod project;

pub(crate) use project::{ordered, project};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRow {
    pub id: ChannelId,
    /// `None` for a direct or group channel.
    pub community_id: Option<CommunityId>,
    pub kind: ChannelKind,
    /// `None`: a direct channel, or a group that goes by its members' names.
    pub name: Option<String>,
    /// Empty: none.
    pub topic: String,
    /// Never a category that is gone: a channel outlives its category.
    pub category_id: Option<ChannelId>,
    /// Of a group.
    pub owner_id: Option<AccountId>,
    pub private: bool,
    pub overwrites: Overwrites,
    /// In seconds; 0: off.
    pub slow_mode: u32,
    pub archived: bool,
    pub created_at: Timestamp,
}

macro_rules! channel_columns {
    () => {
        "channels.id AS channel_id, channels.community_id, channels.kind, channels.name, channels.topic,
            channels.category_id, channels.owner_id AS channel_owner_id, channels.private, channels.overwrites,
            channels.slow_mode, channels.archived, channels.created_at"
    };
}
pub(crate) use channel_columns;

impl ChannelRow {
    pub(crate) fn of(row: &Row) -> Self {
        Self {
            id: ChannelId(row.get("channel_id")),
            community_id: row.get::<_, Option<_>>("community_id").map(CommunityId),
            kind: ChannelKind::parse(row.get("kind")).expect("the projector writes kinds that it knows"),
            name: row.get("name"),
            topic: row.get("topic"),
            category_id: row.get::<_, Option<_>>("category_id").map(ChannelId),
            owner_id: row.get::<_, Option<_>>("channel_owner_id").map(AccountId),
            private: row.get("private"),
            overwrites: row.get::<_, Json<Overwrites>>("overwrites").0,
            slow_mode: row.get::<_, i32>("slow_mode").unsigned_abs(),
            archived: row.get("archived"),
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
    ORDER BY channels.place NULLS LAST, channels.created_at, channels.id"
);

/// What decides whether an account (`$1`) sees a channel (`$2`): a row, and `may_view` of it.
pub(crate) const ACCESS: &str =
    concat!("SELECT ", viewed_columns!(), " FROM read.channels ", viewed_from!(), " WHERE channels.id = $2");

impl ReadModel {
    /// How many channels a community has, its categories among them, whoever asks.
    pub async fn channel_count(&self, community: CommunityId) -> Result<usize, Unavailable> {
        const SQL: &str = "SELECT count(*) FROM read.channels WHERE community_id = $1";
        let row = self.database().row(SQL, &[&community.0]).await?;
        let count = row.map_or(0, |row| row.get::<_, i64>(0).unsigned_abs());
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// A channel that `viewer` may see.
    pub async fn channel(&self, viewer: AccountId, id: ChannelId) -> Result<Option<ChannelRow>, Unavailable> {
        const SQL: &str = concat!(
            "SELECT ",
            viewed_columns!(),
            ", ",
            channel_columns!(),
            " FROM read.channels ",
            viewed_from!(),
            " WHERE channels.id = $2"
        );
        let row = self.database().row(SQL, &[&viewer.0, &id.0]).await?;
        Ok(row.filter(may_view).as_ref().map(ChannelRow::of))
    }
}
