use domain::channel::ChannelKind;
use domain::message::MessageError;
use domain::{ChannelId, MessageId, streams};
use event_store::Topic;
use uuid::Uuid;
use vault::Opened;

use crate::scene::Scene;
use crate::world::{anyone, by, content, refused};

const NO_CHANNEL: ChannelId = ChannelId(Uuid::from_u128(1));
const NO_MESSAGE: MessageId = MessageId(Uuid::from_u128(2));

#[tokio::test]
async fn a_post_is_in_the_log_where_its_answer_says_with_its_text_sealed() {
    let scene = Scene::set().await;
    let posted =
        scene.commands.post_message(&by(scene.member), scene.channel, content("Hello 👍"), None).await;
    let posted = posted.unwrap();
    let facts = posted.made.facts;
    assert_eq!((facts.author_id, facts.channel_id), (scene.member, scene.channel));
    assert_eq!((facts.community_id, facts.reply_to), (Some(scene.community), None));
    assert_eq!((posted.made.edited_at, posted.made.deleted_at, posted.repeated), (None, None, false));

    let records = scene.stream(streams::message(facts.id)).await;
    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!((record.position, record.recorded_at), (posted.position, posted.recorded_at));
    assert_eq!(posted.made.created_at, record.recorded_at);
    assert_eq!(record.topic, Topic::new(format!("channel:{}", scene.channel)));
    assert_eq!(record.sealed.as_ref().map(|sealed| sealed.key_id), Some(facts.id.0), "a key of its own");
    assert_eq!(scene.text(record).await, "Hello 👍");
}

#[tokio::test]
async fn a_reply_names_the_message_it_answers() {
    let scene = Scene::set().await;
    let question = scene.post(scene.owner, "Why?").await;
    let reply =
        scene.commands.post_message(&by(scene.member), scene.channel, content("So."), Some(question)).await;
    assert_eq!(reply.unwrap().made.facts.reply_to, Some(question));
}

#[tokio::test]
async fn replying_to_what_is_not_in_the_channel_is_refused() {
    let scene = Scene::set().await;
    let elsewhere = scene.new_channel(ChannelKind::Text).await;
    let posted = scene.commands.post_message(&by(scene.owner), elsewhere, content("There"), None).await;
    let there = posted.unwrap().made.facts.id;
    let gone = scene.post(scene.owner, "Gone").await;
    scene.commands.delete_message(&by(scene.owner), gone).await.unwrap();
    for id in [NO_MESSAGE, there, gone] {
        let reply =
            scene.commands.post_message(&by(scene.member), scene.channel, content("x"), Some(id)).await;
        assert_eq!(refused(reply), MessageError::ReplyNotFound);
    }
}

#[tokio::test]
async fn posting_where_one_cannot_see_is_refused() {
    let scene = Scene::set().await;
    let gone = scene.new_channel(ChannelKind::Text).await;
    scene.commands.delete_channel(&by(scene.owner), gone).await.unwrap();
    let attempts = [(scene.outsider, scene.channel), (scene.member, NO_CHANNEL), (scene.owner, gone)];
    for (account, channel) in attempts {
        let post = scene.commands.post_message(&by(account), channel, content("x"), None).await;
        assert_eq!(refused(post), MessageError::UnknownChannel);
    }
    let nobody = scene.commands.post_message(&anyone(), scene.channel, content("x"), None).await;
    assert_eq!(refused(nobody), MessageError::Unknown);
    assert!(scene.all("message.posted").await.is_empty());
}

#[tokio::test]
async fn a_category_holds_no_messages_and_every_other_kind_does() {
    let scene = Scene::set().await;
    for kind in ChannelKind::ALL {
        let channel = scene.new_channel(kind).await;
        let post = scene.commands.post_message(&by(scene.member), channel, content("x"), None).await;
        if kind == ChannelKind::Category {
            assert_eq!(refused(post), MessageError::ChannelHoldsNoMessages);
        } else {
            assert_eq!(post.unwrap().made.facts.channel_id, channel);
        }
    }
}

#[tokio::test]
async fn an_edit_replaces_the_text_under_the_same_key() {
    let scene = Scene::set().await;
    let id = scene.post(scene.member, "Helo").await;
    let edited = scene.commands.edit_message(&by(scene.member), id, content("Hello")).await.unwrap();
    let records = scene.stream(streams::message(id)).await;
    let [posted, edit] = &records[..] else { panic!("{records:?}") };
    assert_eq!(edited.position, edit.position);
    assert_eq!(edited.made.created_at, posted.recorded_at);
    assert_eq!((edited.made.edited_at, edited.made.deleted_at), (Some(edit.recorded_at), None));
    assert_eq!(scene.text(posted).await, "Helo");
    assert_eq!(scene.text(edit).await, "Hello");
    assert_eq!(edit.sealed.as_ref().map(|sealed| sealed.key_id), Some(id.0));
}

#[tokio::test]
async fn editing_anothers_message_is_refused() {
    let scene = Scene::set().await;
    let id = scene.post(scene.member, "Mine").await;
    for account in [scene.owner, scene.moderator] {
        let edit = scene.commands.edit_message(&by(account), id, content("Yours")).await;
        assert_eq!(refused(edit), MessageError::NotAuthor);
    }
    assert_eq!(scene.kinds(streams::message(id)).await, ["message.posted"]);
}

