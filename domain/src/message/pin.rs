//! Pinning a message, so that its channel keeps it at hand, and letting it go.

use serde::{Deserialize, Serialize};

use super::{Facts, Message, MessageError, MessageEvent};
use crate::codec::fact;
use crate::{AccountId, ChannelId, CommunityId, MessageId, Permissions, Standing};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePinned {
    pub message_id: MessageId,
    pub channel_id: ChannelId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<CommunityId>,
    pub by: AccountId,
}
fact!(MessagePinned = "message.pinned", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageUnpinned {
    pub message_id: MessageId,
    pub channel_id: ChannelId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<CommunityId>,
    pub by: AccountId,
}
fact!(MessageUnpinned = "message.unpinned", 1);

impl Message {
    pub(super) fn pin(&self, by: &Standing) -> Result<Vec<MessageEvent>, MessageError> {
        let (Facts { id: message_id, channel_id, community_id, .. }, pinned) = self.pinnable_by(by)?;
        let by = by.account;
        let pin = || MessagePinned { message_id, channel_id, community_id, by };
        Ok((!pinned).then(|| pin().into()).into_iter().collect())
    }

    pub(super) fn unpin(&self, by: &Standing) -> Result<Vec<MessageEvent>, MessageError> {
        let (Facts { id: message_id, channel_id, community_id, .. }, pinned) = self.pinnable_by(by)?;
        let by = by.account;
        let unpin = || MessageUnpinned { message_id, channel_id, community_id, by };
        Ok(pinned.then(|| unpin().into()).into_iter().collect())
    }

    /// The message and whether it is pinned, if `by` may change that. In a direct or group channel everyone may who is
    /// there: pins are what they all keep at hand.
    fn pinnable_by(&self, by: &Standing) -> Result<(Facts, bool), MessageError> {
        let facts = self.visible_to(by)?;
        if facts.community_id.is_some() && !by.may(Permissions::MANAGE_MESSAGES) {
            return Err(MessageError::MayNotPin);
        }
        match self {
            Self::Live { pinned, .. } => Ok((facts, *pinned)),
            Self::Absent | Self::Deleted(_) => Err(MessageError::Deleted),
        }
    }
}
