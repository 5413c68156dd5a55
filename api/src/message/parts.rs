//! What a message may have besides its text.

use domain::{AccountId, ChannelId, MessageId, Role};
use jiff::Timestamp;
use projections::{ForwardedRow, ThreadRow};
use serde::Serialize;
use utoipa::ToSchema;

/// Whom a message mentions, as far as its author may. At most 50 accounts and 10 roles are mentioned by one text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Mentions {
    #[schema(value_type = Vec<Uuid>, max_items = 50)]
    accounts: Vec<AccountId>,
    /// Roles of the community.
    #[schema(value_type = Vec<String>, max_items = 10, example = json!(["moderator"]))]
    roles: Vec<Role>,
    /// All who may see the channel.
    everyone: bool,
    /// Those of them who are there just now.
    here: bool,
}

impl From<domain::mention::Mentions> for Mentions {
    fn from(mentions: domain::mention::Mentions) -> Self {
        let domain::mention::Mentions { accounts, roles, everyone, here } = mentions;
        Self { accounts: accounts.into_iter().collect(), roles: roles.into_iter().collect(), everyone, here }
    }
}

/// How the thread below a message stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ThreadSummary {
    /// Its messages that are not deleted.
    replies: u32,
    /// When the newest was posted, deleted since or not.
    last_reply_at: Timestamp,
    /// The first who posted in it.
    #[schema(value_type = Vec<Uuid>, max_items = 5)]
    participants: Vec<AccountId>,
}

impl From<ThreadRow> for ThreadSummary {
    fn from(row: ThreadRow) -> Self {
        let ThreadRow { replies, last_reply_at, participants } = row;
        Self { replies, last_reply_at, participants }
    }
}

/// A text from another message, as it was when it was passed on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Forwarded {
    /// The message that it was first in, seen by you or not.
    #[schema(value_type = Uuid)]
    message_id: MessageId,
    #[schema(value_type = Uuid)]
    channel_id: ChannelId,
    #[schema(value_type = Uuid)]
    author_id: AccountId,
    /// When that was posted.
    created_at: Timestamp,
    /// Markdown source; null when it was erased.
    content: Option<String>,
}

impl Forwarded {
    pub(crate) fn new(origin: domain::message::Forwarded, content: Option<String>) -> Self {
        let domain::message::Forwarded { message_id, channel_id, author_id, created_at } = origin;
        Self { message_id, channel_id, author_id, created_at, content }
    }
}

impl From<ForwardedRow> for Forwarded {
    fn from(row: ForwardedRow) -> Self {
        Self::new(row.origin, row.content)
    }
}