#[tokio::test]
async fn a_message_that_one_cannot_see_is_unknown() {
    let scene = Scene::set().await;
    let id = scene.post(scene.member, "Here").await;
    for (account, id) in [(scene.outsider, id), (scene.owner, NO_MESSAGE)] {
        let edit = scene.commands.edit_message(&by(account), id, content("x")).await;
        assert_eq!(refused(edit), MessageError::Unknown);
        assert_eq!(refused(scene.commands.delete_message(&by(account), id).await), MessageError::Unknown);
    }
    let nobody = scene.commands.edit_message(&anyone(), id, content("x")).await;
    assert_eq!(refused(nobody), MessageError::Unknown);
    assert_eq!(refused(scene.commands.delete_message(&anyone(), id).await), MessageError::Unknown);

    scene.commands.leave_community(&by(scene.member), scene.community).await.unwrap();
    let late = scene.commands.edit_message(&by(scene.member), id, content("x")).await;
    assert_eq!(refused(late), MessageError::Unknown, "its author left");
}

#[tokio::test]
async fn messages_of_a_deleted_channel_are_unknown() {
    let scene = Scene::set().await;
    let id = scene.post(scene.member, "Here").await;
    scene.commands.delete_channel(&by(scene.moderator), scene.channel).await.unwrap();
    let edit = scene.commands.edit_message(&by(scene.member), id, content("x")).await;
    assert_eq!(refused(edit), MessageError::Unknown);
    assert_eq!(refused(scene.commands.delete_message(&by(scene.owner), id).await), MessageError::Unknown);
}

#[tokio::test]
async fn a_deleted_message_can_no_longer_be_read_or_edited() {
    let scene = Scene::set().await;
    let id = scene.post(scene.member, "Regrettable").await;
    scene.commands.edit_message(&by(scene.member), id, content("Regretted")).await.unwrap();
    let deleted = scene.commands.delete_message(&by(scene.member), id).await.unwrap();

    let records = scene.stream(streams::message(id)).await;
    let [posted, edited, gone] = &records[..] else { panic!("{records:?}") };
    assert_eq!((deleted.position, deleted.made.deleted_at), (gone.position, Some(gone.recorded_at)));
    assert_eq!(deleted.made.created_at, posted.recorded_at);
    assert_eq!(deleted.made.edited_at, Some(edited.recorded_at));
    assert_eq!(scene.opened(posted).await, Opened::Erased);
    assert_eq!(scene.opened(edited).await, Opened::Erased);

    let edit = scene.commands.edit_message(&by(scene.member), id, content("x")).await;
    assert_eq!(refused(edit), MessageError::Deleted);
}

#[tokio::test]
async fn a_moderator_deletes_others_messages_and_a_member_does_not() {
    let scene = Scene::set().await;
    let id = scene.post(scene.owner, "Even mine").await;
    let member = scene.commands.delete_message(&by(scene.member), id).await;
    assert_eq!(refused(member), MessageError::MayNotDelete);
    let moderator = scene.commands.delete_message(&by(scene.moderator), id).await.unwrap();
    assert!(moderator.made.deleted_at.is_some());
}

#[tokio::test]
async fn deleting_again_answers_how_it_stands_and_appends_nothing() {
    let scene = Scene::set().await;
    let id = scene.post(scene.member, "Once").await;
    let first = scene.commands.delete_message(&by(scene.member), id).await.unwrap();
    let again = scene.commands.delete_message(&by(scene.moderator), id).await.unwrap();
    assert_eq!((again.position, again.made), (first.position, first.made));
    assert_eq!(scene.kinds(streams::message(id)).await, ["message.posted", "message.deleted"]);
}

#[tokio::test]
async fn moderators_pin_and_unpin_and_members_do_not() {
    let scene = Scene::set().await;
    let id = scene.post(scene.member, "Read this").await;
    let member = scene.commands.pin_message(&by(scene.member), id).await;
    assert_eq!(refused(member), MessageError::MayNotPin);
    for account in [scene.moderator, scene.owner] {
        scene.commands.pin_message(&by(account), id).await.unwrap();
    }
    let edited = scene.commands.edit_message(&by(scene.member), id, content("Read that")).await.unwrap();
    assert!(edited.made.pinned);
    scene.commands.unpin_message(&by(scene.owner), id).await.unwrap();
    let expected = ["message.posted", "message.pinned", "message.edited", "message.unpinned"];
    assert_eq!(scene.kinds(streams::message(id)).await, expected, "pinned once");
    assert_eq!(refused(scene.commands.pin_message(&by(scene.outsider), id).await), MessageError::Unknown);
    assert_eq!(refused(scene.commands.unpin_message(&anyone(), id).await), MessageError::Unknown);
}

#[tokio::test]
async fn a_deleted_message_is_no_pin() {
    let scene = Scene::set().await;
    let id = scene.post(scene.member, "Read this").await;
    scene.commands.pin_message(&by(scene.owner), id).await.unwrap();
    assert!(!scene.commands.delete_message(&by(scene.member), id).await.unwrap().made.pinned);
    for outcome in [
        scene.commands.pin_message(&by(scene.owner), id).await,
        scene.another_node().unpin_message(&by(scene.owner), id).await,
    ] {
        assert_eq!(refused(outcome), MessageError::Deleted);
    }
}
