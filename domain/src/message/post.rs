//! Posting: on its own, as an answer, in a thread, or passing another message on.

use jiff::Timestamp;

use super::{
    Content, Forwarded, Message, MessageError, MessageEvent, MessagePosted, MessageText, may, may_post,
};
use crate::channel::Channel;
use crate::mention::Wanted;
use crate::poll::NewPoll;
use crate::{ChannelId, MessageId, Permissions, Personal, Standing};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostMessage {
    pub id: MessageId,
    pub channel_id: ChannelId,
    pub channel: Channel,
    pub by: Standing,
    /// `None` only in what passes another message on.
    pub content: Option<Content>,
    pub wanted: Wanted,
    /// The message answered, with its state.
    pub reply_to: Option<(MessageId, Message)>,
    /// The first message of the thread to post in, with its state.
    pub thread: Option<(MessageId, Message)>,
    pub forward: Option<Forward>,
    pub poll: Option<NewPoll>,
    pub now: Timestamp,
    /// How many seconds the slow mode makes the author wait yet.
    pub wait: Option<u32>,
}

/// A message that is passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    pub source: Message,
    /// The forwarder's standing where the source is.
    pub by: Standing,
    pub created_at: Timestamp,
    /// As it reads now; of a message that was itself passed on, the text that it brought. `None`: it is gone.
    pub text: Option<Content>,
}

impl PostMessage {
    pub(super) fn decide(self) -> Result<Vec<MessageEvent>, MessageError> {
        let (forwarded, copy) = match self.forward {
            Some(forward) => forward.decide().map(|(origin, text)| (Some(origin), Some(text)))?,
            None => (None, None),
        };
        let channel = may_post(&self.channel, &self.by)?;
        let thread_id = self.thread.as_ref().map(|(id, _)| *id);
        if let Some((_, root)) = &self.thread {
            let facts = root.facts().filter(|facts| facts.channel_id == self.channel_id);
            match facts.ok_or(MessageError::ThreadNotFound)?.thread_id {
                Some(_) => return Err(MessageError::ThreadInThread),
                None if root.is_deleted() => return Err(MessageError::ThreadClosed),
                None => {}
            }
        }
        if let Some((id, answered)) = &self.reply_to {
            // What is answered stands where the answer will: both in the channel's history, or both in one thread,
            // to which its first message belongs too.
            let near = answered.facts().is_some_and(|facts| {
                facts.channel_id == self.channel_id
                    && (facts.thread_id == thread_id || Some(*id) == thread_id)
            });
            if answered.is_deleted() || !near {
                return Err(MessageError::ReplyNotFound);
            }
        }
        if self.reply_to.is_some() || self.thread.is_some() {
            may(&self.by, Permissions::REPLY, MessageError::MayNotReply)?;
        }
        let terms = self.poll.as_ref().map(|poll| poll.terms(self.now).ok_or(MessageError::PollTime));
        let poll = terms.transpose()?;
        if let Some(wait) = self.wait {
            return Err(MessageError::SlowMode { wait });
        }
        let text = MessageText {
            content: self.content.unwrap_or_else(Content::none),
            poll: self.poll.map(|poll| poll.options),
            forwarded: copy,
        };
        Ok(vec![
            MessagePosted {
                message_id: self.id,
                channel_id: self.channel_id,
                community_id: channel.community_id(),
                author_id: self.by.account,
                reply_to: self.reply_to.map(|(id, _)| id),
                poll,
                thread_id,
                forwarded,
                mentions: self.wanted.granted(&self.by),
                text: Personal::Clear(text),
            }
            .into(),
        ])
    }
}

impl Forward {
    /// Where the text comes from, and the text.
    fn decide(self) -> Result<(Forwarded, Content), MessageError> {
        let facts = self.source.seen_by(&self.by).ok_or(MessageError::Unknown)?;
        if self.source.is_deleted() {
            return Err(MessageError::Deleted);
        }
        let text = self.text.ok_or(MessageError::TextGone)?;
        let first = Forwarded {
            message_id: facts.id,
            channel_id: facts.channel_id,
            author_id: facts.author_id,
            created_at: self.created_at,
        };
        Ok((facts.forwarded.unwrap_or(first), text))
    }
}
