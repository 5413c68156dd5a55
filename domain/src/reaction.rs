//! `reaction-{message}`: what people reacted to a message with.

use serde::{Deserialize, Serialize};

use crate::codec::{events, fact};
use crate::crowd::Crowd;
use crate::emoji::Emoji;
use crate::message::{Facts, Message};
use crate::{AccountId, Aggregate, ChannelId, CommunityId, MessageId, Permissions, Standing};

/// Most kinds of emoji on one message.
pub const MAX_KINDS: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionAdded {
    pub message_id: MessageId,
    pub channel_id: ChannelId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<CommunityId>,
    pub account_id: AccountId,
    pub emoji: Emoji,
    /// How many react with it from now on.
    pub count: u32,
}
fact!(ReactionAdded = "reaction.added", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionRemoved {
    pub message_id: MessageId,
    pub channel_id: ChannelId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<CommunityId>,
    pub account_id: AccountId,
    pub emoji: Emoji,
    /// How many still react with it.
    pub count: u32,
}
fact!(ReactionRemoved = "reaction.removed", 1);

/// Everyone's reactions, of one kind or of all, were taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionsCleared {
    pub message_id: MessageId,
    pub channel_id: ChannelId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<CommunityId>,
    /// `None`: all kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<Emoji>,
    pub by: AccountId,
}
fact!(ReactionsCleared = "reaction.cleared", 1);

events! {
    pub enum ReactionEvent {
        Added(ReactionAdded),
        Removed(ReactionRemoved),
        Cleared(ReactionsCleared),
    }
}

impl ReactionEvent {
    /// The message, its channel and, if it has one, its community.
    pub fn subject(&self) -> (MessageId, ChannelId, Option<CommunityId>) {
        match self {
            Self::Added(e) => (e.message_id, e.channel_id, e.community_id),
            Self::Removed(e) => (e.message_id, e.channel_id, e.community_id),
            Self::Cleared(e) => (e.message_id, e.channel_id, e.community_id),
        }
    }
}

/// The fold of a message's reactions: the kinds in the order of their first use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reactions {
    kinds: Vec<(Emoji, Crowd<()>)>,
}

impl Reactions {
    /// How many react with `emoji`.
    pub fn count(&self, emoji: &Emoji) -> u32 {
        self.kind(emoji).map_or(0, Crowd::len)
    }

    /// Whether `account` reacts with `emoji`.
    pub fn has(&self, account: AccountId, emoji: &Emoji) -> bool {
        self.kind(emoji).is_some_and(|accounts| accounts.get(account).is_some())
    }

    /// The kinds in the order of their first use, each with its count.
    pub fn kinds(&self) -> impl Iterator<Item = (&Emoji, u32)> {
        self.kinds.iter().map(|(emoji, accounts)| (emoji, accounts.len()))
    }

    fn kind(&self, emoji: &Emoji) -> Option<&Crowd<()>> {
        self.kinds.iter().find(|(kind, _)| kind == emoji).map(|(_, accounts)| accounts)
    }
}

