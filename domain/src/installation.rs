//! `installation`: who administers this server, and where new accounts land.

use serde::{Deserialize, Serialize};

use crate::codec::{events, fact};
use crate::{AccountId, Aggregate, CommunityId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallationFounded {
    pub administrator: AccountId,
    /// The default community, if the installation has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<CommunityId>,
}
fact!(InstallationFounded = "installation.founded", 1);

events! {
    pub enum InstallationEvent {
        Founded(InstallationFounded),
    }
}

/// The fold of the installation's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Installation {
    pub administrator: Option<AccountId>,
    pub default_community: Option<CommunityId>,
}

/// The first account to ask becomes the administrator; later ones change nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub administrator: AccountId,
    pub community: Option<CommunityId>,
}

impl Aggregate for Installation {
    type Event = InstallationEvent;
    type Command = Found;
    type Error = std::convert::Infallible;

    fn evolve(&mut self, event: &InstallationEvent) {
        let InstallationEvent::Founded(founded) = event;
        self.administrator = Some(founded.administrator);
        self.default_community = founded.community_id;
    }

    fn decide(&self, found: Found) -> Result<Vec<InstallationEvent>, Self::Error> {
        if self.administrator.is_some() {
            return Ok(vec![]);
        }
        Ok(vec![
            InstallationFounded { administrator: found.administrator, community_id: found.community }.into(),
        ])
    }
}
