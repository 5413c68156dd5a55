use domain::mention::Mentions;
use domain::message::{MessageDeleted, MessagePosted};
use domain::thread::{Follow, Following, ThreadError, ThreadEvent, ThreadFollowed, ThreadUnfollowed};
use domain::{Permissions, Personal, Standing};

use crate::given::{fold, given};
use crate::people::*;

fn posted() -> MessagePosted {
    MessagePosted {
        message_id: MESSAGE,
        channel_id: CHANNEL,
        community_id: Some(HERE),
        author_id: OTHER,
        reply_to: None,
        poll: None,
        thread_id: None,
        forwarded: None,
        mentions: Mentions::default(),
        text: Personal::Sealed,
    }
}

fn follow(by: Standing, follow: bool) -> Follow {
    Follow { root: fold([posted().into()]), by, follow }
}

fn followed() -> ThreadEvent {
    let (account_id, message_id) = (MEMBER, MESSAGE);
    ThreadFollowed { account_id, message_id, channel_id: CHANNEL, community_id: Some(HERE) }.into()
}

fn unfollowed() -> ThreadEvent {
    let (account_id, message_id) = (MEMBER, MESSAGE);
    ThreadUnfollowed { account_id, message_id, channel_id: CHANNEL, community_id: Some(HERE) }.into()
}

#[test]
fn whoever_sees_a_message_follows_its_thread_and_lets_go() {
    given::<Following>([]).when(follow(member(), true)).then([followed()]);
    given::<Following>([followed()]).when(follow(member(), false)).then([unfollowed()]);
    given::<Following>([followed(), unfollowed()]).when(follow(member(), true)).then([followed()]);
    // Whether the account follows without having said so is not known here: it may always say no.
    given::<Following>([]).when(follow(member(), false)).then([unfollowed()]);
}

#[test]
fn saying_so_again_changes_nothing() {
    given::<Following>([followed()]).when(follow(member(), true)).then_nothing();
    given::<Following>([unfollowed()]).when(follow(member(), false)).then_nothing();
}

#[test]
fn the_thread_of_a_deleted_message_can_be_followed_still() {
    let (channel_id, community_id, thread_id) = (CHANNEL, Some(HERE), None);
    let gone = MessageDeleted { message_id: MESSAGE, channel_id, community_id, thread_id, deleted_by: OTHER };
    let root = fold([posted().into(), gone.into()]);
    given::<Following>([]).when(Follow { root, by: member(), follow: true }).then([followed()]);
}

#[test]
fn following_what_one_cannot_see_is_refused() {
    for by in [stranger(), without(member(), Permissions::VIEW)] {
        given::<Following>([]).when(follow(by, true)).then_refused(ThreadError::Unknown);
        given::<Following>([followed()]).when(follow(by, false)).then_refused(ThreadError::Unknown);
    }
    let nothing = Follow { root: fold([]), by: member(), follow: true };
    given::<Following>([]).when(nothing).then_refused(ThreadError::Unknown);
}

#[test]
fn a_message_of_a_thread_has_no_thread_to_follow() {
    let root = fold([MessagePosted { thread_id: Some(OTHER_MESSAGE), ..posted() }.into()]);
    given::<Following>([])
        .when(Follow { root, by: member(), follow: true })
        .then_refused(ThreadError::InThread);
}
