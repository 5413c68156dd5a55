use domain::channel::{Channel, ChannelKind};
use domain::message::{Message, MessageCommand, MessageError};
use domain::{Permissions, Standing};

use super::{channel_of, deleted, posted, posted_in};
use crate::given::given;
use crate::people::*;

fn sweep(by: Standing) -> MessageCommand {
    MessageCommand::Sweep { by, channel: channel_of(ChannelKind::Text) }
}

#[test]
fn who_manages_messages_sweeps_them_away() {
    for by in [moderator(), owner()] {
        given::<Message>([posted()]).when(sweep(by)).then([deleted(by.account)]);
        given::<Message>([posted(), deleted(MEMBER)]).when(sweep(by)).then_nothing();
    }
}

#[test]
fn sweeping_without_the_permission_is_refused_also_for_ones_own() {
    for by in [member(), guest(), without(moderator(), Permissions::MANAGE_MESSAGES)] {
        given::<Message>([posted()]).when(sweep(by)).then_refused(MessageError::MayNotDelete);
        given::<Message>([]).when(sweep(by)).then_refused(MessageError::MayNotDelete);
    }
}

#[test]
fn sweeping_where_one_cannot_see_is_refused() {
    for by in [stranger(), without(owner(), Permissions::VIEW)] {
        given::<Message>([posted()]).when(sweep(by)).then_refused(MessageError::UnknownChannel);
    }
    let command = MessageCommand::Sweep { by: owner(), channel: Channel::Absent };
    given::<Message>([posted()]).when(command).then_refused(MessageError::UnknownChannel);
}

#[test]
fn what_is_not_in_the_channel_is_unknown() {
    given::<Message>([]).when(sweep(owner())).then_refused(MessageError::Unknown);
    let elsewhere = posted_in(OTHER_CHANNEL, MESSAGE);
    given::<Message>([elsewhere.into()]).when(sweep(owner())).then_refused(MessageError::Unknown);
}
