//! Private channels, slow mode, archives, moves, and what a new channel takes from its category.

use domain::channel::{
    Channel, ChannelChange, ChannelChanged, ChannelCommand, ChannelCreated, ChannelDeleted, ChannelError,
    ChannelEvent, ChannelKind, ChannelOverwritten, CreateChannel, DirectOpened, InCategory, MAX_CHANNELS,
    SlowMode, WantedOverwrite,
};
use domain::mention::{Mentions, Wanted};
use domain::message::{
    Content, Message, MessageCommand, MessageError, MessageEvent, MessagePosted, PostMessage, slow_mode,
};
use domain::permission::{MAX_OVERWRITES, Overwrite, Overwrites, Target};
use domain::{Aggregate as _, ChannelId, Permissions, Personal, Rank, Standing};

use super::{create, created_as, creating};
use crate::given::{fold, given};
use crate::people::*;

const VIEW: Overwrite = Overwrite { allow: Permissions::VIEW, deny: Permissions::empty() };
const OFF: ChannelChange =
    ChannelChange { name: None, topic: None, private: None, slow_mode: None, archived: None, category: None };

fn nothing() -> ChannelChanged {
    ChannelChanged::nothing(CHANNEL, HERE)
}

fn text_channel() -> ChannelEvent {
    created_as(CHANNEL, HERE, ChannelKind::Text).into()
}

fn change(by: Standing, change: ChannelChange) -> ChannelCommand {
    ChannelCommand::Change { by, change }
}

fn category(by: Standing) -> InCategory {
    let state = fold([created_as(CATEGORY, HERE, ChannelKind::Category).into()]);
    InCategory { id: CATEGORY, state, by: Standing { channel: Some(CATEGORY), ..by } }
}

fn own_overwrite(by: Standing) -> ChannelEvent {
    let (channel_id, community_id, by) = (CHANNEL, HERE, by.account);
    let target = Target::Account(by);
    ChannelOverwritten { channel_id, community_id, target, overwrite: VIEW, by }.into()
}

#[test]
fn settings_change_one_by_one_and_back() {
    let slow = SlowMode::new(10);
    let slowed = ChannelChanged { slow_mode: slow, ..nothing() };
    let command = change(moderator(), ChannelChange { slow_mode: slow, ..OFF });
    let state = given::<Channel>([text_channel()]).when(command.clone()).then([slowed.clone().into()]);
    assert_eq!(state.live().map(|channel| channel.slow_mode.seconds()), Some(10));
    given::<Channel>([text_channel(), slowed.into()]).when(command).then_nothing();

    let archived = |archived| ChannelChanged { archived: Some(archived), ..nothing() };
    let archive = |archived| change(moderator(), ChannelChange { archived: Some(archived), ..OFF });
    let state = given::<Channel>([text_channel()]).when(archive(true)).then([archived(true).into()]);
    assert_eq!(state.live().map(|channel| channel.archived), Some(true));
    let back = given::<Channel>([text_channel(), archived(true).into()]).when(archive(false));
    assert_eq!(back.then([archived(false).into()]).live().map(|channel| channel.archived), Some(false));
}

#[test]
fn a_slow_mode_has_at_most_six_hours() {
    assert_eq!(SlowMode::new(21_600).map(SlowMode::seconds), Some(21_600));
    assert_eq!(SlowMode::new(21_601), None);
    assert!(SlowMode::default().is_off());
}

#[test]
fn a_category_is_neither_slowed_down_nor_archived() {
    let category = || created_as(CHANNEL, HERE, ChannelKind::Category).into();
    for settings in
        [ChannelChange { slow_mode: SlowMode::new(1), ..OFF }, ChannelChange { archived: Some(true), ..OFF }]
    {
        let command = change(owner(), settings);
        given::<Channel>([category()]).when(command).then_refused(ChannelError::NotForCategory);
    }
}

