use jiff::Timestamp;
use projections::{PollRow, Range};

use crate::world::World;

/// (text, votes, me) of each option.
fn options(poll: &PollRow) -> Vec<(Option<&str>, u32, bool)> {
    poll.options.iter().map(|option| (option.text.as_deref(), option.votes, option.me)).collect()
}

#[tokio::test]
async fn a_poll_is_what_was_asked_with_the_votes_of_now() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let bob = world.account("Bob").await;
    world.join(home.0, bob).await;
    let id = world.ask(home, ann, "Which?", &["red", "green"]).await;
    world.settle().await;
    let poll = async |by| world.read.message(by, id).await.unwrap().unwrap().poll.unwrap();
    let asked = poll(ann).await;
    assert_eq!(options(&asked), [(Some("red"), 0, false), (Some("green"), 0, false)]);
    let closes_at: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    assert_eq!((asked.multiple, asked.closes_at, asked.closed_at), (true, Some(closes_at), None));

    world.vote(home, id, ann, &[0, 1], &[1, 1]).await;
    world.vote(home, id, bob, &[1], &[1, 2]).await;
    world.vote(home, id, ann, &[1], &[0, 2]).await;
    world.settle().await;
    assert_eq!(options(&poll(ann).await), [(Some("red"), 0, false), (Some("green"), 2, true)]);
    world.vote(home, id, ann, &[], &[0, 1]).await;
    world.close(home, id, ann).await;
    world.settle().await;
    let closed = poll(ann).await;
    assert_eq!(options(&closed), [(Some("red"), 0, false), (Some("green"), 1, false)]);
    assert!(closed.closed_at.is_some());
    assert_eq!(options(&poll(bob).await)[1], (Some("green"), 1, true));

    let (plain, _) = world.post(home, ann, "no poll").await;
    world.settle().await;
    assert_eq!(world.read.message(ann, plain).await.unwrap().unwrap().poll, None);
    let page = world.read.history(bob, home.1, Range::Newest, 2).await.unwrap().unwrap();
    assert_eq!(page.items.iter().map(|message| message.poll.is_some()).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn who_votes_is_listed_page_by_page_the_first_first() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let (bob, eve) = (world.account("Bob").await, world.account("Eve").await);
    let id = world.ask(home, ann, "Which?", &["red", "green"]).await;
    world.vote(home, id, bob, &[0], &[1, 0]).await;
    world.vote(home, id, eve, &[0, 1], &[2, 1]).await;
    world.vote(home, id, ann, &[0], &[3, 1]).await;
    // Voting anew is voting later.
    world.vote(home, id, bob, &[0, 1], &[3, 2]).await;
    world.settle().await;
    let voters = async |option, after, limit| {
        let page = world.read.voters(ann, id, option, after, limit).await.unwrap().unwrap();
        (page.items.into_iter().map(|voter| voter.account.id).collect::<Vec<_>>(), page.next)
    };
    let (first, next) = voters(0, None, 2).await;
    assert_eq!(first, [eve, ann]);
    assert_eq!(voters(0, next, 2).await, (vec![bob], None));
    assert_eq!(voters(1, None, 9).await.0, [eve, bob]);
    assert_eq!(voters(2, None, 9).await.0, []);
    assert_eq!(world.read.voters(bob, id, 0, None, 9).await.unwrap(), None, "who may not see the message");
}

#[tokio::test]
async fn a_deleted_poll_keeps_its_terms_and_nothing_else() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let early = world.ask(home, ann, "Which?", &["red", "green"]).await;
    world.vote(home, early, ann, &[0], &[1, 0]).await;
    world.settle().await;
    world.delete(home, early, ann).await;
    // Posted and deleted in one page; and as on a log whose guards are not exact.
    let late = world.ask(home, ann, "Which?", &["red", "green"]).await;
    world.delete(home, late, ann).await;
    world.vote(home, late, ann, &[1], &[0, 1]).await;
    world.settle().await;
    for id in [early, late] {
        let message = world.read.message(ann, id).await.unwrap().unwrap();
        let poll = message.poll.unwrap();
        assert_eq!((options(&poll), poll.multiple), (vec![(None, 0, false), (None, 0, false)], true));
        for option in [0, 1] {
            let voters = world.read.voters(ann, id, option, None, 9).await.unwrap().unwrap();
            assert_eq!(voters.items, []);
        }
    }
    world.assert_rebuilt_equals_live().await;
}

#[tokio::test]
async fn an_erased_poll_keeps_its_votes_without_its_texts() {
    let world = World::new().await;
    let (ann, home) = world.place().await;
    let id = world.ask(home, ann, "Which?", &["red", "green"]).await;
    world.vote(home, id, ann, &[1], &[0, 1]).await;
    assert!(world.vault.shred(id.0).await.unwrap());
    let _running = world.run();
    world.settle().await;
    let message = world.read.message(ann, id).await.unwrap().unwrap();
    assert_eq!(message.content, None);
    assert_eq!(options(&message.poll.unwrap()), [(None, 0, false), (None, 1, true)]);
}
