mod forward;
mod pin;
mod poll;
mod sweep;
mod thread;

use domain::channel::{Channel, ChannelCreated, ChannelDeleted, ChannelKind};
use domain::mention::{Mentions, Wanted};
use domain::message::{
    Content, Message, MessageCommand, MessageDeleted, MessageEdited, MessageError, MessageEvent,
    MessagePosted, PostMessage,
};
use domain::{AccountId, ChannelId, MessageId, Permissions, Personal, Role, Standing};

use crate::given::{fold, given};
use crate::people::*;

fn content(text: &str) -> Content {
    Content::parse(text).unwrap()
}

fn channel_of(kind: ChannelKind) -> Channel {
    let created = ChannelCreated { kind, ..plain_channel(CHANNEL, HERE) };
    fold([created.into()])
}

fn posted_in(channel: ChannelId, id: MessageId) -> MessagePosted {
    MessagePosted {
        message_id: id,
        channel_id: channel,
        community_id: Some(HERE),
        author_id: MEMBER,
        reply_to: None,
        poll: None,
        thread_id: None,
        forwarded: None,
        mentions: Mentions::default(),
        text: Personal::Clear(content("hello").into()),
    }
}

fn posted() -> MessageEvent {
    posted_in(CHANNEL, MESSAGE).into()
}

fn edited() -> MessageEvent {
    edited_to(Mentions::default()).into()
}

fn edited_to(mentions: Mentions) -> MessageEdited {
    let (channel_id, community_id, thread_id) = (CHANNEL, Some(HERE), None);
    let content = Personal::Clear(content("hello again"));
    MessageEdited { message_id: MESSAGE, channel_id, community_id, thread_id, mentions, content }
}

fn deleted(by: AccountId) -> MessageEvent {
    deleted_in(CHANNEL, MESSAGE, by).into()
}

fn deleted_in(channel_id: ChannelId, message_id: MessageId, deleted_by: AccountId) -> MessageDeleted {
    MessageDeleted { message_id, channel_id, community_id: Some(HERE), thread_id: None, deleted_by }
}

/// A plain text in [`CHANNEL`], of which a test changes what it is about.
fn plain(by: Standing) -> PostMessage {
    PostMessage {
        id: MESSAGE,
        channel_id: CHANNEL,
        channel: channel_of(ChannelKind::Text),
        by,
        content: Some(content("hello")),
        wanted: Wanted::default(),
        reply_to: None,
        thread: None,
        forward: None,
        poll: None,
        now: NOW,
        wait: None,
    }
}

fn post_in(channel: Channel, by: Standing, reply_to: Option<(MessageId, Message)>) -> MessageCommand {
    MessageCommand::Post(PostMessage { channel, reply_to, ..plain(by) })
}

fn post(by: Standing) -> MessageCommand {
    post_in(channel_of(ChannelKind::Text), by, None)
}

fn edit(by: Standing) -> MessageCommand {
    MessageCommand::Edit { by, content: content("hello again"), wanted: Wanted::default() }
}

fn delete(by: Standing) -> MessageCommand {
    MessageCommand::Delete { by }
}

#[test]
fn everyone_in_the_community_posts() {
    for by in [owner(), moderator(), member(), guest()] {
        let expected = MessagePosted { author_id: by.account, ..posted_in(CHANNEL, MESSAGE) };
        let state = given::<Message>([]).when(post(by)).then([expected.into()]);
        assert_eq!(state.facts().map(|facts| facts.author_id), Some(by.account));
    }
}

#[test]
fn every_kind_of_channel_but_a_category_holds_messages() {
    for kind in [ChannelKind::Text, ChannelKind::Audio, ChannelKind::Video] {
        given::<Message>([]).when(post_in(channel_of(kind), member(), None)).then([posted()]);
    }
    given::<Message>([])
        .when(post_in(channel_of(ChannelKind::Category), owner(), None))
        .then_refused(MessageError::ChannelHoldsNoMessages);
}

#[test]
fn a_reply_names_the_message_it_answers() {
    let answered = fold([posted_in(CHANNEL, OTHER_MESSAGE).into()]);
    let expected = MessagePosted { reply_to: Some(OTHER_MESSAGE), ..posted_in(CHANNEL, MESSAGE) };
    let command = post_in(channel_of(ChannelKind::Text), member(), Some((OTHER_MESSAGE, answered)));
    given::<Message>([]).when(command).then([expected.into()]);
}

#[test]
fn replying_to_what_is_not_in_the_channel_is_refused() {
    let gone = deleted_in(CHANNEL, OTHER_MESSAGE, MEMBER);
    let answered = [
        fold([]),
        fold([posted_in(OTHER_CHANNEL, OTHER_MESSAGE).into()]),
        fold([posted_in(CHANNEL, OTHER_MESSAGE).into(), gone.into()]),
    ];
    for answered in answered {
        let command = post_in(channel_of(ChannelKind::Text), member(), Some((OTHER_MESSAGE, answered)));
        given::<Message>([]).when(command).then_refused(MessageError::ReplyNotFound);
    }
}

