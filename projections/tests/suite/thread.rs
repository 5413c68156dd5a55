use domain::mention::Mentions;
use domain::{AccountId, MessageId};
use event_store::Position;
use projections::{Range, ThreadRow};

use crate::world::{Place, World};

/// The owner of a place, two other members, and a message of the owner's.
struct Scene {
    ann: AccountId,
    bob: AccountId,
    eve: AccountId,
    home: Place,
    root: MessageId,
}

impl Scene {
    async fn set(world: &World) -> Self {
        let (ann, home) = world.place().await;
        let (bob, eve) = (world.account("Bob").await, world.account("Eve").await);
        world.join(home.0, bob).await;
        world.join(home.0, eve).await;
        let (root, _) = world.post(home, ann, "root").await;
        Self { ann, bob, eve, home, root }
    }

    async fn reply(&self, world: &World, author: AccountId) -> (MessageId, Position) {
        world.post_with(self.home, author, "reply", |posted| posted.thread_id = Some(self.root)).await
    }

    async fn thread(&self, world: &World) -> Option<ThreadRow> {
        world.read.message(self.ann, self.root).await.unwrap().unwrap().thread
    }
}

/// The threads that an account follows, with how much is unread of each.
async fn followed(
    world: &World,
    viewer: AccountId,
    marks: &[(MessageId, Position)],
) -> Vec<(MessageId, u32)> {
    let page = world.read.followed_threads(viewer, marks, None, 100).await.unwrap();
    assert_eq!(page.next, None);
    page.items.iter().map(|thread| (thread.root.id, thread.unread)).collect()
}

#[tokio::test]
async fn the_messages_of_a_thread_are_its_own_history_and_not_the_channels() {
    let (world, _running) = World::running().await;
    let scene = Scene::set(&world).await;
    let (first, at) = scene.reply(&world, scene.bob).await;
    let (last, _) = world.post(scene.home, scene.eve, "beside").await;
    let (second, _) = scene.reply(&world, scene.ann).await;
    world.settle().await;
    let ids = |page: projections::HistoryPage| page.items.iter().map(|m| m.id).collect::<Vec<_>>();
    let history = world.read.history(scene.bob, scene.home.1, Range::Newest, 10).await.unwrap().unwrap();
    assert_eq!(ids(history), [last, scene.root]);
    let thread = world.read.thread(scene.bob, scene.root, Range::Newest, 10).await.unwrap().unwrap();
    assert_eq!(thread.items[0].thread_id, Some(scene.root));
    assert_eq!(ids(thread), [second, first]);
    let after = world.read.thread(scene.bob, scene.root, Range::After(at), 1).await.unwrap().unwrap();
    assert_eq!((ids(after.clone()), after.newer), (vec![second], None));
    let stranger = world.account("Stranger").await;
    world.settle().await;
    assert_eq!(world.read.thread(stranger, scene.root, Range::Newest, 10).await.unwrap(), None);
}

#[tokio::test]
async fn the_first_message_says_how_its_thread_stands() {
    let (world, _running) = World::running().await;
    let scene = Scene::set(&world).await;
    world.settle().await;
    assert_eq!(scene.thread(&world).await, None);
    let (first, _) = scene.reply(&world, scene.eve).await;
    world.settle().await;
    let mut others = Vec::new();
    for number in 0..5 {
        others.push(world.account(&format!("Nr{number}")).await);
        scene.reply(&world, others[number]).await;
    }
    let (last, _) = scene.reply(&world, scene.eve).await;
    world.settle().await;
    let thread = scene.thread(&world).await.unwrap();
    let first_five = [scene.eve, others[0], others[1], others[2], others[3]];
    assert_eq!((thread.replies, thread.participants.as_slice()), (7, first_five.as_slice()));
    let posted = world.read.message(scene.ann, last).await.unwrap().unwrap().created_at;
    assert_eq!(thread.last_reply_at, posted);

    world.delete(scene.home, first, scene.eve).await;
    world.delete(scene.home, last, scene.eve).await;
    world.settle().await;
    world.delete(scene.home, last, scene.eve).await;
    world.settle().await;
    assert_eq!(scene.thread(&world).await, Some(ThreadRow { replies: 5, ..thread }));
}