/// Each command carries the state of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReactionCommand {
    Add {
        message: Message,
        by: Standing,
        emoji: Emoji,
    },
    /// One's own.
    Remove {
        message: Message,
        by: Standing,
        emoji: Emoji,
    },
    /// Everyone's, of one kind or of all; by whoever manages messages.
    Clear {
        message: Message,
        by: Standing,
        emoji: Option<Emoji>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReactionError {
    #[error("there is no such message")]
    UnknownMessage,
    #[error("the message has been deleted")]
    MessageDeleted,
    #[error("you may not react in this channel")]
    MayNotReact,
    #[error("you are timed out in this community")]
    TimedOut,
    #[error("the channel is archived")]
    Archived,
    #[error("one of you has blocked the other")]
    Blocked,
    #[error("the message has {MAX_KINDS} kinds of reactions already: use one of them")]
    TooManyKinds,
    #[error("you may not take away others' reactions here")]
    MayNotClear,
}

impl Aggregate for Reactions {
    type Event = ReactionEvent;
    type Command = ReactionCommand;
    type Error = ReactionError;

    fn evolve(&mut self, event: &ReactionEvent) {
        match event {
            ReactionEvent::Added(added) => {
                let known = self.kinds.iter().position(|(emoji, _)| *emoji == added.emoji);
                let kind = known.unwrap_or_else(|| {
                    self.kinds.push((added.emoji.clone(), Crowd::default()));
                    self.kinds.len() - 1
                });
                self.kinds[kind].1.insert(added.account_id, ());
            }
            ReactionEvent::Removed(removed) => {
                if let Some((_, accounts)) = self.kinds.iter_mut().find(|(emoji, _)| *emoji == removed.emoji)
                {
                    accounts.remove(removed.account_id);
                }
                self.kinds.retain(|(_, accounts)| !accounts.is_empty());
            }
            ReactionEvent::Cleared(cleared) => match &cleared.emoji {
                Some(cleared) => self.kinds.retain(|(emoji, _)| emoji != cleared),
                None => self.kinds.clear(),
            },
        }
    }

    fn decide(&self, command: ReactionCommand) -> Result<Vec<ReactionEvent>, ReactionError> {
        match command {
            ReactionCommand::Add { message, by, emoji } => self.add(&message, &by, emoji),
            ReactionCommand::Remove { message, by, emoji } => self.remove(&message, &by, emoji),
            ReactionCommand::Clear { message, by, emoji } => self.clear(&message, &by, emoji),
        }
    }
}

impl Reactions {
    fn add(
        &self,
        message: &Message,
        by: &Standing,
        emoji: Emoji,
    ) -> Result<Vec<ReactionEvent>, ReactionError> {
        let Facts { id: message_id, channel_id, community_id, .. } = *live(message, by)?;
        if !by.may(Permissions::REACT) {
            return Err(match by.timed_out {
                _ if by.archived => ReactionError::Archived,
                _ if by.blocked => ReactionError::Blocked,
                Some(_) => ReactionError::TimedOut,
                None => ReactionError::MayNotReact,
            });
        }
        if self.has(by.account, &emoji) {
            return Ok(vec![]);
        }
        let count = self.count(&emoji) + 1;
        if count == 1 && self.kinds.len() >= MAX_KINDS {
            return Err(ReactionError::TooManyKinds);
        }
        let account_id = by.account;
        Ok(vec![ReactionAdded { message_id, channel_id, community_id, account_id, emoji, count }.into()])
    }

    /// Whoever still sees the message takes back what they said, even if they may not react any more.
    fn remove(
        &self,
        message: &Message,
        by: &Standing,
        emoji: Emoji,
    ) -> Result<Vec<ReactionEvent>, ReactionError> {
        let Facts { id: message_id, channel_id, community_id, .. } = *live(message, by)?;
        if !self.has(by.account, &emoji) {
            return Ok(vec![]);
        }
        let (account_id, count) = (by.account, self.count(&emoji) - 1);
        Ok(vec![ReactionRemoved { message_id, channel_id, community_id, account_id, emoji, count }.into()])
    }

    fn clear(
        &self,
        message: &Message,
        by: &Standing,
        emoji: Option<Emoji>,
    ) -> Result<Vec<ReactionEvent>, ReactionError> {
        let Facts { id: message_id, channel_id, community_id, .. } = *live(message, by)?;
        if !by.may(Permissions::MANAGE_MESSAGES) {
            return Err(ReactionError::MayNotClear);
        }
        let none = emoji.as_ref().map_or(self.kinds.is_empty(), |emoji| self.count(emoji) == 0);
        if none {
            return Ok(vec![]);
        }
        Ok(vec![ReactionsCleared { message_id, channel_id, community_id, emoji, by: by.account }.into()])
    }
}

/// The message, if `by` sees it and it is there to be reacted to.
fn live<'a>(message: &'a Message, by: &Standing) -> Result<&'a Facts, ReactionError> {
    let facts = message.seen_by(by).ok_or(ReactionError::UnknownMessage)?;
    if message.is_deleted() { Err(ReactionError::MessageDeleted) } else { Ok(facts) }
}
