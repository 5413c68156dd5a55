use std::collections::HashSet;

use domain::{AccountId, ChannelId, MessageId};
use event_store::Position;
use projections::{HistoryPage, MessageRow, Range};

use crate::world::{Place, World};

async fn page(
    world: &World,
    viewer: AccountId,
    channel: ChannelId,
    range: Range,
    limit: usize,
) -> HistoryPage {
    world.read.history(viewer, channel, range, limit).await.unwrap().unwrap()
}

async fn all(world: &World, viewer: AccountId, channel: ChannelId) -> Vec<MessageRow> {
    page(world, viewer, channel, Range::Newest, 10_000).await.items
}

/// Whatever the page, it is a piece of the history without a gap, and says truly where the history goes on.
fn assert_piece(all: &[MessageRow], page: &HistoryPage, (range, limit): (Range, usize)) {
    let items = &page.items;
    assert!(items.len() <= limit, "{range:?} {limit}");
    let before = |at: Position| all.iter().find(|message| message.position < at);
    let after = |at: Position| all.iter().rfind(|message| message.position > at);
    if let (Some(newest), Some(oldest)) = (items.first(), items.last()) {
        let start = all.iter().position(|message| message.id == newest.id).unwrap();
        assert_eq!(items, &all[start..start + items.len()], "{range:?} {limit}");
        let (older, newer) = (all.get(start + items.len()), start.checked_sub(1).map(|next| &all[next]));
        assert_eq!(page.older, older.map(|_| oldest.position), "{range:?} {limit}");
        assert_eq!(page.newer, newer.map(|_| newest.position), "{range:?} {limit}");
    } else {
        let found = page.older.and_then(before).or(page.newer.and_then(after));
        assert_eq!(found.is_some(), !all.is_empty(), "an empty page {range:?} must lead to what there is");
        assert!(page.older.is_none_or(|older| before(older) == all.first()));
        assert!(page.newer.is_none_or(|newer| after(newer) == all.last()));
    }
}

async fn assert_ranges(world: &World, viewer: AccountId, channel: ChannelId, count: usize) {
    let all = all(world, viewer, channel).await;
    assert_eq!(all.len(), count);
    let near = |message: &MessageRow| (message.position.0 - 1)..=(message.position.0 + 1);
    let mut positions: HashSet<u64> = all.iter().flat_map(near).collect();
    positions.extend([0, u64::MAX]);
    for limit in 1..=count + 2 {
        for at in positions.iter().copied().map(Position) {
            let older = all.iter().filter(|message| message.position < at).count();
            let newer = all.iter().filter(|message| message.position > at).count();

            let range = Range::Before(at);
            let found = page(world, viewer, channel, range, limit).await;
            assert_piece(&all, &found, (range, limit));
            assert_eq!(found.items.len(), older.min(limit));
            assert!(found.items.first().is_none_or(|first| *first == all[count - older]));

            let range = Range::After(at);
            let found = page(world, viewer, channel, range, limit).await;
            assert_piece(&all, &found, (range, limit));
            assert_eq!(found.items.len(), newer.min(limit));
            assert!(found.items.last().is_none_or(|last| *last == all[newer - 1]));

            let range = Range::Around(at);
            let found = page(world, viewer, channel, range, limit).await;
            assert_piece(&all, &found, (range, limit));
            assert_eq!(found.items.len(), count.min(limit), "{range:?} {limit}");
            let is_there = all.iter().any(|message| message.position == at);
            assert!(!is_there || found.items.iter().any(|message| message.position == at));
        }
        for time in all.iter().map(|message| message.created_at) {
            let range = Range::At(time);
            let found = page(world, viewer, channel, range, limit).await;
            assert_piece(&all, &found, (range, limit));
            assert_eq!(found.items.first(), all.iter().find(|message| message.created_at <= time));
        }
    }
}

#[tokio::test]
async fn every_range_is_a_piece_without_gaps_that_says_where_it_goes_on() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let other = (home.0, world.channel(home.0, "other").await);
    for count in 0..=6 {
        if count > 0 {
            world.post(home, ann, "here").await;
            world.post(other, ann, "there").await;
        }
        world.settle().await;
        assert_ranges(&world, ann, home.1, count).await;
    }
}

#[tokio::test]
async fn before_the_first_message_there_was_nothing() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let (id, _) = world.post(home, ann, "one").await;
    world.settle().await;
    let created = world.read.message(ann, id).await.unwrap().unwrap().created_at;
    let earlier = created - jiff::SignedDuration::from_micros(1);
    let found = page(&world, ann, home.1, Range::At(earlier), 10).await;
    assert_eq!(found.items, []);
    assert!(found.newer.is_some() && found.older.is_none());
}

#[tokio::test]
async fn who_may_not_see_a_channel_sees_none_of_its_history() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let eve = world.account("Eve").await;
    world.post(home, ann, "secret").await;
    world.settle().await;
    assert_eq!(world.read.history(eve, home.1, Range::Newest, 10).await.unwrap(), None);
    let unknown = ChannelId(world.id());
    assert_eq!(world.read.history(ann, unknown, Range::Newest, 10).await.unwrap(), None);
    world.join(home.0, eve).await;
    world.settle().await;
    assert_eq!(page(&world, eve, home.1, Range::Newest, 10).await.items.len(), 1);
}

/// Posts until it is dropped.
async fn keep_posting(world: &World, author: AccountId, home: Place) {
    loop {
        world.post(home, author, "meanwhile").await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn walking_through_a_channel_misses_and_repeats_nothing_while_it_grows() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    for number in 0..60 {
        world.post(home, ann, &number.to_string()).await;
    }
    world.settle().await;
    let ids = |items: &[MessageRow]| items.iter().map(|message| message.id).collect::<Vec<MessageId>>();
    let walk = async {
        let mut limits = [1, 7, 3, 10, 2, 5].into_iter().cycle();
        let start = page(&world, ann, home.1, Range::Newest, 4).await;
        let expected = all(&world, ann, home.1).await;
        let expected = &expected[expected.iter().position(|m| m.id == start.items[0].id).unwrap()..];

        let (mut down, mut older) = (start.items.clone(), start.older);
        while let Some(at) = older {
            let next = page(&world, ann, home.1, Range::Before(at), limits.next().unwrap()).await;
            down.extend(next.items);
            older = next.older;
        }
        assert_eq!(ids(&down), ids(expected));

        let (mut up, mut newer) = (vec![], Some(Position::START));
        while let Some(at) = newer.filter(|_| up.len() < down.len()) {
            let next = page(&world, ann, home.1, Range::After(at), limits.next().unwrap()).await;
            up.extend(next.items.into_iter().rev());
            newer = next.newer;
        }
        up.reverse();
        let surplus = up.len() - down.len();
        assert_eq!(ids(&up[surplus..]), ids(&down));
    };
    tokio::select! {
        () = walk => {}
        () = keep_posting(&world, ann, home) => {}
    }
}
