//! Sealing and opening.

use uuid::Uuid;
use vault::{Binding, KeyError, OpenRequest, Opened};

use crate::{ANN, BOB, Fixture, HELLO, PLACE, open_text, text};

#[tokio::test]
async fn every_text_comes_back_from_this_node_and_from_another() {
    let fixture = Fixture::with_message().await;
    let another = fixture.another_node().await;
    let long = "ж".repeat(8 * 1024);
    for plain in ["", "hello", "שלום عليكم", "こんにちは世界", "👩‍👩‍👧‍👦 e\u{301} \0 \u{202e}", "नमस्ते สวัสดี", &long]
    {
        let sealed = fixture.vault.seal(HELLO, PLACE, plain.as_bytes()).await.unwrap();
        assert_eq!(sealed.key_id, HELLO);
        assert_eq!(sealed.ciphertext.len(), plain.len() + 16);
        assert_eq!(open_text(&fixture.vault, &sealed, PLACE).await, text(plain));
        assert_eq!(open_text(&another, &sealed, PLACE).await, text(plain));
    }
}

#[tokio::test]
async fn an_account_s_own_key_seals_texts_too() {
    let fixture = Fixture::with_message().await;
    let place = Binding { kind: "account.registered", stream: "account-a" };
    let sealed = fixture.vault.seal(ANN, place, b"ann@example.org").await.unwrap();
    assert_eq!(open_text(&fixture.another_node().await, &sealed, place).await, text("ann@example.org"));
}

#[tokio::test]
async fn the_same_text_is_never_sealed_the_same_way_twice() {
    let fixture = Fixture::with_message().await;
    let first = fixture.vault.seal(HELLO, PLACE, b"hello").await.unwrap();
    let second = fixture.vault.seal(HELLO, PLACE, b"hello").await.unwrap();
    assert_ne!(first.nonce, second.nonce);
    assert_ne!(first.ciphertext, second.ciphertext);
}

#[tokio::test]
async fn a_text_moved_to_another_place_is_corrupt() {
    let fixture = Fixture::with_message().await;
    let sealed = fixture.vault.seal(HELLO, PLACE, b"hello").await.unwrap();
    for moved in [
        Binding { stream: "message-101", ..PLACE },
        Binding { kind: "message.edited", ..PLACE },
        Binding { kind: "message.postedm", stream: "essage-100" },
    ] {
        assert_eq!(open_text(&fixture.vault, &sealed, moved).await, Opened::Corrupt, "{moved:?}");
    }
    assert_eq!(open_text(&fixture.vault, &sealed, PLACE).await, text("hello"));
}

#[tokio::test]
async fn a_text_moved_to_another_owner_s_key_or_a_sibling_s_is_corrupt() {
    let fixture = Fixture::with_message().await;
    let (bobs, sibling) = (Uuid::from_u128(0x200), Uuid::from_u128(0x101));
    fixture.vault.create_account_key(BOB).await.unwrap();
    fixture.vault.create_message_key(bobs, BOB).await.unwrap();
    fixture.vault.create_message_key(sibling, ANN).await.unwrap();
    let sealed = fixture.vault.seal(HELLO, PLACE, b"hello").await.unwrap();
    for key_id in [bobs, sibling, ANN, BOB] {
        let moved = vault::SealedText { key_id, ..sealed.clone() };
        assert_eq!(open_text(&fixture.vault, &moved, PLACE).await, Opened::Corrupt, "{key_id}");
    }
}

/// Whoever can write to the database must not be able to hand one account's message to another.
#[tokio::test]
async fn a_key_row_given_to_another_owner_opens_nothing() {
    let fixture = Fixture::with_message().await;
    fixture.vault.create_account_key(BOB).await.unwrap();
    let sealed = fixture.vault.seal(HELLO, PLACE, b"hello").await.unwrap();
    let update = "UPDATE vault.keys SET owner = $1 WHERE key_id = $2";
    fixture.sql().await.execute(update, &[&BOB, &HELLO]).await.unwrap();
    assert_eq!(open_text(&fixture.another_node().await, &sealed, PLACE).await, Opened::Corrupt);
}

