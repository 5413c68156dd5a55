use std::collections::BTreeMap;

use domain::channel::{ChannelKind, MAX_CHANNELS};
use domain::channel_order::{
    ChannelOrder, ChannelOrderError, ChannelOrderEvent, ChannelsOrdered, OrderChannels, Placed,
};
use domain::{ChannelId, Permissions, Standing};
use uuid::Uuid;

use crate::given::given;
use crate::people::*;

const fn at(id: ChannelId, category_id: Option<ChannelId>) -> Placed {
    Placed { id, category_id }
}

const LAYOUT: [Placed; 3] = [at(OTHER_CHANNEL, None), at(CATEGORY, None), at(CHANNEL, Some(CATEGORY))];

fn order(by: Standing, channels: &[Placed]) -> OrderChannels {
    let known = [
        (CHANNEL, ChannelKind::Text),
        (OTHER_CHANNEL, ChannelKind::Audio),
        (CATEGORY, ChannelKind::Category),
    ];
    OrderChannels { by, channels: channels.to_vec(), known: known.into() }
}

fn ordered(channels: &[Placed], by: Standing) -> ChannelOrderEvent {
    ChannelsOrdered { community_id: HERE, channels: channels.to_vec(), by: by.account }.into()
}

#[track_caller]
fn refused(command: OrderChannels, error: ChannelOrderError) {
    given::<ChannelOrder>([]).when(command).then_refused(error);
}

#[test]
fn a_moderator_orders_the_channels_and_may_say_it_again() {
    let state =
        given::<ChannelOrder>([]).when(order(moderator(), &LAYOUT)).then([ordered(&LAYOUT, moderator())]);
    assert_eq!(state.channels, LAYOUT);
    let again = given::<ChannelOrder>([ordered(&LAYOUT, owner())]).when(order(moderator(), &LAYOUT));
    again.then([ordered(&LAYOUT, moderator())]);
    let fewer = &LAYOUT[..1];
    let state = given::<ChannelOrder>([ordered(&LAYOUT, owner())]).when(order(owner(), fewer));
    assert_eq!(state.then([ordered(fewer, owner())]).channels, fewer);
}

#[test]
fn ordering_in_a_community_one_is_not_in_is_refused() {
    refused(order(stranger(), &LAYOUT), ChannelOrderError::UnknownCommunity);
}

#[test]
fn ordering_without_the_permission_is_refused() {
    for by in [member(), guest(), without(moderator(), Permissions::MANAGE_CHANNELS)] {
        refused(order(by, &LAYOUT), ChannelOrderError::MayNotManage);
    }
}

#[test]
fn a_channel_that_is_not_there_is_refused() {
    let missing = ChannelId(Uuid::from_u128(0xff));
    refused(order(owner(), &[at(missing, None)]), ChannelOrderError::UnknownChannel(missing));
}

#[test]
fn a_channel_named_twice_is_refused() {
    let twice = [at(CHANNEL, None), at(CHANNEL, Some(CATEGORY))];
    refused(order(owner(), &twice), ChannelOrderError::Repeated(CHANNEL));
}

#[test]
fn what_is_no_category_holds_no_channels() {
    for category in [OTHER_CHANNEL, ChannelId(Uuid::from_u128(0xff))] {
        let layout = [at(CHANNEL, Some(category))];
        refused(order(owner(), &layout), ChannelOrderError::CategoryNotFound(category));
    }
}

#[test]
fn a_category_in_a_category_is_refused() {
    let layout = [at(CATEGORY, Some(CATEGORY))];
    refused(order(owner(), &layout), ChannelOrderError::CategoryInCategory);
}

#[test]
fn as_many_channels_are_ordered_as_a_community_has() {
    let ids = |count: usize| (0..count).map(|id| ChannelId(Uuid::from_u128(0x1_0000 + id as u128)));
    let command = |count: usize| {
        let known: BTreeMap<_, _> = ids(count).map(|id| (id, ChannelKind::Text)).collect();
        OrderChannels { by: owner(), channels: ids(count).map(|id| at(id, None)).collect(), known }
    };
    let most: Vec<Placed> = ids(MAX_CHANNELS).map(|id| at(id, None)).collect();
    given::<ChannelOrder>([]).when(command(MAX_CHANNELS)).then([ordered(&most, owner())]);
    refused(command(MAX_CHANNELS + 1), ChannelOrderError::TooMany);
}
