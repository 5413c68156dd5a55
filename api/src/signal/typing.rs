//! Somebody types in a channel.

use domain::{AccountId, ChannelId, CommunityId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long it holds unless it is told again.
const HOLDS: SignedDuration = SignedDuration::from_secs(10);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Typing {
    /// `None` in a direct or group channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) community_id: Option<CommunityId>,
    pub(crate) channel_id: ChannelId,
    pub(crate) account_id: AccountId,
    pub(crate) time: Timestamp,
    /// It has ended then, or with the next message of this account in this channel.
    pub(crate) expires_at: Timestamp,
}

impl Typing {
    pub(crate) fn new(
        community_id: Option<CommunityId>,
        channel_id: ChannelId,
        account_id: AccountId,
        time: Timestamp,
    ) -> Self {
        let expires_at = time.saturating_add(HOLDS).expect("seconds can be added to any time");
        Self { community_id, channel_id, account_id, time, expires_at }
    }
}
