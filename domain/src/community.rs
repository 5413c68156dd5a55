//! `community-{id}`: a community's name, owner and end.

use serde::{Deserialize, Serialize};

use crate::codec::{events, fact};
use crate::role::{Definition, Roles};
use crate::text::bounded;
use crate::{AccountId, Aggregate, CommunityId, Permissions, Role, Standing};

mod roles;

pub use roles::RoleChange;

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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerChanged {
    pub community_id: CommunityId,
    pub owner_id: AccountId,
    pub previous_owner_id: AccountId,
}
fact!(OwnerChanged = "community.owner_changed", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleCreated {
    pub community_id: CommunityId,
    pub role: Role,
    #[serde(flatten)]
    pub definition: Definition,
    pub by: AccountId,
}
fact!(RoleCreated = "role.created", 1);

/// All that the role is from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleChanged {
    pub community_id: CommunityId,
    pub role: Role,
    #[serde(flatten)]
    pub definition: Definition,
    pub by: AccountId,
}
fact!(RoleChanged = "role.changed", 1);

/// Whoever held the role still does, and gets nothing from it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleDeleted {
    pub community_id: CommunityId,
    pub role: Role,
    pub by: AccountId,
}
fact!(RoleDeleted = "role.deleted", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolesOrdered {
    pub community_id: CommunityId,
    /// All roles, lowest first.
    pub order: Vec<Role>,
    pub by: AccountId,
}
fact!(RolesOrdered = "role.ordered", 1);

events! {
    pub enum CommunityEvent {
        Created(CommunityCreated),
        Renamed(CommunityRenamed),
        Deleted(CommunityDeleted),
        OwnerChanged(OwnerChanged),
        RoleCreated(RoleCreated),
        RoleChanged(RoleChanged),
        RoleDeleted(RoleDeleted),
        RolesOrdered(RolesOrdered),
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
    pub roles: Roles,
}

impl LiveCommunity {
    /// What `event` makes of the owner and the roles.
    fn evolve_rules(&mut self, event: &CommunityEvent) {
        match event {
            CommunityEvent::OwnerChanged(changed) => self.owner_id = changed.owner_id,
            event => self.roles.evolve(event),
        }
    }
}

impl Roles {
    /// What `event` makes of the roles.
    pub fn evolve(&mut self, event: &CommunityEvent) {
        match event {
            CommunityEvent::RoleCreated(created) => self.set(created.role, created.definition.clone()),
            CommunityEvent::RoleChanged(changed) => self.set(changed.role, changed.definition.clone()),
            CommunityEvent::RoleDeleted(deleted) => self.remove(deleted.role),
            CommunityEvent::RolesOrdered(ordered) => self.reorder(&ordered.order),
            CommunityEvent::Created(_)
            | CommunityEvent::Renamed(_)
            | CommunityEvent::Deleted(_)
            | CommunityEvent::OwnerChanged(_) => {}
        }
    }
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
    Create {
        id: CommunityId,
        owner: AccountId,
        name: CommunityName,
    },
    Rename {
        by: Standing,
        name: CommunityName,
    },
    Delete {
        by: Standing,
    },
    TransferOwnership {
        by: Standing,
        to: Standing,
    },
    /// `role` is new: its id was made just now.
    CreateRole {
        by: Standing,
        role: Role,
        definition: Definition,
    },
    ChangeRole {
        by: Standing,
        role: Role,
        change: RoleChange,
    },
    DeleteRole {
        by: Standing,
        role: Role,
    },
    /// All roles, lowest first.
    OrderRoles {
        by: Standing,
        order: Vec<Role>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommunityError {
    #[error("there is no such community")]
    Unknown,
    #[error("you may not change this community")]
    MayNotManage,
    #[error("only its owner may do this to a community")]
    NotOwner,
    #[error("only a member can become the owner")]
    NewOwnerNotMember,
    #[error("you may not manage the roles of this community")]
    MayNotManageRoles,
    #[error("there is no such role")]
    UnknownRole,
    #[error("you may touch only roles of a lower rank than yours")]
    RoleTooHigh,
    #[error("you may give a role, or take from it, only what you may do yourself")]
    BeyondOwn,
    #[error("a built-in role keeps its name and cannot be deleted")]
    RoleBuiltIn,
    #[error("a community has at most 100 roles of its own")]
    TooManyRoles,
    #[error("the order must name every role once, guest and member first")]
    OrderIncomplete,
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
                    roles: Roles::default(),
                });
            }
            CommunityEvent::Renamed(renamed) => {
                if let Self::Live(community) = self {
                    community.name = renamed.name.clone();
                }
            }
            CommunityEvent::Deleted(_) => *self = Self::Deleted,
            CommunityEvent::OwnerChanged(_)
            | CommunityEvent::RoleCreated(_)
            | CommunityEvent::RoleChanged(_)
            | CommunityEvent::RoleDeleted(_)
            | CommunityEvent::RolesOrdered(_) => {
                if let Self::Live(community) = self {
                    community.evolve_rules(event);
                }
            }
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
            CommunityCommand::TransferOwnership { by, to } => self.transfer(&by, &to),
            CommunityCommand::CreateRole { by, role, definition } => {
                self.seen_by(&by)?.create_role(&by, role, definition)
            }
            CommunityCommand::ChangeRole { by, role, change } => {
                self.seen_by(&by)?.change_role(&by, role, change)
            }
            CommunityCommand::DeleteRole { by, role } => self.seen_by(&by)?.delete_role(&by, role),
            CommunityCommand::OrderRoles { by, order } => self.seen_by(&by)?.order_roles(&by, order),
        }
    }
}

impl Community {
    /// The owner before keeps their roles and may leave from then on.
    fn transfer(&self, by: &Standing, to: &Standing) -> Result<Vec<CommunityEvent>, CommunityError> {
        let community = self.seen_by(by)?;
        if community.owner_id != by.account {
            return Err(CommunityError::NotOwner);
        }
        if by.account == to.account {
            return Ok(vec![]);
        }
        if !to.is_member() {
            return Err(CommunityError::NewOwnerNotMember);
        }
        let (community_id, owner_id) = (community.id, to.account);
        Ok(vec![OwnerChanged { community_id, owner_id, previous_owner_id: by.account }.into()])
    }

    fn seen_by(&self, by: &Standing) -> Result<&LiveCommunity, CommunityError> {
        self.live().filter(|c| by.community == Some(c.id) && by.is_member()).ok_or(CommunityError::Unknown)
    }
}