#[test]
fn who_makes_a_channel_private_keeps_it_in_sight() {
    let private = |private| ChannelChanged { private: Some(private), ..nothing() };
    let command = |by, private| change(by, ChannelChange { private: Some(private), ..OFF });
    given::<Channel>([text_channel()]).when(command(owner(), true)).then([private(true).into()]);
    let expected = [own_overwrite(moderator()), private(true).into()];
    let state = given::<Channel>([text_channel()]).when(command(moderator(), true)).then(expected);
    assert_eq!(state.live().map(|channel| channel.private), Some(true));
    let history = [text_channel(), own_overwrite(moderator()), private(true).into()];
    given::<Channel>(history).when(command(moderator(), false)).then([private(false).into()]);
}

#[test]
fn a_full_list_of_overwrites_has_no_room_for_ones_own() {
    let full: Overwrites = (0..MAX_OVERWRITES).map(|id| (Target::Account(account(id)), VIEW)).collect();
    let channel = ChannelCreated { overwrites: full, ..created_as(CHANNEL, HERE, ChannelKind::Text) };
    let command = change(moderator(), ChannelChange { private: Some(true), ..OFF });
    given::<Channel>([channel.into()]).when(command).then_refused(ChannelError::TooManyOverwrites);
}

fn account(id: usize) -> domain::AccountId {
    domain::AccountId(uuid::Uuid::from_u128(0xf000 + id as u128))
}

#[test]
fn a_channel_moves_into_a_category_and_out_of_it() {
    let moved = |to| ChannelChanged { category_id: Some(to), ..nothing() };
    let into = ChannelChange { category: Some(Some(category(moderator()))), ..OFF };
    let state = given::<Channel>([text_channel()])
        .when(change(moderator(), into.clone()))
        .then([moved(Some(CATEGORY)).into()]);
    assert_eq!(state.live().and_then(|channel| channel.category_id), Some(CATEGORY));
    // An order of all channels may have moved it away since.
    let history = [text_channel(), moved(Some(CATEGORY)).into()];
    given::<Channel>(history.clone()).when(change(owner(), into)).then([moved(Some(CATEGORY)).into()]);
    let out = change(owner(), ChannelChange { category: Some(None), ..OFF });
    let state = given::<Channel>(history).when(out).then([moved(None).into()]);
    assert_eq!(state.live().map(|channel| channel.category_id), Some(None));
}

#[test]
fn a_category_that_one_cannot_see_or_manage_takes_no_channel() {
    let gone = [
        created_as(CATEGORY, HERE, ChannelKind::Category).into(),
        ChannelDeleted { channel_id: CATEGORY, community_id: HERE, deleted_by: OWNER }.into(),
    ];
    let there = category(moderator());
    let hidden = InCategory { by: without(there.by, Permissions::VIEW), ..there.clone() };
    let locked = InCategory { by: without(there.by, Permissions::MANAGE_CHANNELS), ..there.clone() };
    for (category, error) in [
        (InCategory { state: fold(gone), ..there.clone() }, ChannelError::CategoryNotFound),
        (hidden, ChannelError::CategoryNotFound),
        (locked, ChannelError::MayNotManage),
    ] {
        let into = ChannelChange { category: Some(Some(category.clone())), ..OFF };
        given::<Channel>([text_channel()]).when(change(moderator(), into)).then_refused(error);
        let create =
            CreateChannel { category: Some(category), ..creating(moderator(), ChannelKind::Text, None) };
        given::<Channel>([]).when(ChannelCommand::Create(create)).then_refused(error);
    }
    let category_of_its_own = [created_as(CHANNEL, HERE, ChannelKind::Category).into()];
    let into = ChannelChange { category: Some(Some(there)), ..OFF };
    let command = change(moderator(), into);
    given::<Channel>(category_of_its_own).when(command).then_refused(ChannelError::CategoryInCategory);
}

#[test]
fn a_community_has_at_most_500_channels() {
    assert_eq!(MAX_CHANNELS, 500);
    let with = |existing| {
        ChannelCommand::Create(CreateChannel { existing, ..creating(owner(), ChannelKind::Text, None) })
    };
    given::<Channel>([]).when(with(499)).then([text_channel()]);
    given::<Channel>([]).when(with(500)).then_refused(ChannelError::TooMany);
}