#[tokio::test]
async fn who_has_to_do_with_a_thread_follows_it_and_their_own_word_counts_more() {
    let (world, _running) = World::running().await;
    let scene = Scene::set(&world).await;
    world.settle().await;
    assert_eq!(followed(&world, scene.ann, &[]).await, [], "there is no thread yet");
    scene.reply(&world, scene.bob).await;
    world.settle().await;
    let root = scene.root;
    assert_eq!(followed(&world, scene.ann, &[]).await, [(root, 1)]);
    assert_eq!(followed(&world, scene.bob, &[]).await, [(root, 0)]);
    assert_eq!(followed(&world, scene.eve, &[]).await, []);

    let mentions = Mentions { accounts: [scene.eve].into(), ..Mentions::default() };
    let change = |posted: &mut domain::message::MessagePosted| {
        (posted.thread_id, posted.mentions) = (Some(root), mentions);
    };
    let (mention, _) = world.post_with(scene.home, scene.ann, "Eve?", change).await;
    world.settle().await;
    assert_eq!(
        followed(&world, scene.eve, &[]).await,
        [(root, 1)],
        "the mention is unread, what was before is not"
    );
    world.edit(scene.home, mention, "never mind").await;
    world.settle().await;
    assert_eq!(followed(&world, scene.eve, &[]).await, []);

    world.follow_thread(scene.home, root, scene.eve, true).await;
    world.follow_thread(scene.home, root, scene.bob, false).await;
    scene.reply(&world, scene.bob).await;
    world.settle().await;
    assert_eq!(followed(&world, scene.eve, &[]).await, [(root, 1)]);
    assert_eq!(followed(&world, scene.bob, &[]).await, [], "also after another reply");
    world.follow_thread(scene.home, root, scene.bob, true).await;
    world.settle().await;
    assert_eq!(followed(&world, scene.bob, &[]).await, [(root, 1)]);
}

#[tokio::test]
async fn followed_threads_come_newest_first_with_what_is_unread_behind_the_mark() {
    let (world, _running) = World::running().await;
    let scene = Scene::set(&world).await;
    let (other, _) = world.post(scene.home, scene.bob, "other").await;
    let (_, first) = scene.reply(&world, scene.bob).await;
    world.post_with(scene.home, scene.ann, "there", |posted| posted.thread_id = Some(other)).await;
    let (gone, _) = scene.reply(&world, scene.eve).await;
    world.settle().await;
    assert_eq!(followed(&world, scene.ann, &[]).await, [(scene.root, 2), (other, 0)]);
    assert_eq!(followed(&world, scene.ann, &[(scene.root, first)]).await, [(scene.root, 1), (other, 0)]);
    world.delete(scene.home, gone, scene.eve).await;
    world.settle().await;
    assert_eq!(followed(&world, scene.ann, &[(scene.root, first)]).await, [(scene.root, 0), (other, 0)]);
    for _ in 0..101 {
        scene.reply(&world, scene.eve).await;
    }
    world.settle().await;
    assert_eq!(followed(&world, scene.ann, &[]).await, [(scene.root, 100), (other, 0)]);

    let page = world.read.followed_threads(scene.ann, &[], None, 1).await.unwrap();
    let next = world.read.followed_threads(scene.ann, &[], page.next, 1).await.unwrap();
    assert_eq!((page.items[0].root.id, next.items[0].root.id, next.next), (scene.root, other, None));
}

#[tokio::test]
async fn threads_of_what_one_may_not_see_any_more_are_not_listed() {
    let (world, _running) = World::running().await;
    let scene = Scene::set(&world).await;
    scene.reply(&world, scene.bob).await;
    world.settle().await;
    assert_eq!(followed(&world, scene.bob, &[]).await.len(), 1);
    world.leave(scene.home.0, scene.bob).await;
    world.settle().await;
    assert_eq!(followed(&world, scene.bob, &[]).await, []);
    world.delete_channel(scene.home, scene.ann).await;
    world.settle().await;
    assert_eq!(followed(&world, scene.ann, &[]).await, []);
    let client = world.client().await;
    for table in ["messages", "threads", "thread_parts", "mentions"] {
        let count = client.query_one(&format!("SELECT count(*) FROM read.{table}"), &[]).await.unwrap();
        assert_eq!(count.get::<_, i64>(0), 0, "{table}");
    }
}
