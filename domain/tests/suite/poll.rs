use std::collections::BTreeSet;

use domain::message::{Content, Message, MessageDeleted, MessagePosted};
use domain::poll::{
    MAX_OPTIONS, MIN_OPTIONS, Poll, PollClosed, PollCommand, PollError, PollEvent, PollOption, PollOptions,
    PollOptionsError, PollTerms, PollVoted,
};
use domain::{AccountId, Permissions, Personal, Role, Standing};
use jiff::{SignedDuration, Timestamp};

use crate::given::{fold, given};
use crate::people::*;

/// One of three, until an hour after [`NOW`].
const ONE: PollTerms = PollTerms { options: 3, multiple: false, closes_at: Some(END) };
const SEVERAL: PollTerms = PollTerms { multiple: true, ..ONE };
const END: Timestamp = Timestamp::constant(3_600, 0);

fn posted(poll: Option<PollTerms>) -> MessagePosted {
    MessagePosted {
        message_id: MESSAGE,
        channel_id: CHANNEL,
        community_id: Some(HERE),
        author_id: MEMBER,
        reply_to: None,
        poll,
        thread_id: None,
        forwarded: None,
        mentions: domain::mention::Mentions::default(),
        text: Personal::Clear(Content::parse("When?").unwrap().into()),
    }
}

fn voted(by: AccountId, options: &[u8], votes: [u32; 3]) -> PollEvent {
    PollVoted {
        message_id: MESSAGE,
        channel_id: CHANNEL,
        community_id: Some(HERE),
        account_id: by,
        options: options.iter().copied().collect(),
        votes: votes.to_vec(),
    }
    .into()
}

fn closed(by: AccountId) -> PollEvent {
    PollClosed { message_id: MESSAGE, channel_id: CHANNEL, community_id: Some(HERE), by }.into()
}

fn vote_on(message: Message, by: Standing, options: &[u8], now: Timestamp) -> PollCommand {
    PollCommand::Vote { message, by, options: options.iter().copied().collect(), now }
}

fn vote(terms: PollTerms, by: Standing, options: &[u8]) -> PollCommand {
    vote_on(fold([posted(Some(terms)).into()]), by, options, NOW)
}

fn close(by: Standing) -> PollCommand {
    PollCommand::Close { message: fold([posted(Some(ONE)).into()]), by, now: NOW }
}

#[test]
fn everyone_votes_once_and_each_option_counts_its_votes() {
    given::<Poll>([]).when(vote(ONE, guest(), &[2])).then([voted(GUEST, &[2], [0, 0, 1])]);
    let history = [voted(GUEST, &[2], [0, 0, 1])];
    let state = given::<Poll>(history).when(vote(ONE, member(), &[2])).then([voted(MEMBER, &[2], [0, 0, 2])]);
    assert_eq!((state.votes(2), state.votes(0), state.votes(9)), (2, 0, 0));
    assert_eq!(state.vote_of(MEMBER), Some(&BTreeSet::from([2])));
}

#[test]
fn a_vote_takes_the_place_of_the_one_before() {
    let history = [voted(MEMBER, &[0, 1], [1, 1, 0]), voted(OTHER, &[1], [1, 2, 0])];
    let state = given::<Poll>(history).when(vote(SEVERAL, member(), &[1, 2])).then([voted(
        MEMBER,
        &[1, 2],
        [0, 2, 1],
    )]);
    assert_eq!(state.vote_of(MEMBER), Some(&BTreeSet::from([1, 2])));
}

#[test]
fn the_same_vote_again_changes_nothing() {
    given::<Poll>([voted(MEMBER, &[1], [0, 1, 0])]).when(vote(ONE, member(), &[1])).then_nothing();
    given::<Poll>([]).when(vote(ONE, member(), &[])).then_nothing();
}

#[test]
fn a_vote_is_withdrawn_even_by_who_may_not_vote_any_more() {
    let timed_out = Standing { timed_out: Some(END), permissions: Permissions::TIMED_OUT, ..member() };
    for by in [member(), without(member(), Permissions::REACT), timed_out] {
        let history = [voted(MEMBER, &[1], [0, 1, 0])];
        let state = given::<Poll>(history).when(vote(ONE, by, &[])).then([voted(MEMBER, &[], [0, 0, 0])]);
        assert_eq!(state.vote_of(MEMBER), None);
    }
}

#[test]
fn a_poll_that_one_cannot_see_is_unknown() {
    let elsewhere = standing(MEMBER, ELSEWHERE, &[Role::Moderator]);
    for by in [stranger(), elsewhere, without(member(), Permissions::VIEW)] {
        given::<Poll>([]).when(vote(ONE, by, &[0])).then_refused(PollError::UnknownMessage);
        given::<Poll>([]).when(close(by)).then_refused(PollError::UnknownMessage);
    }
    given::<Poll>([])
        .when(vote_on(Message::Absent, owner(), &[0], NOW))
        .then_refused(PollError::UnknownMessage);
}

