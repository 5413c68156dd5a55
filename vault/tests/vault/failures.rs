//! A failing vault is an error, never a tombstone; and it recovers.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;
use vault::{CredentialError, KeyError, OpenError, OpenRequest, Opened, SealedText, Unavailable, Vault};

use crate::{ANN, Fixture, HELLO, MASTER, PLACE, POOL, at, new_session, open, open_text, text};

async fn try_open(vault: &Vault, sealed: &SealedText) -> Result<Vec<Opened>, Unavailable> {
    let SealedText { key_id, nonce, ciphertext } = sealed;
    vault.open_many(&[OpenRequest { key_id: *key_id, nonce, ciphertext, binding: PLACE }]).await
}

#[tokio::test]
async fn the_wrong_master_key_is_refused_and_the_right_one_goes_on() {
    let fixture = Fixture::with_message().await;
    let sealed = fixture.vault.seal(HELLO, PLACE, b"hello").await.unwrap();
    let Err(error) = open(&fixture.database, [9; 32]).await else { panic!("opened with the wrong key") };
    assert!(matches!(error, OpenError::WrongMasterKey));
    assert!(error.to_string().contains("put the original key file back"), "{error}");
    let again = open(&fixture.database, MASTER).await.unwrap();
    assert_eq!(open_text(&again, &sealed, PLACE).await, text("hello"));
}

#[tokio::test]
async fn the_first_key_claims_a_new_database() {
    let fixture = Fixture::new().await;
    fixture.sql().await.execute("DELETE FROM vault.master_key_check", &[]).await.unwrap();
    let (nine, eight) = tokio::join!(open(&fixture.database, [9; 32]), open(&fixture.database, [8; 32]));
    assert!(nine.is_ok() != eight.is_ok(), "exactly one of two keys");
}

#[tokio::test]
async fn a_failing_database_is_unavailable_and_works_again_when_it_does() {
    let fixture = Fixture::with_message().await;
    let sealed = fixture.vault.seal(HELLO, PLACE, b"hello").await.unwrap();
    let (token, _) = fixture.vault.create_session(new_session(1, ANN), at(0)).await.unwrap();
    let vault = fixture.another_node().await;
    let sql = fixture.sql().await;
    sql.batch_execute("ALTER SCHEMA vault RENAME TO away").await.unwrap();

    assert!(try_open(&vault, &sealed).await.is_err());
    assert!(matches!(vault.seal(HELLO, PLACE, b"more").await, Err(KeyError::Unavailable(_))));
    let new = Uuid::from_u128(0x101);
    assert!(matches!(vault.create_message_key(new, ANN).await, Err(KeyError::Unavailable(_))));
    assert!(matches!(fixture.vault.create_message_key(new, ANN).await, Err(KeyError::Unavailable(_))));
    assert!(vault.create_account_key(ANN).await.is_err());
    assert!(vault.shred(HELLO).await.is_err());
    assert!(vault.authenticate(&token, at(1)).await.is_err());
    assert!(vault.sessions(ANN, at(1)).await.is_err());
    let verified = vault.verify_password(Some(ANN), "password").await;
    assert!(matches!(verified, Err(CredentialError::Unavailable(_))), "{verified:?}");

    sql.batch_execute("ALTER SCHEMA away RENAME TO vault").await.unwrap();
    assert_eq!(try_open(&vault, &sealed).await.unwrap(), [text("hello")]);
    vault.create_message_key(new, ANN).await.unwrap();
    fixture.vault.create_message_key(new, ANN).await.unwrap();
    assert!(vault.authenticate(&token, at(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn lost_connections_are_replaced() {
    let fixture = Fixture::with_message().await;
    let sealed = fixture.vault.seal(HELLO, PLACE, b"hello").await.unwrap();
    let vault = fixture.another_node().await;
    vault.ping().await.unwrap();
    let terminate = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                     WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let ended = fixture.sql().await.query(terminate, &[]).await.unwrap();
    assert!(ended.len() >= 2);

    // Each call that fails uses up one dead connection.
    let mut answers = Vec::new();
    for _ in 0..=POOL {
        answers.push(try_open(&vault, &sealed).await);
    }
    assert_eq!(answers.pop().unwrap().unwrap(), [text("hello")]);
    assert!(answers.into_iter().flatten().all(|opened| opened == [text("hello")]), "and no false tombstone");
    for tries_left in (0..=POOL).rev() {
        match fixture.vault.create_message_key(Uuid::from_u128(0x101), ANN).await {
            Ok(()) => break,
            Err(error) => assert!(tries_left > 0 && matches!(error, KeyError::Unavailable(_)), "{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_database_that_does_not_answer_costs_a_caller_some_seconds_only() {
    let fixture = Fixture::with_message().await;
    let sealed = fixture.vault.seal(HELLO, PLACE, b"hello").await.unwrap();
    let vault = fixture.another_node().await;
    let mut blocker = fixture.sql().await;
    let lock = blocker.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE vault.keys IN ACCESS EXCLUSIVE MODE").await.unwrap();

    // A paused clock jumps to the next time-out when everything waits.
    tokio::time::pause();
    let start = Instant::now();
    assert!(try_open(&vault, &sealed).await.is_err());
    assert!(start.elapsed() >= Duration::from_secs(5) && start.elapsed() < Duration::from_secs(6));
    let new = Uuid::from_u128(0x101);
    let start = Instant::now();
    assert!(matches!(fixture.vault.create_message_key(new, ANN).await, Err(KeyError::Unavailable(_))));
    assert!(start.elapsed() < Duration::from_secs(11), "{:?}", start.elapsed());
    tokio::time::resume();

    lock.rollback().await.unwrap();
    assert_eq!(try_open(&vault, &sealed).await.unwrap(), [text("hello")]);
    fixture.vault.create_message_key(new, ANN).await.unwrap();
}

#[tokio::test]
async fn an_altered_key_is_corrupt_and_seals_nothing() {
    let fixture = Fixture::with_message().await;
    let sealed = fixture.vault.seal(HELLO, PLACE, b"hello").await.unwrap();
    let name = fixture.vault.seal(ANN, PLACE, b"Ann").await.unwrap();
    let alter =
        "UPDATE vault.keys SET wrapped = set_byte(wrapped, 40, get_byte(wrapped, 40) # 1) WHERE key_id = $1";
    let sql = fixture.sql().await;

    sql.execute(alter, &[&HELLO]).await.unwrap();
    let vault = fixture.another_node().await;
    assert_eq!(open_text(&vault, &sealed, PLACE).await, Opened::Corrupt);
    assert_eq!(open_text(&vault, &name, PLACE).await, text("Ann"));
    assert!(matches!(vault.seal(HELLO, PLACE, b"more").await, Err(KeyError::Unavailable(_))));

    sql.execute(alter, &[&HELLO]).await.unwrap();
    sql.execute(alter, &[&ANN]).await.unwrap();
    let vault = fixture.another_node().await;
    assert_eq!(open_text(&vault, &sealed, PLACE).await, Opened::Corrupt);
    assert_eq!(open_text(&vault, &name, PLACE).await, Opened::Corrupt);
}
