//! What others see of somebody is not what it was.

use domain::presence::Sight;
use domain::{AccountId, ChannelId, CommunityId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Presence {
    pub(crate) account_id: AccountId,
    /// Whose members are told.
    pub(crate) communities: Vec<CommunityId>,
    /// Whose participants are told, too.
    pub(crate) conversations: Vec<ChannelId>,
    pub(crate) sight: Sight,
    pub(crate) time: Timestamp,
}
