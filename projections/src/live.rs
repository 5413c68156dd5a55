//! What live delivery asks: which topics an account may follow, and what changed about that.

use std::collections::BTreeSet;

use domain::permission::rank;
use domain::{AccountId, ChannelId, CommunityId, Rank, Role};
use event_store::Position;
use tokio_postgres::Row;

use crate::bootstrap::POSITION;
use crate::database::{Params, Unavailable, position, row, rows, to_bigint};
use crate::membership::{may_view, roles};
use crate::read_model::ReadModel;

/// What an account has access to at a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub position: Position,
    pub communities: Vec<CommunityAccess>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommunityAccess {
    pub id: CommunityId,
    pub owner_id: AccountId,
    pub roles: BTreeSet<Role>,
    /// Those that the account may see.
    pub channels: Vec<ChannelId>,
}

/// A community whose membership, for one account, is not what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MembershipChange {
    pub community_id: CommunityId,
    /// Of the last change.
    pub position: Position,
    pub is_member: bool,
}

impl ReadModel {
    /// What `account` may follow, in one snapshot.
    pub async fn access(&self, account: AccountId) -> Result<Access, Unavailable> {
        const SQL: &str = "
            SELECT communities.id, communities.owner_id, memberships.roles,
                communities.owner_id = memberships.account_id AS owner,
                array(SELECT channels.id FROM read.channels WHERE channels.community_id = communities.id) AS channels
            FROM read.memberships
            JOIN read.communities ON communities.id = memberships.community_id
            WHERE memberships.account_id = $1 AND memberships.state = 'member'";
        let community = |row: &Row| {
            let roles = roles(row);
            let channels: Vec<uuid::Uuid> = if may_view(row) { row.get("channels") } else { vec![] };
            (rank(row.get("owner"), &roles) > Rank::Outsider).then(|| CommunityAccess {
                id: CommunityId(row.get("id")),
                owner_id: AccountId(row.get("owner_id")),
                roles,
                channels: channels.into_iter().map(ChannelId).collect(),
            })
        };
        self.database()
            .snapshot(async |client| {
                let id: Params<'_> = &[&account.0];
                let (checkpoint, communities) =
                    tokio::try_join!(row(client, POSITION, &[]), rows(client, SQL, id))?;
                Ok(Access {
                    position: checkpoint.map_or(Position::START, |row| position(&row, "position")),
                    communities: communities.iter().filter_map(community).collect(),
                })
            })
            .await
    }

    /// The communities in which the membership of `account` changed after `after`, with its last change.
    pub async fn membership_changes(
        &self,
        account: AccountId,
        after: Position,
    ) -> Result<Vec<MembershipChange>, Unavailable> {
        const SQL: &str = "
            SELECT memberships.community_id, memberships.position,
                memberships.state = 'member' AND communities.id IS NOT NULL AS is_member
            FROM read.memberships
            LEFT JOIN read.communities ON communities.id = memberships.community_id
            WHERE memberships.account_id = $1 AND memberships.position > $2
            ORDER BY memberships.position";
        let rows = self.database().rows(SQL, &[&account.0, &to_bigint(after)]).await?;
        let change = |row: &Row| MembershipChange {
            community_id: CommunityId(row.get("community_id")),
            position: position(row, "position"),
            is_member: row.get("is_member"),
        };
        Ok(rows.iter().map(change).collect())
    }

    /// The community of a channel, whoever asks; `None` when the channel is gone.
    pub async fn channel_community(&self, channel: ChannelId) -> Result<Option<CommunityId>, Unavailable> {
        const SQL: &str = "SELECT community_id FROM read.channels WHERE id = $1";
        let row = self.database().row(SQL, &[&channel.0]).await?;
        Ok(row.map(|row| CommunityId(row.get("community_id"))))
    }
}