#[test]
fn a_message_without_a_poll_is_not_voted_on() {
    let plain: Message = fold([posted(None).into()]);
    given::<Poll>([]).when(vote_on(plain.clone(), member(), &[0], NOW)).then_refused(PollError::None);
    let close = PollCommand::Close { message: plain, by: member(), now: NOW };
    given::<Poll>([]).when(close).then_refused(PollError::None);
}

#[test]
fn the_poll_of_a_deleted_message_is_over() {
    let gone = MessageDeleted {
        message_id: MESSAGE,
        channel_id: CHANNEL,
        community_id: Some(HERE),
        thread_id: None,
        deleted_by: MEMBER,
    };
    let message: Message = fold([posted(Some(ONE)).into(), gone.into()]);
    let history = [voted(OTHER, &[1], [0, 1, 0])];
    for options in [&[0][..], &[]] {
        let command = vote_on(message.clone(), other(), options, NOW);
        given::<Poll>(history.clone()).when(command).then_refused(PollError::MessageDeleted);
    }
    let close = PollCommand::Close { message, by: member(), now: NOW };
    given::<Poll>(history).when(close).then_refused(PollError::MessageDeleted);
}

#[test]
fn voting_without_the_permission_to_react_is_refused() {
    let by = without(member(), Permissions::REACT);
    given::<Poll>([]).when(vote(ONE, by, &[0])).then_refused(PollError::MayNotVote);
}

#[test]
fn voting_while_timed_out_is_refused() {
    let by = Standing { timed_out: Some(END), permissions: Permissions::TIMED_OUT, ..member() };
    given::<Poll>([]).when(vote(ONE, by, &[0])).then_refused(PollError::TimedOut);
}

#[test]
fn a_closed_poll_takes_no_votes() {
    let history = [voted(MEMBER, &[1], [0, 1, 0]), closed(MEMBER)];
    for options in [&[0][..], &[]] {
        given::<Poll>(history.clone()).when(vote(ONE, member(), options)).then_refused(PollError::Closed);
    }
    assert!(fold::<Poll>(history).closed());
}

#[test]
fn a_poll_closes_by_itself_at_its_time() {
    let message: Message = fold([posted(Some(ONE)).into()]);
    let before = END.checked_sub(SignedDuration::from_micros(1)).unwrap();
    given::<Poll>([]).when(vote_on(message.clone(), member(), &[0], before)).then([voted(
        MEMBER,
        &[0],
        [1, 0, 0],
    )]);
    given::<Poll>([]).when(vote_on(message, member(), &[0], END)).then_refused(PollError::Closed);
    let endless = fold([posted(Some(PollTerms { closes_at: None, ..ONE })).into()]);
    given::<Poll>([]).when(vote_on(endless, member(), &[0], Timestamp::MAX)).then([voted(
        MEMBER,
        &[0],
        [1, 0, 0],
    )]);
}

#[test]
fn voting_for_what_is_no_option_is_refused() {
    given::<Poll>([]).when(vote(ONE, member(), &[3])).then_refused(PollError::UnknownOption);
    given::<Poll>([]).when(vote(SEVERAL, member(), &[2, 255])).then_refused(PollError::UnknownOption);
}

#[test]
fn voting_for_several_options_is_refused_where_one_is_to_be_chosen() {
    given::<Poll>([]).when(vote(ONE, member(), &[0, 1])).then_refused(PollError::OneOption);
    given::<Poll>([]).when(vote(SEVERAL, member(), &[0, 1])).then([voted(MEMBER, &[0, 1], [1, 1, 0])]);
}

#[test]
fn a_poll_is_closed_by_its_author_or_whoever_manages_messages() {
    for by in [member(), moderator(), owner()] {
        given::<Poll>([]).when(close(by)).then([closed(by.account)]);
    }
}

#[test]
fn closing_anothers_poll_without_the_permission_is_refused() {
    for by in [other(), guest(), without(moderator(), Permissions::MANAGE_MESSAGES)] {
        given::<Poll>([]).when(close(by)).then_refused(PollError::MayNotClose);
    }
}

#[test]
fn closing_a_closed_poll_changes_nothing() {
    given::<Poll>([closed(MEMBER)]).when(close(moderator())).then_nothing();
    let message = fold([posted(Some(ONE)).into()]);
    given::<Poll>([]).when(PollCommand::Close { message, by: member(), now: END }).then_nothing();
}

#[test]
fn a_poll_has_two_to_ten_options_and_none_twice() {
    assert_eq!((MIN_OPTIONS, MAX_OPTIONS), (2, 10));
    let options = |count: usize| (0..count).map(|n| PollOption::parse(&n.to_string()).unwrap()).collect();
    for count in [0, 1, 11] {
        assert_eq!(PollOptions::new(options(count)), Err(PollOptionsError::Count(count)));
    }
    for count in [2, 10] {
        assert_eq!(PollOptions::new(options(count)).unwrap().iter().count(), count);
    }
    let twice = ["yes", "no", " yes "].map(|text| PollOption::parse(text).unwrap());
    assert_eq!(PollOptions::new(twice.to_vec()), Err(PollOptionsError::Repeated));
    assert!(PollOption::parse(&"x".repeat(100)).is_ok() && PollOption::parse(&"x".repeat(101)).is_err());
}
