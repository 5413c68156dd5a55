use domain::Personal;
use domain::message::{
    Content, Forward, Forwarded, Message, MessageCommand, MessageError, MessagePosted, MessageText,
    PostMessage,
};
use domain::{Permissions, Standing};

use super::{content, deleted_in, fold, plain, posted_in};
use crate::given::given;
use crate::people::*;

const FIRST: Forwarded =
    Forwarded { message_id: OTHER_MESSAGE, channel_id: OTHER_CHANNEL, author_id: GUEST, created_at: NOW };

/// `account` in the channel where the source is.
fn there(who: Standing) -> Standing {
    Standing { channel: Some(OTHER_CHANNEL), ..who }
}

fn source() -> MessagePosted {
    MessagePosted { author_id: GUEST, ..posted_in(OTHER_CHANNEL, OTHER_MESSAGE) }
}

fn forward(source: Message, by: Standing, text: Option<Content>, comment: Option<Content>) -> MessageCommand {
    let forward = Some(Forward { source, by: there(by), created_at: NOW, text });
    MessageCommand::Post(PostMessage { forward, content: comment, ..plain(by) })
}

fn forwarded(content: Option<Content>, origin: Forwarded, copy: &str) -> MessagePosted {
    let copy = Some(Content::parse(copy).unwrap());
    // The one text that may be empty, as it is stored.
    let nothing = || serde_json::from_str("\"\"").unwrap();
    let text = MessageText { content: content.unwrap_or_else(nothing), poll: None, forwarded: copy };
    MessagePosted { forwarded: Some(origin), text: Personal::Clear(text), ..posted_in(CHANNEL, MESSAGE) }
}

#[test]
fn a_message_is_passed_on_with_its_text_and_where_it_is_from() {
    for comment in [None, Some(content("look"))] {
        let command = forward(fold([source().into()]), member(), Some(content("news")), comment.clone());
        let expected = forwarded(comment, FIRST, "news");
        let state = given::<Message>([]).when(command).then([expected.into()]);
        assert_eq!(state.facts().and_then(|facts| facts.forwarded), Some(FIRST));
    }
}

#[test]
fn what_was_passed_on_keeps_its_first_origin() {
    let first = Forwarded { author_id: OWNER, ..FIRST };
    let source = MessagePosted { forwarded: Some(first), ..source() };
    let command = forward(fold([source.into()]), member(), Some(content("news")), None);
    given::<Message>([]).when(command).then([forwarded(None, first, "news").into()]);
}

#[test]
fn passing_on_what_one_cannot_see_is_refused() {
    let blind = without(member(), Permissions::VIEW);
    for (source, by) in [(fold([source().into()]), there(blind)), (Message::Absent, there(member()))] {
        let forward = Some(Forward { source, by, created_at: NOW, text: Some(content("news")) });
        let command = MessageCommand::Post(PostMessage { forward, ..plain(member()) });
        given::<Message>([]).when(command).then_refused(MessageError::Unknown);
    }
}

#[test]
fn passing_on_a_deleted_message_is_refused() {
    let gone = deleted_in(OTHER_CHANNEL, OTHER_MESSAGE, GUEST);
    let command = forward(fold([source().into(), gone.into()]), member(), Some(content("news")), None);
    given::<Message>([]).when(command).then_refused(MessageError::Deleted);
}

#[test]
fn passing_on_a_text_that_is_gone_is_refused() {
    let command = forward(fold([source().into()]), member(), None, None);
    given::<Message>([]).when(command).then_refused(MessageError::TextGone);
}

#[test]
fn passing_on_to_where_one_may_not_post_is_refused() {
    let by = without(member(), Permissions::POST);
    let command = forward(fold([source().into()]), by, Some(content("news")), None);
    given::<Message>([]).when(command).then_refused(MessageError::MayNotPost);
}
