//! `follow-{account}-{message}`: whether an account follows the thread below a message, by its own word.
//!
//! Without a word of its own an account follows the threads that it has to do with: below its own messages, and where it
//! replied or was mentioned. That follows from the messages and is no event.

use serde::{Deserialize, Serialize};

use crate::codec::{events, fact};
use crate::message::Message;
use crate::{AccountId, Aggregate, ChannelId, CommunityId, MessageId, Standing};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadFollowed {
    pub account_id: AccountId,
    /// The thread's first message.
    pub message_id: MessageId,
    pub channel_id: ChannelId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<CommunityId>,
}
fact!(ThreadFollowed = "thread.followed", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadUnfollowed {
    pub account_id: AccountId,
    pub message_id: MessageId,
    pub channel_id: ChannelId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<CommunityId>,
}
fact!(ThreadUnfollowed = "thread.unfollowed", 1);

events! {
    pub enum ThreadEvent {
        Followed(ThreadFollowed),
        Unfollowed(ThreadUnfollowed),
    }
}

impl ThreadEvent {
    /// Who follows or no longer does, and the thread's first message.
    pub fn subject(&self) -> (AccountId, MessageId) {
        match self {
            Self::Followed(e) => (e.account_id, e.message_id),
            Self::Unfollowed(e) => (e.account_id, e.message_id),
        }
    }
}

/// The fold of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Following {
    /// `None`: the account has not said.
    pub said: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follow {
    /// The thread's first message.
    pub root: Message,
    /// The account's standing where that is.
    pub by: Standing,
    /// Whether to follow from now on.
    pub follow: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ThreadError {
    #[error("there is no such message")]
    Unknown,
    #[error("a message of a thread has no thread of its own")]
    InThread,
}

impl Aggregate for Following {
    type Event = ThreadEvent;
    type Command = Follow;
    type Error = ThreadError;

    fn evolve(&mut self, event: &ThreadEvent) {
        self.said = Some(matches!(event, ThreadEvent::Followed(_)));
    }

    fn decide(&self, Follow { root, by, follow }: Follow) -> Result<Vec<ThreadEvent>, ThreadError> {
        let facts = root.seen_by(&by).ok_or(ThreadError::Unknown)?;
        if facts.thread_id.is_some() {
            return Err(ThreadError::InThread);
        }
        if self.said == Some(follow) {
            return Ok(vec![]);
        }
        let (account_id, message_id) = (by.account, facts.id);
        let (channel_id, community_id) = (facts.channel_id, facts.community_id);
        Ok(vec![if follow {
            ThreadFollowed { account_id, message_id, channel_id, community_id }.into()
        } else {
            ThreadUnfollowed { account_id, message_id, channel_id, community_id }.into()
        }])
    }
}
