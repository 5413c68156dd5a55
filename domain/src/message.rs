//! `message-{id}`: one message, from its posting to its deletion.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

mod pin;
mod post;
mod text;

pub use pin::{MessagePinned, MessageUnpinned};
pub use post::{Forward, PostMessage};
pub use text::MessageText;

use crate::channel::{Channel, ChannelKind, LiveChannel, SlowMode};
use crate::codec::{events, fact, told};
use crate::mention::{Mentions, Wanted};
use crate::poll::PollTerms;
use crate::text::bounded;
use crate::{AccountId, Aggregate, ChannelId, CommunityId, MessageId, Permissions, Personal, Standing};

bounded!(
    /// What was written, Markdown source, byte for byte.
    Content, block, 1..=4_000
);

impl Content {
    /// Of a message that passes another on without a word.
    fn none() -> Self {
        Self(String::new())
    }
}

/// Where a text that was passed on comes from: the message that it was first in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwarded {
    pub message_id: MessageId,
    pub channel_id: ChannelId,
    pub author_id: AccountId,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePosted {
    pub message_id: MessageId,
    pub channel_id: ChannelId,
    /// `None` in a direct or group channel, in every event of a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<CommunityId>,
    pub author_id: AccountId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<PollTerms>,
    /// The first message of the thread that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarded: Option<Forwarded>,
    #[serde(default, skip_serializing_if = "Mentions::is_empty")]
    pub mentions: Mentions,
    #[serde(skip)]
    pub text: Personal<MessageText>,
}
told!(MessagePosted.text: MessageText = "message.posted", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageEdited {
    pub message_id: MessageId,
    pub channel_id: ChannelId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<CommunityId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<MessageId>,
    /// Of the new text.
    #[serde(default, skip_serializing_if = "Mentions::is_empty")]
    pub mentions: Mentions,
    #[serde(skip)]
    pub content: Personal<Content>,
}
told!(MessageEdited.content: Content = "message.edited", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageDeleted {
    pub message_id: MessageId,
    pub channel_id: ChannelId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<CommunityId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<MessageId>,
    pub deleted_by: AccountId,
}
fact!(MessageDeleted = "message.deleted", 1);

events! {
    pub enum MessageEvent {
        Posted(MessagePosted),
        Edited(MessageEdited),
        Deleted(MessageDeleted),
        Pinned(MessagePinned),
        Unpinned(MessageUnpinned),
    }
}

impl MessageEvent {
    /// The message, its channel and, if it has one, its community.
    pub fn subject(&self) -> (MessageId, ChannelId, Option<CommunityId>) {
        match self {
            Self::Posted(e) => (e.message_id, e.channel_id, e.community_id),
            Self::Edited(e) => (e.message_id, e.channel_id, e.community_id),
            Self::Deleted(e) => (e.message_id, e.channel_id, e.community_id),
            Self::Pinned(e) => (e.message_id, e.channel_id, e.community_id),
            Self::Unpinned(e) => (e.message_id, e.channel_id, e.community_id),
        }
    }
}

/// The fold of a message's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Message {
    #[default]
    Absent,
    Live {
        facts: Facts,
        pinned: bool,
        /// Of the newest text.
        mentions: Mentions,
    },
    Deleted(Facts),
}

/// What never changes about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    pub id: MessageId,
    pub channel_id: ChannelId,
    pub community_id: Option<CommunityId>,
    pub author_id: AccountId,
    pub reply_to: Option<MessageId>,
    pub poll: Option<PollTerms>,
    /// The first message of the thread that it is in.
    pub thread_id: Option<MessageId>,
    pub forwarded: Option<Forwarded>,
}

impl Message {
    pub fn facts(&self) -> Option<&Facts> {
        match self {
            Self::Absent => None,
            Self::Live { facts, .. } | Self::Deleted(facts) => Some(facts),
        }
    }

    pub fn is_deleted(&self) -> bool {
        matches!(self, Self::Deleted(_))
    }

    pub fn is_pinned(&self) -> bool {
        matches!(self, Self::Live { pinned: true, .. })
    }