#[tokio::test]
async fn many_texts_are_answered_in_the_order_they_were_asked() {
    let fixture = Fixture::with_message().await;
    let gone = Uuid::from_u128(0x300);
    fixture.vault.create_message_key(gone, ANN).await.unwrap();
    let mut sealed = Vec::new();
    for (key_id, plain) in [(HELLO, "one"), (gone, "two"), (ANN, "three"), (HELLO, "four")] {
        sealed.push(fixture.vault.seal(key_id, PLACE, plain.as_bytes()).await.unwrap());
    }
    assert!(fixture.vault.shred(gone).await.unwrap());
    let elsewhere = Binding { stream: "message-9", ..PLACE };
    let requests: Vec<_> = sealed
        .iter()
        .zip([PLACE, PLACE, PLACE, elsewhere])
        .map(|(sealed, binding)| OpenRequest {
            key_id: sealed.key_id,
            nonce: &sealed.nonce,
            ciphertext: &sealed.ciphertext,
            binding,
        })
        .collect();
    let expected = [text("one"), Opened::Erased, text("three"), Opened::Corrupt];
    assert_eq!(fixture.another_node().await.open_many(&requests).await.unwrap(), expected);
    assert_eq!(fixture.vault.open_many(&requests).await.unwrap(), expected);
    assert_eq!(fixture.vault.open_many(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn making_a_key_again_keeps_the_first() {
    let fixture = Fixture::with_message().await;
    let message = fixture.vault.seal(HELLO, PLACE, b"hello").await.unwrap();
    let account = fixture.vault.seal(ANN, PLACE, b"Ann").await.unwrap();
    let another = fixture.another_node().await;
    for vault in [&fixture.vault, &another] {
        vault.create_account_key(ANN).await.unwrap();
        vault.create_message_key(HELLO, ANN).await.unwrap();
        let again = vault.seal(HELLO, PLACE, b"again").await.unwrap();
        assert_eq!(open_text(&fixture.vault, &again, PLACE).await, text("again"));
    }
    let third = fixture.another_node().await;
    assert_eq!(open_text(&third, &message, PLACE).await, text("hello"));
    assert_eq!(open_text(&third, &account, PLACE).await, text("Ann"));
}

#[tokio::test]
async fn simultaneous_calls_for_one_message_agree_on_one_key() {
    let fixture = Fixture::new().await;
    fixture.vault.create_account_key(ANN).await.unwrap();
    let nodes = [fixture.vault.clone(), fixture.another_node().await];
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..20 {
        let vault = nodes[number % 2].clone();
        calls.spawn(async move {
            vault.create_message_key(HELLO, ANN).await.unwrap();
            vault.seal(HELLO, PLACE, b"hello").await.unwrap()
        });
    }
    let third = fixture.another_node().await;
    for sealed in calls.join_all().await {
        assert_eq!(open_text(&third, &sealed, PLACE).await, text("hello"));
    }
}

#[tokio::test]
async fn a_message_key_of_somebody_else_is_not_shared() {
    let fixture = Fixture::with_message().await;
    fixture.vault.create_account_key(BOB).await.unwrap();
    for vault in [&fixture.vault, &fixture.another_node().await] {
        let result = vault.create_message_key(HELLO, BOB).await;
        assert!(matches!(result, Err(KeyError::Unavailable(_))), "{result:?}");
    }
}

#[tokio::test]
async fn a_message_is_nobody_s_owner() {
    let fixture = Fixture::with_message().await;
    let result = fixture.vault.create_message_key(Uuid::from_u128(0x101), HELLO).await;
    assert!(matches!(result, Err(KeyError::OwnerErased)), "{result:?}");
}

#[tokio::test]
async fn nothing_is_sealed_under_a_key_that_was_never_made() {
    let fixture = Fixture::new().await;
    let result = fixture.vault.seal(HELLO, PLACE, b"hello").await;
    assert!(matches!(result, Err(KeyError::KeyErased)), "{result:?}");
}
