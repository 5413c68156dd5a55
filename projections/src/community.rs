//! Communities, with what a member sees of one.

use domain::{AccountId, CommunityId, Permissions};
use jiff::Timestamp;
use tokio_postgres::Row;

use crate::channel::{self, ChannelRow};
use crate::database::{Params, Unavailable, rows};
use crate::membership::{self, MemberRow};
use crate::read_model::ReadModel;
use crate::role::{self, RoleRow};

mod project;

pub(crate) use project::project;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommunityRow {
    pub id: CommunityId,
    pub name: String,
    pub owner_id: AccountId,
    pub created_at: Timestamp,
}

/// A community as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommunityView {
    pub community: CommunityRow,
    /// Those that the member may see, in the community's order; what that does not name comes last, oldest first.
    pub channels: Vec<ChannelRow>,
    /// Lowest first.
    pub roles: Vec<RoleRow>,
    pub member: MemberRow,
}

macro_rules! community_columns {
    () => {
        "communities.id AS community_id, communities.name AS community_name, communities.owner_id,
            communities.created_at AS community_created_at"
    };
}

impl CommunityRow {
    pub(crate) fn of(row: &Row) -> Self {
        Self {
            id: CommunityId(row.get("community_id")),
            name: row.get("community_name"),
            owner_id: AccountId(row.get("owner_id")),
            created_at: row.get("community_created_at"),
        }
    }
}

/// The communities of a member: all of them, or the one in `$2`.
const VIEWS: &str = concat!(
    "SELECT ",
    community_columns!(),
    ", ",
    membership::member_columns!(),
    "
    FROM read.memberships
    JOIN read.communities ON communities.id = memberships.community_id
    JOIN read.accounts ON accounts.id = memberships.account_id
    LEFT JOIN read.installation ON installation.administrator = accounts.id
    WHERE memberships.account_id = $1
        AND memberships.state = 'member'
        AND ($2::uuid IS NULL OR memberships.community_id = $2)
    ORDER BY memberships.joined_at, communities.id"
);

/// What `viewer` sees: of all their communities, oldest membership first, or of `only` one.
pub(crate) async fn views(
    client: &impl deadpool_postgres::GenericClient,
    viewer: AccountId,
    only: Option<CommunityId>,
) -> Result<Vec<CommunityView>, tokio_postgres::Error> {
    let only = only.map(|id| id.0);
    let params: Params<'_> = &[&viewer.0, &only];
    let (communities, channels, roles) = tokio::try_join!(
        rows(client, VIEWS, params),
        rows(client, channel::OF_MEMBER, params),
        rows(client, role::OF_MEMBER, params)
    )?;
    let mut views: Vec<CommunityView> = communities
        .iter()
        .filter_map(|row| {
            let member = MemberRow::of(row);
            let community = CommunityRow::of(row);
            member.is_member().then_some(CommunityView { community, channels: vec![], roles: vec![], member })
        })
        .collect();
    for channel in channels.iter().map(ChannelRow::of) {
        let home = views.iter_mut().find(|view| Some(view.community.id) == channel.community_id);
        if let Some(view) = home
            && view.member.permissions_in(&channel).contains(Permissions::VIEW)
        {
            view.channels.push(channel);
        }
    }
    for (community, role) in roles.iter().filter_map(RoleRow::of) {
        if let Some(view) = views.iter_mut().find(|view| view.community.id == community) {
            view.roles.push(role);
        }
    }
    Ok(views)
}

impl ReadModel {
    /// A community that `viewer` is a member of.
    pub async fn community(
        &self,
        viewer: AccountId,
        id: CommunityId,
    ) -> Result<Option<CommunityView>, Unavailable> {
        self.database().within(async |client| Ok(views(client, viewer, Some(id)).await?.pop())).await
    }

    /// The communities that `viewer` is a member of, in the order of joining.
    pub async fn communities_of(&self, viewer: AccountId) -> Result<Vec<CommunityView>, Unavailable> {
        self.database().within(async |client| views(client, viewer, None).await).await
    }

    /// What the holder of an invite may know of a community: itself and how many members it has.
    pub async fn public_community(
        &self,
        id: CommunityId,
    ) -> Result<Option<(CommunityRow, u64)>, Unavailable> {
        const SQL: &str = concat!(
            "SELECT ",
            community_columns!(),
            ", (
                SELECT count(*) FROM read.memberships WHERE community_id = communities.id AND state = 'member'
            ) AS member_count
            FROM read.communities
            WHERE communities.id = $1"
        );
        let row = self.database().row(SQL, &[&id.0]).await?;
        Ok(row.map(|row| (CommunityRow::of(&row), row.get::<_, i64>("member_count").unsigned_abs())))
    }
}
