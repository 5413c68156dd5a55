//! Many at once, many times: the log's order decides, and what the log says is consistent.

use std::collections::HashSet;
use std::sync::Arc;

use commands::Refusal;
use domain::invite::InviteError;
use domain::membership::MembershipError;
use domain::message::MessageError;
use domain::{AccountId, Role, streams};
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::scene::Scene;
use crate::world::{by, content};

const ROUNDS: u128 = 40;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_edit_comes_after_the_deletion() {
    let scene = Scene::set().await;
    scene.store.jitter();
    let mut outcomes = HashSet::new();
    for round in 0..ROUNDS {
        let id = scene.post(scene.member, "First").await;
        let start = Arc::new(Barrier::new(2));
        let edit = {
            let (commands, member, start) = (scene.another_node(), scene.member, start.clone());
            tokio::spawn(async move {
                start.wait().await;
                let mut accepted = 0;
                loop {
                    match commands.edit_message(&by(member), id, content("Again")).await {
                        Ok(_) => accepted += 1,
                        Err(Refusal::Domain(MessageError::Deleted)) => return accepted,
                        Err(other) => panic!("{other:?}"),
                    }
                }
            })
        };
        let delete = {
            let (commands, moderator) = (scene.commands.clone(), scene.moderator);
            tokio::spawn(async move {
                start.wait().await;
                for _ in 0..round % 4 {
                    tokio::task::yield_now().await;
                }
                commands.delete_message(&by(moderator), id).await.unwrap()
            })
        };
        let accepted = edit.await.unwrap();
        assert!(delete.await.unwrap().made.deleted_at.is_some());
        let kinds = scene.kinds(streams::message(id)).await;
        assert_eq!(kinds.len(), accepted + 2, "round {round}: every accepted edit is there, and only those");
        assert_eq!(kinds.last().map(String::as_str), Some("message.deleted"), "round {round}: {kinds:?}");
        outcomes.insert(accepted);
    }
    assert!(outcomes.len() > 1, "they always came in the same order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_post_comes_after_the_ban() {
    let scene = Scene::set().await;
    scene.store.jitter();
    let mut outcomes = HashSet::new();
    for round in 0..ROUNDS {
        let node = scene.another_node();
        node.post_message(&by(scene.member), scene.channel, content("warm"), None).await.unwrap();
        let start = Arc::new(Barrier::new(2));
        let posts = {
            let (member, channel, start) = (scene.member, scene.channel, start.clone());
            tokio::spawn(async move {
                start.wait().await;
                let mut accepted = 0;
                loop {
                    match node.post_message(&by(member), channel, content("spam"), None).await {
                        Ok(_) => accepted += 1,
                        Err(Refusal::Domain(MessageError::UnknownChannel)) => return accepted,
                        Err(other) => panic!("{other:?}"),
                    }
                }
            })
        };
        let ban = {
            let (commands, moderator, start) = (scene.commands.clone(), scene.moderator, start);
            let (here, member) = (scene.community, scene.member);
            tokio::spawn(async move {
                start.wait().await;
                commands.ban_account(&by(moderator), here, member).await.unwrap()
            })
        };
        let accepted = posts.await.unwrap();
        let banned = ban.await.unwrap().position;
        let log = scene.log().await;
        let late = log.iter().filter(|record| record.position > banned && record.kind == "message.posted");
        assert_eq!(late.count(), 0, "round {round}");
        outcomes.insert(accepted);
        scene.commands.unban_account(&by(scene.owner), scene.community, scene.member).await.unwrap();
        scene.let_in(scene.member).await;
    }
    assert!(outcomes.len() > 1, "they always came in the same order");
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
        let start = Arc::new(Barrier::new(2));
        let demotion = {
            let (commands, owner, here, other) =
                (scene.commands.clone(), scene.owner, scene.community, scene.outsider);
            let start = start.clone();
            tokio::spawn(async move {
                start.wait().await;
                for _ in 0..(round % 20) * 4 {
                    tokio::task::yield_now().await;
                }
                commands.set_roles(&by(owner), here, other, [Role::Member].into()).await
            })
        };
        let kick = {
            let (node, moderator, here, other) =
                (scene.another_node(), scene.moderator, scene.community, scene.outsider);
            tokio::spawn(async move {
                start.wait().await;
                node.kick_member(&by(moderator), here, other).await
            })
        };
        demotion.await.unwrap().unwrap();
        let kinds = match kick.await.unwrap() {
            Ok(_) => {
                kicked += 1;
                let kinds = scene.kinds(scene.membership(scene.outsider)).await;
                scene.let_in(scene.outsider).await;
                kinds
            }
            Err(Refusal::Domain(MembershipError::RankTooLow)) => {
                refused += 1;
                scene.kinds(scene.membership(scene.outsider)).await
            }
            Err(other) => panic!("round {round}: {other:?}"),
        };
        let roles = kinds.iter().filter(|kind| *kind == "membership.roles_changed").count();
        assert_eq!(roles as u128, 2 * (round + 1), "round {round}: {kinds:?}");
    }
    assert!(kicked > 0 && refused > 0, "they always came in the same order: {kicked} {refused}");
}
