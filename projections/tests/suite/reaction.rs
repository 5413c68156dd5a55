use domain::MessageId;
use event_store::Position;
use projections::{Range, ReactionRow};

use crate::world::{World, emoji};

fn row(emoji: &str, count: u32, me: bool) -> ReactionRow {
    ReactionRow { emoji: emoji.to_owned(), count, me }
}

#[tokio::test]
async fn reactions_are_counted_by_kind_in_the_order_of_their_first_use() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let (bob, eve) = (world.account("Bob").await, world.account("Eve").await);
    world.join(home.0, bob).await;
    let (id, _) = world.post(home, ann, "one").await;
    let (other, _) = world.post(home, ann, "two").await;
    world.react(home, id, bob, "🎉", 1).await;
    world.react(home, id, bob, "👍", 1).await;
    world.react(home, id, ann, "👍", 2).await;
    world.react(home, other, ann, "👍", 1).await;
    world.settle().await;

    let seen = async |by| world.read.message(by, id).await.unwrap().map(|message| message.reactions);
    assert_eq!(seen(ann).await.unwrap(), [row("🎉", 1, false), row("👍", 2, true)]);
    assert_eq!(seen(bob).await.unwrap(), [row("🎉", 1, true), row("👍", 2, true)]);
    assert_eq!(seen(eve).await, None);

    // Taken back and given again, a kind comes last.
    world.unreact(home, id, bob, "🎉", 0).await;
    world.settle().await;
    assert_eq!(seen(bob).await.unwrap(), [row("👍", 2, true)]);
    world.react(home, id, bob, "🎉", 1).await;
    world.unreact(home, id, ann, "👍", 1).await;
    world.settle().await;
    assert_eq!(seen(ann).await.unwrap(), [row("👍", 1, false), row("🎉", 1, false)]);

    let page = world.read.history(ann, home.1, Range::Newest, 10).await.unwrap().unwrap();
    let reactions: Vec<_> = page.items.into_iter().map(|message| message.reactions).collect();
    assert_eq!(
        reactions,
        [vec![row("👍", 1, true)], vec![row("👍", 1, false), row("🎉", 1, false)]],
        "each message has its own"
    );
}

#[tokio::test]
async fn who_reacts_is_listed_page_by_page_the_first_first() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let (bob, eve) = (world.account("Bob").await, world.account("Eve").await);
    let (id, _) = world.post(home, ann, "one").await;
    for (count, account) in (1..).zip([ann, bob, eve]) {
        world.react(home, id, account, "🎉", count).await;
    }
    world.react(home, id, eve, "👍", 1).await;
    world.settle().await;
    let page = async |by, what: &str, after: Option<Position>, limit| {
        world.read.reactors(by, id, &emoji(what), after, limit).await.unwrap()
    };
    let first = page(ann, "🎉", None, 2).await.unwrap();
    assert_eq!(first.items.iter().map(|p| p.account.id).collect::<Vec<_>>(), [ann, bob]);
    assert!(first.items.is_sorted_by_key(|participant| participant.position));
    let second = page(ann, "🎉", first.next, 2).await.unwrap();
    assert_eq!(second.items.iter().map(|p| p.account.id).collect::<Vec<_>>(), [eve]);
    assert_eq!(second.next, None);
    assert_eq!(page(ann, "🎉", None, 3).await.unwrap().next, None, "a full page that ends the list");
    assert_eq!(page(ann, "👍", None, 3).await.unwrap().items.len(), 1);
    assert_eq!(page(ann, "🚀", None, 3).await.unwrap().items, []);
    assert_eq!(page(bob, "🎉", None, 3).await, None, "who may not see the message");
    let nothing = world.read.reactors(ann, MessageId(world.id()), &emoji("🎉"), None, 1).await.unwrap();
    assert_eq!(nothing, None);
}

#[tokio::test]
async fn reactions_are_taken_away_by_kind_or_all_at_once() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let (id, _) = world.post(home, ann, "one").await;
    let (other, _) = world.post(home, ann, "two").await;
    world.settle().await;
    // In one page with the reactions themselves, and after them.
    world.react(home, id, ann, "🎉", 1).await;
    world.react(home, id, ann, "👍", 1).await;
    world.react(home, other, ann, "👍", 1).await;
    world.clear_reactions(home, id, ann, Some("🎉")).await;
    world.settle().await;
    let seen = async |id| world.read.message(ann, id).await.unwrap().unwrap().reactions;
    assert_eq!(seen(id).await, [row("👍", 1, true)]);
    world.clear_reactions(home, id, ann, None).await;
    world.settle().await;
    assert_eq!((seen(id).await, seen(other).await), (vec![], vec![row("👍", 1, true)]));
    let left = world.read.reactors(ann, id, &emoji("👍"), None, 9).await.unwrap().unwrap();
    assert_eq!(left.items, []);
}

#[tokio::test]
async fn a_deleted_message_has_no_reactions_even_where_one_comes_late() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let (id, _) = world.post(home, ann, "one").await;
    world.react(home, id, ann, "🎉", 1).await;
    world.settle().await;
    world.delete(home, id, ann).await;
    // As on a log whose guards are not exact.
    world.react(home, id, ann, "👍", 1).await;
    world.settle().await;
    assert_eq!(world.read.message(ann, id).await.unwrap().unwrap().reactions, []);
    for what in ["🎉", "👍"] {
        let left = world.read.reactors(ann, id, &emoji(what), None, 9).await.unwrap().unwrap();
        assert_eq!(left.items, []);
    }
    world.assert_rebuilt_equals_live().await;
}

#[tokio::test]
async fn what_was_said_goes_with_its_channel_and_its_community() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    for place in [home, (home.0, world.channel(home.0, "other").await)] {
        let (id, _) = world.post(place, ann, "one").await;
        let poll = world.ask(place, ann, "Which?", &["a", "b"]).await;
        world.react(place, id, ann, "🎉", 1).await;
        world.vote(place, poll, ann, &[1], &[0, 1]).await;
    }
    let rows = async || {
        let sql = "SELECT (SELECT count(*) FROM read.reactions), (SELECT count(*) FROM read.reaction_counts),
            (SELECT count(*) FROM read.polls), (SELECT count(*) FROM read.poll_votes)";
        let row = world.client().await.query_one(sql, &[]).await.unwrap();
        std::array::from_fn::<i64, 4, _>(|column| row.get(column))
    };
    world.settle().await;
    assert_eq!(rows().await, [2; 4]);
    world.delete_channel(home, ann).await;
    world.settle().await;
    assert_eq!(rows().await, [1; 4]);
    world.delete_community(home.0, ann).await;
    world.settle().await;
    assert_eq!(rows().await, [0; 4]);
}
