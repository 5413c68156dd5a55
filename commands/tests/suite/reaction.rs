use std::sync::Arc;

use domain::emoji::Emoji;
use domain::reaction::{MAX_KINDS, ReactionError};
use domain::{MessageId, streams};
use event_store::Topic;
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::scene::Scene;
use crate::world::{anyone, by, keyed, refused};

const NO_MESSAGE: MessageId = MessageId(Uuid::from_u128(2));

fn emoji(text: &str) -> Emoji {
    Emoji::parse(text).unwrap()
}

#[tokio::test]
async fn a_reaction_is_in_the_log_of_its_channel() {
    let scene = Scene::set().await;
    let id = scene.post(scene.owner, "Cake!").await;
    let done = scene.commands.add_reaction(&by(scene.member), id, emoji(":tada:")).await.unwrap();
    assert_eq!((done.made.emoji.as_str(), done.made.count, done.made.me), ("🎉", 1, true));
    let records = scene.stream(streams::reaction(id)).await;
    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!((record.position, record.kind.as_str()), (done.position, "reaction.added"));
    assert_eq!(record.topic, Topic::new(format!("channel:{}", scene.channel)));

    let second = scene.commands.add_reaction(&by(scene.owner), id, emoji("🎉")).await.unwrap().made;
    assert_eq!((second.count, second.me), (2, true));
    let taken_back = scene.commands.remove_reaction(&by(scene.member), id, emoji("🎉")).await.unwrap().made;
    assert_eq!((taken_back.count, taken_back.me), (1, false));
}

#[tokio::test]
async fn what_is_so_already_is_answered_and_appends_nothing() {
    let scene = Scene::set().await;
    let id = scene.post(scene.owner, "Cake!").await;
    let first = scene.commands.add_reaction(&by(scene.member), id, emoji("🎉")).await.unwrap();
    let again = scene.another_node().add_reaction(&by(scene.member), id, emoji("🎉")).await.unwrap();
    assert_eq!((again.position, &again.made), (first.position, &first.made));
    let other = scene.commands.remove_reaction(&by(scene.owner), id, emoji("🎉")).await.unwrap().made;
    assert_eq!((other.count, other.me), (1, false));
    assert_eq!(scene.kinds(streams::reaction(id)).await, ["reaction.added"]);
}

#[tokio::test]
async fn the_same_key_answers_the_first_result() {
    let scene = Scene::set().await;
    let id = scene.post(scene.owner, "Cake!").await;
    let context = || keyed(by(scene.member), "k", "react");
    let first = scene.commands.add_reaction(&context(), id, emoji("🎉")).await.unwrap();
    scene.commands.remove_reaction(&by(scene.member), id, emoji("🎉")).await.unwrap();
    let again = scene.another_node().add_reaction(&context(), id, emoji("🎉")).await.unwrap();
    assert!(again.repeated);
    assert_eq!((again.position, again.made), (first.position, first.made));
    assert_eq!(scene.kinds(streams::reaction(id)).await, ["reaction.added", "reaction.removed"]);
}

#[tokio::test]
async fn a_message_that_one_cannot_see_is_unknown() {
    let scene = Scene::set().await;
    let id = scene.post(scene.owner, "Cake!").await;
    for (context, id) in [(by(scene.outsider), id), (by(scene.owner), NO_MESSAGE), (anyone(), id)] {
        let attempts = [
            scene.commands.add_reaction(&context, id, emoji("🎉")).await.map(|done| done.map(drop)),
            scene.commands.remove_reaction(&context, id, emoji("🎉")).await.map(|done| done.map(drop)),
            scene.commands.clear_reactions(&context, id, None).await,
        ];
        for attempt in attempts {
            assert_eq!(refused(attempt), ReactionError::UnknownMessage);
        }
    }
    scene.commands.add_reaction(&by(scene.member), id, emoji("🎉")).await.unwrap();
    scene.commands.delete_channel(&by(scene.owner), scene.channel).await.unwrap();
    let late = scene.commands.remove_reaction(&by(scene.member), id, emoji("🎉")).await;
    assert_eq!(refused(late), ReactionError::UnknownMessage, "its channel is gone");
}

