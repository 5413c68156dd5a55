//! What follows by itself: at once, after a crash, and only once.

use std::sync::Arc;

use async_trait::async_trait;
use commands::{Checkpoint, NewBan, Settler};
use domain::channel::ChannelEvent;
use domain::installation::InstallationEvent;
use domain::invite::{InviteEvent, InviteRedeemed};
use domain::membership::{JoinedBy, MembershipEvent};
use domain::message::{MessageDeleted, MessageEvent};
use domain::{AccountId, ChannelId, CommunityId, Event, Role, streams};
use event_store::{Position, Unavailable};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use vault::Opened;

use crate::scene::{Scene, first_channel};
use crate::world::{World, anyone, by, content, decoded, keyed, refused, registering};

/// A checkpoint in memory that can be waited for.
struct Memory(watch::Sender<Position>);

#[async_trait]
impl Checkpoint for Memory {
    async fn load(&self) -> Result<Position, Unavailable> {
        Ok(*self.0.borrow())
    }

    async fn save(&self, position: Position) -> Result<(), Unavailable> {
        self.0.send_replace(position);
        Ok(())
    }
}

/// Runs a settler of a new process over the log from `after` until it has settled all that is there now. The log
/// must end with an event that something follows from.
async fn settle(world: &World, after: Position) {
    let (checkpoint, head) = (Arc::new(Memory(watch::Sender::new(after))), world.head().await);
    let shutdown = CancellationToken::new();
    let settler = Settler::new(world.another_node(), checkpoint.clone());
    let running = tokio::spawn(settler.run(shutdown.clone()));
    checkpoint.0.subscribe().wait_for(|saved| *saved >= head).await.unwrap();
    shutdown.cancel();
    running.await.unwrap();
}

fn redeemed(scene: &Scene, code: &domain::invite::InviteCode) -> Event {
    InviteEvent::from(InviteRedeemed {
        code: code.clone(),
        community_id: scene.community,
        account_id: scene.outsider,
        invited_by: scene.owner,
    })
    .into()
}

#[tokio::test]
async fn who_redeemed_an_invite_before_a_crash_joins_after_it() {
    let scene = Scene::set().await;
    let code = scene.invite(Some(1), None).await;
    let before = scene.head().await;
    scene.append(streams::invite(code.as_str()), redeemed(&scene, &code)).await;
    assert!(scene.kinds(scene.membership(scene.outsider)).await.is_empty());
    settle(&scene, before).await;
    let records = scene.stream(scene.membership(scene.outsider)).await;
    let [record] = &records[..] else { panic!("{records:?}") };
    let Event::Membership(MembershipEvent::Joined(joined)) = decoded(record) else { panic!("{record:?}") };
    assert_eq!((joined.joined_by, joined.invited_by), (JoinedBy::Invite, Some(scene.owner)));
    scene.post(scene.outsider, "Here I am").await;
}

#[tokio::test]
async fn who_joined_and_left_is_not_joined_anew_by_settling_again() {
    let scene = Scene::set().await;
    let code = scene.invite(None, None).await;
    scene.commands.redeem_invite(&by(scene.outsider), code.clone()).await.unwrap();
    scene.commands.leave_community(&by(scene.outsider), scene.community).await.unwrap();
    let kicked = scene.invite(None, None).await;
    scene.commands.redeem_invite(&by(scene.member), kicked).await.unwrap();
    scene.commands.kick_member(&by(scene.owner), scene.community, scene.member, None).await.unwrap();
    // An event at the end that something follows from, to wait for.
    scene.person("last").await;
    let before = scene.log().await;
    settle(&scene, Position::START).await;
    let after = scene.log().await;
    assert_eq!(after.len(), before.len(), "{:?}", after.last());
}

