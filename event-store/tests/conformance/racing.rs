use std::sync::Arc;

use event_store::{AppendError, EventStore, Expected, MAX_PAGE, Position, Record};
use tokio::task::JoinSet;

use crate::{
    Fixture,
    events::{any, append, stream, topic, whole},
};

const WRITERS: u128 = 8;
const EACH: u128 = 60;

/// Every writer appends one event after another to streams of its own, on two handles by turns.
fn write(handles: &[Arc<dyn EventStore>; 2]) -> JoinSet<()> {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = handles[usize::try_from(writer % 2).unwrap()].clone();
        writers.spawn(async move {
            for number in 0..EACH {
                let append = any(&format!("stream-{writer}-{}", number % 5), [writer * EACH + number]);
                store.append(append).await.unwrap();
            }
        });
    }
    writers
}

/// Reads from what it saw last, again and again, until it has seen all; a record that turned up below would be
/// missing at the end.
async fn follow<R: Future<Output = Vec<Arc<Record>>>>(read: impl Fn(Position) -> R) -> Vec<Arc<Record>> {
    let mut seen: Vec<Arc<Record>> = Vec::new();
    while seen.len() < usize::try_from(WRITERS * EACH).unwrap() {
        let page = read(seen.last().map_or(Position::START, |record| record.position)).await;
        seen.extend(page);
        tokio::task::yield_now().await;
    }
    seen
}

pub(crate) async fn a_reader_that_has_seen_a_position_never_misses_one_below(log: impl Fixture) {
    let handles = [log.open().await, log.open().await];
    let mut readers = JoinSet::new();
    for store in handles.clone() {
        let reader = store.clone();
        readers.spawn(async move {
            follow(|after| {
                let reader = reader.clone();
                async move { reader.read_all(after, 7).await.unwrap() }
            })
            .await
        });
        readers.spawn(async move {
            follow(|after| {
                let store = store.clone();
                async move { store.read_topics(&[topic("topic")], after, MAX_PAGE).await.unwrap() }
            })
            .await
        });
    }
    let writers = write(&handles);
    writers.join_all().await;
    let seen = readers.join_all().await;
    let records = whole(&handles[0]).await;
    for seen in seen {
        assert_eq!(seen, records);
    }
}

pub(crate) async fn writers_of_one_stream_each_get_a_version_of_their_own(log: impl Fixture) {
    let handles = [log.open().await, log.open().await];
    let mut writers = JoinSet::new();
    for writer in 0..20_usize {
        let store = handles[writer % 2].clone();
        writers.spawn(async move { store.append(any("one", [writer as u128])).await.unwrap() });
    }
    let mut answers = writers.join_all().await;
    answers.sort_by_key(|answer| answer.version);
    let versions: Vec<_> = answers.iter().map(|answer| answer.version).collect();
    assert_eq!(versions, (1..=20).collect::<Vec<_>>());
    assert!(answers.is_sorted_by(|a, b| a.position < b.position), "{answers:?}");
    let records = handles[0].read_stream(&stream("one"), 0).await.unwrap();
    let stands: Vec<_> = records.iter().map(|record| (record.version, record.position)).collect();
    let told: Vec<_> = answers.iter().map(|answer| (answer.version, answer.position)).collect();
    assert_eq!(stands, told);
}

pub(crate) async fn exactly_one_of_many_claims_wins(log: impl Fixture) {
    let handles = [log.open().await, log.open().await];
    for name in 0..15_u128 {
        let mut claims = JoinSet::new();
        for claim in 0..8_u128 {
            let store = handles[usize::try_from(claim % 2).unwrap()].clone();
            let append = append(&format!("handle-{name}"), Expected::NoStream, [name * 10 + claim]);
            claims.spawn(async move { store.append(append).await });
        }
        let answers = claims.join_all().await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        for error in answers.into_iter().filter_map(Result::err) {
            assert!(matches!(error, AppendError::WrongVersion { current: 1, .. }), "{error:?}");
        }
    }
    assert_eq!(whole(&handles[1]).await.len(), 15);
}
