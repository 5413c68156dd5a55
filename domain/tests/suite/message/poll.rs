use domain::Personal;
use domain::message::{Message, MessageCommand, MessageError, MessagePosted, MessageText, PostMessage};
use domain::poll::{MAX_DURATION, NewPoll, PollOption, PollOptions, PollTerms};
use jiff::{SignedDuration, Timestamp};

use super::{content, plain, posted_in};
use crate::given::given;
use crate::people::*;

fn options() -> PollOptions {
    PollOptions::new(["Tuesday", "Friday"].map(|text| PollOption::parse(text).unwrap()).to_vec()).unwrap()
}

fn post(closes_at: Option<Timestamp>) -> MessageCommand {
    MessageCommand::Post(PostMessage {
        content: Some(content("When?")),
        poll: Some(NewPoll { options: options(), multiple: true, closes_at }),
        ..plain(member())
    })
}

#[test]
fn a_poll_is_posted_with_its_texts_apart_from_its_terms() {
    let latest = NOW + MAX_DURATION;
    for closes_at in [None, Some(NOW + SignedDuration::from_micros(1)), Some(latest)] {
        let terms = PollTerms { options: 2, multiple: true, closes_at };
        let text = MessageText { content: content("When?"), poll: Some(options()), forwarded: None };
        let expected =
            MessagePosted { poll: Some(terms), text: Personal::Clear(text), ..posted_in(CHANNEL, MESSAGE) };
        let state = given::<Message>([]).when(post(closes_at)).then([expected.into()]);
        assert_eq!(state.facts().and_then(|facts| facts.poll), Some(terms));
    }
}

#[test]
fn a_poll_that_closes_in_the_past_or_after_thirty_days_is_refused() {
    assert_eq!(MAX_DURATION, SignedDuration::from_hours(30 * 24));
    let too_late = NOW + MAX_DURATION + SignedDuration::from_micros(1);
    for closes_at in [Timestamp::MIN, NOW, too_late, Timestamp::MAX] {
        given::<Message>([]).when(post(Some(closes_at))).then_refused(MessageError::PollTime);
    }
}
