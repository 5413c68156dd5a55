//! The roles of a community, as whoever is in it sees them.

use domain::role::{Colour, Rank};
use domain::{AccountId, CommunityId, Permissions, Role};
use tokio_postgres::Row;

use crate::database::Unavailable;
use crate::read_model::ReadModel;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRow {
    pub role: Role,
    /// `None`: a built-in role, which goes by the name that it has everywhere.
    pub name: Option<String>,
    pub colour: Option<Colour>,
    pub permissions: Permissions,
    pub mentionable: bool,
    /// Its place from below: 1, 2, 3 …
    pub rank: Rank,
}

/// The roles of all communities of a member, or of the one in `$2`, lowest first.
pub(crate) const OF_MEMBER: &str = "
    SELECT communities.id AS community_id, listed.role, listed.permissions, listed.place,
        roles.name, roles.colour, roles.mentionable
    FROM read.memberships
    JOIN read.communities ON communities.id = memberships.community_id
    CROSS JOIN LATERAL unnest(communities.role_order, communities.role_permissions)
        WITH ORDINALITY AS listed (role, permissions, place)
    JOIN read.roles ON roles.community_id = communities.id AND roles.role = listed.role
    WHERE memberships.account_id = $1
        AND memberships.state = 'member'
        AND ($2::uuid IS NULL OR memberships.community_id = $2)
    ORDER BY communities.id, listed.place";

impl RoleRow {
    /// With its community; `None` for a name that this program does not know.
    pub(crate) fn of(row: &Row) -> Option<(CommunityId, Self)> {
        let place = u16::try_from(row.get::<_, i64>("place")).unwrap_or(u16::MAX);
        let role = Self {
            role: Role::parse(row.get("role"))?,
            name: row.get("name"),
            colour: row.get::<_, Option<i32>>("colour").map(|colour| Colour(colour.cast_unsigned())),
            permissions: Permissions::from_bits_retain(row.get::<_, i64>("permissions").cast_unsigned()),
            mentionable: row.get("mentionable"),
            rank: Rank::at(place),
        };
        Some((CommunityId(row.get("community_id")), role))
    }
}

impl ReadModel {
    /// The roles of a community, lowest first; `None` when `viewer` is no member of it.
    pub async fn roles(
        &self,
        viewer: AccountId,
        community: CommunityId,
    ) -> Result<Option<Vec<RoleRow>>, Unavailable> {
        let only = Some(community.0);
        let rows = self.database().rows(OF_MEMBER, &[&viewer.0, &only]).await?;
        let roles: Vec<_> = rows.iter().filter_map(RoleRow::of).map(|(_, role)| role).collect();
        // Every community has its built-in roles.
        Ok((!roles.is_empty()).then_some(roles))
    }
}