#[tokio::test]
async fn who_lost_the_community_takes_nothing_back() {
    let scene = Scene::set().await;
    let id = scene.post(scene.owner, "Cake!").await;
    scene.commands.add_reaction(&by(scene.member), id, emoji("🎉")).await.unwrap();
    scene.commands.kick_member(&by(scene.owner), scene.community, scene.member, None).await.unwrap();
    let late = scene.commands.remove_reaction(&by(scene.member), id, emoji("🎉")).await;
    assert_eq!(refused(late), ReactionError::UnknownMessage);
}

#[tokio::test]
async fn a_deleted_message_takes_no_reaction() {
    let scene = Scene::set().await;
    let id = scene.post(scene.owner, "Cake!").await;
    scene.commands.add_reaction(&by(scene.member), id, emoji("🎉")).await.unwrap();
    scene.commands.delete_message(&by(scene.owner), id).await.unwrap();
    for what in ["🎉", "👍"] {
        let late = scene.another_node().add_reaction(&by(scene.member), id, emoji(what)).await;
        assert_eq!(refused(late), ReactionError::MessageDeleted);
    }
    let late = scene.commands.remove_reaction(&by(scene.member), id, emoji("🎉")).await;
    assert_eq!(refused(late), ReactionError::MessageDeleted);
    assert_eq!(scene.kinds(streams::reaction(id)).await, ["reaction.added"]);
}

#[tokio::test]
async fn moderators_take_away_what_others_said_and_members_do_not() {
    let scene = Scene::set().await;
    let id = scene.post(scene.owner, "Cake!").await;
    for what in ["🎉", "👍"] {
        scene.commands.add_reaction(&by(scene.member), id, emoji(what)).await.unwrap();
    }
    let member = scene.commands.clear_reactions(&by(scene.member), id, None).await;
    assert_eq!(refused(member), ReactionError::MayNotClear);
    scene.commands.clear_reactions(&by(scene.moderator), id, Some(emoji("🎉"))).await.unwrap();
    scene.commands.clear_reactions(&by(scene.moderator), id, None).await.unwrap();
    let kinds = scene.kinds(streams::reaction(id)).await;
    assert_eq!(kinds[2..], ["reaction.cleared", "reaction.cleared"]);
    let again = scene.commands.add_reaction(&by(scene.member), id, emoji("👍")).await.unwrap();
    assert_eq!(again.made.count, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_thirty_kinds_at_once_twenty_are_taken() {
    let scene = Scene::set().await;
    scene.store.jitter();
    let id = scene.post(scene.owner, "Cake!").await;
    let start = Arc::new(Barrier::new(30));
    let tasks: Vec<_> = domain::emoji::all()
        .take(30)
        .map(|listed| {
            let (commands, member, start) = (scene.commands.clone(), scene.member, start.clone());
            let emoji = emoji(listed.emoji);
            tokio::spawn(async move {
                start.wait().await;
                commands.add_reaction(&by(member), id, emoji).await
            })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => taken += 1,
            Err(commands::Refusal::Domain(ReactionError::TooManyKinds)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(taken, MAX_KINDS);
    assert_eq!(scene.stream(streams::reaction(id)).await.len(), MAX_KINDS);
}

#[tokio::test]
async fn who_is_banned_reacts_no_more_whatever_a_node_remembers() {
    let scene = Scene::set().await;
    let id = scene.post(scene.owner, "Cake!").await;
    let node = scene.another_node();
    node.add_reaction(&by(scene.member), id, emoji("👍")).await.unwrap();
    let ban = commands::NewBan::default();
    scene.commands.ban_account(&by(scene.owner), scene.community, scene.member, ban).await.unwrap();
    let late = node.add_reaction(&by(scene.member), id, emoji("🎉")).await;
    assert_eq!(refused(late), ReactionError::UnknownMessage);
    assert_eq!(scene.kinds(streams::reaction(id)).await, ["reaction.added"]);
}
