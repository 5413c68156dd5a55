//! Keys of messages are made durable many at a time.

use std::time::Instant;

use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{ANN, BOB, Fixture, PLACE};

/// How many transactions made the message keys that exist.
const TRANSACTIONS: &str = "SELECT count(DISTINCT xmin::text) FROM vault.keys WHERE key_id <> owner";
const KEYS: &str = "SELECT count(*) FROM vault.keys WHERE key_id <> owner";

#[tokio::test]
async fn two_thousand_simultaneous_keys_take_few_transactions() {
    let fixture = Fixture::new().await;
    fixture.vault.create_account_key(ANN).await.unwrap();
    fixture.vault.create_account_key(BOB).await.unwrap();
    let mut calls = JoinSet::new();
    for number in 0..2_000 {
        let vault = fixture.vault.clone();
        let owner = if number % 2 == 0 { ANN } else { BOB };
        calls.spawn(async move { vault.create_message_key(Uuid::from_u128(0x1000 + number), owner).await });
    }
    for result in calls.join_all().await {
        result.unwrap();
    }
    assert_eq!(fixture.count(KEYS).await, 2_000);
    let transactions = fixture.count(TRANSACTIONS).await;
    assert!((1..=20).contains(&transactions), "{transactions}");
}

/// An unknown owner in a batch is its own affair.
#[tokio::test]
async fn one_refusal_in_a_batch_leaves_the_others() {
    let fixture = Fixture::new().await;
    let another = fixture.another_node().await;
    for account in [ANN, BOB] {
        fixture.vault.create_account_key(account).await.unwrap();
        another.seal(account, PLACE, b"so that it knows the key").await.unwrap();
    }
    fixture.vault.shred(BOB).await.unwrap();
    let mut calls = JoinSet::new();
    for number in 0..100 {
        let vault = another.clone();
        let owner = if number % 2 == 0 { ANN } else { BOB };
        calls.spawn(async move {
            let result = vault.create_message_key(Uuid::from_u128(0x1000 + number), owner).await;
            (owner, result)
        });
    }
    for (owner, result) in calls.join_all().await {
        match result {
            Ok(()) => assert_eq!(owner, ANN),
            Err(error) => assert!(owner == BOB && matches!(error, vault::KeyError::OwnerErased), "{error:?}"),
        }
    }
    assert_eq!(fixture.count(KEYS).await, 50);
}

#[tokio::test]
async fn sealing_under_a_new_key_needs_no_database() {
    let fixture = Fixture::with_message().await;
    fixture.sql().await.batch_execute("ALTER SCHEMA vault RENAME TO away").await.unwrap();
    let sealed = fixture.vault.seal(crate::HELLO, PLACE, b"hello").await.unwrap();
    assert_eq!(crate::open_text(&fixture.vault, &sealed, PLACE).await, crate::text("hello"));
}

/// Run it alone, in release mode and over a durable cluster, for figures worth reading.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
#[expect(clippy::print_stdout, reason = "the figures are the point")]
async fn keys_a_second_with_64_callers() {
    const CALLERS: u128 = 64;
    const EACH: u128 = 1_000;
    let fixture = Fixture::new().await;
    let mut calls = JoinSet::new();
    for caller in 0..CALLERS {
        let account = Uuid::from_u128(1 + caller);
        fixture.vault.create_account_key(account).await.unwrap();
    }
    let start = Instant::now();
    for caller in 0..CALLERS {
        let vault = fixture.vault.clone();
        calls.spawn(async move {
            for number in 0..EACH {
                let message = Uuid::from_u128(0x1_0000_0000 + caller * EACH + number);
                vault.create_message_key(message, Uuid::from_u128(1 + caller)).await.unwrap();
            }
        });
    }
    calls.join_all().await;
    let seconds = start.elapsed().as_secs_f64();
    let transactions = fixture.count(TRANSACTIONS).await;
    let rate = (CALLERS * EACH) as f64 / seconds;
    println!("{rate:.0} keys a second, {transactions} transactions");
    assert!(rate > 1_000.0, "{rate}");
}
