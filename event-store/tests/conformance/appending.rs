use std::sync::Arc;

use bytes::Bytes;
use event_store::{Append, AppendError, Expected, NewEvent, Sealed};
use tokio::task::JoinSet;

use crate::{
    Fixture,
    events::{any, append, event, id, ids, numbers, stream, topic, whole},
};

pub(crate) async fn an_append_answers_where_its_last_event_stands(log: impl Fixture) {
    let store = log.open().await;
    let appended = store.append(any("a", [1, 2, 3])).await.unwrap();
    let records = whole(&store).await;
    assert_eq!(ids(&records), numbers([1, 2, 3]));
    let last = &records[2];
    assert_eq!(appended.stream, stream("a"));
    assert_eq!(appended.position, last.position);
    assert_eq!((appended.version, last.version), (3, 3));
    assert_eq!(appended.recorded_at, last.recorded_at);
    assert_eq!(appended.first_meta, None);
}

pub(crate) async fn versions_count_from_one_in_each_stream(log: impl Fixture) {
    let (store, other) = (log.open().await, log.open().await);
    assert_eq!(store.append(append("a", Expected::NoStream, [1])).await.unwrap().version, 1);
    assert_eq!(other.append(append("b", Expected::NoStream, [2])).await.unwrap().version, 1);
    assert_eq!(other.append(append("a", Expected::Exact(1), [3, 4])).await.unwrap().version, 3);
    assert_eq!(store.append(append("a", Expected::Any, [5])).await.unwrap().version, 4);
    let records = store.read_stream(&stream("a"), 0).await.unwrap();
    let versions: Vec<_> = records.iter().map(|record| record.version).collect();
    assert_eq!(versions, [1, 2, 3, 4]);
    assert_eq!(ids(&records), numbers([1, 3, 4, 5]));
}

pub(crate) async fn a_wrong_expected_version_appends_nothing(log: impl Fixture) {
    let store = log.open().await;
    store.append(any("a", [1, 2])).await.unwrap();
    for (number, expected) in [Expected::NoStream, Expected::Exact(0), Expected::Exact(1), Expected::Exact(3)]
        .into_iter()
        .enumerate()
    {
        let first = 10 * (number as u128 + 1);
        match store.append(append("a", expected, [first, first + 1])).await {
            Err(AppendError::WrongVersion { stream: name, current: 2 }) => assert_eq!(name, stream("a")),
            other => panic!("{expected:?}: {other:?}"),
        }
    }
    assert_eq!(ids(&whole(&store).await), numbers([1, 2]));
    // A refused id is not spent.
    store.append(append("a", Expected::Exact(2), [10])).await.unwrap();
    assert_eq!(ids(&whole(&store).await), numbers([1, 2, 10]));
}

