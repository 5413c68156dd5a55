use std::collections::BTreeSet;

use commands::{NewMessage, Refusal};
use domain::message::MessageError;
use domain::poll::{NewPoll, PollError, PollOption, PollOptions};
use domain::{MessageId, streams};
use jiff::{SignedDuration, Timestamp};
use vault::Opened;

use crate::scene::Scene;
use crate::world::{anyone, by, content, refused};

fn poll(closes_at: Option<Timestamp>) -> NewPoll {
    let options = ["Tuesday", "Friday"].map(|text| PollOption::parse(text).unwrap());
    NewPoll { options: PollOptions::new(options.to_vec()).unwrap(), multiple: false, closes_at }
}

fn asking(closes_at: Option<Timestamp>) -> NewMessage {
    NewMessage { poll: Some(poll(closes_at)), ..NewMessage::text(content("When?")) }
}

async fn ask(scene: &Scene, closes_at: Option<Timestamp>) -> MessageId {
    let posted = scene.commands.post(&by(scene.member), scene.channel, asking(closes_at)).await;
    posted.unwrap().made.facts.id
}

fn option(place: u8) -> BTreeSet<u8> {
    BTreeSet::from([place])
}

#[tokio::test]
async fn the_texts_of_a_poll_are_sealed_with_its_message() {
    let scene = Scene::set().await;
    let id = ask(&scene, None).await;
    let records = scene.stream(streams::message(id)).await;
    let facts = std::str::from_utf8(&records[0].data).unwrap();
    assert!(facts.contains(r#""poll":{"options":2,"multiple":false}"#), "{facts}");
    assert!(!facts.contains("Tuesday") && !facts.contains("When?"), "{facts}");
    let text = scene.text(&records[0]).await;
    assert_eq!(text, serde_json::json!({"content": "When?", "poll": ["Tuesday", "Friday"]}));
    scene.commands.edit_message(&by(scene.member), id, content("When, then?")).await.unwrap();
    scene.commands.delete_message(&by(scene.member), id).await.unwrap();
    assert_eq!(scene.opened(&records[0]).await, Opened::Erased);
}

#[tokio::test]
async fn a_poll_that_would_close_too_late_is_not_posted() {
    let scene = Scene::set().await;
    let now = commands::Clock::now(&*scene.clock);
    for closes_at in [now, now + SignedDuration::from_hours(30 * 24 + 1)] {
        let post = scene.commands.post(&by(scene.member), scene.channel, asking(Some(closes_at))).await;
        assert_eq!(refused(post), MessageError::PollTime);
    }
    assert!(scene.all("message.posted").await.is_empty());
}

#[tokio::test]
async fn votes_are_counted_as_they_change() {
    let scene = Scene::set().await;
    let id = ask(&scene, None).await;
    for (account, options) in [(scene.owner, option(0)), (scene.member, option(0)), (scene.owner, option(1))]
    {
        scene.another_node().vote(&by(account), id, options).await.unwrap();
    }
    scene.commands.vote(&by(scene.member), id, BTreeSet::new()).await.unwrap();
    let before = scene.head().await;
    let again = scene.commands.vote(&by(scene.owner), id, option(1)).await.unwrap();
    assert_eq!((scene.head().await, again.position), (before, before), "it is so already");
    let records = scene.stream(streams::poll(id)).await;
    let votes: Vec<serde_json::Value> = records
        .iter()
        .map(|record| serde_json::from_slice::<serde_json::Value>(&record.data).unwrap()["votes"].clone())
        .collect();
    assert_eq!(serde_json::json!(votes), serde_json::json!([[1, 0], [2, 0], [1, 1], [0, 1]]));
}

#[tokio::test]
async fn votes_that_do_not_fit_are_refused() {
    let scene = Scene::set().await;
    let id = ask(&scene, None).await;
    let plain = scene.post(scene.member, "no poll").await;
    let vote = async |account, id, options: &[u8]| {
        refused(scene.commands.vote(&by(account), id, options.iter().copied().collect()).await)
    };
    assert_eq!(vote(scene.member, plain, &[0]).await, PollError::None);
    assert_eq!(vote(scene.member, id, &[2]).await, PollError::UnknownOption);
    assert_eq!(vote(scene.member, id, &[0, 1]).await, PollError::OneOption);
    assert_eq!(vote(scene.outsider, id, &[0]).await, PollError::UnknownMessage);
    assert_eq!(refused(scene.commands.vote(&anyone(), id, option(0)).await), PollError::UnknownMessage);
    scene.commands.delete_message(&by(scene.member), id).await.unwrap();
    assert_eq!(vote(scene.owner, id, &[0]).await, PollError::MessageDeleted);
    assert!(scene.stream(streams::poll(id)).await.is_empty());
}

#[tokio::test]
async fn a_poll_is_closed_by_its_author_or_a_moderator_for_good() {
    let scene = Scene::set().await;
    for (who, expected) in [(scene.moderator, 1), (scene.member, 1)] {
        let id = ask(&scene, None).await;
        let other = scene.commands.close_poll(&by(scene.outsider), id).await;
        assert_eq!(refused(other), PollError::UnknownMessage);
        scene.commands.close_poll(&by(who), id).await.unwrap();
        scene.commands.close_poll(&by(scene.owner), id).await.unwrap();
        assert_eq!(scene.stream(streams::poll(id)).await.len(), expected, "closed once");
        let late = scene.another_node().vote(&by(scene.owner), id, option(0)).await;
        assert_eq!(refused(late), PollError::Closed);
    }
    scene.let_in(scene.outsider).await;
    let id = ask(&scene, None).await;
    assert_eq!(refused(scene.commands.close_poll(&by(scene.outsider), id).await), PollError::MayNotClose);
}

#[tokio::test]
async fn a_poll_closes_when_its_time_has_come() {
    let scene = Scene::set().await;
    let end = commands::Clock::now(&*scene.clock) + SignedDuration::from_mins(5);
    let id = ask(&scene, Some(end)).await;
    scene.commands.vote(&by(scene.member), id, option(0)).await.unwrap();
    scene.clock.advance(SignedDuration::from_mins(5));
    for options in [option(1), BTreeSet::new()] {
        assert_eq!(refused(scene.commands.vote(&by(scene.member), id, options).await), PollError::Closed);
    }
    assert_eq!(scene.kinds(streams::poll(id)).await, ["poll.voted"], "nothing is appended for that");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_vote_at_once_each_counts_once() {
    let scene = Scene::set().await;
    scene.store.jitter();
    scene.let_in(scene.outsider).await;
    let id = ask(&scene, None).await;
    let everyone = [scene.owner, scene.moderator, scene.member, scene.outsider];
    let tasks: Vec<_> = everyone
        .iter()
        .flat_map(|account| [(*account, 0), (*account, 1)])
        .map(|(account, place)| {
            let commands = scene.another_node();
            tokio::spawn(async move { commands.vote(&by(account), id, option(place)).await })
        })
        .collect();
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => {}
            Err(Refusal::Busy) => panic!("eight are not too many"),
            Err(other) => panic!("{other:?}"),
        }
    }
    let records = scene.stream(streams::poll(id)).await;
    let last: serde_json::Value = serde_json::from_slice(&records.last().unwrap().data).unwrap();
    let votes = last["votes"].as_array().unwrap().iter().map(|votes| votes.as_u64().unwrap()).sum::<u64>();
    assert_eq!(votes, 4, "{last}");
}
