use std::sync::Arc;

use domain::streams;
use event_store::{EventStore as _, Position, Sealed};
use projections::{Fault, Health, OpenError, open};

use vault::Binding;

use crate::world::{World, sealed_by};

async fn halted(world: &World) -> Health {
    loop {
        let health = world.read.health().await.unwrap();
        if health.halted.is_some() {
            return health;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_poison_event_halts_the_projector_right_before_it_and_says_why() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    world.settle().await;
    let (before, _) = world.post(home, ann, "before").await;
    let last_good = world.head().await;
    let (stream, newer) = (streams::channel(home.1), b"{}".to_vec());
    let poison = world.append(&stream, "channel.changed", 2, newer, None).await;
    let (after, _) = world.post(home, ann, "after").await;

    let health = halted(&world).await;
    let reason = health.halted.unwrap();
    assert_eq!(health.position, last_good);
    for part in [&poison.to_string(), &stream, "channel.changed", "newer than this program knows"] {
        assert!(reason.contains(part), "{part} is not in: {reason}");
    }
    assert!(world.read.message(ann, before).await.unwrap().is_some());
    assert_eq!(world.read.message(ann, after).await.unwrap(), None, "a poison event must not be skipped");
}

#[tokio::test]
async fn what_the_database_refuses_is_found_out_and_the_projector_goes_on_once_it_is_taken() {
    let (world, running) = World::running().await;
    let (ann, home) = world.place().await;
    world.settle().await;
    running.stop().await;
    let client = world.client().await;
    let refuse = "ALTER TABLE read.messages ADD CONSTRAINT angels_only CHECK (content <> 'devil')";
    client.batch_execute(refuse).await.unwrap();
    let mut last_good = Position::START;
    for _ in 0..20 {
        last_good = world.post(home, ann, "angel").await.1;
    }
    let (devil, poison) = world.post(home, ann, "devil").await;
    let (after, end) = world.post(home, ann, "angel").await;
    let _running = world.run();

    let health = halted(&world).await;
    let reason = health.halted.unwrap();
    assert_eq!(health.position, last_good);
    assert!(reason.contains(&poison.to_string()) && reason.contains("angels_only"), "{reason}");
    assert!(!reason.contains("devil"), "personal text is not for logs: {reason}");
    assert_eq!(world.read.message(ann, after).await.unwrap(), None);

    client.batch_execute("ALTER TABLE read.messages DROP CONSTRAINT angels_only").await.unwrap();
    world.reach(end).await;
    assert_eq!(world.read.health().await.unwrap().halted, None);
    for id in [devil, after] {
        assert!(world.read.message(ann, id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn opening_names_the_record_that_cannot_be_read() {
    let world = World::new().await;
    let (ann, home) = world.place().await;
    let (id, _) = world.post(home, ann, "one").await;
    let (other, _) = world.post(home, ann, "two").await;
    let records = world.store.read_all(Position::START, 100).await.unwrap();
    let opened = open(&world.vault, &records).await.unwrap();
    assert_eq!(opened.len(), records.len());
    assert!(opened.iter().all(|opened| opened.event.is_some()));

    let sealed = |id: &str| {
        let of = |record: &&Arc<event_store::Record>| record.stream.as_str() == id;
        records.iter().find(of).unwrap().clone()
    };
    let (one, two) = (sealed(&streams::message(id)), sealed(&streams::message(other)));
    let fault = async |record: event_store::Record| {
        let position = record.position;
        match open(&world.vault, &[Arc::new(record)]).await {
            Err(OpenError::Poison(poison)) if poison.position == position => poison.source,
            other => panic!("{other:?}"),
        }
    };
    let with = |sealed: Option<Sealed>| event_store::Record { sealed, ..(*one).clone() };
    assert!(
        matches!(fault(with(two.sealed.clone())).await, Fault::Corrupt),
        "a text moved from another message"
    );
    assert!(matches!(fault(with(None)).await, Fault::Missing));
    let malformed = event_store::Record { data: "[]".into(), ..(*one).clone() };
    assert!(matches!(fault(malformed).await, Fault::Undecodable(_)));

    let stream = streams::account(ann);
    let binding = Binding { kind: "account.registered", stream: &stream };
    let text = world.vault.seal(ann.0, binding, br#""devil""#).await.unwrap();
    let account = event_store::Record { sealed: Some(sealed_by(text)), ..(*sealed(&stream)).clone() };
    let Fault::Undecodable(reason) = fault(account).await else { panic!() };
    assert!(!reason.contains("devil"), "personal text is not for logs: {reason}");
}
