//! The installation: who administers it, and where new accounts land.

use domain::installation::InstallationEvent;
use domain::{AccountId, CommunityId};

use crate::batch::{Batch, params};
use crate::database::Unavailable;
use crate::read_model::ReadModel;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Installation {
    pub administrator: AccountId,
    /// `None` also after it was deleted.
    pub default_community: Option<CommunityId>,
}

impl ReadModel {
    /// `None` before it is founded.
    pub async fn installation(&self) -> Result<Option<Installation>, Unavailable> {
        const SQL: &str = "
            SELECT installation.administrator, communities.id AS default_community
            FROM read.installation
            LEFT JOIN read.communities ON communities.id = installation.default_community";
        let row = self.database().row(SQL, &[]).await?;
        Ok(row.map(|row| Installation {
            administrator: AccountId(row.get("administrator")),
            default_community: row.get::<_, Option<_>>("default_community").map(CommunityId),
        }))
    }
}

pub(crate) fn project(batch: &mut Batch, event: InstallationEvent) {
    const SQL: &str = "
        INSERT INTO {schema}.installation (administrator, default_community)
        VALUES ($1, $2)
        ON CONFLICT ON CONSTRAINT installation_pkey DO UPDATE
        SET administrator = excluded.administrator, default_community = excluded.default_community";
    let InstallationEvent::Founded(event) = event;
    let community = event.community_id.map(|id| id.0);
    batch.write(SQL, params![event.administrator.0, community]);
}
