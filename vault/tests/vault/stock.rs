//! Keys that are made ahead of need.

use std::collections::BTreeSet;
use std::future::ready;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::{ANN, BOB, Fixture, PLACE};

const KEYS: &str = "SELECT count(*) FROM vault.keys WHERE key_id <> owner";

fn ids() -> impl Fn() -> Uuid {
    let next = AtomicU64::new(0x1000);
    move || Uuid::from_u128(next.fetch_add(1, Ordering::Relaxed).into())
}

#[tokio::test]
async fn each_key_is_taken_once_is_durable_and_seals_for_every_node() {
    let fixture = Fixture::new().await;
    fixture.vault.create_account_key(ANN).await.unwrap();
    let other = fixture.another_node().await;
    let (ids, mut taken) = (ids(), BTreeSet::new());
    for _ in 0..300 {
        let key = fixture.vault.take_message_key(ANN, &ids).await.unwrap();
        assert!(taken.insert(key), "{key} was handed out twice");
        // Another node knows it only from the database.
        other.seal(key, PLACE, b"text").await.unwrap();
    }
}

#[tokio::test]
async fn a_key_given_back_is_taken_again() {
    let fixture = Fixture::new().await;
    fixture.vault.create_account_key(ANN).await.unwrap();
    let ids = ids();
    let key = fixture.vault.take_message_key(ANN, &ids).await.unwrap();
    fixture.vault.return_message_key(ANN, key);
    assert_eq!(fixture.vault.take_message_key(ANN, &ids).await.unwrap(), key);
}

#[tokio::test]
async fn nobody_takes_a_key_of_an_account_that_was_erased_or_never_was() {
    let fixture = Fixture::new().await;
    fixture.vault.create_account_key(ANN).await.unwrap();
    let ids = ids();
    let key = fixture.vault.take_message_key(ANN, &ids).await.unwrap();
    fixture.vault.return_message_key(ANN, key);
    fixture.vault.shred(ANN).await.unwrap();
    for account in [ANN, BOB] {
        let refused = fixture.vault.take_message_key(account, &ids).await.unwrap_err();
        assert!(matches!(refused, vault::KeyError::OwnerErased), "{refused:?}");
    }
}

#[tokio::test]
async fn what_nobody_took_is_deleted_at_the_end() {
    let fixture = Fixture::new().await;
    fixture.vault.create_account_key(ANN).await.unwrap();
    let ids = ids();
    let used = fixture.vault.take_message_key(ANN, &ids).await.unwrap();
    let spare = fixture.vault.take_message_key(BOB, &ids).await;
    assert!(spare.is_err());
    let spare = fixture.vault.take_message_key(ANN, &ids).await.unwrap();
    fixture.vault.return_message_key(ANN, spare);
    fixture.vault.run(ready(())).await;
    let left = "SELECT count(*) FROM vault.keys WHERE key_id = $1";
    let client = fixture.sql().await;
    let count = async |key: Uuid| client.query_one(left, &[&key]).await.unwrap().get::<_, i64>(0);
    assert_eq!((count(used).await, count(spare).await), (1, 0));
    assert!(fixture.count(KEYS).await >= 1);
}