fn made(create: CreateChannel) -> (bool, Overwrites) {
    let events = Channel::default().decide(ChannelCommand::Create(create)).unwrap();
    let [ChannelEvent::Created(created)] = &events[..] else { panic!("{events:?}") };
    (created.private, created.overwrites.clone())
}

#[test]
fn a_channel_starts_as_its_category_is_unless_said_otherwise() {
    let overwrites: Overwrites = [(Target::Account(OTHER), VIEW)].into_iter().collect();
    let private = ChannelCreated {
        private: true,
        overwrites: overwrites.clone(),
        ..created_as(CATEGORY, HERE, ChannelKind::Category)
    };
    let in_it = InCategory { state: fold([private.into()]), ..category(moderator()) };
    let plain = CreateChannel { category: Some(in_it), ..creating(moderator(), ChannelKind::Text, None) };
    assert_eq!(made(plain.clone()), (true, overwrites.clone()));
    assert_eq!(made(CreateChannel { private: Some(false), ..plain.clone() }), (false, overwrites));
    let own = [(Target::Account(MODERATOR), VIEW)].into_iter().collect();
    assert_eq!(made(CreateChannel { overwrites: Some(vec![]), ..plain }), (true, own));
}

#[test]
fn who_creates_a_private_channel_sees_it() {
    let private = |by| CreateChannel { private: Some(true), ..creating(by, ChannelKind::Text, None) };
    assert_eq!(made(private(owner())), (true, Overwrites::default()));
    let own: Overwrites = [(Target::Account(MODERATOR), VIEW)].into_iter().collect();
    assert_eq!(made(private(moderator())), (true, own));
    let denied = Overwrite { allow: Permissions::empty(), deny: Permissions::VIEW };
    let wanted = WantedOverwrite {
        target: Target::Role(domain::Role::Member),
        rank: Some(member().rank),
        overwrite: denied,
    };
    let hidden =
        CreateChannel { overwrites: Some(vec![wanted]), ..creating(moderator(), ChannelKind::Text, None) };
    let both = [(Target::Account(MODERATOR), VIEW), (wanted.target, denied)].into_iter().collect();
    assert_eq!(made(hidden), (false, both));
}

#[test]
fn overwrites_of_a_new_channel_keep_to_the_rules_of_overwrites() {
    let with = |wanted: Vec<WantedOverwrite>| {
        let overwrites = Some(wanted);
        ChannelCommand::Create(CreateChannel { overwrites, ..creating(moderator(), ChannelKind::Text, None) })
    };
    let higher = WantedOverwrite { target: Target::Account(OWNER), rank: Some(Rank::OWNER), overwrite: VIEW };
    given::<Channel>([]).when(with(vec![higher])).then_refused(ChannelError::TargetTooHigh);
    let many = |count| {
        let one = |id| WantedOverwrite {
            target: Target::Account(account(id)),
            rank: Some(guest().rank),
            overwrite: VIEW,
        };
        (0..count).map(one).collect::<Vec<_>>()
    };
    given::<Channel>([]).when(with(many(MAX_OVERWRITES + 1))).then_refused(ChannelError::TooManyOverwrites);
    let most: Overwrites = many(MAX_OVERWRITES).iter().map(|one| (one.target, one.overwrite)).collect();
    let expected = ChannelCreated { overwrites: most, ..created_as(CHANNEL, HERE, ChannelKind::Text) };
    given::<Channel>([]).when(with(many(MAX_OVERWRITES))).then([expected.into()]);
    given::<Channel>([]).when(create(moderator(), ChannelKind::Text, None)).then([text_channel()]);
}

fn slowed(channel: ChannelId) -> Channel {
    let slowed = ChannelChanged { slow_mode: SlowMode::new(10), ..ChannelChanged::nothing(channel, HERE) };
    fold([created_as(channel, HERE, ChannelKind::Text).into(), slowed.into()])
}

