//! What a client starts from: everything at one position.

use domain::AccountId;
use event_store::Position;

use crate::account::{self, OwnAccount};
use crate::community::{self, CommunityView};
use crate::conversation::{self, ConversationRow};
use crate::database::{Params, Unavailable, position, row, rows};
use crate::read_model::ReadModel;
use crate::read_state::{self, Mark, Seen, UnreadRow};

pub(crate) const POSITION: &str = "SELECT position FROM read.checkpoint";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bootstrap {
    /// `None` while the read model has not reached the registration.
    pub account: Option<OwnAccount>,
    pub communities: Vec<CommunityView>,
    /// The direct and group channels.
    pub conversations: Vec<ConversationRow>,
    /// Of each channel.
    pub unread: Vec<UnreadRow>,
    /// What is shown is the log up to here, no more and no less.
    pub position: Position,
}

impl ReadModel {
    /// What `viewer` sees, in one snapshot, and what it has not read of it, given its marks.
    pub async fn bootstrap(&self, viewer: AccountId, marks: &[Mark]) -> Result<Bootstrap, Unavailable> {
        self.database()
            .snapshot(async |client| {
                let id: Params<'_> = &[&viewer.0];
                let (checkpoint, account, communities, talks, conversations) = tokio::try_join!(
                    row(client, POSITION, &[]),
                    row(client, account::OWN, id),
                    community::views(client, viewer, None),
                    conversation::views(client, viewer, None),
                    rows(client, read_state::CONVERSATIONS, id)
                )?;
                let seen = Seen::all(viewer, &communities, &conversations);
                let unread = read_state::unread(client, viewer, &seen, marks).await?;
                Ok(Bootstrap {
                    account: account.as_ref().map(account::own),
                    communities,
                    conversations: talks,
                    unread,
                    position: checkpoint.map_or(Position::START, |row| position(&row, "position")),
                })
            })
            .await
    }
}
