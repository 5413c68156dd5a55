//! Order the channels of a community.

use std::collections::{BTreeMap, BTreeSet};

use domain::channel::MAX_CHANNELS;
use domain::channel_order::{ChannelOrder, ChannelOrderError, OrderChannels, Placed};
use domain::{AccountId, CommunityId, Permissions, streams};
use event_store::Unavailable;

use crate::Commands;
use crate::caller::{Context, Done, Refusal};
use crate::intent::{Actor, Intent, Prepared, Visitor};
use crate::states::{Freshness, States};

struct Order {
    community: CommunityId,
    by: AccountId,
    channels: Vec<Placed>,
}

impl Intent for Order {
    type Aggregate = ChannelOrder;

    fn stream(&self) -> String {
        streams::channel_order(self.community)
    }

    /// The channels themselves are not guarded: that one of them is deleted or hidden at this moment harms no layout.
    async fn prepare(
        &self,
        states: &States,
        freshness: Freshness,
    ) -> Result<Prepared<ChannelOrder>, Unavailable> {
        let actor = Actor::load(states, self.community, self.by, freshness).await?;
        let (mut known, mut named) = (BTreeMap::new(), BTreeSet::new());
        // Whoever is refused anyway does not have streams read for it.
        if actor.standing.may(Permissions::MANAGE_CHANNELS) {
            for placed in self.channels.iter().take(MAX_CHANNELS) {
                named.insert(placed.id);
                named.extend(placed.category_id);
            }
        }
        for id in named {
            let visitor = Visitor::load(states, id, self.by, freshness).await?;
            if let Some(live) = visitor.channel.state.live()
                && visitor.standing.sees(id, Some(self.community))
            {
                known.insert(id, live.kind);
            }
        }
        let command = OrderChannels { by: actor.standing, channels: self.channels.clone(), known };
        Ok(Prepared { command, guards: actor.guards() })
    }
}

impl Commands {
    /// Puts the channels of a community into this order. Those that are not named come after these.
    ///
    /// # Errors
    /// See [`ChannelOrderError`].
    pub async fn order_channels(
        &self,
        context: &Context,
        community: CommunityId,
        channels: Vec<Placed>,
    ) -> Result<Done<()>, Refusal<ChannelOrderError>> {
        let by = context.actor.ok_or(Refusal::Domain(ChannelOrderError::UnknownCommunity))?;
        Ok(self.execute(&self.cause(context), &Order { community, by, channels }).await?.map(drop))
    }
}
