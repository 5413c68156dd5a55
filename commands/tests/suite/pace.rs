//! Slow mode: the port as a table in memory, and what commands make of it.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use commands::{ChangedChannel, Claim, Claimed, Pace};
use domain::channel::SlowMode;
use domain::message::MessageError;
use domain::{AccountId, ChannelId};
use event_store::Unavailable;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::scene::Scene;
use crate::world::{by, content, keyed, refused};

type Last = (Uuid, Timestamp, Option<Timestamp>);

#[derive(Default)]
pub(crate) struct TestPace(Mutex<HashMap<(AccountId, ChannelId), Last>>);

#[async_trait]
impl Pace for TestPace {
    async fn claim(&self, claim: &Claim) -> Result<Claimed, Unavailable> {
        let mut table = self.0.lock().unwrap();
        let before = table.get(&(claim.account, claim.channel)).copied();
        if let Some((command, last, _)) = before {
            let then = last.checked_add(claim.interval).unwrap();
            if command == claim.command {
                return Ok(Claimed::Before);
            }
            if claim.now < then {
                return Ok(Claimed::NotBefore(then));
            }
        }
        let previous = before.map(|(_, last, _)| last);
        table.insert((claim.account, claim.channel), (claim.command, claim.now, previous));
        Ok(Claimed::Now)
    }

    async fn give_back(&self, claim: &Claim) -> Result<(), Unavailable> {
        let mut table = self.0.lock().unwrap();
        let key = (claim.account, claim.channel);
        match table.get(&key).copied() {
            Some((command, _, Some(previous))) if command == claim.command => {
                table.insert(key, (Uuid::nil(), previous, None));
            }
            Some((command, _, None)) if command == claim.command => drop(table.remove(&key)),
            _ => {}
        }
        Ok(())
    }
}

async fn slowed(seconds: u32) -> Scene {
    let scene = Scene::set().await;
    slow_down(&scene, seconds).await;
    scene
}

async fn slow_down(scene: &Scene, seconds: u32) {
    let change = ChangedChannel { slow_mode: SlowMode::new(seconds), ..ChangedChannel::default() };
    scene.commands.change_channel(&by(scene.owner), scene.channel, change).await.unwrap();
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

#[tokio::test]
async fn who_posted_waits_before_the_next_post_on_every_node() {
    let scene = slowed(10).await;
    scene.post(scene.member, "first").await;
    let post = |commands: commands::Commands, account| async move {
        commands.post_message(&by(account), scene.channel, content("next"), None).await
    };
    scene.clock.advance(seconds(3));
    let early = refused(post(scene.commands.clone(), scene.member).await);
    assert_eq!(early, MessageError::SlowMode { wait: 7 });
    let elsewhere = refused(post(scene.another_node(), scene.member).await);
    assert_eq!(elsewhere, MessageError::SlowMode { wait: 7 });
    for exempt in [scene.moderator, scene.owner, scene.moderator] {
        post(scene.commands.clone(), exempt).await.unwrap();
    }
    scene.clock.advance(seconds(7));
    post(scene.commands.clone(), scene.member).await.unwrap();
}

#[tokio::test]
async fn a_repeat_answers_the_first_result_whoever_has_to_wait() {
    let scene = slowed(10).await;
    let first = keyed(by(scene.member), "one", "first");
    let posted = scene.commands.post_message(&first, scene.channel, content("first"), None).await.unwrap();
    let again = scene.commands.post_message(&first, scene.channel, content("first"), None).await.unwrap();
    assert_eq!((again.made.facts.id, again.repeated), (posted.made.facts.id, true));
    scene.clock.advance(seconds(10));
    scene.post(scene.member, "second").await;
    // The moment is the second's now.
    let again =
        scene.another_node().post_message(&first, scene.channel, content("first"), None).await.unwrap();
    assert_eq!((again.made.facts.id, again.repeated), (posted.made.facts.id, true));
    assert_eq!(scene.all("message.posted").await.len(), 2);
}

#[tokio::test]
async fn a_post_that_is_refused_costs_no_turn() {
    let scene = slowed(10).await;
    let nowhere = Some(domain::MessageId(Uuid::from_u128(1)));
    let answer =
        scene.commands.post_message(&by(scene.member), scene.channel, content("to whom"), nowhere).await;
    assert_eq!(refused(answer), MessageError::ReplyNotFound);
    scene.post(scene.member, "at once").await;
    scene.clock.advance(seconds(10));
    let answer =
        scene.commands.post_message(&by(scene.member), scene.channel, content("to whom"), nowhere).await;
    assert_eq!(refused(answer), MessageError::ReplyNotFound);
    // What was claimed before holds again, under a slower mode, too.
    slow_down(&scene, 60).await;
    let answer = scene.commands.post_message(&by(scene.member), scene.channel, content("late"), None).await;
    assert_eq!(refused(answer), MessageError::SlowMode { wait: 50 });
}

#[tokio::test]
async fn a_repeat_after_the_interval_does_not_take_the_next_turn() {
    let scene = slowed(10).await;
    let first = keyed(by(scene.member), "one", "first");
    scene.commands.post_message(&first, scene.channel, content("first"), None).await.unwrap();
    scene.clock.advance(seconds(10));
    scene.post(scene.member, "second").await;
    scene.clock.advance(seconds(10));
    let again = scene.commands.post_message(&first, scene.channel, content("first"), None).await.unwrap();
    assert!(again.repeated);
    scene.post(scene.member, "third").await;
}

#[tokio::test]
async fn a_slow_mode_that_was_just_set_holds_on_a_node_that_has_not_heard_of_it() {
    let scene = Scene::set().await;
    let other = scene.another_node();
    other.post_message(&by(scene.member), scene.channel, content("fast"), None).await.unwrap();
    slow_down(&scene, 10).await;
    other.post_message(&by(scene.member), scene.channel, content("first of the slow"), None).await.unwrap();
    let answer = other.post_message(&by(scene.member), scene.channel, content("second"), None).await;
    assert_eq!(refused(answer), MessageError::SlowMode { wait: 10 });
}
