use domain::emoji::Emoji;
use domain::message::{Content, Message, MessageDeleted, MessagePosted};
use domain::reaction::{
    MAX_KINDS, ReactionAdded, ReactionCommand, ReactionError, ReactionEvent, ReactionRemoved, Reactions,
    ReactionsCleared,
};
use domain::{AccountId, Permissions, Personal, Role, Standing};

use crate::given::{fold, given};
use crate::people::*;

fn emoji(text: &str) -> Emoji {
    Emoji::parse(text).unwrap()
}

fn posted() -> MessagePosted {
    MessagePosted {
        message_id: MESSAGE,
        channel_id: CHANNEL,
        community_id: Some(HERE),
        author_id: MEMBER,
        reply_to: None,
        poll: None,
        thread_id: None,
        forwarded: None,
        mentions: domain::mention::Mentions::default(),
        text: Personal::Clear(Content::parse("hello").unwrap().into()),
    }
}

fn message() -> Message {
    fold([posted().into()])
}

fn deleted() -> Message {
    let gone = MessageDeleted {
        message_id: MESSAGE,
        channel_id: CHANNEL,
        community_id: Some(HERE),
        thread_id: None,
        deleted_by: MEMBER,
    };
    fold([posted().into(), gone.into()])
}

fn added(by: AccountId, what: &str, count: u32) -> ReactionEvent {
    ReactionAdded {
        message_id: MESSAGE,
        channel_id: CHANNEL,
        community_id: Some(HERE),
        account_id: by,
        emoji: emoji(what),
        count,
    }
    .into()
}

fn removed(by: AccountId, what: &str, count: u32) -> ReactionEvent {
    ReactionRemoved {
        message_id: MESSAGE,
        channel_id: CHANNEL,
        community_id: Some(HERE),
        account_id: by,
        emoji: emoji(what),
        count,
    }
    .into()
}

fn cleared(by: AccountId, what: Option<&str>) -> ReactionEvent {
    ReactionsCleared {
        message_id: MESSAGE,
        channel_id: CHANNEL,
        community_id: Some(HERE),
        emoji: what.map(emoji),
        by,
    }
    .into()
}

fn add(by: Standing, what: &str) -> ReactionCommand {
    ReactionCommand::Add { message: message(), by, emoji: emoji(what) }
}

fn remove(by: Standing, what: &str) -> ReactionCommand {
    ReactionCommand::Remove { message: message(), by, emoji: emoji(what) }
}

fn clear(by: Standing, what: Option<&str>) -> ReactionCommand {
    ReactionCommand::Clear { message: message(), by, emoji: what.map(emoji) }
}

fn timed_out(who: Standing) -> Standing {
    Standing { timed_out: Some(NOW), permissions: Permissions::TIMED_OUT, ..who }
}

fn kinds(state: &Reactions) -> Vec<(String, u32)> {
    state.kinds().map(|(emoji, count)| (emoji.to_string(), count)).collect()
}

#[test]
fn everyone_in_the_community_reacts_and_each_kind_counts_its_people() {
    let state = given::<Reactions>([]).when(add(member(), "🎉")).then([added(MEMBER, "🎉", 1)]);
    assert!(state.has(MEMBER, &emoji("🎉")) && !state.has(OTHER, &emoji("🎉")));
    let history = [added(MEMBER, "🎉", 1)];
    given::<Reactions>(history.clone()).when(add(guest(), "🎉")).then([added(GUEST, "🎉", 2)]);
    let state = given::<Reactions>(history).when(add(other(), "👍")).then([added(OTHER, "👍", 1)]);
    assert_eq!(kinds(&state), [("🎉".to_owned(), 1), ("👍".to_owned(), 1)]);
}

#[test]
fn reacting_again_changes_nothing() {
    given::<Reactions>([added(MEMBER, "🎉", 1)]).when(add(member(), "🎉")).then_nothing();
    // Another form of the same emoji.
    given::<Reactions>([added(MEMBER, "❤", 1)]).when(add(member(), "❤️")).then_nothing();
}

#[test]
fn reacting_to_what_one_cannot_see_is_refused() {
    let elsewhere = standing(MEMBER, ELSEWHERE, &[Role::Moderator]);
    for by in [stranger(), elsewhere, without(member(), Permissions::VIEW)] {
        for command in [add(by, "🎉"), remove(by, "🎉"), clear(by, None)] {
            given::<Reactions>([]).when(command).then_refused(ReactionError::UnknownMessage);
        }
    }
    let command = ReactionCommand::Add { message: Message::Absent, by: owner(), emoji: emoji("🎉") };
    given::<Reactions>([]).when(command).then_refused(ReactionError::UnknownMessage);
}

