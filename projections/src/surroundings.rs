//! Who is around whom: the places that accounts share with others.

use std::collections::HashMap;

use domain::{AccountId, ChannelId, CommunityId};

use crate::account::uuids;
use crate::database::{Params, Unavailable, rows};
use crate::read_model::ReadModel;

/// Where others see an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// Those that it is a member of, by id.
    pub communities: Vec<CommunityId>,
    /// The direct and group channels that it takes part in, by id.
    pub conversations: Vec<ChannelId>,
}

impl ReadModel {
    /// Where each of `accounts` is seen by others; nothing of who is nowhere.
    pub async fn surroundings(
        &self,
        accounts: &[AccountId],
    ) -> Result<HashMap<AccountId, Surroundings>, Unavailable> {
        const COMMUNITIES: &str = "
            SELECT memberships.account_id, memberships.community_id
            FROM read.memberships
            JOIN read.communities ON communities.id = memberships.community_id
            WHERE memberships.account_id = ANY ($1::uuid[]) AND memberships.state = 'member'
            ORDER BY memberships.account_id, memberships.community_id";
        const CONVERSATIONS: &str = "
            SELECT account_id, channel_id FROM read.participants
            WHERE account_id = ANY ($1::uuid[]) AND joined_at IS NOT NULL
            ORDER BY account_id, channel_id";
        let ids = uuids(accounts);
        let (communities, conversations) = self
            .database()
            .within(async |client| {
                let params: Params<'_> = &[&ids];
                tokio::try_join!(rows(client, COMMUNITIES, params), rows(client, CONVERSATIONS, params))
            })
            .await?;
        let mut around: HashMap<AccountId, Surroundings> = HashMap::new();
        for row in &communities {
            let account = around.entry(AccountId(row.get("account_id"))).or_default();
            account.communities.push(CommunityId(row.get("community_id")));
        }
        for row in &conversations {
            let account = around.entry(AccountId(row.get("account_id"))).or_default();
            account.conversations.push(ChannelId(row.get("channel_id")));
        }
        Ok(around)
    }
}
