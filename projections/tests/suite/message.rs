use domain::MessageId;
use domain::message::{Content, MessageEvent, MessagePosted};
use domain::{Personal, streams};

use crate::world::World;

#[tokio::test]
async fn a_message_is_what_was_posted_and_edited_since() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let eve = world.account("Eve").await;
    let (first, position) = world.post(home, ann, "one").await;
    let reply = MessagePosted {
        message_id: MessageId(world.id()),
        channel_id: home.1,
        community_id: Some(home.0),
        author_id: ann,
        reply_to: Some(first),
        poll: None,
        thread_id: None,
        forwarded: None,
        mentions: domain::mention::Mentions::default(),
        text: Personal::Clear(Content::parse("two").unwrap().into()),
    };
    world.tell(MessageEvent::from(reply.clone())).await;
    world.settle().await;
    world.edit(home, first, "uno").await;
    world.settle().await;

    let message = world.read.message(ann, first).await.unwrap().unwrap();
    assert_eq!((message.id, message.channel_id, message.author_id), (first, home.1, ann));
    assert_eq!((message.content.as_deref(), message.position), (Some("uno"), position));
    assert!(message.edited_at.unwrap() >= message.created_at);
    assert_eq!((message.reply_to, message.deleted_at), (None, None));
    let answer = world.read.message(ann, reply.message_id).await.unwrap().unwrap();
    assert_eq!((answer.reply_to, answer.edited_at), (Some(first), None));

    assert_eq!(world.read.message_position(ann, first).await.unwrap(), Some((home.1, position)));
    for id in [first, MessageId(world.id())] {
        assert_eq!(world.read.message(eve, id).await.unwrap(), None);
        assert_eq!(world.read.message_position(eve, id).await.unwrap(), None);
        assert_eq!(world.read.versions(eve, id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn every_text_a_message_had_is_kept_until_it_is_deleted() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let (id, _) = world.post(home, ann, "one").await;
    world.settle().await;
    world.edit(home, id, "two").await;
    world.edit(home, id, "three").await;
    world.settle().await;

    let message = world.read.message(ann, id).await.unwrap().unwrap();
    let versions = world.read.versions(ann, id).await.unwrap().unwrap();
    let texts: Vec<_> = versions.iter().map(|v| (v.version, v.content.as_deref().unwrap())).collect();
    assert_eq!(texts, [(1, "one"), (2, "two"), (3, "three")]);
    assert_eq!(versions[0].created_at, message.created_at);
    assert_eq!(versions[2].created_at, message.edited_at.unwrap());
    assert!(versions.is_sorted_by_key(|version| version.created_at));

    world.delete(home, id, ann).await;
    world.edit(home, id, "after the end").await;
    world.settle().await;
    let message = world.read.message(ann, id).await.unwrap().unwrap();
    assert_eq!(message.content, None);
    assert!(message.deleted_at.is_some());
    let versions = world.read.versions(ann, id).await.unwrap().unwrap();
    assert_eq!(versions.iter().map(|v| v.version).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(versions.iter().all(|version| version.content.is_none()));
}

#[tokio::test]
async fn an_erased_text_is_empty_and_the_others_of_its_author_stay() {
    let world = World::new().await;
    let (ann, home) = world.place().await;
    let (erased, _) = world.post(home, ann, "erased").await;
    world.edit(home, erased, "erased too").await;
    let (kept, _) = world.post(home, ann, "kept").await;
    assert!(world.vault.shred(erased.0).await.unwrap());
    let _running = world.run();
    world.settle().await;
    let message = world.read.message(ann, erased).await.unwrap().unwrap();
    assert_eq!((message.content, message.deleted_at), (None, None));
    assert!(message.edited_at.is_some());
    let versions = world.read.versions(ann, erased).await.unwrap().unwrap();
    assert_eq!(versions.iter().map(|v| v.content.clone()).collect::<Vec<_>>(), [None, None]);
    assert_eq!(world.read.message(ann, kept).await.unwrap().unwrap().content.as_deref(), Some("kept"));
}

#[tokio::test]
async fn an_event_of_a_type_unknown_here_changes_nothing() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let (id, _) = world.post(home, ann, "one").await;
    world.append(&streams::message(id), "message.admired", 9, b"{}".to_vec(), None).await;
    world.settle().await;
    assert!(world.read.message(ann, id).await.unwrap().is_some());
}
