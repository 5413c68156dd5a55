//! A channel's exceptions for roles and members.

use domain::channel::{Channel, ChannelCommand, ChannelError, WantedOverwrite};
use domain::permission::{Overwrite, Target};
use domain::{AccountId, ChannelId, CommunityId, streams};
use event_store::{Guard, Unavailable};

use super::{ChannelState, actor, as_it_stands};
use crate::Commands;
use crate::caller::{Context, Done, Refusal};
use crate::intent::{Actor, Intent, Prepared, Visitor};
use crate::states::{Freshness, States};

/// An overwrite with the rank of its target in a community, and the guard that it stays so. A role's rank is guarded
/// with the community, which every decision guards.
pub(super) async fn ranked(
    states: &States,
    community: CommunityId,
    (target, overwrite): (Target, Overwrite),
    freshness: Freshness,
) -> Result<(WantedOverwrite, Option<Guard>), Unavailable> {
    let (rank, guard) = match target {
        Target::Role(role) => {
            let id = streams::community(community);
            let folded = states.load::<domain::community::Community>(id, freshness).await?;
            let roles = folded.state.live().map(|live| &live.roles).filter(|roles| roles.get(role).is_some());
            (roles.map(|roles| roles.rank_of(role)), None)
        }
        Target::Account(account) => {
            let of = Actor::load(states, community, account, freshness).await?;
            let rank = of.standing.is_member().then_some(of.standing.rank);
            (rank, Some(of.membership.guard()))
        }
    };
    Ok((WantedOverwrite { target, rank, overwrite }, guard))
}

struct SetOverwrite {
    id: ChannelId,
    by: AccountId,
    target: Target,
    overwrite: Overwrite,
}

impl Intent for SetOverwrite {
    type Aggregate = Channel;

    fn stream(&self) -> String {
        streams::channel(self.id)
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Channel>, Unavailable> {
        let visitor = Visitor::load(states, self.id, self.by, freshness).await?;
        let mut guards = visitor.guards();
        let (target, overwrite) = (self.target, self.overwrite);
        let community = visitor.channel.state.live().and_then(|live| live.community_id());
        let wanted = match community {
            Some(community) => {
                let (wanted, guard) = ranked(states, community, (target, overwrite), freshness).await?;
                guards.extend(guard);
                wanted
            }
            None => WantedOverwrite { target, rank: None, overwrite },
        };
        Ok(Prepared { command: ChannelCommand::Overwrite { by: visitor.standing, wanted }, guards })
    }
}

impl Commands {
    /// Makes this a channel's overwrite for a role or a member; an empty one takes it away.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn overwrite_channel(
        &self,
        context: &Context,
        id: ChannelId,
        target: Target,
        overwrite: Overwrite,
    ) -> Result<Done<ChannelState>, Refusal<ChannelError>> {
        let by = actor(context, ChannelError::Unknown)?;
        let intent = SetOverwrite { id, by, target, overwrite };
        as_it_stands(self.execute(&self.cause(context), &intent).await?)
    }
}