#[tokio::test]
async fn who_was_banned_before_settling_does_not_join() {
    let scene = Scene::set().await;
    let code = scene.invite(None, None).await;
    scene
        .commands
        .ban_account(&by(scene.owner), scene.community, scene.outsider, NewBan::default())
        .await
        .unwrap();
    let before = scene.head().await;
    scene.append(streams::invite(code.as_str()), redeemed(&scene, &code)).await;
    settle(&scene, before).await;
    assert_eq!(scene.kinds(scene.membership(scene.outsider)).await, ["membership.banned"]);
}

#[tokio::test]
async fn a_key_that_a_crash_left_is_shredded() {
    let scene = Scene::set().await;
    let id = scene.post(scene.member, "Regrettable").await;
    let before = scene.head().await;
    let deleted = MessageEvent::from(MessageDeleted {
        message_id: id,
        channel_id: scene.channel,
        community_id: Some(scene.community),
        thread_id: None,
        deleted_by: scene.member,
    });
    scene.append(streams::message(id), deleted).await;
    let posted = scene.stream(streams::message(id)).await.remove(0);
    assert_ne!(scene.opened(&posted).await, Opened::Erased, "the crash came before");
    settle(&scene, before).await;
    assert_eq!(scene.opened(&posted).await, Opened::Erased);
}

#[tokio::test]
async fn a_crashed_founding_is_completed() {
    // The process ends before each of the appends in turn.
    for crash in ["installation.founded", "community.created", "membership.joined", "channel.created"] {
        let world = World::with_home().await;
        let mut held = world.store.hold(crash);
        let commands = world.commands.clone();
        let crashing = tokio::spawn(async move { commands.register(&anyone(), registering("ada")).await });
        held.reached().await;
        crashing.abort();
        assert!(crashing.await.unwrap_err().is_cancelled());
        assert!(world.all(crash).await.is_empty());
        settle(&world, Position::START).await;
        let ada = world.commands.account_by_login("ada").await.unwrap().unwrap();
        check_home(&world, ada).await;
    }
}

/// The installation has one administrator, one default community of theirs, and one channel in it.
async fn check_home(world: &World, administrator: AccountId) -> (CommunityId, ChannelId) {
    let founded = world.all("installation.founded").await;
    let [founded] = &founded[..] else { panic!("{founded:?}") };
    let Event::Installation(InstallationEvent::Founded(founded)) = decoded(founded) else { panic!() };
    assert_eq!(founded.administrator, administrator);
    let home = founded.community_id.expect("there is a default community");
    assert_eq!(world.all("community.created").await.len(), 1);
    assert_eq!(world.kinds(streams::community(home)).await, ["community.created"]);
    let channel = first_channel(world, home).await;
    let record = world.stream(streams::channel(channel)).await.remove(0);
    let Event::Channel(ChannelEvent::Created(created)) = decoded(&record) else { panic!() };
    assert_eq!(created.name.as_str(), "welcome");
    let membership = world.stream(streams::membership(home, administrator)).await;
    let [joined] = &membership[..] else { panic!("{membership:?}") };
    let Event::Membership(MembershipEvent::Joined(joined)) = decoded(joined) else { panic!() };
    assert_eq!(joined.joined_by, JoinedBy::Founding);
    (home, channel)
}

#[tokio::test]
async fn the_first_account_founds_the_installation_and_its_community() {
    let world = World::with_home().await;
    let context = keyed(anyone(), "key", "ada");
    let first = world.commands.register(&context, registering("ada")).await.unwrap();
    let (home, channel) = check_home(&world, first.made).await;
    assert_eq!(first.position, world.head().await, "all of it is visible at the position answered");
    let renamed = domain::community::CommunityName::parse("Ours").unwrap();
    world.commands.rename_community(&by(first.made), home, renamed).await.unwrap();
    world.commands.post_message(&by(first.made), channel, content("Welcome"), None).await.unwrap();
    let again = world.commands.register(&context, registering("ada")).await.unwrap();
    assert_eq!((again.position, again.recorded_at), (first.position, first.recorded_at));
}