pub(crate) async fn no_stream_and_exact_zero_ask_for_an_empty_stream(log: impl Fixture) {
    let store = log.open().await;
    assert_eq!(store.append(append("a", Expected::NoStream, [1])).await.unwrap().version, 1);
    assert_eq!(store.append(append("b", Expected::Exact(0), [2])).await.unwrap().version, 1);
    match store.append(append("c", Expected::Exact(1), [3])).await {
        Err(AppendError::WrongVersion { stream: name, current: 0 }) => assert_eq!(name, stream("c")),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn an_append_is_seen_whole_or_not_at_all(log: impl Fixture) {
    const APPENDS: u128 = 60;
    let (store, other) = (log.open().await, log.open().await);
    let writer = tokio::spawn(async move {
        for number in 0..APPENDS {
            store.append(any("a", [number * 3, number * 3 + 1, number * 3 + 2])).await.unwrap();
        }
    });
    loop {
        let last = writer.is_finished();
        let seen = other.read_stream(&stream("a"), 0).await.unwrap().len();
        assert_eq!(seen % 3, 0, "{seen} events of appends of three");
        if last {
            assert_eq!(seen as u128, APPENDS * 3);
            return writer.await.unwrap();
        }
    }
}

pub(crate) async fn good_appends_beside_wrong_ones_land(log: impl Fixture) {
    let store = log.open().await;
    store.append(any("taken", [1])).await.unwrap();
    // All at once, so that adapters that gather batches have both kinds in one.
    let mut appends = JoinSet::new();
    for number in 100..200 {
        let store = store.clone();
        let wrong = number % 3 == 0;
        let name = if wrong { "taken".to_owned() } else { format!("free-{number}") };
        let append = append(&name, Expected::NoStream, [number]);
        appends.spawn(async move { (number, wrong, store.append(append).await) });
    }
    let mut good = vec![id(1)];
    while let Some(answer) = appends.join_next().await {
        match answer.unwrap() {
            (_, true, Err(AppendError::WrongVersion { current: 1, .. })) => {}
            (number, false, Ok(appended)) => {
                assert_eq!(appended.version, 1);
                good.push(id(number));
            }
            other => panic!("{other:?}"),
        }
    }
    let mut landed = ids(&whole(&store).await);
    landed.sort();
    good.sort();
    assert_eq!(landed, good);
    assert_eq!(good.len(), 1 + 67);
}

pub(crate) async fn bytes_are_kept_exactly(log: impl Fixture) {
    let (store, other) = (log.open().await, log.open().await);
    let odd = NewEvent {
        kind: "odd.kept",
        schema: 32_767,
        topic: topic("channel:ü"),
        data: Bytes::from_static(b"{ \"b\" :1,\t\"a\": 1.00 , \"a\":\"\\u0000\" }\n"),
        sealed: Some(Sealed {
            key_id: id(77),
            nonce: std::array::from_fn(|index| 255 - index as u8),
            ciphertext: (0..=255).rev().collect::<Vec<u8>>().into(),
        }),
        meta: Bytes::from_static(b"\xff\xfe not even text \x00"),
        ..event(1)
    };
    let empty = NewEvent {
        data: Bytes::new(),
        meta: Bytes::new(),
        sealed: Some(Sealed { key_id: id(0), nonce: [0; 24], ciphertext: Bytes::new() }),
        ..event(2)
    };
    let large = NewEvent { data: Bytes::from(vec![b'x'; 1 << 20]), ..event(3) };
    let events = vec![odd, empty, large];
    let append = Append { events: events.clone(), ..any("stream-ß", []) };
    store.append(append).await.unwrap();

    for store in [store, other] {
        let records = whole(&store).await;
        assert_eq!(records.len(), events.len());
        assert_eq!(records, store.read_stream(&stream("stream-ß"), 0).await.unwrap());
        assert_eq!(Some(&records[0]), store.find(id(1)).await.unwrap().as_ref());
        for (event, record) in events.iter().zip(&records) {
            assert_eq!(record.stream, stream("stream-ß"));
            assert_eq!((&*record.kind, record.schema), (event.kind, event.schema));
            assert_eq!(record.topic, event.topic);
            assert_eq!(record.data, event.data);
            assert_eq!(record.sealed, event.sealed);
            assert_eq!(record.meta, event.meta);
        }
    }
}

pub(crate) async fn time_never_steps_back(log: impl Fixture) {
    let handles = [log.open().await, log.open().await];
    let mut answers = Vec::new();
    for number in 0..40_usize {
        let append = any(&format!("stream-{}", number % 7), [number as u128]);
        answers.push(handles[number % 2].append(append).await.unwrap());
    }
    for store in &handles {
        let records = whole(store).await;
        assert!(records.is_sorted_by_key(|record| record.recorded_at));
        for (answer, record) in answers.iter().zip(&records) {
            assert_eq!((answer.position, answer.recorded_at), (record.position, record.recorded_at));
            assert_eq!(record.recorded_at.subsec_nanosecond() % 1_000, 0, "microseconds");
        }
    }
}

pub(crate) async fn unstorable_appends_panic_in_their_caller(log: impl Fixture) {
    let store = log.open().await;
    let with = |change: fn(&mut NewEvent)| {
        let mut event = event(1);
        change(&mut event);
        Append { events: vec![event], ..any("a", []) }
    };
    let unstorable = [
        any("a", []),
        any("a", [1, 2, 1]),
        any("", [1]),
        any("nul\0", [1]),
        any(&"long".repeat(200), [1]),
        with(|event| event.topic = topic("nul\0")),
        with(|event| event.kind = "nul\0"),
        with(|event| event.schema = 32_768),
    ];
    for append in unstorable {
        let (shown, store) = (format!("{append:?}"), Arc::clone(&store));
        let panicked = tokio::spawn(async move { store.append(append).await }).await;
        assert!(panicked.is_err_and(|error| error.is_panic()), "{shown}");
    }
    store.append(any("a", [1])).await.unwrap();
    assert_eq!(ids(&whole(&store).await), numbers([1]));
}
