//! Connections that end at the worst moment: a writer never hears of a success that is none, and a repetition never
//! writes twice.

use std::sync::Arc;

use event_store::{AppendError, Appended, EventStore, Position, postgres::PostgresStore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    PostgresLog,
    proxy::{Cut, Proxy},
};
use crate::{
    Fixture,
    events::{any, event, id, ids, numbers, whole},
};

async fn behind(proxy: &Proxy, log: &PostgresLog) -> Arc<PostgresStore> {
    PostgresStore::connect(&proxy.url(), log.pool(), CancellationToken::new()).await.unwrap()
}

async fn until_appended(node: &PostgresStore, numbers: impl IntoIterator<Item = u128> + Clone) -> Appended {
    loop {
        match node.append(any("a", numbers.clone())).await {
            Ok(appended) => return appended,
            Err(AppendError::Unavailable(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

pub(crate) async fn a_commit_whose_answer_is_lost_is_unavailable_and_its_repetition_answers_it(
    log: PostgresLog,
) {
    let proxy = Proxy::before(log.url());
    let node = behind(&proxy, &log).await;
    node.append(any("a", [1])).await.unwrap();
    let mut tail = node.clone().tail(Position::START);

    proxy.cut(Cut::AfterCommit);
    let error = node.append(any("a", [2, 3])).await.unwrap_err();
    assert!(matches!(error, AppendError::Unavailable(_)), "{error:?}");
    assert_eq!(proxy.cuts(), 1);
    assert_eq!(ids(&whole(&log.open().await).await), numbers([1, 2, 3]));

    let appended = node.append(any("a", [2, 3])).await.unwrap();
    assert_eq!(appended.first_meta, Some(event(2).meta));
    assert_eq!(appended.version, 3);
    let next = node.append(any("a", [4])).await.unwrap();
    assert_eq!((next.version, next.first_meta), (4, None));
    // What the node does not know to have written reaches its own tails nevertheless.
    let mut seen = Vec::new();
    while seen.len() < 4 {
        seen.extend(tail.next().await.unwrap());
    }
    assert_eq!(ids(&seen), numbers([1, 2, 3, 4]));
    assert_eq!(seen[2].position, appended.position);
    assert_eq!(whole(&log.open().await).await, seen);
}

pub(crate) async fn a_commit_that_is_lost_is_unavailable_and_its_repetition_writes_once(log: PostgresLog) {
    let proxy = Proxy::before(log.url());
    let node = behind(&proxy, &log).await;
    node.append(any("a", [1])).await.unwrap();

    proxy.cut(Cut::BeforeCommit);
    let error = node.append(any("a", [2, 3])).await.unwrap_err();
    assert!(matches!(error, AppendError::Unavailable(_)), "{error:?}");
    assert_eq!(proxy.cuts(), 1);
    assert_eq!(ids(&whole(&log.open().await).await), numbers([1]));

    let appended = node.append(any("a", [2, 3])).await.unwrap();
    assert_eq!((appended.version, appended.first_meta), (3, None));
    assert_eq!(ids(&whole(&log.open().await).await), numbers([1, 2, 3]));
}

/// The connection ends after each message of a batch in turn, those of its replacement's start included.
pub(crate) async fn wherever_the_connection_ends_nothing_is_lost_and_nothing_is_twice(log: PostgresLog) {
    const MESSAGES: usize = 45;
    let proxy = Proxy::before(log.url());
    let node = behind(&proxy, &log).await;
    let mut tail = node.clone().tail(Position::START);
    let mut number = 0;
    let mut cuts = 0;
    for message in 0..MESSAGES {
        for cut in [Cut::Request(message), Cut::Response(message)] {
            proxy.cut(cut);
            // Until the cut was made: a batch has fewer messages than the last cuts count.
            while proxy.cuts() == cuts {
                until_appended(&node, [number, number + 1]).await;
                number += 2;
            }
            cuts += 1;
        }
    }
    let appended = until_appended(&node, [number]).await;
    let expected = numbers(0..=number);
    assert_eq!(ids(&whole(&log.open().await).await), expected);
    assert_eq!(appended.version as usize, expected.len());
    let mut seen = Vec::new();
    while seen.len() < expected.len() {
        seen.extend(tail.next().await.unwrap());
    }
    assert_eq!(ids(&seen), expected);
}

pub(crate) async fn many_writers_through_many_cuts_each_write_once(log: PostgresLog) {
    const WRITERS: u128 = 8;
    const EACH: u128 = 30;
    let proxy = Proxy::before(log.url());
    let node = behind(&proxy, &log).await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let node = node.clone();
        writers.spawn(async move {
            let mut answers = Vec::new();
            for number in writer * EACH..(writer + 1) * EACH {
                answers.push((number, until_appended(&node, [number]).await));
            }
            answers
        });
    }
    let cuts = [Cut::AfterCommit, Cut::BeforeCommit, Cut::Response(25), Cut::Request(12)];
    let mut next = WRITERS * EACH;
    for (made, cut) in cuts.into_iter().cycle().take(24).enumerate() {
        proxy.cut(cut);
        // Until it was made, with or without the writers at work.
        while proxy.cuts() == made {
            until_appended(&node, [next]).await;
            next += 1;
        }
    }
    let mut answers: Vec<_> = writers.join_all().await.into_iter().flatten().collect();
    answers.sort_by_key(|(_, appended)| appended.position);

    let records = whole(&log.open().await).await;
    let mut landed = ids(&records);
    landed.sort();
    landed.dedup();
    assert_eq!(landed.len(), records.len());
    assert_eq!(landed.len() as u128, next);
    for (number, appended) in answers {
        let record = records.iter().find(|record| record.id == id(number)).unwrap();
        assert_eq!((record.position, record.version), (appended.position, appended.version));
        assert_eq!(record.recorded_at, appended.recorded_at);
    }
}
