//! The same key and request answer the first result, whatever happened since; another request is refused.

use std::fmt::Debug;

use commands::{ChangedChannel, Context, Done, NewBan, Refusal};
use domain::account::{About, DisplayName, ProfileChange};
use domain::channel::{ChannelKind, ChannelName};
use domain::message::MessageError;
use domain::{Role, streams};

use crate::scene::{Scene, a_channel, name};
use crate::world::{anyone, by, content, keyed, refused, registering};

/// That `again` is the first result, and that it says so.
#[track_caller]
fn assert_first<T: Debug + PartialEq, E: Debug>(first: Done<T>, again: Result<Done<T>, Refusal<E>>) {
    assert!(!first.repeated);
    assert_eq!(again.unwrap(), Done { repeated: true, ..first });
}

#[track_caller]
fn assert_reused<T: Debug, E: Debug>(result: Result<Done<T>, Refusal<E>>) {
    assert!(matches!(result, Err(Refusal::KeyReused)), "{result:?}");
}

/// Calls an intent, repeats it, does what would make it refused or pointless now, repeats it again, and asks for
/// something else with the same key.
macro_rules! repeats {
    ($scene:ident, $actor:expr, |$context:ident| $call:expr, $meanwhile:expr) => {{
        let $context = keyed(by($actor), "key", "request");
        let first = $call.await.unwrap();
        let head = $scene.head().await;
        assert!(first.position <= head);
        assert_first(first.clone(), $call.await);
        assert_eq!($scene.head().await, head, "a repeated call appends nothing");
        $meanwhile;
        let head = $scene.head().await;
        assert_first(first, $call.await);
        assert_eq!($scene.head().await, head, "nor does it later");
        let $context = keyed(by($actor), "key", "another request");
        assert_reused($call.await);
        assert_eq!($scene.head().await, head);
    }};
}

#[tokio::test]
async fn a_repeated_post_answers_the_first_even_when_its_author_is_banned_since() {
    let scene = Scene::set().await;
    repeats!(
        scene,
        scene.member,
        |context| scene.commands.post_message(&context, scene.channel, content("Once"), None),
        scene
            .commands
            .ban_account(&by(scene.owner), scene.community, scene.member, NewBan::default())
            .await
            .unwrap()
    );
    assert_eq!(scene.all("message.posted").await.len(), 1);
}

#[tokio::test]
async fn a_repeated_post_answers_the_first_even_when_its_channel_is_gone() {
    let scene = Scene::set().await;
    let answered = scene.post(scene.owner, "Question").await;
    repeats!(
        scene,
        scene.member,
        |context| scene.commands.post_message(&context, scene.channel, content("Once"), Some(answered)),
        {
            scene.commands.delete_message(&by(scene.owner), answered).await.unwrap();
            scene.commands.delete_channel(&by(scene.owner), scene.channel).await.unwrap();
        }
    );
}

#[tokio::test]
async fn a_repeated_edit_answers_the_first_even_when_the_message_is_deleted_since() {
    let scene = Scene::set().await;
    let id = scene.post(scene.member, "Helo").await;
    repeats!(scene, scene.member, |context| scene.commands.edit_message(&context, id, content("Hello")), {
        scene.commands.edit_message(&by(scene.member), id, content("Hello!")).await.unwrap();
        scene.commands.delete_message(&by(scene.moderator), id).await.unwrap();
    });
}

#[tokio::test]
async fn a_repeated_deletion_answers_the_first() {
    let scene = Scene::set().await;
    let id = scene.post(scene.member, "Gone").await;
    repeats!(
        scene,
        scene.member,
        |context| scene.commands.delete_message(&context, id),
        scene.commands.leave_community(&by(scene.member), scene.community).await.unwrap()
    );
}

#[tokio::test]
async fn a_repeated_redemption_answers_the_first_even_when_the_invite_is_used_up_and_its_guest_left() {
    let scene = Scene::set().await;
    let code = scene.invite(Some(1), None).await;
    repeats!(
        scene,
        scene.outsider,
        |context| scene.commands.redeem_invite(&context, code.clone()),
        scene.commands.leave_community(&by(scene.outsider), scene.community).await.unwrap()
    );
    let kinds = ["membership.joined", "membership.left"];
    assert_eq!(scene.kinds(scene.membership(scene.outsider)).await, kinds, "and does not join again");
}

