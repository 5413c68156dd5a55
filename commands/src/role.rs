//! Create, change, delete and order the roles of a community. They are in its stream.

use domain::community::{Community, CommunityCommand, CommunityError, RoleChange};
use domain::role::Definition;
use domain::{AccountId, CommunityId, Role, Standing, streams};
use event_store::Unavailable;

use crate::Commands;
use crate::caller::{Context, Done, Refusal};
use crate::community::actor;
use crate::intent::{Actor, Intent, Prepared};
use crate::states::{Freshness, States};

struct Manage {
    community: CommunityId,
    by: AccountId,
    act: Act,
}

enum Act {
    Create(Role, Definition),
    Change(Role, RoleChange),
    Delete(Role),
    Order(Vec<Role>),
}

impl Act {
    fn command(&self, by: Standing) -> CommunityCommand {
        match self {
            Self::Create(role, definition) => {
                CommunityCommand::CreateRole { by, role: *role, definition: definition.clone() }
            }
            Self::Change(role, change) => {
                CommunityCommand::ChangeRole { by, role: *role, change: change.clone() }
            }
            Self::Delete(role) => CommunityCommand::DeleteRole { by, role: *role },
            Self::Order(order) => CommunityCommand::OrderRoles { by, order: order.clone() },
        }
    }
}

impl Intent for Manage {
    type Aggregate = Community;

    fn stream(&self) -> String {
        streams::community(self.community)
    }

    async fn prepare(
        &self,
        states: &States,
        freshness: Freshness,
    ) -> Result<Prepared<Community>, Unavailable> {
        let actor = Actor::load(states, self.community, self.by, freshness).await?;
        Ok(Prepared { command: self.act.command(actor.standing), guards: actor.guards() })
    }
}

impl Commands {
    /// Makes a role just above `member`.
    ///
    /// # Errors
    /// See [`CommunityError`].
    pub async fn create_role(
        &self,
        context: &Context,
        community: CommunityId,
        definition: Definition,
    ) -> Result<Done<Role>, Refusal<CommunityError>> {
        let by = actor(context)?;
        let act = Act::Create(Role::Custom(self.inner.ids.id()), definition);
        let outcome = self.execute(&self.cause(context), &Manage { community, by, act }).await?;
        // The fold ends with the command's own event, also for a repeated command: the newest role is the one.
        let just_above_member = |community: &Community| community.live()?.roles.order().get(2).copied();
        let role = just_above_member(&outcome.made.state).ok_or(Refusal::Domain(CommunityError::Unknown))?;
        Ok(outcome.map(|_| role))
    }

    /// Changes what is given of a role.
    ///
    /// # Errors
    /// See [`CommunityError`].
    pub async fn change_role(
        &self,
        context: &Context,
        community: CommunityId,
        role: Role,
        change: RoleChange,
    ) -> Result<Done<()>, Refusal<CommunityError>> {
        self.manage(context, community, Act::Change(role, change)).await
    }

    /// Deletes a role of the community's own; whoever held it gets nothing from it any more.
    ///
    /// # Errors
    /// See [`CommunityError`].
    pub async fn delete_role(
        &self,
        context: &Context,
        community: CommunityId,
        role: Role,
    ) -> Result<Done<()>, Refusal<CommunityError>> {
        self.manage(context, community, Act::Delete(role)).await
    }

    /// Puts all roles into this order, lowest first.
    ///
    /// # Errors
    /// See [`CommunityError`].
    pub async fn order_roles(
        &self,
        context: &Context,
        community: CommunityId,
        order: Vec<Role>,
    ) -> Result<Done<()>, Refusal<CommunityError>> {
        self.manage(context, community, Act::Order(order)).await
    }

    async fn manage(
        &self,
        context: &Context,
        community: CommunityId,
        act: Act,
    ) -> Result<Done<()>, Refusal<CommunityError>> {
        let by = actor(context)?;
        Ok(self.execute(&self.cause(context), &Manage { community, by, act }).await?.map(drop))
    }
}