fn post(channel: Channel, by: Standing, wait: Option<u32>) -> MessageCommand {
    let content = Content::parse("hello").unwrap();
    MessageCommand::Post(PostMessage {
        id: MESSAGE,
        channel_id: CHANNEL,
        channel,
        by,
        content: Some(content),
        wanted: Wanted::default(),
        reply_to: None,
        thread: None,
        forward: None,
        poll: None,
        now: NOW,
        wait,
    })
}

#[test]
fn a_slow_mode_holds_for_those_who_manage_neither_messages_nor_channels() {
    let channel = slowed(CHANNEL);
    for by in [member(), guest()] {
        assert_eq!(slow_mode(&channel, &by), SlowMode::new(10));
    }
    let manages = |permission| Standing { permissions: member().permissions | permission, ..member() };
    for by in [owner(), manages(Permissions::MANAGE_MESSAGES), manages(Permissions::MANAGE_CHANNELS)] {
        assert_eq!(slow_mode(&channel, &by), None);
    }
    let off = fold([text_channel()]);
    assert_eq!(slow_mode(&off, &member()), None);
    assert_eq!(slow_mode(&channel, &without(member(), Permissions::POST)), None);
    assert_eq!(slow_mode(&channel, &stranger()), None);
}

#[test]
fn who_has_to_wait_yet_posts_nothing() {
    let command = post(slowed(CHANNEL), member(), Some(7));
    given::<Message>([]).when(command).then_refused(MessageError::SlowMode { wait: 7 });
}

fn posted() -> MessageEvent {
    MessagePosted {
        message_id: MESSAGE,
        channel_id: CHANNEL,
        community_id: Some(HERE),
        author_id: MEMBER,
        reply_to: None,
        poll: None,
        thread_id: None,
        forwarded: None,
        mentions: Mentions::default(),
        text: Personal::Clear(Content::parse("hello").unwrap().into()),
    }
    .into()
}

#[test]
fn in_an_archived_channel_nobody_posts_or_edits_and_deleting_goes_on() {
    let archived = ChannelChanged { archived: Some(true), ..nothing() };
    let channel: Channel = fold([text_channel(), archived.into()]);
    let in_it = |by: Standing| Standing { archived: true, ..without(by, Permissions::CONTRIBUTE) };
    for by in [member(), owner()] {
        let command = post(channel.clone(), in_it(by), None);
        given::<Message>([]).when(command).then_refused(MessageError::Archived);
    }
    let content = Content::parse("again").unwrap();
    let edit = MessageCommand::Edit { by: in_it(member()), content, wanted: Wanted::default() };
    given::<Message>([posted()]).when(edit).then_refused(MessageError::Archived);
    let delete = MessageCommand::Delete { by: in_it(member()) };
    let deleted = domain::message::MessageDeleted {
        message_id: MESSAGE,
        channel_id: CHANNEL,
        community_id: Some(HERE),
        thread_id: None,
        deleted_by: MEMBER,
    };
    given::<Message>([posted()]).when(delete).then([deleted.into()]);
}

#[test]
fn while_one_of_two_blocks_the_other_neither_posts_to_the_other() {
    let channel: Channel =
        fold([DirectOpened { channel_id: CHANNEL, accounts: [MEMBER, OTHER], by: MEMBER }.into()]);
    let live = channel.live().unwrap();
    let blocked = domain::block::AccountBlocked { account_id: OTHER, by: MEMBER };
    let block: domain::block::Block = fold([blocked.into()]);
    for account in [MEMBER, OTHER] {
        let by = Standing::in_channel(account, live, &Default::default(), &Default::default(), NOW);
        assert_eq!(by.under(&Default::default()), by);
        let command = post(channel.clone(), by.under(&block), None);
        given::<Message>([]).when(command).then_refused(MessageError::Blocked);
        assert!(by.under(&block).may(Permissions::VIEW), "what was said stays readable");
    }
}