#[tokio::test]
async fn later_accounts_join_the_default_community_as_members() {
    let world = World::with_home().await;
    let ada = world.person("ada").await;
    let done = world.commands.register(&anyone(), registering("grace")).await.unwrap();
    let (home, channel) = check_home(&world, ada).await;
    let membership = world.stream(streams::membership(home, done.made)).await;
    let Event::Membership(MembershipEvent::Joined(joined)) = decoded(&membership[0]) else { panic!() };
    assert_eq!((joined.joined_by, joined.invited_by), (JoinedBy::Welcome, None));
    assert_eq!(joined.roles, [Role::Member].into());
    assert_eq!(done.position, membership[0].position);
    world.commands.post_message(&by(done.made), channel, content("Hello"), None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_first_accounts_at_once_found_one_installation() {
    for _ in 0..5 {
        let world = World::with_home().await;
        world.store.jitter();
        let register = |name: &'static str| {
            let commands = world.another_node();
            tokio::spawn(async move { commands.register(&anyone(), registering(name)).await.unwrap().made })
        };
        let (ada, grace) = tokio::join!(register("ada"), register("grace"));
        let (ada, grace) = (ada.unwrap(), grace.unwrap());
        let founded = world.all("installation.founded").await.remove(0);
        let Event::Installation(InstallationEvent::Founded(founded)) = decoded(&founded) else { panic!() };
        let (founder, other) = if founded.administrator == ada { (ada, grace) } else { (grace, ada) };
        let (home, channel) = check_home(&world, founder).await;
        let membership = world.stream(streams::membership(home, other)).await;
        let [joined] = &membership[..] else { panic!("{membership:?}") };
        let created = world.stream(streams::channel(channel)).await.remove(0);
        assert!(joined.position > created.position, "nobody comes in before the house stands");
    }
}

#[tokio::test]
async fn without_a_default_community_accounts_land_nowhere() {
    let world = World::new().await;
    let context = keyed(anyone(), "key", "ada");
    let first = world.commands.register(&context, registering("ada")).await.unwrap();
    world.person("grace").await;
    let founded = world.all("installation.founded").await;
    let [founded] = &founded[..] else { panic!("{founded:?}") };
    let Event::Installation(InstallationEvent::Founded(event)) = decoded(founded) else { panic!() };
    assert_eq!((event.administrator, event.community_id), (first.made, None));
    for kind in ["community.created", "channel.created", "membership.joined"] {
        assert!(world.all(kind).await.is_empty(), "{kind}");
    }
    let again = world.commands.register(&context, registering("ada")).await.unwrap();
    assert_eq!((first.position, again.position), (founded.position, founded.position));
}

#[tokio::test]
async fn nobody_joins_a_default_community_that_was_deleted() {
    let world = World::with_home().await;
    let ada = world.person("ada").await;
    let (home, _) = check_home(&world, ada).await;
    world.commands.delete_community(&by(ada), home).await.unwrap();
    let grace = world.person("grace").await;
    assert!(world.stream(streams::membership(home, grace)).await.is_empty());
    assert_eq!(world.all("community.created").await.len(), 1, "nor is another made");
}

#[tokio::test]
async fn who_left_the_default_community_is_not_welcomed_again() {
    let world = World::with_home().await;
    let ada = world.person("ada").await;
    let (home, channel) = check_home(&world, ada).await;
    let context = keyed(anyone(), "key", "grace");
    let first = world.commands.register(&context, registering("grace")).await.unwrap();
    world.commands.leave_community(&by(first.made), home).await.unwrap();
    let again = world.commands.register(&context, registering("grace")).await.unwrap();
    assert_eq!((again.made, again.position), (first.made, first.position));
    world.person("last").await;
    settle(&world, Position::START).await;
    let kinds = world.kinds(streams::membership(home, first.made)).await;
    assert_eq!(kinds, ["membership.joined", "membership.left"]);
    let post = world.commands.post_message(&by(first.made), channel, content("x"), None).await;
    assert_eq!(refused(post), domain::message::MessageError::UnknownChannel);
}
