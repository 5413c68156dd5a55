//! What is said of messages in tests: reactions, pins, polls.

use domain::emoji::Emoji;
use domain::message::{Content, MessageEvent, MessagePinned, MessagePosted, MessageText, MessageUnpinned};
use domain::poll::{PollClosed, PollEvent, PollOption, PollOptions, PollTerms, PollVoted};
use domain::reaction::{ReactionAdded, ReactionEvent, ReactionRemoved, ReactionsCleared};

use super::words::Place;
use super::*;

pub(crate) fn emoji(text: &str) -> Emoji {
    Emoji::parse(text).unwrap()
}

impl World {
    /// `count` is how many react with it from then on.
    pub(crate) async fn react(
        &self,
        (community, channel_id): Place,
        message_id: MessageId,
        account_id: AccountId,
        what: &str,
        count: u32,
    ) -> Position {
        let (community_id, emoji) = (Some(community), emoji(what));
        let added = ReactionAdded { message_id, channel_id, community_id, account_id, emoji, count };
        self.tell(ReactionEvent::from(added)).await
    }

    pub(crate) async fn unreact(
        &self,
        (community, channel_id): Place,
        message_id: MessageId,
        account_id: AccountId,
        what: &str,
        count: u32,
    ) -> Position {
        let (community_id, emoji) = (Some(community), emoji(what));
        let removed = ReactionRemoved { message_id, channel_id, community_id, account_id, emoji, count };
        self.tell(ReactionEvent::from(removed)).await
    }

    pub(crate) async fn clear_reactions(
        &self,
        (community, channel_id): Place,
        message_id: MessageId,
        by: AccountId,
        what: Option<&str>,
    ) -> Position {
        let (community_id, emoji) = (Some(community), what.map(emoji));
        let cleared = ReactionsCleared { message_id, channel_id, community_id, emoji, by };
        self.tell(ReactionEvent::from(cleared)).await
    }

    pub(crate) async fn pin(
        &self,
        (community, channel_id): Place,
        message_id: MessageId,
        by: AccountId,
    ) -> Position {
        let pinned = MessagePinned { message_id, channel_id, community_id: Some(community), by };
        self.tell(MessageEvent::from(pinned)).await
    }

    pub(crate) async fn unpin(
        &self,
        (community, channel_id): Place,
        message_id: MessageId,
        by: AccountId,
    ) -> Position {
        let unpinned = MessageUnpinned { message_id, channel_id, community_id: Some(community), by };
        self.tell(MessageEvent::from(unpinned)).await
    }

    /// A message whose poll may be answered with several of its options.
    pub(crate) async fn ask(
        &self,
        (community, channel_id): Place,
        author_id: AccountId,
        question: &str,
        options: &[&str],
    ) -> MessageId {
        let texts = options.iter().map(|text| PollOption::parse(text).unwrap()).collect();
        let content = Content::parse(question).unwrap();
        let text = MessageText { content, poll: Some(PollOptions::new(texts).unwrap()), forwarded: None };
        let closes_at = Some("2026-03-01T12:00:00Z".parse().unwrap());
        let count = u8::try_from(options.len()).unwrap();
        let posted = MessagePosted {
            message_id: MessageId(self.id()),
            channel_id,
            community_id: Some(community),
            author_id,
            reply_to: None,
            poll: Some(PollTerms { options: count, multiple: true, closes_at }),
            thread_id: None,
            forwarded: None,
            mentions: domain::mention::Mentions::default(),
            text: Personal::Clear(text),
        };
        let id = posted.message_id;
        self.tell(MessageEvent::from(posted)).await;
        id
    }

    /// `votes` is how many each option has from then on.
    pub(crate) async fn vote(
        &self,
        (community, channel_id): Place,
        message_id: MessageId,
        account_id: AccountId,
        options: &[u8],
        votes: &[u32],
    ) -> Position {
        let (options, votes) = (options.iter().copied().collect(), votes.to_vec());
        let community_id = Some(community);
        let voted = PollVoted { message_id, channel_id, community_id, account_id, options, votes };
        self.tell(PollEvent::from(voted)).await
    }

    pub(crate) async fn close(
        &self,
        (community, channel_id): Place,
        message_id: MessageId,
        by: AccountId,
    ) -> Position {
        let closed = PollClosed { message_id, channel_id, community_id: Some(community), by };
        self.tell(PollEvent::from(closed)).await
    }
}
