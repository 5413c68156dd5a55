//! `poll-{message}`: the votes on a message's poll, and its closing.
//!
//! The poll itself is a part of its message: the texts of its options are sealed with the message's text, and its
//! [`PollTerms`] are among the message's facts.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::codec::{events, fact};
use crate::crowd::Crowd;
use crate::message::{Facts, Message};
use crate::text::bounded;
use crate::{AccountId, Aggregate, ChannelId, CommunityId, MessageId, Permissions, Standing};

/// Fewest and most options of a poll.
pub const MIN_OPTIONS: usize = 2;
pub const MAX_OPTIONS: usize = 10;
/// The longest that a poll which closes by itself is open.
pub const MAX_DURATION: SignedDuration = SignedDuration::from_hours(30 * 24);

bounded!(
    /// What one can vote for.
    PollOption, line, 1..=100
);

/// The options of a poll, no two alike. A vote names them by their place, from 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PollOptions(Vec<PollOption>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PollOptionsError {
    #[error("must have {MIN_OPTIONS} to {MAX_OPTIONS} options, has {0}")]
    Count(usize),
    #[error("must not have an option twice")]
    Repeated,
}

impl PollOptions {
    /// # Errors
    /// There are too few or too many, or two are alike.
    pub fn new(options: Vec<PollOption>) -> Result<Self, PollOptionsError> {
        if !(MIN_OPTIONS..=MAX_OPTIONS).contains(&options.len()) {
            return Err(PollOptionsError::Count(options.len()));
        }
        let distinct: BTreeSet<&str> = options.iter().map(PollOption::as_str).collect();
        if distinct.len() < options.len() { Err(PollOptionsError::Repeated) } else { Ok(Self(options)) }
    }

    pub fn iter(&self) -> impl Iterator<Item = &PollOption> {
        self.0.iter()
    }

    fn count(&self) -> u8 {
        u8::try_from(self.0.len()).unwrap_or(u8::MAX)
    }
}

/// What never changes about a poll, its texts aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollTerms {
    /// How many options there are.
    pub options: u8,
    /// Whether one may vote for several.
    pub multiple: bool,
    /// When it closes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Timestamp>,
}

impl PollTerms {
    /// Whether its time is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.closes_at.is_some_and(|end| end <= now)
    }
}

/// A poll to be posted with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPoll {
    pub options: PollOptions,
    pub multiple: bool,
    pub closes_at: Option<Timestamp>,
}

impl NewPoll {
    /// `None` when it would close in the past or too late.
    pub(crate) fn terms(&self, now: Timestamp) -> Option<PollTerms> {
        let fits = |end: Timestamp| now < end && end.duration_since(now) <= MAX_DURATION;
        let Self { options, multiple, closes_at } = self;
        let terms = PollTerms { options: options.count(), multiple: *multiple, closes_at: *closes_at };
        closes_at.is_none_or(fits).then_some(terms)
    }
}

/// All that the account votes for from now on; nothing: the vote is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollVoted {
    pub message_id: MessageId,
    pub channel_id: ChannelId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<CommunityId>,
    pub account_id: AccountId,
    pub options: BTreeSet<u8>,
    /// How many votes each option has from now on.
    pub votes: Vec<u32>,
}
fact!(PollVoted = "poll.voted", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollClosed {
    pub message_id: MessageId,
    pub channel_id: ChannelId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<CommunityId>,
    pub by: AccountId,
}
fact!(PollClosed = "poll.closed", 1);

events! {
    pub enum PollEvent {
        Voted(PollVoted),
        Closed(PollClosed),
    }
}

impl PollEvent {
    /// The message, its channel and, if it has one, its community.
    pub fn subject(&self) -> (MessageId, ChannelId, Option<CommunityId>) {
        match self {
            Self::Voted(e) => (e.message_id, e.channel_id, e.community_id),
            Self::Closed(e) => (e.message_id, e.channel_id, e.community_id),
        }
    }
}

/// The fold of a poll's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Poll {
    voters: Crowd<BTreeSet<u8>>,
    /// By option, as far as there were votes.
    votes: Vec<u32>,
    closed: bool,
}

impl Poll {
    /// What `account` votes for.
    pub fn vote_of(&self, account: AccountId) -> Option<&BTreeSet<u8>> {
        self.voters.get(account)
    }

    /// How many vote for an option.
    pub fn votes(&self, option: u8) -> u32 {
        self.votes.get(usize::from(option)).copied().unwrap_or_default()
    }