#[tokio::test]
async fn a_repeated_redemption_answers_the_first_even_when_its_guest_is_banned_since() {
    let scene = Scene::set().await;
    let code = scene.invite(None, None).await;
    repeats!(
        scene,
        scene.outsider,
        |context| scene.commands.redeem_invite(&context, code.clone()),
        scene
            .commands
            .ban_account(&by(scene.owner), scene.community, scene.outsider, NewBan::default())
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_repeated_invite_is_the_same_invite() {
    let scene = Scene::set().await;
    repeats!(
        scene,
        scene.member,
        |context| scene.commands.create_invite(&context, scene.community, Some(2), None),
        {
            let code = scene.log().await.into_iter().rev().find(|record| record.kind == "invite.created");
            let code = code.unwrap().stream.as_str().strip_prefix("invite-").unwrap().to_owned();
            let code = domain::invite::InviteCode::parse(&code).unwrap();
            scene.commands.redeem_invite(&by(scene.outsider), code).await.unwrap();
            scene.commands.kick_member(&by(scene.owner), scene.community, scene.member, None).await.unwrap();
        }
    );
}

#[tokio::test]
async fn a_repeated_revocation_answers_the_first() {
    let scene = Scene::set().await;
    let code = scene.invite(None, None).await;
    repeats!(
        scene,
        scene.moderator,
        |context| scene.commands.revoke_invite(&context, code.clone()),
        scene.grant(scene.moderator, &[Role::Guest]).await
    );
}

#[tokio::test]
async fn a_repeated_community_is_the_same_community() {
    let scene = Scene::set().await;
    repeats!(scene, scene.outsider, |context| scene.commands.create_community(&context, name("Mine")), {
        let created = scene.all("community.created").await.pop().unwrap();
        let id = domain::CommunityId(streams::id_in(created.stream.as_str()).unwrap());
        scene.commands.delete_community(&by(scene.outsider), id).await.unwrap();
    });
    assert_eq!(scene.all("community.created").await.len(), 2);
}

#[tokio::test]
async fn a_repeated_rename_and_a_repeated_deletion_of_a_community_answer_the_first() {
    let scene = Scene::set().await;
    repeats!(
        scene,
        scene.owner,
        |context| scene.commands.rename_community(&context, scene.community, name("There")),
        scene.commands.rename_community(&by(scene.owner), scene.community, name("Back")).await.unwrap()
    );
    let delete = keyed(by(scene.owner), "delete", "delete");
    let first = scene.commands.delete_community(&delete, scene.community).await.unwrap();
    assert_first(first, scene.commands.delete_community(&delete, scene.community).await);
}

#[tokio::test]
async fn a_repeated_channel_is_the_same_channel() {
    let scene = Scene::set().await;
    repeats!(
        scene,
        scene.moderator,
        |context| scene.commands.create_channel(&context, scene.community, a_channel(ChannelKind::Audio)),
        scene.grant(scene.moderator, &[Role::Member]).await
    );
    assert_eq!(scene.all("channel.created").await.len(), 2);
}

#[tokio::test]
async fn a_repeated_change_and_a_repeated_deletion_of_a_channel_answer_the_first() {
    let scene = Scene::set().await;
    let news = || ChangedChannel { name: ChannelName::parse("news").ok(), ..ChangedChannel::default() };
    repeats!(
        scene,
        scene.moderator,
        |context| scene.commands.change_channel(&context, scene.channel, news()),
        scene.commands.delete_channel(&by(scene.owner), scene.channel).await.unwrap()
    );
    let channel = scene.new_channel(ChannelKind::Text).await;
    let delete = keyed(by(scene.moderator), "delete", "delete");
    let first = scene.commands.delete_channel(&delete, channel).await.unwrap();
    assert_first(first, scene.commands.delete_channel(&delete, channel).await);
}

#[tokio::test]
async fn repeated_moderation_answers_the_first_even_when_undone_since() {
    let scene = Scene::set().await;
    let (here, target) = (scene.community, scene.member);
    let demote = |key| (keyed(by(scene.moderator), key, key), [Role::Guest].into());

    let (context, roles) = demote("roles");
    let first = scene.commands.set_roles(&context, here, target, roles).await.unwrap();
    scene.grant(target, &[Role::Moderator]).await;
    let (context, roles) = demote("roles");
    assert_first(first, scene.commands.set_roles(&context, here, target, roles).await);
    scene.grant(target, &[Role::Member]).await;

    let kick = keyed(by(scene.moderator), "kick", "kick");
    let first = scene.commands.kick_member(&kick, here, target, None).await.unwrap();
    scene.let_in(target).await;
    assert_first(first, scene.commands.kick_member(&kick, here, target, None).await);

    let ban = keyed(by(scene.moderator), "ban", "ban");
    let first_ban = scene.commands.ban_account(&ban, here, target, NewBan::default()).await.unwrap();
    let unban = keyed(by(scene.moderator), "unban", "unban");
    let first_unban = scene.commands.unban_account(&unban, here, target).await.unwrap();
    assert_first(first_ban, scene.commands.ban_account(&ban, here, target, NewBan::default()).await);
    scene.commands.ban_account(&by(scene.owner), here, target, NewBan::default()).await.unwrap();
    assert_first(first_unban, scene.commands.unban_account(&unban, here, target).await);

    let kinds = [
        "membership.joined",
        "membership.roles_changed",
        "membership.roles_changed",
        "membership.roles_changed",
        "membership.kicked",
        "membership.joined",
        "membership.banned",
        "membership.unbanned",
        "membership.banned",
    ];
    assert_eq!(scene.kinds(scene.membership(target)).await, kinds);
}

#[tokio::test]
async fn a_repeated_leaving_answers_the_first_even_when_back_since() {
    let scene = Scene::set().await;
    repeats!(
        scene,
        scene.member,
        |context| scene.commands.leave_community(&context, scene.community),
        scene.let_in(scene.member).await
    );
}

#[tokio::test]
async fn a_repeated_profile_change_answers_the_first() {
    let scene = Scene::set().await;
    let change = |text: &str| ProfileChange {
        display_name: Some(DisplayName::parse(text).unwrap()),
        about: Some(About::parse("").unwrap()),
    };
    repeats!(
        scene,
        scene.member,
        |context| scene.commands.change_profile(&context, change("Ada")),
        scene.commands.change_profile(&by(scene.member), change("Grace")).await.unwrap()
    );
}

#[tokio::test]
async fn a_repeated_registration_answers_the_first_and_another_with_its_key_is_refused() {
    let scene = Scene::set().await;
    let context = || keyed(anyone(), "key", "ada");
    let first = scene.commands.register(&context(), registering("ada")).await.unwrap();
    assert_first(first, scene.commands.register(&context(), registering("ada")).await);
    let other = keyed(anyone(), "key", "grace");
    assert_reused(scene.commands.register(&other, registering("grace")).await);
    assert_eq!(scene.commands.account_by_login("grace").await.unwrap(), None);
}

#[tokio::test]
async fn a_key_is_refused_to_another_request_even_where_that_would_be_refused_anyway() {
    let scene = Scene::set().await;
    let first = keyed(by(scene.member), "key", "post");
    scene.commands.post_message(&first, scene.channel, content("x"), None).await.unwrap();
    let other = keyed(by(scene.member), "key", "something else");
    assert_reused(scene.commands.create_channel(&other, scene.community, a_channel(ChannelKind::Text)).await);
    assert_reused(scene.commands.kick_member(&other, scene.community, scene.owner, None).await);
    // To do nothing is no way around it either.
    let roles = [Role::Moderator].into();
    let same = keyed(by(scene.owner), "key", "post");
    scene.commands.post_message(&same, scene.channel, content("x"), None).await.unwrap();
    let other = keyed(by(scene.owner), "key", "something else");
    assert_reused(scene.commands.set_roles(&other, scene.community, scene.moderator, roles).await);
}

#[tokio::test]
async fn one_key_of_two_accounts_does_not_collide() {
    let scene = Scene::set().await;
    let mut made = Vec::new();
    for account in [scene.owner, scene.moderator, scene.member] {
        let context = keyed(by(account), "key", "request");
        let post = scene.commands.post_message(&context, scene.channel, content("x"), None).await.unwrap();
        assert!(!post.repeated);
        assert_eq!(post.made.facts.author_id, account);
        made.push(post.made.facts.id);
    }
    made.dedup();
    assert_eq!(made.len(), 3);
}

#[tokio::test]
async fn without_a_key_every_call_is_its_own() {
    let scene = Scene::set().await;
    let context: Context = by(scene.member);
    let a = scene.commands.post_message(&context, scene.channel, content("x"), None).await.unwrap();
    let b = scene.commands.post_message(&context, scene.channel, content("x"), None).await.unwrap();
    assert_ne!(a.made.facts.id, b.made.facts.id);
}

#[tokio::test]
async fn a_refusal_is_no_result_and_the_same_call_may_succeed_later() {
    let scene = Scene::set().await;
    let context = keyed(by(scene.outsider), "key", "request");
    let post = || scene.commands.post_message(&context, scene.channel, content("x"), None);
    assert_eq!(refused(post().await), MessageError::UnknownChannel);
    scene.let_in(scene.outsider).await;
    let first = post().await.unwrap();
    assert_first(first, post().await);
}

#[tokio::test]
async fn a_repeated_call_is_known_on_another_node_and_after_a_restart() {
    let scene = Scene::set().await;
    let context = keyed(by(scene.member), "key", "request");
    let first = scene.commands.post_message(&context, scene.channel, content("x"), None).await.unwrap();
    let node = scene.another_node();
    assert_first(first, node.post_message(&context, scene.channel, content("x"), None).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_call_sent_many_times_at_once_has_one_effect() {
    let scene = Scene::set().await;
    scene.store.jitter();
    for round in 0..20 {
        let key = format!("post {round}");
        let code = scene.invite(None, None).await;
        let calls = (0..6).map(|_| {
            let (node, channel, here, code) =
                (scene.another_node(), scene.channel, scene.community, code.clone());
            let post = keyed(by(scene.member), &key, "post");
            let create = keyed(by(scene.owner), &key, "create");
            let redeem = keyed(by(scene.outsider), &key, "redeem");
            tokio::spawn(async move {
                let posted = node.post_message(&post, channel, content("x"), None).await.unwrap();
                let new = a_channel(ChannelKind::Text);
                let created = node.create_channel(&create, here, new).await.unwrap();
                let redeemed = node.redeem_invite(&redeem, code).await.unwrap();
                assert!(redeemed.made.joined);
                let results = (posted.made, created.made, redeemed.made);
                let positions = [posted.position, created.position, redeemed.position];
                let fresh = [posted.repeated, created.repeated, redeemed.repeated].map(|again| !again);
                (results, positions, fresh)
            })
        });
        let mut answers = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            answers.push(call.await.unwrap());
        }
        let (results, positions, _) = answers[0].clone();
        for (index, intent) in ["post", "create", "redeem"].iter().enumerate() {
            let first = answers.iter().filter(|(_, _, fresh)| fresh[index]).count();
            assert_eq!(first, 1, "round {round}: {intent}");
        }
        assert!(
            answers.iter().all(|(r, p, _)| (r, p) == (&results, &positions)),
            "round {round}: {answers:?}"
        );
        let joined = scene.kinds(scene.membership(scene.outsider)).await;
        assert_eq!(joined.last().map(String::as_str), Some("membership.joined"));
        scene.commands.kick_member(&by(scene.owner), scene.community, scene.outsider, None).await.unwrap();
    }
    assert_eq!(scene.all("message.posted").await.len(), 20);
    assert_eq!(scene.all("channel.created").await.len(), 21);
    assert_eq!(scene.kinds(scene.membership(scene.outsider)).await.len(), 40);
}
