use commands::NewMessage;
use domain::message::MessageError;
use domain::thread::ThreadError;
use domain::{MessageId, streams};
use uuid::Uuid;
use vault::Opened;

use crate::scene::Scene;
use crate::world::{by, content, keyed, refused};

const NO_MESSAGE: MessageId = MessageId(Uuid::from_u128(2));

fn in_thread(root: MessageId) -> NewMessage {
    NewMessage { thread: Some(root), ..NewMessage::text(content("reply")) }
}

#[tokio::test]
async fn a_thread_is_closed_with_the_deletion_of_its_first_message() {
    let scene = Scene::set().await;
    let root = scene.post(scene.owner, "root").await;
    let posted = scene.commands.post(&by(scene.member), scene.channel, in_thread(root)).await.unwrap();
    assert_eq!(posted.made.facts.thread_id, Some(root));
    // Another node has the root in its cache as it was.
    let other = scene.another_node();
    other.post(&by(scene.member), scene.channel, in_thread(root)).await.unwrap();
    scene.commands.delete_message(&by(scene.owner), root).await.unwrap();
    for node in [&other, &scene.commands] {
        let late = node.post(&by(scene.member), scene.channel, in_thread(root)).await;
        assert_eq!(refused(late), MessageError::ThreadClosed);
    }
    assert_eq!(scene.all("message.posted").await.len(), 3);
}

#[tokio::test]
async fn following_is_a_fact_of_the_accounts_own() {
    let scene = Scene::set().await;
    let root = scene.post(scene.owner, "root").await;
    for follow in [true, true, false] {
        scene.commands.follow_thread(&by(scene.member), root, follow).await.unwrap();
    }
    let records = scene.stream(streams::follow(scene.member, root)).await;
    let kinds: Vec<_> = records.iter().map(|record| record.kind.as_str()).collect();
    assert_eq!(kinds, ["thread.followed", "thread.unfollowed"]);
    let refusal = scene.commands.follow_thread(&by(scene.outsider), root, true).await;
    assert_eq!(refused(refusal), ThreadError::Unknown);
    let refusal = scene.commands.follow_thread(&by(scene.member), NO_MESSAGE, true).await;
    assert_eq!(refused(refusal), ThreadError::Unknown);
}

#[tokio::test]
async fn only_those_who_are_there_are_mentioned() {
    let scene = Scene::set().await;
    let text = format!("@Moderator @outsider @nobody <@{}> <@{}>", scene.member, scene.outsider);
    let posted =
        scene.commands.post(&by(scene.owner), scene.channel, NewMessage::text(content(&text))).await.unwrap();
    let mentioned: Vec<_> = posted.made.mentions.accounts.iter().copied().collect();
    let mut expected = vec![scene.moderator, scene.member];
    expected.sort_unstable();
    assert_eq!(mentioned, expected);
    scene.commands.leave_community(&by(scene.member), scene.community).await.unwrap();
    let id = posted.made.facts.id;
    let edited = scene.commands.edit_message(&by(scene.owner), id, content(&text)).await.unwrap();
    assert_eq!(edited.made.mentions.accounts, [scene.moderator].into());
}

#[tokio::test]
async fn a_forward_holds_the_newest_text_under_a_key_of_its_own() {
    let scene = Scene::set().await;
    let source = scene.post(scene.owner, "old").await;
    scene.commands.edit_message(&by(scene.owner), source, content("new")).await.unwrap();
    let passed =
        scene.commands.forward_message(&by(scene.member), source, scene.channel, None).await.unwrap();
    assert_eq!(passed.made.text, Some(content("new")));
    let facts = passed.made.state.facts;
    assert_eq!(
        facts.forwarded.map(|origin| (origin.message_id, origin.author_id)),
        Some((source, scene.owner))
    );
    let [record] = &scene.stream(streams::message(facts.id)).await[..] else { panic!("one event") };
    assert_eq!(record.sealed.as_ref().map(|sealed| sealed.key_id), Some(facts.id.0));
    assert_eq!(scene.text(record).await, serde_json::json!({"content": "", "forwarded": "new"}));

    // Whoever erases the source's text leaves the copy, but nothing more can be passed on.
    assert!(scene.vault.shred(source.0).await.unwrap());
    let late = scene.commands.forward_message(&by(scene.member), source, scene.channel, None).await;
    assert_eq!(refused(late), MessageError::TextGone);
    let again =
        scene.commands.forward_message(&by(scene.member), facts.id, scene.channel, None).await.unwrap();
    assert_eq!(again.made.state.facts.forwarded, facts.forwarded);
}

#[tokio::test]
async fn many_deletions_are_an_event_each_and_shred_each_key() {
    let scene = Scene::set().await;
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(scene.post(scene.member, &number.to_string()).await);
    }
    // Of an earlier try that broke off.
    scene.commands.delete_message(&by(scene.moderator), ids[7]).await.unwrap();
    let wanted: Vec<MessageId> = ids.iter().copied().chain([NO_MESSAGE]).collect();
    let context = keyed(by(scene.moderator), "k", "sweep");
    let swept = scene.commands.sweep_messages(&context, scene.channel, &wanted).await.unwrap();
    assert_eq!((&swept.made.deleted, &swept.made.not_found), (&ids, &vec![NO_MESSAGE]));
    assert_eq!(swept.position, scene.head().await);
    let again = scene.commands.sweep_messages(&context, scene.channel, &wanted).await.unwrap();
    assert_eq!((again.made, again.position), (swept.made, swept.position));
    assert_eq!(scene.all("message.deleted").await.len(), ids.len());
    for id in ids {
        let post = &scene.stream(streams::message(id)).await[0];
        assert_eq!(scene.opened(post).await, Opened::Erased);
    }
    let refusal = scene.commands.sweep_messages(&by(scene.member), scene.channel, &wanted).await;
    assert_eq!(refused(refusal), MessageError::MayNotDelete);
}
