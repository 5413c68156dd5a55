use domain::message::{Message, MessageCommand, MessageError, MessageEvent, MessagePinned, MessageUnpinned};
use domain::{AccountId, Permissions, Rank, Standing};

use super::{deleted, posted, posted_in};
use crate::given::given;
use crate::people::*;

fn pinned(by: AccountId) -> MessageEvent {
    MessagePinned { message_id: MESSAGE, channel_id: CHANNEL, community_id: Some(HERE), by }.into()
}

fn unpinned(by: AccountId) -> MessageEvent {
    MessageUnpinned { message_id: MESSAGE, channel_id: CHANNEL, community_id: Some(HERE), by }.into()
}

fn pin(by: Standing) -> MessageCommand {
    MessageCommand::Pin { by }
}

fn unpin(by: Standing) -> MessageCommand {
    MessageCommand::Unpin { by }
}

#[test]
fn whoever_manages_messages_pins_and_unpins() {
    for by in [moderator(), owner()] {
        let state = given::<Message>([posted()]).when(pin(by)).then([pinned(by.account)]);
        assert!(state.is_pinned());
        let history = [posted(), pinned(MODERATOR)];
        let state = given::<Message>(history).when(unpin(by)).then([unpinned(by.account)]);
        assert!(!state.is_pinned());
    }
}

#[test]
fn pinning_again_changes_nothing() {
    given::<Message>([posted(), pinned(OWNER)]).when(pin(moderator())).then_nothing();
    given::<Message>([posted()]).when(unpin(moderator())).then_nothing();
    given::<Message>([posted(), pinned(OWNER), unpinned(OWNER)]).when(unpin(moderator())).then_nothing();
}

#[test]
fn in_a_conversation_everyone_pins() {
    let by = Standing {
        community: None,
        channel: Some(CHANNEL),
        rank: Rank::PARTICIPANT,
        permissions: Permissions::IN_CONVERSATION,
        ..stranger()
    };
    let posted = domain::message::MessagePosted { community_id: None, ..posted_in(CHANNEL, MESSAGE) };
    let pinned =
        MessagePinned { message_id: MESSAGE, channel_id: CHANNEL, community_id: None, by: by.account };
    given::<Message>([posted.into()]).when(pin(by)).then([pinned.into()]);
}

#[test]
fn pinning_without_the_permission_is_refused() {
    for by in [member(), guest(), without(owner(), Permissions::MANAGE_MESSAGES)] {
        given::<Message>([posted()]).when(pin(by)).then_refused(MessageError::MayNotPin);
        let history = [posted(), pinned(OWNER)];
        given::<Message>(history).when(unpin(by)).then_refused(MessageError::MayNotPin);
    }
}

#[test]
fn pinning_what_one_cannot_see_is_refused() {
    for by in [stranger(), without(owner(), Permissions::VIEW)] {
        given::<Message>([posted()]).when(pin(by)).then_refused(MessageError::Unknown);
        given::<Message>([posted()]).when(unpin(by)).then_refused(MessageError::Unknown);
    }
    given::<Message>([]).when(pin(owner())).then_refused(MessageError::Unknown);
}

#[test]
fn a_deleted_message_is_not_pinned() {
    let history = [posted(), pinned(OWNER), deleted(MEMBER)];
    let gone: Message = crate::given::fold(history.clone());
    assert!(!gone.is_pinned());
    for command in [pin(moderator()), unpin(moderator())] {
        given::<Message>(history.clone()).when(command).then_refused(MessageError::Deleted);
    }
}