#[test]
fn reacting_to_a_deleted_message_is_refused() {
    let (by, emoji) = (moderator(), emoji("🎉"));
    let commands = [
        ReactionCommand::Add { message: deleted(), by, emoji: emoji.clone() },
        ReactionCommand::Remove { message: deleted(), by, emoji: emoji.clone() },
        ReactionCommand::Clear { message: deleted(), by, emoji: Some(emoji) },
    ];
    for command in commands {
        let history = [added(MODERATOR, "🎉", 1)];
        given::<Reactions>(history).when(command).then_refused(ReactionError::MessageDeleted);
    }
}

#[test]
fn reacting_without_the_permission_is_refused() {
    let by = without(member(), Permissions::REACT);
    given::<Reactions>([]).when(add(by, "🎉")).then_refused(ReactionError::MayNotReact);
    given::<Reactions>([added(OTHER, "🎉", 1)]).when(add(by, "🎉")).then_refused(ReactionError::MayNotReact);
}

#[test]
fn reacting_while_timed_out_is_refused() {
    given::<Reactions>([]).when(add(timed_out(member()), "🎉")).then_refused(ReactionError::TimedOut);
}

#[test]
fn a_message_has_twenty_kinds_at_most_and_those_can_always_be_joined() {
    assert_eq!(MAX_KINDS, 20);
    let all: Vec<&str> = domain::emoji::all().map(|listed| listed.emoji).take(21).collect();
    let full: Vec<_> = all[..20].iter().map(|what| added(OTHER, what, 1)).collect();
    given::<Reactions>(full[..19].to_vec()).when(add(member(), all[19])).then([added(MEMBER, all[19], 1)]);
    given::<Reactions>(full.clone()).when(add(member(), all[20])).then_refused(ReactionError::TooManyKinds);
    given::<Reactions>(full.clone()).when(add(member(), all[0])).then([added(MEMBER, all[0], 2)]);
    let room = full.into_iter().chain([removed(OTHER, all[3], 0)]);
    given::<Reactions>(room).when(add(member(), all[20])).then([added(MEMBER, all[20], 1)]);
}

#[test]
fn one_takes_back_what_one_said_even_without_the_permission_to_react() {
    let history = [added(MEMBER, "🎉", 1), added(OTHER, "🎉", 2)];
    for by in [member(), without(member(), Permissions::REACT), timed_out(member())] {
        let state =
            given::<Reactions>(history.clone()).when(remove(by, "🎉")).then([removed(MEMBER, "🎉", 1)]);
        assert!(!state.has(MEMBER, &emoji("🎉")));
    }
    let last = [added(MEMBER, "🎉", 1)];
    let state = given::<Reactions>(last).when(remove(member(), "🎉")).then([removed(MEMBER, "🎉", 0)]);
    assert_eq!(kinds(&state), []);
}

#[test]
fn taking_back_what_one_did_not_say_changes_nothing() {
    given::<Reactions>([added(OTHER, "🎉", 1)]).when(remove(member(), "🎉")).then_nothing();
    given::<Reactions>([]).when(remove(owner(), "🎉")).then_nothing();
}

#[test]
fn a_kind_that_is_used_again_comes_last() {
    let history =
        [added(MEMBER, "🎉", 1), added(MEMBER, "👍", 1), removed(MEMBER, "🎉", 0), added(OTHER, "🎉", 1)];
    assert_eq!(kinds(&fold(history)), [("👍".to_owned(), 1), ("🎉".to_owned(), 1)]);
}

#[test]
fn whoever_manages_messages_takes_away_one_kind_or_all() {
    let history = [added(MEMBER, "🎉", 1), added(OTHER, "🎉", 2), added(OTHER, "👍", 1)];
    for by in [moderator(), owner()] {
        let one = given::<Reactions>(history.clone()).when(clear(by, Some("🎉")));
        let state = one.then([cleared(by.account, Some("🎉"))]);
        assert_eq!(kinds(&state), [("👍".to_owned(), 1)]);
        let all = given::<Reactions>(history.clone()).when(clear(by, None));
        assert_eq!(kinds(&all.then([cleared(by.account, None)])), []);
    }
}

#[test]
fn taking_away_what_is_not_there_changes_nothing() {
    given::<Reactions>([]).when(clear(moderator(), None)).then_nothing();
    given::<Reactions>([added(OTHER, "👍", 1)]).when(clear(moderator(), Some("🎉"))).then_nothing();
}

#[test]
fn taking_away_others_reactions_without_the_permission_is_refused() {
    let history = [added(MEMBER, "🎉", 1)];
    for by in [member(), guest(), without(moderator(), Permissions::MANAGE_MESSAGES)] {
        given::<Reactions>(history.clone()).when(clear(by, None)).then_refused(ReactionError::MayNotClear);
    }
}
