//! What people say of messages: the counts in the events are those that the domain would have put there.

use std::collections::HashMap;

use domain::emoji::Emoji;
use domain::poll::{Poll, PollEvent, PollVoted};
use domain::reaction::{ReactionAdded, ReactionEvent, ReactionRemoved, Reactions, ReactionsCleared};
use domain::{AccountId, Aggregate as _, MessageId};

use crate::world::{Place, World, emoji};

const EMOJI: [&str; 3] = ["🎉", "👍🏽", "❤️"];
const OPTIONS: [&str; 3] = ["red", "green", "blue"];

/// The folds of what was said of each message.
#[derive(Default)]
pub(super) struct Said {
    reactions: HashMap<MessageId, Reactions>,
    /// Of the messages that have one.
    polls: HashMap<MessageId, Poll>,
}

impl Said {
    pub(super) async fn ask(&mut self, world: &World, place: Place, author: AccountId) -> MessageId {
        let message = world.ask(place, author, "Which?", &OPTIONS).await;
        self.polls.insert(message, Poll::default());
        message
    }

    pub(super) fn is_poll(&self, message: MessageId) -> bool {
        self.polls.contains_key(&message)
    }

    pub(super) async fn react(
        &mut self,
        world: &World,
        place: Place,
        message: MessageId,
        account: AccountId,
        number: usize,
    ) {
        let text = EMOJI[number % EMOJI.len()];
        let (emoji, subject) = (emoji(text), (message, place));
        let reactions = self.reactions.entry(message).or_default();
        let before = reactions.count(&emoji);
        let event: ReactionEvent = if number.is_multiple_of(11) {
            let one = number.is_multiple_of(2).then_some(text);
            world.clear_reactions(place, message, account, one).await;
            cleared(subject, account, one.map(|_| emoji))
        } else if reactions.has(account, &emoji) {
            world.unreact(place, message, account, text, before - 1).await;
            removed(subject, account, emoji, before - 1)
        } else {
            world.react(place, message, account, text, before + 1).await;
            added(subject, account, emoji, before + 1)
        };
        reactions.evolve(&event);
    }

    pub(super) async fn vote(
        &mut self,
        world: &World,
        place: Place,
        message: MessageId,
        account: AccountId,
        number: usize,
    ) {
        let poll = self.polls.entry(message).or_default();
        let options: Vec<u8> = (0..3).filter(|option| number >> option & 1 == 1).collect();
        let before = poll.vote_of(account).cloned().unwrap_or_default();
        let count = |option: u8| {
            poll.votes(option) + u32::from(options.contains(&option)) - u32::from(before.contains(&option))
        };
        let votes: Vec<u32> = (0..3).map(count).collect();
        world.vote(place, message, account, &options, &votes).await;
        let voted = PollVoted {
            message_id: message,
            channel_id: place.1,
            community_id: Some(place.0),
            account_id: account,
            options: options.into_iter().collect(),
            votes,
        };
        poll.evolve(&PollEvent::from(voted));
    }
}

type Subject = (MessageId, Place);

fn added((message_id, place): Subject, account_id: AccountId, emoji: Emoji, count: u32) -> ReactionEvent {
    let (community_id, channel_id) = (Some(place.0), place.1);
    ReactionAdded { message_id, channel_id, community_id, account_id, emoji, count }.into()
}

fn removed((message_id, place): Subject, account_id: AccountId, emoji: Emoji, count: u32) -> ReactionEvent {
    let (community_id, channel_id) = (Some(place.0), place.1);
    ReactionRemoved { message_id, channel_id, community_id, account_id, emoji, count }.into()
}

fn cleared((message_id, place): Subject, by: AccountId, emoji: Option<Emoji>) -> ReactionEvent {
    let (community_id, channel_id) = (Some(place.0), place.1);
    ReactionsCleared { message_id, channel_id, community_id, emoji, by }.into()
}
