//! A message reached a participant of a conversation, or was read.

use domain::{AccountId, ChannelId, MessageId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    pub(crate) channel_id: ChannelId,
    /// Whom it reached.
    pub(crate) account_id: AccountId,
    pub(crate) message_id: MessageId,
    /// Else it was delivered.
    pub(crate) read: bool,
    pub(crate) time: Timestamp,
    /// The one participant who is told; `None`: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<AccountId>,
}
