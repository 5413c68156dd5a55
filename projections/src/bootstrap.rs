//! What a client starts from: everything at one position.

use domain::AccountId;
use event_store::Position;

use crate::account::{self, OwnAccount};
use crate::community::{self, CommunityView};
use crate::database::{Params, Unavailable, position, row};
use crate::read_model::ReadModel;

pub(crate) const POSITION: &str = "SELECT position FROM read.checkpoint";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bootstrap {
    /// `None` while the read model has not reached the registration.
    pub account: Option<OwnAccount>,
    pub communities: Vec<CommunityView>,
    /// What is shown is the log up to here, no more and no less.
    pub position: Position,
}

impl ReadModel {
    /// What `viewer` sees, in one snapshot.
    pub async fn bootstrap(&self, viewer: AccountId) -> Result<Bootstrap, Unavailable> {
        self.database()
            .snapshot(async |client| {
                let id: Params<'_> = &[&viewer.0];
                let (checkpoint, account, communities) = tokio::try_join!(
                    row(client, POSITION, &[]),
                    row(client, account::OWN, id),
                    community::views(client, viewer, None)
                )?;
                Ok(Bootstrap {
                    account: account.as_ref().map(account::own),
                    communities,
                    position: checkpoint.map_or(Position::START, |row| position(&row, "position")),
                })
            })
            .await
    }
}
