//! `channels-{community}`: the order in which a community's channels stand, and in which categories.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::channel::{ChannelKind, MAX_CHANNELS};
use crate::codec::{events, fact};
use crate::{AccountId, Aggregate, ChannelId, CommunityId, Permissions, Standing};

/// Where a channel stands: after the one before it in the list, and in this category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    pub id: ChannelId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_id: Option<ChannelId>,
}

/// The whole layout from then on. Channels that it does not name come after those that it does, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelsOrdered {
    pub community_id: CommunityId,
    pub channels: Vec<Placed>,
    pub by: AccountId,
}
fact!(ChannelsOrdered = "channels.ordered", 1);

events! {
    pub enum ChannelOrderEvent {
        Ordered(ChannelsOrdered),
    }
}

/// The fold of the stream: the newest layout, empty while nobody has ordered the channels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelOrder {
    pub channels: Vec<Placed>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderChannels {
    pub by: Standing,
    pub channels: Vec<Placed>,
    /// Of those that the layout names, the ones that the community has and `by` may see.
    pub known: BTreeMap<ChannelId, ChannelKind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChannelOrderError {
    #[error("there is no such community")]
    UnknownCommunity,
    #[error("you may not manage the channels of this community")]
    MayNotManage,
    #[error("a community has at most {MAX_CHANNELS} channels")]
    TooMany,
    #[error("the community has no channel {0}")]
    UnknownChannel(ChannelId),
    #[error("the channel {0} is named more than once")]
    Repeated(ChannelId),
    #[error("the category {0} is not one of this community")]
    CategoryNotFound(ChannelId),
    #[error("a category cannot stand in a category")]
    CategoryInCategory,
}

impl Aggregate for ChannelOrder {
    type Event = ChannelOrderEvent;
    type Command = OrderChannels;
    type Error = ChannelOrderError;

    fn evolve(&mut self, event: &ChannelOrderEvent) {
        let ChannelOrderEvent::Ordered(ordered) = event;
        self.channels.clone_from(&ordered.channels);
    }

    /// The same layout again is an event again: channels may have moved by themselves since.
    fn decide(&self, command: OrderChannels) -> Result<Vec<ChannelOrderEvent>, ChannelOrderError> {
        let OrderChannels { by, channels, known } = command;
        let community_id =
            by.community.filter(|_| by.is_member()).ok_or(ChannelOrderError::UnknownCommunity)?;
        if !by.may(Permissions::MANAGE_CHANNELS) {
            return Err(ChannelOrderError::MayNotManage);
        }
        if channels.len() > MAX_CHANNELS {
            return Err(ChannelOrderError::TooMany);
        }
        let mut named = BTreeSet::new();
        for Placed { id, category_id } in &channels {
            let kind = *known.get(id).ok_or(ChannelOrderError::UnknownChannel(*id))?;
            if !named.insert(*id) {
                return Err(ChannelOrderError::Repeated(*id));
            }
            if let Some(category) = category_id {
                if kind == ChannelKind::Category {
                    return Err(ChannelOrderError::CategoryInCategory);
                }
                if known.get(category) != Some(&ChannelKind::Category) {
                    return Err(ChannelOrderError::CategoryNotFound(*category));
                }
            }
        }
        Ok(vec![ChannelsOrdered { community_id, channels, by: by.account }.into()])
    }
}