    /// Whether somebody closed it; one whose time is over is closed as well.
    pub fn closed(&self) -> bool {
        self.closed
    }
}

/// Each command carries the state of the message, and the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PollCommand {
    /// In place of an earlier vote; without options it is withdrawn.
    Vote { message: Message, by: Standing, options: BTreeSet<u8>, now: Timestamp },
    /// By the author of the message, or by whoever manages messages.
    Close { message: Message, by: Standing, now: Timestamp },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PollError {
    #[error("there is no such message")]
    UnknownMessage,
    #[error("the message has no poll")]
    None,
    #[error("the message has been deleted")]
    MessageDeleted,
    #[error("you may not vote in this channel")]
    MayNotVote,
    #[error("you are timed out in this community")]
    TimedOut,
    #[error("the channel is archived")]
    Archived,
    #[error("one of you has blocked the other")]
    Blocked,
    #[error("the poll is closed")]
    Closed,
    #[error("the poll has no such option")]
    UnknownOption,
    #[error("in this poll you vote for one option")]
    OneOption,
    #[error("only the author and those who manage messages may close a poll")]
    MayNotClose,
}

impl Aggregate for Poll {
    type Event = PollEvent;
    type Command = PollCommand;
    type Error = PollError;

    fn evolve(&mut self, event: &PollEvent) {
        match event {
            PollEvent::Voted(voted) => {
                if voted.options.is_empty() {
                    self.voters.remove(voted.account_id);
                } else {
                    self.voters.insert(voted.account_id, voted.options.clone());
                }
                self.votes.clone_from(&voted.votes);
            }
            PollEvent::Closed(_) => self.closed = true,
        }
    }

    fn decide(&self, command: PollCommand) -> Result<Vec<PollEvent>, PollError> {
        match command {
            PollCommand::Vote { message, by, options, now } => self.vote(&message, &by, options, now),
            PollCommand::Close { message, by, now } => self.close(&message, &by, now),
        }
    }
}

impl Poll {
    fn vote(
        &self,
        message: &Message,
        by: &Standing,
        options: BTreeSet<u8>,
        now: Timestamp,
    ) -> Result<Vec<PollEvent>, PollError> {
        let (facts, terms) = open_to(message, by)?;
        // Whoever still sees the poll takes back what they said, even if they may not vote any more.
        if !options.is_empty() && !by.may(Permissions::REACT) {
            return Err(match by.timed_out {
                _ if by.archived => PollError::Archived,
                _ if by.blocked => PollError::Blocked,
                Some(_) => PollError::TimedOut,
                None => PollError::MayNotVote,
            });
        }
        if self.closed || terms.is_over(now) {
            return Err(PollError::Closed);
        }
        if options.iter().any(|option| *option >= terms.options) {
            return Err(PollError::UnknownOption);
        }
        if options.len() > 1 && !terms.multiple {
            return Err(PollError::OneOption);
        }
        let (account_id, nothing) = (by.account, BTreeSet::new());
        let before = self.vote_of(account_id).unwrap_or(&nothing);
        if *before == options {
            return Ok(vec![]);
        }
        let counted = |option: u8| {
            let others = self.votes(option).saturating_sub(u32::from(before.contains(&option)));
            others + u32::from(options.contains(&option))
        };
        let votes = (0..terms.options).map(counted).collect();
        let Facts { id: message_id, channel_id, community_id, .. } = *facts;
        Ok(vec![PollVoted { message_id, channel_id, community_id, account_id, options, votes }.into()])
    }

    fn close(&self, message: &Message, by: &Standing, now: Timestamp) -> Result<Vec<PollEvent>, PollError> {
        let (facts, terms) = open_to(message, by)?;
        if facts.author_id != by.account && !by.may(Permissions::MANAGE_MESSAGES) {
            return Err(PollError::MayNotClose);
        }
        if self.closed || terms.is_over(now) {
            return Ok(vec![]);
        }
        let Facts { id: message_id, channel_id, community_id, .. } = *facts;
        Ok(vec![PollClosed { message_id, channel_id, community_id, by: by.account }.into()])
    }
}

/// The message and its poll, if `by` sees it and it is there to be voted on.
fn open_to<'a>(message: &'a Message, by: &Standing) -> Result<(&'a Facts, PollTerms), PollError> {
    let facts = message.seen_by(by).ok_or(PollError::UnknownMessage)?;
    let terms = facts.poll.ok_or(PollError::None)?;
    if message.is_deleted() { Err(PollError::MessageDeleted) } else { Ok((facts, terms)) }
}
