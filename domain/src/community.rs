//! `community-{id}`: a community's name, owner and end.

use serde::{Deserialize, Serialize};

use crate::codec::{events, fact};
use crate::text::bounded;
use crate::{AccountId, Aggregate, CommunityId, Permissions, Standing};

bounded!(CommunityName, line, 1..=100);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommunityCreated {
    pub community_id: CommunityId,
    pub name: CommunityName,
    pub owner_id: AccountId,
}
fact!(CommunityCreated = "community.created", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommunityRenamed {
    pub community_id: CommunityId,
    pub name: CommunityName,
}
fact!(CommunityRenamed = "community.renamed", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommunityDeleted {
    pub community_id: CommunityId,
    pub deleted_by: AccountId,
}
fact!(CommunityDeleted = "community.deleted", 1);

events! {
    pub enum CommunityEvent {
        Created(CommunityCreated),
        Renamed(CommunityRenamed),
        Deleted(CommunityDeleted),
    }
}

/// The fold of a community's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Community {
    #[default]
    Absent,
    Live(LiveCommunity),
    Deleted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveCommunity {
    pub id: CommunityId,
    pub name: CommunityName,
    pub owner_id: AccountId,
}

impl Community {
    pub fn live(&self) -> Option<&LiveCommunity> {
        match self {
            Self::Live(community) => Some(community),
            Self::Absent | Self::Deleted => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommunityCommand {
    Create { id: CommunityId, owner: AccountId, name: CommunityName },
    Rename { by: Standing, name: CommunityName },
    Delete { by: Standing },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommunityError {
    #[error("there is no such community")]
    Unknown,
    #[error("you may not change this community")]
    MayNotManage,
    #[error("only its owner may delete a community")]
    NotOwner,
}

impl Aggregate for Community {
    type Event = CommunityEvent;
    type Command = CommunityCommand;
    type Error = CommunityError;

    fn evolve(&mut self, event: &CommunityEvent) {
        match event {
            CommunityEvent::Created(created) => {
                *self = Self::Live(LiveCommunity {
                    id: created.community_id,
                    name: created.name.clone(),
                    owner_id: created.owner_id,
                });
            }
            CommunityEvent::Renamed(renamed) => {
                if let Self::Live(community) = self {
                    community.name = renamed.name.clone();
                }
            }
            CommunityEvent::Deleted(_) => *self = Self::Deleted,
        }
    }

    fn decide(&self, command: CommunityCommand) -> Result<Vec<CommunityEvent>, CommunityError> {
        match command {
            CommunityCommand::Create { .. } if *self != Self::Absent => Ok(vec![]),
            CommunityCommand::Create { id, owner, name } => {
                Ok(vec![CommunityCreated { community_id: id, name, owner_id: owner }.into()])
            }
            CommunityCommand::Rename { by, name } => {
                let community = self.seen_by(&by)?;
                if !by.may(Permissions::MANAGE_COMMUNITY) {
                    return Err(CommunityError::MayNotManage);
                }
                if community.name == name {
                    return Ok(vec![]);
                }
                Ok(vec![CommunityRenamed { community_id: community.id, name }.into()])
            }
            CommunityCommand::Delete { by } => {
                let community = self.seen_by(&by)?;
                if !by.is_owner() {
                    return Err(CommunityError::NotOwner);
                }
                Ok(vec![CommunityDeleted { community_id: community.id, deleted_by: by.account }.into()])
            }
        }
    }
}

impl Community {
    fn seen_by(&self, by: &Standing) -> Result<&LiveCommunity, CommunityError> {
        self.live().filter(|c| c.id == by.community && by.is_member()).ok_or(CommunityError::Unknown)
    }
}
