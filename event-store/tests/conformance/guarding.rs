use event_store::{AppendError, Expected};
use tokio::task::JoinSet;

use crate::{
    Fixture,
    events::{any, append, guarded, id, ids, numbers, stream, whole},
};

fn assert_guard(error: &AppendError, name: &str, version: u64) {
    match error {
        AppendError::GuardFailed { stream: guarded, current } => {
            assert_eq!((guarded, *current), (&stream(name), version));
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_guard_passes_up_to_its_version_and_fails_above(log: impl Fixture) {
    let (store, other) = (log.open().await, log.open().await);
    store.append(any("member", [1, 2])).await.unwrap();
    store.append(guarded(any("a", [3]), &[("member", 2)])).await.unwrap();
    store.append(guarded(any("a", [4]), &[("member", 9)])).await.unwrap();
    other.append(any("member", [5])).await.unwrap();
    let error = store.append(guarded(any("a", [6]), &[("member", 2)])).await.unwrap_err();
    assert_guard(&error, "member", 3);
    assert_eq!(ids(&whole(&store).await), numbers([1, 2, 3, 4, 5]));
}

pub(crate) async fn a_guard_at_zero_asks_for_an_empty_stream(log: impl Fixture) {
    let store = log.open().await;
    store.append(guarded(any("a", [1]), &[("ban", 0)])).await.unwrap();
    store.append(any("ban", [2])).await.unwrap();
    let error = store.append(guarded(any("a", [3]), &[("ban", 0)])).await.unwrap_err();
    assert_guard(&error, "ban", 1);
    assert_eq!(ids(&whole(&store).await), numbers([1, 2]));
}

pub(crate) async fn every_guard_is_checked_and_the_version_before_them(log: impl Fixture) {
    let store = log.open().await;
    store.append(any("x", [1])).await.unwrap();
    store.append(any("y", [2, 3])).await.unwrap();
    store.append(any("a", [4])).await.unwrap();

    store.append(guarded(any("a", [5]), &[("x", 1), ("y", 2), ("none", 0)])).await.unwrap();
    let error = store.append(guarded(any("a", [6]), &[("x", 1), ("y", 1)])).await.unwrap_err();
    assert_guard(&error, "y", 2);
    let error = store.append(guarded(any("a", [6]), &[("x", 0), ("y", 1)])).await.unwrap_err();
    assert_guard(&error, "x", 1);
    // A guard may name the stream itself: it sees it as it was before.
    store.append(guarded(any("a", [6, 7]), &[("a", 2)])).await.unwrap();
    match store.append(guarded(append("a", Expected::NoStream, [8]), &[("x", 0)])).await {
        Err(AppendError::WrongVersion { current: 4, .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(ids(&whole(&store).await), numbers([1, 2, 3, 4, 5, 6, 7]));
}

/// A ban and posts guarded by "not banned" race on two nodes; whoever lands first, no post may stand behind the ban.
pub(crate) async fn a_guarded_append_never_lands_after_the_guarded_stream_moved(log: impl Fixture) {
    const ROUNDS: u128 = 40;
    const POSTS: u128 = 8;
    let handles = [log.open().await, log.open().await];
    let mut expected = Vec::new();
    for round in 0..ROUNDS {
        let ban = format!("ban-{round}");
        let mut racers = JoinSet::new();
        for post in 0..POSTS {
            let number = round * 100 + post;
            let append = guarded(any(&format!("post-{number}"), [number]), &[(&ban, 0)]);
            let store = handles[usize::try_from((post + round) % 2).unwrap()].clone();
            racers.spawn(async move { (number, store.append(append).await.map(|_| ())) });
            if post == POSTS / 2 {
                let (number, append) = (round * 100 + 99, any(&ban, [round * 100 + 99]));
                let store = handles[0].clone();
                racers.spawn(async move { (number, store.append(append).await.map(|_| ())) });
            }
        }
        for (number, answer) in racers.join_all().await {
            match answer {
                Ok(()) => expected.push(id(number)),
                Err(error) => assert_guard(&error, &ban, 1),
            }
        }
        let late = guarded(any("late", [round * 100 + 98]), &[(&ban, 0)]);
        assert_guard(&handles[1].append(late).await.unwrap_err(), &ban, 1);
    }

    let records = whole(&handles[1]).await;
    for (index, record) in records.iter().enumerate().filter(|(_, record)| record.id.as_u128() % 100 == 99) {
        let round = record.id.as_u128() / 100;
        let behind: Vec<_> =
            records[index + 1..].iter().filter(|later| later.id.as_u128() / 100 == round).collect();
        assert!(behind.is_empty(), "round {round}: {behind:?} behind the ban");
    }
    let mut landed = ids(&records);
    landed.sort();
    expected.sort();
    assert_eq!(landed, expected, "what was answered with success is what the log holds");
}
