use domain::message::{Message, MessageCommand, MessageError, MessagePosted, PostMessage};
use domain::{MessageId, Permissions, Standing};
use uuid::Uuid;

use super::{content, deleted_in, edited_to, fold, plain, posted_in};
use crate::given::given;
use crate::people::*;

const ROOT: MessageId = MessageId(Uuid::from_u128(0xe5));
const SIBLING: MessageId = MessageId(Uuid::from_u128(0xe6));

fn root() -> Message {
    fold([posted_in(CHANNEL, ROOT).into()])
}

fn in_thread(id: MessageId) -> MessagePosted {
    MessagePosted { thread_id: Some(ROOT), ..posted_in(CHANNEL, id) }
}

fn post(
    by: Standing,
    thread: (MessageId, Message),
    reply_to: Option<(MessageId, Message)>,
) -> MessageCommand {
    MessageCommand::Post(PostMessage { thread: Some(thread), reply_to, ..plain(by) })
}

#[test]
fn a_message_of_a_thread_names_the_first() {
    let state =
        given::<Message>([]).when(post(member(), (ROOT, root()), None)).then([in_thread(MESSAGE).into()]);
    assert_eq!(state.facts().and_then(|facts| facts.thread_id), Some(ROOT));
}

#[test]
fn what_befalls_a_message_of_a_thread_names_the_thread() {
    let edit =
        MessageCommand::Edit { by: member(), content: content("hello again"), wanted: Default::default() };
    let edited = domain::message::MessageEdited { thread_id: Some(ROOT), ..edited_to(Default::default()) };
    given::<Message>([in_thread(MESSAGE).into()]).when(edit).then([edited.into()]);
    let deleted =
        domain::message::MessageDeleted { thread_id: Some(ROOT), ..deleted_in(CHANNEL, MESSAGE, MEMBER) };
    let delete = MessageCommand::Delete { by: member() };
    given::<Message>([in_thread(MESSAGE).into()]).when(delete).then([deleted.into()]);
}

#[test]
fn a_thread_below_what_is_not_in_the_channel_is_refused() {
    for unknown in [fold([]), fold([posted_in(OTHER_CHANNEL, ROOT).into()])] {
        let post = post(member(), (ROOT, unknown), None);
        given::<Message>([]).when(post).then_refused(MessageError::ThreadNotFound);
    }
}

#[test]
fn a_thread_in_a_thread_is_refused() {
    let post = post(member(), (SIBLING, fold([in_thread(SIBLING).into()])), None);
    given::<Message>([]).when(post).then_refused(MessageError::ThreadInThread);
}

#[test]
fn the_thread_of_a_deleted_message_is_closed() {
    let gone = fold([posted_in(CHANNEL, ROOT).into(), deleted_in(CHANNEL, ROOT, MEMBER).into()]);
    let post = post(member(), (ROOT, gone), None);
    given::<Message>([]).when(post).then_refused(MessageError::ThreadClosed);
}

#[test]
fn posting_in_a_thread_without_the_permission_to_reply_is_refused() {
    let post = post(without(member(), Permissions::REPLY), (ROOT, root()), None);
    given::<Message>([]).when(post).then_refused(MessageError::MayNotReply);
}

#[test]
fn a_reply_in_a_thread_answers_the_first_message_or_one_of_the_thread() {
    let sibling: Message = fold([in_thread(SIBLING).into()]);
    for answered in [(ROOT, root()), (SIBLING, sibling.clone())] {
        let expected = MessagePosted { reply_to: Some(answered.0), ..in_thread(MESSAGE) };
        let post = post(member(), (ROOT, root()), Some(answered));
        given::<Message>([]).when(post).then([expected.into()]);
    }
    let elsewhere = fold([posted_in(CHANNEL, OTHER_MESSAGE).into()]);
    let post = post(member(), (ROOT, root()), Some((OTHER_MESSAGE, elsewhere)));
    given::<Message>([]).when(post).then_refused(MessageError::ReplyNotFound);
    let outside = PostMessage { reply_to: Some((SIBLING, sibling)), ..plain(member()) };
    given::<Message>([]).when(MessageCommand::Post(outside)).then_refused(MessageError::ReplyNotFound);
}