    /// None where the text is gone.
    pub fn mentions(&self) -> Option<&Mentions> {
        match self {
            Self::Live { mentions, .. } => Some(mentions),
            Self::Absent | Self::Deleted(_) => None,
        }
    }

    /// The facts, if `by` may know that the message exists.
    pub fn seen_by(&self, by: &Standing) -> Option<&Facts> {
        self.facts().filter(|facts| by.sees(facts.channel_id, facts.community_id))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "posting is the usual command; none is ever kept")]
pub enum MessageCommand {
    Post(PostMessage),
    /// Replace the text; only by its author.
    Edit {
        by: Standing,
        content: Content,
        wanted: Wanted,
    },
    /// By the author, or by whoever manages messages.
    Delete {
        by: Standing,
    },
    /// Delete one of many messages of a channel; only by who manages messages there.
    Sweep {
        /// In that channel.
        by: Standing,
        channel: Channel,
    },
    /// In a community by whoever manages messages, elsewhere by everyone who is there.
    Pin {
        by: Standing,
    },
    Unpin {
        by: Standing,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error("there is no such message")]
    Unknown,
    #[error("there is no such channel")]
    UnknownChannel,
    #[error("you may not post in this channel")]
    MayNotPost,
    #[error("this kind of channel holds no messages")]
    ChannelHoldsNoMessages,
    #[error("the message replied to is not in this channel")]
    ReplyNotFound,
    #[error("only its author may edit a message")]
    NotAuthor,
    #[error("you may not delete others' messages here")]
    MayNotDelete,
    #[error("the message has been deleted")]
    Deleted,
    #[error("you are timed out in this community")]
    TimedOut,
    #[error("you may not reply in this channel")]
    MayNotReply,
    #[error("you may not pin messages here")]
    MayNotPin,
    #[error("a poll closes in the future, at most 30 days from now")]
    PollTime,
    #[error("the channel is archived")]
    Archived,
    #[error("one of you has blocked the other")]
    Blocked,
    #[error("this channel is in slow mode: you may post again in {wait} seconds")]
    SlowMode {
        /// In seconds, rounded up.
        wait: u32,
    },
    #[error("there is no such message to answer in a thread in this channel")]
    ThreadNotFound,
    #[error("a message of a thread has no thread of its own")]
    ThreadInThread,
    #[error("the message that the thread is about has been deleted: the thread is closed")]
    ThreadClosed,
    #[error("the text of this message is gone")]
    TextGone,
}

impl Aggregate for Message {
    type Event = MessageEvent;
    type Command = MessageCommand;
    type Error = MessageError;

    fn evolve(&mut self, event: &MessageEvent) {
        match event {
            MessageEvent::Posted(posted) => {
                let facts = Facts {
                    id: posted.message_id,
                    channel_id: posted.channel_id,
                    community_id: posted.community_id,
                    author_id: posted.author_id,
                    reply_to: posted.reply_to,
                    poll: posted.poll,
                    thread_id: posted.thread_id,
                    forwarded: posted.forwarded,
                };
                *self = Self::Live { facts, pinned: false, mentions: posted.mentions.clone() };
            }
            MessageEvent::Edited(edited) => {
                if let Self::Live { mentions, .. } = self {
                    mentions.clone_from(&edited.mentions);
                }
            }
            MessageEvent::Pinned(_) => self.set_pinned(true),
            MessageEvent::Unpinned(_) => self.set_pinned(false),
            MessageEvent::Deleted(_) => {
                if let Self::Live { facts, .. } = self {
                    *self = Self::Deleted(*facts);
                }
            }
        }
    }

    fn decide(&self, command: MessageCommand) -> Result<Vec<MessageEvent>, MessageError> {
        match command {
            MessageCommand::Post(_) if *self != Self::Absent => Ok(vec![]),
            MessageCommand::Post(post) => post.decide(),
            MessageCommand::Edit { by, content, wanted } => self.edit(&by, content, wanted),
            MessageCommand::Delete { by } => self.delete(&by),
            MessageCommand::Sweep { by, channel } => self.sweep(&by, &channel),
            MessageCommand::Pin { by } => self.pin(&by),
            MessageCommand::Unpin { by } => self.unpin(&by),
        }
    }
}

