use bytes::Bytes;
use event_store::{Append, Appended, Expected, NewEvent};
use tokio::task::JoinSet;

use crate::{
    Fixture,
    events::{any, append, event, guarded, ids, numbers, stream, whole},
};

/// The answer to a repetition of an append that was answered `first`, whose first event was `event(number)`.
fn repeated(first: &Appended, number: u128) -> Appended {
    Appended { first_meta: Some(event(number).meta), ..first.clone() }
}

pub(crate) async fn a_repeated_append_answers_the_first_result(log: impl Fixture) {
    let (store, other) = (log.open().await, log.open().await);
    let first = store.append(any("a", [1, 2, 3])).await.unwrap();
    store.append(any("a", [4])).await.unwrap();
    for store in [&store, &other] {
        assert_eq!(store.append(any("a", [1, 2, 3])).await.unwrap(), repeated(&first, 1));
        // The first append's meta, whatever the repetition brings.
        let event = NewEvent { meta: Bytes::from_static(b"other"), data: Bytes::new(), ..event(4) };
        let again = store.append(Append { events: vec![event], ..any("a", []) }).await.unwrap();
        assert_eq!(again.first_meta, Some(crate::events::event(4).meta));
        assert_eq!(again.version, 4);
    }
    assert_eq!(ids(&whole(&store).await), numbers([1, 2, 3, 4]));
}

pub(crate) async fn a_repeated_append_is_found_before_version_and_guards_are_checked(log: impl Fixture) {
    let store = log.open().await;
    let first = store.append(append("a", Expected::NoStream, [1])).await.unwrap();
    store.append(any("guarded", [2])).await.unwrap();
    for expected in [Expected::NoStream, Expected::Exact(0), Expected::Exact(7), Expected::Any] {
        let again = guarded(append("a", expected, [1]), &[("guarded", 0)]);
        assert_eq!(store.append(again).await.unwrap(), repeated(&first, 1), "{expected:?}");
    }
    assert_eq!(ids(&whole(&store).await), numbers([1, 2]));
}

pub(crate) async fn a_repeated_id_answers_the_stream_that_holds_it(log: impl Fixture) {
    let store = log.open().await;
    let first = store.append(any("a", [1])).await.unwrap();
    let again = store.append(append("b", Expected::NoStream, [1])).await.unwrap();
    assert_eq!(again, repeated(&first, 1));
    assert_eq!(store.read_stream(&stream("b"), 0).await.unwrap(), []);
}

pub(crate) async fn an_append_that_is_known_in_part_appends_nothing(log: impl Fixture) {
    let store = log.open().await;
    let first = store.append(any("a", [1, 2])).await.unwrap();
    assert_eq!(store.append(any("a", [1, 2, 3])).await.unwrap(), repeated(&first, 1));
    assert_eq!(store.append(any("a", [3, 2])).await.unwrap(), repeated(&first, 2));
    let second = store.append(any("a", [4])).await.unwrap();
    // The order of the first appends counts, not that of the repetition.
    assert_eq!(store.append(any("a", [4, 1])).await.unwrap(), repeated(&second, 1));
    assert_eq!(ids(&whole(&store).await), numbers([1, 2, 4]));
}

pub(crate) async fn the_same_append_many_times_at_once_is_written_once(log: impl Fixture) {
    const ROUNDS: u128 = 10;
    let handles = [log.open().await, log.open().await];
    for round in 0..ROUNDS {
        let mut appends = JoinSet::new();
        for copy in 0..20 {
            let store = handles[copy % 2].clone();
            let append =
                append("a", Expected::Exact(u64::try_from(round).unwrap() * 2), [2 * round, 2 * round + 1]);
            appends.spawn(async move { store.append(append).await.unwrap() });
        }
        let answers = appends.join_all().await;
        let (wrote, found): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.first_meta.is_none());
        assert_eq!(wrote.len(), 1);
        assert!(found.iter().all(|answer| *answer == repeated(&wrote[0], 2 * round)), "{wrote:?} {found:?}");
    }
    assert_eq!(ids(&whole(&handles[0]).await), numbers(0..2 * ROUNDS));
}
