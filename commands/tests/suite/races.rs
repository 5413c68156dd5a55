//! Many at once, many times: the log's order decides, and what the log says is consistent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use commands::{Commands, NewBan, NewMessage, Refusal};
use domain::emoji::Emoji;
use domain::invite::InviteError;
use domain::membership::MembershipError;
use domain::message::MessageError;
use domain::poll::{NewPoll, PollError, PollOption, PollOptions};
use domain::reaction::ReactionError;
use domain::{AccountId, MessageId, Role, streams};
use tokio::sync::{Barrier, watch};
use uuid::Uuid;

use crate::scene::Scene;
use crate::world::{by, content};

mod rank;

const ROUNDS: u128 = 200;

/// Accounts that only come and go: who redeems an invite needs no text.
fn passers_by(round: u128, count: u128) -> impl Iterator<Item = AccountId> {
    (0..count).map(move |index| AccountId(Uuid::from_u128((round << 64) | (index + 1))))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_who_redeem_a_one_use_invite_one_joins() {
    let scene = Scene::set().await;
    scene.store.jitter();
    for round in 0..ROUNDS {
        let code = scene.invite(Some(1), None).await;
        let start = Arc::new(Barrier::new(20));
        let tasks: Vec<_> = passers_by(round, 20)
            .map(|account| {
                let (commands, code, start) = (scene.another_node(), code.clone(), start.clone());
                tokio::spawn(async move {
                    start.wait().await;
                    (account, commands.redeem_invite(&by(account), code).await)
                })
            })
            .collect();
        let mut joined = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                (account, Ok(done)) => {
                    assert!(done.made.joined);
                    joined.push(account);
                }
                (_, Err(Refusal::Domain(InviteError::Unknown))) => {}
                (_, Err(other)) => panic!("round {round}: {other:?}"),
            }
        }
        assert_eq!(joined.len(), 1, "round {round}");
        assert_eq!(scene.kinds(streams::invite(code.as_str())).await, ["invite.created", "invite.redeemed"]);
        for account in passers_by(round, 20) {
            let inside = !scene.kinds(scene.membership(account)).await.is_empty();
            assert_eq!(inside, joined.contains(&account), "round {round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_who_redeem_an_invite_for_twenty_all_join() {
    let scene = Scene::set().await;
    scene.store.jitter();
    for round in 0..ROUNDS {
        let code = scene.invite(Some(20), None).await;
        let start = Arc::new(Barrier::new(20));
        let tasks: Vec<_> = passers_by(round, 20)
            .map(|account| {
                let (commands, code, start) = (scene.commands.clone(), code.clone(), start.clone());
                tokio::spawn(async move {
                    start.wait().await;
                    commands.redeem_invite(&by(account), code).await
                })
            })
            .collect();
        for task in tasks {
            assert!(task.await.unwrap().unwrap().made.joined, "round {round}");
        }
        assert_eq!(scene.stream(streams::invite(code.as_str())).await.len(), 21);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_account_that_redeems_an_invite_twice_at_once_uses_it_once() {
    let scene = Scene::set().await;
    scene.store.jitter();
    for round in 0..ROUNDS {
        let code = scene.invite(None, None).await;
        let account = AccountId(Uuid::from_u128(round + 1));
        let redeem = || {
            let (commands, code) = (scene.another_node(), code.clone());
            tokio::spawn(async move { commands.redeem_invite(&by(account), code).await.unwrap() })
        };
        let (a, b) = tokio::join!(redeem(), redeem());
        let (a, b) = (a.unwrap().made, b.unwrap().made);
        assert_eq!(u8::from(a.joined) + u8::from(b.joined), 1, "round {round}");
        assert_eq!(scene.kinds(streams::invite(code.as_str())).await, ["invite.created", "invite.redeemed"]);
        assert_eq!(scene.kinds(scene.membership(account)).await, ["membership.joined"]);
    }
}

#[tokio::test]
async fn who_redeems_again_before_having_joined_uses_nothing_up() {
    let scene = Scene::set().await;
    let code = scene.invite(None, None).await;
    let mut held = scene.store.hold("membership.joined");
    let first = {
        let (commands, outsider, code) = (scene.commands.clone(), scene.outsider, code.clone());
        tokio::spawn(async move { commands.redeem_invite(&by(outsider), code).await })
    };
    held.reached().await;
    let second = scene.another_node().redeem_invite(&by(scene.outsider), code.clone()).await.unwrap();
    let joined = scene.stream(scene.membership(scene.outsider)).await;
    assert_eq!(joined.last().map(|record| record.position), Some(second.position), "it joined them");
    held.release();
    let first = first.await.unwrap().unwrap();
    assert_eq!((first.made.joined, second.made.joined), (true, false));
    assert_eq!(first.position, second.position);
    assert_eq!(scene.kinds(streams::invite(code.as_str())).await, ["invite.created", "invite.redeemed"]);
    assert_eq!(scene.kinds(scene.membership(scene.outsider)).await, ["membership.joined"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_edit_comes_after_the_deletion() {
    let scene = Scene::set().await;
    scene.store.jitter();
    for round in 0..ROUNDS as usize {
        let id = scene.post(scene.member, "First").await;
        let (edited, mut edits) = watch::channel(0);
        let over = Arc::new(AtomicBool::new(false));
        let edit = {
            let (commands, member, over) = (scene.another_node(), scene.member, over.clone());
            tokio::spawn(async move {
                loop {
                    let late = over.load(Ordering::SeqCst);
                    match commands.edit_message(&by(member), id, content("Again")).await {
                        Ok(_) if late => panic!("round {round}: edited after the deletion"),
                        Ok(_) => edited.send_modify(|count| *count += 1),
                        Err(Refusal::Domain(MessageError::Deleted)) => return *edited.borrow(),
                        Err(other) => panic!("{other:?}"),
                    }
                }
            })
        };
        edits.wait_for(|count| *count >= round % 4).await.unwrap();
        let deleted = scene.commands.delete_message(&by(scene.moderator), id).await.unwrap();
        over.store(true, Ordering::SeqCst);
        assert!(deleted.made.deleted_at.is_some());
        let accepted = edit.await.unwrap();
        let kinds = scene.kinds(streams::message(id)).await;
        assert!(accepted >= round % 4);
        assert_eq!(kinds.len(), accepted + 2, "round {round}: every accepted edit is there, and only those");
        assert_eq!(kinds.last().map(String::as_str), Some("message.deleted"), "round {round}: {kinds:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_post_comes_after_the_ban() {
    let scene = Scene::set().await;
    scene.store.jitter();
    for round in 0..ROUNDS as usize {
        let node = scene.another_node();
        let (posted, mut posts) = watch::channel(0);
        let over = Arc::new(AtomicBool::new(false));
        let post = {
            let (member, channel, over) = (scene.member, scene.channel, over.clone());
            tokio::spawn(async move {
                loop {
                    let late = over.load(Ordering::SeqCst);
                    match node.post_message(&by(member), channel, content("spam"), None).await {
                        Ok(_) if late => panic!("round {round}: posted after the ban"),
                        Ok(_) => posted.send_modify(|count| *count += 1),
                        Err(Refusal::Domain(MessageError::UnknownChannel)) => return,
                        Err(other) => panic!("{other:?}"),
                    }
                }
            })
        };
        posts.wait_for(|count| *count >= round % 4).await.unwrap();
        let ban = scene
            .commands
            .ban_account(&by(scene.moderator), scene.community, scene.member, NewBan::default())
            .await;
        let banned = ban.unwrap().position;
        over.store(true, Ordering::SeqCst);
        post.await.unwrap();
        let log = scene.log().await;
        let late = log.iter().filter(|record| record.position > banned && record.kind == "message.posted");
        assert_eq!(late.count(), 0, "round {round}");
        scene.commands.unban_account(&by(scene.owner), scene.community, scene.member).await.unwrap();
        scene.let_in(scene.member).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_kicked_was_of_a_lower_rank_at_that_very_place_in_the_log() {
    // A moderator kicks another just when the owner demotes that one: before it, the rank is too high.
    let scene = Scene::set().await;
    scene.let_in(scene.outsider).await;
    scene.store.jitter();
    let (mut kicked, mut refused) = (0, 0);
    for round in 0..ROUNDS {
        scene.grant(scene.outsider, &[Role::Moderator]).await;
        let demotion = {
            let (commands, owner, here, other) =
                (scene.another_node(), scene.owner, scene.community, scene.outsider);
            async move { commands.set_roles(&by(owner), here, other, [Role::Member].into()).await }
        };
        let kick = {
            let (commands, moderator, here, other) =
                (scene.another_node(), scene.moderator, scene.community, scene.outsider);
            async move { commands.kick_member(&by(moderator), here, other, None).await }
        };
        // One after the other, the other way round, and at once.
        let (demoted, kick) = match round % 4 {
            0 => (demotion.await, kick.await),
            1 => {
                let kick = kick.await;
                (demotion.await, kick)
            }
            _ => {
                let (demotion, kick) = tokio::join!(tokio::spawn(demotion), tokio::spawn(kick));
                (demotion.unwrap(), kick.unwrap())
            }
        };
        let demoted = demoted.unwrap().position;
        match kick {
            Ok(done) => {
                kicked += 1;
                assert!(done.position > demoted, "round {round}: kicked while of the same rank");
                scene.let_in(scene.outsider).await;
            }
            Err(Refusal::Domain(MembershipError::RankTooLow)) => refused += 1,
            Err(other) => panic!("round {round}: {other:?}"),
        }
    }
    assert!(kicked >= ROUNDS / 4 && refused >= ROUNDS / 4, "{kicked} {refused}");
}

/// Something is said of a message again and again while it is deleted: how often it was said before.
async fn said_until_deleted<F>(
    scene: &Scene,
    id: MessageId,
    before: usize,
    mut say: impl FnMut(Commands, usize) -> F + Send + 'static,
) -> usize
where
    F: Future<Output = Result<(), bool>> + Send,
{
    let (said, mut heard) = watch::channel(0);
    let over = Arc::new(AtomicBool::new(false));
    let saying = {
        let (node, over) = (scene.another_node(), over.clone());
        tokio::spawn(async move {
            for time in 0.. {
                let late = over.load(Ordering::SeqCst);
                match say(node.clone(), time).await {
                    Ok(()) if late => panic!("said after the deletion"),
                    Ok(()) => said.send_modify(|count| *count += 1),
                    Err(deleted) => {
                        assert!(deleted, "nothing but the deletion ends it");
                        break;
                    }
                }
            }
            *said.borrow()
        })
    };
    heard.wait_for(|count| *count >= before).await.unwrap();
    scene.commands.delete_message(&by(scene.moderator), id).await.unwrap();
    over.store(true, Ordering::SeqCst);
    saying.await.unwrap()
}

/// Where the deletion of `id` stands, and that every record of `stream` stands before it.
async fn nothing_after_the_deletion(scene: &Scene, id: MessageId, stream: String, accepted: usize) {
    let deleted = scene.stream(streams::message(id)).await.last().unwrap().clone();
    assert_eq!(deleted.kind, "message.deleted");
    let said = scene.stream(stream).await;
    assert_eq!(said.len(), accepted, "everything accepted is there, and only that");
    let late: Vec<_> = said.iter().filter(|record| record.position > deleted.position).collect();
    assert!(late.is_empty(), "{late:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reaction_comes_after_the_deletion() {
    let scene = Scene::set().await;
    scene.store.jitter();
    let member = scene.member;
    for round in 0..ROUNDS as usize {
        let id = scene.post(scene.owner, "Cake!").await;
        let say = move |node: Commands, time: usize| async move {
            let emoji = Emoji::parse(":tada:").unwrap();
            let context = by(member);
            let said = match time % 2 {
                0 => node.add_reaction(&context, id, emoji).await,
                _ => node.remove_reaction(&context, id, emoji).await,
            };
            match said {
                Ok(_) => Ok(()),
                Err(refusal) => Err(matches!(refusal, Refusal::Domain(ReactionError::MessageDeleted))),
            }
        };
        let accepted = said_until_deleted(&scene, id, round % 4, say).await;
        nothing_after_the_deletion(&scene, id, streams::reaction(id), accepted).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_vote_comes_after_the_deletion() {
    let scene = Scene::set().await;
    scene.store.jitter();
    let member = scene.member;
    for round in 0..ROUNDS as usize {
        let options = ["Tuesday", "Friday"].map(|text| PollOption::parse(text).unwrap());
        let options = PollOptions::new(options.to_vec()).unwrap();
        let poll = Some(NewPoll { options, multiple: false, closes_at: None });
        let asking = NewMessage { poll, ..NewMessage::text(content("When?")) };
        let id = scene.commands.post(&by(scene.owner), scene.channel, asking).await.unwrap().made.facts.id;
        let say = move |node: Commands, time: usize| async move {
            match node.vote(&by(member), id, [(time % 2) as u8].into()).await {
                Ok(_) => Ok(()),
                Err(refusal) => Err(matches!(refusal, Refusal::Domain(PollError::MessageDeleted))),
            }
        };
        let accepted = said_until_deleted(&scene, id, round % 4, say).await;
        nothing_after_the_deletion(&scene, id, streams::poll(id), accepted).await;
    }
}