#[test]
fn posting_where_one_cannot_see_is_refused() {
    let elsewhere = standing(MEMBER, ELSEWHERE, &[Role::Moderator]);
    for by in [stranger(), elsewhere, without(member(), Permissions::VIEW)] {
        given::<Message>([]).when(post(by)).then_refused(MessageError::UnknownChannel);
    }
    let mut gone = channel_of(ChannelKind::Text);
    let deleted = ChannelDeleted { channel_id: CHANNEL, community_id: HERE, deleted_by: OWNER };
    domain::Aggregate::evolve(&mut gone, &deleted.into());
    for channel in [gone, Channel::Absent] {
        let command = post_in(channel, owner(), None);
        given::<Message>([]).when(command).then_refused(MessageError::UnknownChannel);
    }
}

#[test]
fn posting_without_the_permission_is_refused() {
    let by = without(member(), Permissions::POST);
    given::<Message>([]).when(post(by)).then_refused(MessageError::MayNotPost);
}

#[test]
fn a_message_is_posted_once() {
    given::<Message>([posted()]).when(post(member())).then_nothing();
    given::<Message>([posted(), deleted(MEMBER)]).when(post(member())).then_nothing();
}

#[test]
fn an_author_edits_as_often_as_they_like() {
    given::<Message>([posted()]).when(edit(member())).then([edited()]);
    // The text is sealed here: whether it says so already, nobody can tell.
    given::<Message>([posted(), edited()]).when(edit(member())).then([edited()]);
}

#[test]
fn editing_anothers_message_is_refused_to_everyone() {
    for by in [owner(), moderator(), other(), guest()] {
        given::<Message>([posted()]).when(edit(by)).then_refused(MessageError::NotAuthor);
        given::<Message>([posted(), deleted(MEMBER)]).when(edit(by)).then_refused(MessageError::NotAuthor);
    }
}

#[test]
fn editing_a_deleted_message_is_refused() {
    let history = [posted(), edited(), deleted(MODERATOR)];
    given::<Message>(history).when(edit(member())).then_refused(MessageError::Deleted);
}

#[test]
fn editing_without_the_permission_to_post_is_refused() {
    let by = without(member(), Permissions::POST);
    given::<Message>([posted()]).when(edit(by)).then_refused(MessageError::MayNotPost);
}

#[test]
fn a_message_that_one_cannot_see_is_unknown() {
    let left = standing(MEMBER, HERE, &[]);
    let elsewhere = standing(MEMBER, ELSEWHERE, &[Role::Moderator]);
    for by in [left, stranger(), elsewhere, without(member(), Permissions::VIEW)] {
        given::<Message>([posted()]).when(edit(by)).then_refused(MessageError::Unknown);
        given::<Message>([posted()]).when(delete(by)).then_refused(MessageError::Unknown);
    }
    given::<Message>([]).when(edit(member())).then_refused(MessageError::Unknown);
    given::<Message>([]).when(delete(owner())).then_refused(MessageError::Unknown);
}

#[test]
fn a_message_is_deleted_by_its_author_or_whoever_manages_messages() {
    for by in [member(), moderator(), owner(), without(member(), Permissions::POST)] {
        let state = given::<Message>([posted()]).when(delete(by)).then([deleted(by.account)]);
        assert!(matches!(state, Message::Deleted(facts) if facts.id == MESSAGE));
    }
}

#[test]
fn deleting_anothers_message_without_the_permission_is_refused() {
    for by in [other(), guest(), without(moderator(), Permissions::MANAGE_MESSAGES)] {
        given::<Message>([posted()]).when(delete(by)).then_refused(MessageError::MayNotDelete);
    }
}

#[test]
fn deleting_again_changes_nothing() {
    for by in [member(), moderator()] {
        given::<Message>([posted(), deleted(MEMBER)]).when(delete(by)).then_nothing();
    }
}

#[test]
fn replying_without_the_permission_is_refused() {
    let answered = fold([posted_in(CHANNEL, OTHER_MESSAGE).into()]);
    let by = without(member(), Permissions::REPLY);
    let command = post_in(channel_of(ChannelKind::Text), by, Some((OTHER_MESSAGE, answered)));
    given::<Message>([]).when(command).then_refused(MessageError::MayNotReply);
}

fn everyone() -> Wanted {
    Wanted { accounts: [OTHER].into(), everyone: true, ..Wanted::default() }
}

#[test]
fn a_message_says_whom_it_mentions_as_far_as_its_author_may() {
    for (by, everyone_too) in [(moderator(), true), (member(), false)] {
        let mentions = Mentions { accounts: [OTHER].into(), everyone: everyone_too, ..Mentions::default() };
        let expected = MessagePosted {
            author_id: by.account,
            mentions: mentions.clone(),
            ..posted_in(CHANNEL, MESSAGE)
        };
        let post = MessageCommand::Post(PostMessage { wanted: everyone(), ..plain(by) });
        let state = given::<Message>([]).when(post).then([expected.into()]);
        assert_eq!(state.mentions(), Some(&mentions));
    }
}

#[test]
fn an_edit_replaces_whom_the_message_mentions() {
    let before = Mentions { accounts: [GUEST].into(), ..Mentions::default() };
    let after = Mentions { accounts: [OTHER].into(), ..Mentions::default() };
    let posted = MessagePosted { mentions: before, ..posted_in(CHANNEL, MESSAGE) };
    let edit = MessageCommand::Edit { by: member(), content: content("hello again"), wanted: everyone() };
    let state = given::<Message>([posted.into()]).when(edit).then([edited_to(after.clone()).into()]);
    assert_eq!(state.mentions(), Some(&after));
    assert_eq!(fold::<Message>([posted_in(CHANNEL, MESSAGE).into(), deleted(MEMBER)]).mentions(), None);
}