/// The channel, if `by` may say something in it now.
///
/// # Errors
/// What posting there would be refused with.
pub fn may_post<'a>(channel: &'a Channel, by: &Standing) -> Result<&'a LiveChannel, MessageError> {
    let seen = |channel: &&LiveChannel| by.sees(channel.id, channel.community_id());
    let channel = channel.live().filter(seen).ok_or(MessageError::UnknownChannel)?;
    if channel.kind == ChannelKind::Category {
        return Err(MessageError::ChannelHoldsNoMessages);
    }
    may(by, Permissions::POST, MessageError::MayNotPost)?;
    Ok(channel)
}

/// Whether `by` holds a permission; an archive, a block and a time-out are said as such.
fn may(by: &Standing, permission: Permissions, otherwise: MessageError) -> Result<(), MessageError> {
    match by.timed_out {
        _ if by.may(permission) => Ok(()),
        _ if by.archived => Err(MessageError::Archived),
        _ if by.blocked => Err(MessageError::Blocked),
        Some(_) => Err(MessageError::TimedOut),
        None => Err(otherwise),
    }
}

/// The slow mode that `by` is under who posts in `channel`; `None`: may post at once, or not at all.
pub fn slow_mode(channel: &Channel, by: &Standing) -> Option<SlowMode> {
    let channel = may_post(channel, by).ok()?;
    let exempt = by.may(Permissions::MANAGE_MESSAGES) || by.may(Permissions::MANAGE_CHANNELS);
    Some(channel.slow_mode).filter(|slow_mode| !slow_mode.is_off() && !exempt)
}

impl Message {
    fn edit(
        &self,
        by: &Standing,
        content: Content,
        wanted: Wanted,
    ) -> Result<Vec<MessageEvent>, MessageError> {
        let facts = self.visible_to(by)?;
        if facts.author_id != by.account {
            return Err(MessageError::NotAuthor);
        }
        if matches!(self, Self::Deleted(_)) {
            return Err(MessageError::Deleted);
        }
        may(by, Permissions::POST, MessageError::MayNotPost)?;
        Ok(vec![
            MessageEdited {
                message_id: facts.id,
                channel_id: facts.channel_id,
                community_id: facts.community_id,
                thread_id: facts.thread_id,
                mentions: wanted.granted(by),
                content: Personal::Clear(content),
            }
            .into(),
        ])
    }

    fn delete(&self, by: &Standing) -> Result<Vec<MessageEvent>, MessageError> {
        let facts = self.visible_to(by)?;
        if facts.author_id != by.account && !by.may(Permissions::MANAGE_MESSAGES) {
            return Err(MessageError::MayNotDelete);
        }
        Ok(self.deleted_by(by, facts))
    }

    fn sweep(&self, by: &Standing, channel: &Channel) -> Result<Vec<MessageEvent>, MessageError> {
        let seen = |channel: &&LiveChannel| by.sees(channel.id, channel.community_id());
        let channel = channel.live().filter(seen).ok_or(MessageError::UnknownChannel)?;
        may(by, Permissions::MANAGE_MESSAGES, MessageError::MayNotDelete)?;
        let here = |facts: &&Facts| facts.channel_id == channel.id;
        let facts = *self.facts().filter(here).ok_or(MessageError::Unknown)?;
        Ok(self.deleted_by(by, facts))
    }

    fn deleted_by(&self, by: &Standing, facts: Facts) -> Vec<MessageEvent> {
        if self.is_deleted() {
            return vec![];
        }
        let Facts { id: message_id, channel_id, community_id, thread_id, .. } = facts;
        let deleted_by = by.account;
        vec![MessageDeleted { message_id, channel_id, community_id, thread_id, deleted_by }.into()]
    }

    /// Who may not see a message is not told that it exists.
    fn visible_to(&self, by: &Standing) -> Result<Facts, MessageError> {
        self.seen_by(by).copied().ok_or(MessageError::Unknown)
    }

    fn set_pinned(&mut self, now: bool) {
        if let Self::Live { pinned, .. } = self {
            *pinned = now;
        }
    }
}
