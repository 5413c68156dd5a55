//! What live delivery asks: which topics an account may follow, and what changed about that.

use std::collections::BTreeSet;

use domain::permission::Overwrites;
use domain::role::Roles;
use domain::{AccountId, ChannelId, CommunityId, Role};
use event_store::Position;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use crate::bootstrap::POSITION;
use crate::database::{Params, Unavailable, position, row, rows, to_bigint};
use crate::read_model::ReadModel;
use crate::viewing::{Membership, membership_columns};

/// What an account has access to at a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub position: Position,
    pub communities: Vec<CommunityAccess>,
    /// The direct and group channels that the account takes part in.
    pub conversations: Vec<ChannelId>,
}

/// A membership and the rules that it is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommunityAccess {
    pub id: CommunityId,
    pub owner_id: AccountId,
    /// Those that the account holds.
    pub held: BTreeSet<Role>,
    /// The community's.
    pub roles: Roles,
    /// Its channels for which roles alone do not decide.
    pub restricted: Vec<ChannelRules>,
    /// All its channels, seen or not.
    pub channels: Vec<ChannelId>,
}

/// What of a channel decides who sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRules {
    pub id: ChannelId,
    pub private: bool,
    pub overwrites: Overwrites,
}

/// Where an account came in or went, with the last change of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coming {
    Community { id: CommunityId, position: Position, is_member: bool },
    Conversation { id: ChannelId, position: Position, is_participant: bool },
}

impl ReadModel {
    /// What `account` may follow, in one snapshot.
    pub async fn access(&self, account: AccountId) -> Result<Access, Unavailable> {
        const COMMUNITIES: &str = concat!(
            "SELECT communities.id, ",
            membership_columns!(),
            "
            FROM read.memberships
            JOIN read.communities ON communities.id = memberships.community_id
            WHERE memberships.account_id = $1 AND memberships.state = 'member'"
        );
        const CHANNELS: &str = "
            SELECT channels.id, channels.community_id, channels.private,
                CASE WHEN channels.overwrites <> '[]' THEN channels.overwrites END AS overwrites
            FROM read.memberships
            JOIN read.channels ON channels.community_id = memberships.community_id
            WHERE memberships.account_id = $1 AND memberships.state = 'member'";
        const CONVERSATIONS: &str = "
            SELECT channel_id FROM read.participants WHERE account_id = $1 AND joined_at IS NOT NULL";
        self.database()
            .snapshot(async |client| {
                let id: Params<'_> = &[&account.0];
                let (checkpoint, communities, channels, conversations) = tokio::try_join!(
                    row(client, POSITION, &[]),
                    rows(client, COMMUNITIES, id),
                    rows(client, CHANNELS, id),
                    rows(client, CONVERSATIONS, id)
                )?;
                let mut communities: Vec<CommunityAccess> =
                    communities.iter().filter_map(CommunityAccess::of).collect();
                communities.sort_by_key(|community| community.id);
                for channel in &channels {
                    let home = CommunityId(channel.get("community_id"));
                    if let Ok(index) = communities.binary_search_by_key(&home, |community| community.id) {
                        communities[index].add(channel);
                    }
                }
                Ok(Access {
                    position: checkpoint.map_or(Position::START, |row| position(&row, "position")),
                    communities,
                    conversations: conversations.iter().map(|row| ChannelId(row.get("channel_id"))).collect(),
                })
            })
            .await
    }

    /// Where `account` came in or went after `after`, with the last change of each.
    pub async fn comings(&self, account: AccountId, after: Position) -> Result<Vec<Coming>, Unavailable> {
        const COMMUNITIES: &str = "
            SELECT memberships.community_id AS id, memberships.position,
                memberships.state = 'member' AND communities.id IS NOT NULL AS inside
            FROM read.memberships
            LEFT JOIN read.communities ON communities.id = memberships.community_id
            WHERE memberships.account_id = $1 AND memberships.position > $2
            ORDER BY memberships.position";
        const CONVERSATIONS: &str = "
            SELECT channel_id AS id, position, joined_at IS NOT NULL AS inside
            FROM read.participants
            WHERE account_id = $1 AND position > $2
            ORDER BY position";
        let after = to_bigint(after);
        self.database()
            .within(async |client| {
                let params: Params<'_> = &[&account.0, &after];
                let (communities, conversations) =
                    tokio::try_join!(rows(client, COMMUNITIES, params), rows(client, CONVERSATIONS, params))?;
                let community = |row: &Row| Coming::Community {
                    id: CommunityId(row.get("id")),
                    position: position(row, "position"),
                    is_member: row.get("inside"),
                };
                let conversation = |row: &Row| Coming::Conversation {
                    id: ChannelId(row.get("id")),
                    position: position(row, "position"),
                    is_participant: row.get("inside"),
                };
                Ok(communities.iter().map(community).chain(conversations.iter().map(conversation)).collect())
            })
            .await
    }
}

impl CommunityAccess {
    fn of(row: &Row) -> Option<Self> {
        let Membership { held, roles, .. } = Membership::of(row)?;
        Some(Self {
            id: CommunityId(row.get("id")),
            owner_id: AccountId(row.get("viewed_owner_id")),
            held,
            roles,
            restricted: vec![],
            channels: vec![],
        })
    }

    fn add(&mut self, channel: &Row) {
        let id = ChannelId(channel.get("id"));
        let private = channel.get("private");
        let overwrites: Option<Json<Overwrites>> = channel.get("overwrites");
        let overwrites = overwrites.map(|json| json.0).unwrap_or_default();
        self.channels.push(id);
        if private || !overwrites.is_empty() {
            self.restricted.push(ChannelRules { id, private, overwrites });
        }
    }
}
