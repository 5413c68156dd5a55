//! Making and changing roles.
//!
//! Whoever manages roles touches only those below their own rank, and moves none from or to a place at or above it; what
//! a role grants they add or take only as far as they hold it themselves. The owner is above all and holds everything.

use super::{
    CommunityError, CommunityEvent, LiveCommunity, RoleChanged, RoleCreated, RoleDeleted, RolesOrdered,
};
use crate::role::{Colour, Definition, MAX_ROLES, RoleName};
use crate::{Permissions, Role, Standing};

/// The fields that change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleChange {
    pub name: Option<RoleName>,
    /// `Some(None)`: it loses its colour.
    pub colour: Option<Option<Colour>>,
    pub permissions: Option<Permissions>,
    pub mentionable: Option<bool>,
}

type Decided = Result<Vec<CommunityEvent>, CommunityError>;

impl LiveCommunity {
    pub(super) fn create_role(&self, by: &Standing, role: Role, definition: Definition) -> Decided {
        may_manage_roles(by)?;
        if self.roles.get(role).is_some() {
            return Ok(vec![]);
        }
        // It takes its place just above `member`, which must be below whoever makes it.
        if self.roles.rank_of(Role::Member) >= by.rank {
            return Err(CommunityError::RoleTooHigh);
        }
        if !by.may(definition.permissions) {
            return Err(CommunityError::BeyondOwn);
        }
        let own = self.roles.order().iter().filter(|role| matches!(role, Role::Custom(_)));
        if own.count() >= MAX_ROLES {
            return Err(CommunityError::TooManyRoles);
        }
        let (community_id, by) = (self.id, by.account);
        Ok(vec![RoleCreated { community_id, role, definition, by }.into()])
    }

    pub(super) fn change_role(&self, by: &Standing, role: Role, change: RoleChange) -> Decided {
        let current = self.touchable(by, role)?;
        if current.name.is_none() && change.name.is_some() {
            return Err(CommunityError::RoleBuiltIn);
        }
        let definition = Definition {
            name: change.name.or_else(|| current.name.clone()),
            colour: change.colour.unwrap_or(current.colour),
            permissions: change.permissions.unwrap_or(current.permissions),
            mentionable: change.mentionable.unwrap_or(current.mentionable),
        };
        if !by.may(definition.permissions.symmetric_difference(current.permissions)) {
            return Err(CommunityError::BeyondOwn);
        }
        if definition == *current {
            return Ok(vec![]);
        }
        let (community_id, by) = (self.id, by.account);
        Ok(vec![RoleChanged { community_id, role, definition, by }.into()])
    }

    pub(super) fn delete_role(&self, by: &Standing, role: Role) -> Decided {
        self.touchable(by, role)?;
        if !matches!(role, Role::Custom(_)) {
            return Err(CommunityError::RoleBuiltIn);
        }
        Ok(vec![RoleDeleted { community_id: self.id, role, by: by.account }.into()])
    }

    pub(super) fn order_roles(&self, by: &Standing, order: Vec<Role>) -> Decided {
        may_manage_roles(by)?;
        let current = self.roles.order();
        let complete = current.iter().all(|role| order.contains(role)) && order.len() == current.len();
        if !complete || !order.starts_with(&[Role::Guest, Role::Member]) {
            return Err(CommunityError::OrderIncomplete);
        }
        let moved = current.iter().zip(&order).filter(|(before, after)| before != after);
        // Either may be the higher one: what stood there, and what is to stand there.
        let too_high = |role: &Role| self.roles.rank_of(*role) >= by.rank;
        if moved.flat_map(|(before, after)| [before, after]).any(too_high) {
            return Err(CommunityError::RoleTooHigh);
        }
        if order == current {
            return Ok(vec![]);
        }
        Ok(vec![RolesOrdered { community_id: self.id, order, by: by.account }.into()])
    }

    /// The role, if `by` may change it.
    fn touchable(&self, by: &Standing, role: Role) -> Result<&Definition, CommunityError> {
        may_manage_roles(by)?;
        let definition = self.roles.get(role).ok_or(CommunityError::UnknownRole)?;
        if self.roles.rank_of(role) >= by.rank {
            return Err(CommunityError::RoleTooHigh);
        }
        Ok(definition)
    }
}

fn may_manage_roles(by: &Standing) -> Result<(), CommunityError> {
    if by.may(Permissions::MANAGE_ROLES) { Ok(()) } else { Err(CommunityError::MayNotManageRoles) }
}
