//! One thing that somebody wants done to one stream.

use std::future::Future;
use std::sync::Arc;

use domain::channel::{Channel, Home};
use domain::community::Community;
use domain::membership::Membership;
use domain::{AccountId, Aggregate, ChannelId, CommunityId, Standing, streams};
use event_store::{Guard, Unavailable};
use uuid::Uuid;

use crate::block;
use crate::states::{Folded, Freshness, Kept, States};

pub(crate) trait Intent: Send + Sync {
    type Aggregate: Kept;

    /// The stream that will hold the events.
    fn stream(&self) -> String;

    /// The command for `decide`, from states as fresh as asked for, and the guards that make it exact.
    fn prepare(
        &self,
        states: &States,
        freshness: Freshness,
    ) -> impl Future<Output = Result<Prepared<Self::Aggregate>, Unavailable>> + Send;

    /// Whether the stream is named by an id that was made just now: then there is nothing to read first.
    fn is_new(&self) -> bool {
        false
    }

    /// The number of this intent's first event within its command, where a command has several intents.
    fn first_ordinal(&self) -> u32 {
        0
    }

    /// The key of the personal text in the events, if they have any: it exists already, so it is durable before them.
    fn key(&self) -> Option<Uuid> {
        None
    }
}

/// A command, ready to be decided.
pub(crate) struct Prepared<A: Aggregate> {
    pub(crate) command: A::Command,
    pub(crate) guards: Vec<Guard>,
}

/// An account's standing in a community, and the folds it was taken from.
pub(crate) struct Actor {
    pub(crate) standing: Standing,
    pub(crate) community: Arc<Folded<Community>>,
    pub(crate) membership: Arc<Folded<Membership>>,
}

impl Actor {
    pub(crate) async fn load(
        states: &States,
        community: CommunityId,
        account: AccountId,
        freshness: Freshness,
    ) -> Result<Self, Unavailable> {
        let id = community;
        let community = states.load::<Community>(streams::community(id), freshness).await?;
        let membership = states.load::<Membership>(streams::membership(id, account), freshness).await?;
        let standing = Standing::of(account, id, &community.state, &membership.state, states.now());
        Ok(Self { standing, community, membership })
    }

    pub(crate) fn guards(&self) -> Vec<Guard> {
        vec![self.community.guard(), self.membership.guard()]
    }
}

/// An account's standing in a channel, and the folds it was taken from.
pub(crate) struct Visitor {
    pub(crate) standing: Standing,
    pub(crate) channel: Arc<Folded<Channel>>,
    guards: Vec<Guard>,
}

impl Visitor {
    /// In a channel that never was, or is gone, an account stands outside.
    pub(crate) async fn load(
        states: &States,
        channel: ChannelId,
        account: AccountId,
        freshness: Freshness,
    ) -> Result<Self, Unavailable> {
        let channel = states.load::<Channel>(streams::channel(channel), freshness).await?;
        let mut guards = vec![channel.guard()];
        let outside = Standing::outside(account);
        let Some(live) = channel.state.live() else {
            return Ok(Self { standing: outside, channel, guards });
        };
        let Some(id) = live.community_id() else {
            let (nowhere, nobody) = (Community::default(), Membership::default());
            let mut standing = Standing::in_channel(account, live, &nowhere, &nobody, states.now());
            if let Home::Direct([one, other]) = live.home {
                let (block, guard) = block::between(states, one, other, freshness).await?;
                standing = standing.under(&block);
                guards.push(guard);
            }
            return Ok(Self { standing, channel, guards });
        };
        let community = states.load::<Community>(streams::community(id), freshness).await?;
        let membership = states.load::<Membership>(streams::membership(id, account), freshness).await?;
        let standing = Standing::in_channel(account, live, &community.state, &membership.state, states.now());
        guards.extend([community.guard(), membership.guard()]);
        Ok(Self { standing, channel, guards })
    }

    /// That all stands as it stood for this standing.
    pub(crate) fn guards(&self) -> Vec<Guard> {
        self.guards.clone()
    }
}
