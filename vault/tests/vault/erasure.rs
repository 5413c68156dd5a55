//! Shredding keys.

use uuid::Uuid;
use vault::{KeyError, Opened};

use crate::{ANN, BOB, Fixture, HELLO, PLACE, at, new_session, open_text, pass, text};

#[tokio::test]
async fn a_shredded_message_is_erased_and_its_siblings_are_not() {
    let fixture = Fixture::with_message().await;
    let sibling = Uuid::from_u128(0x101);
    fixture.vault.create_message_key(sibling, ANN).await.unwrap();
    let gone = fixture.vault.seal(HELLO, PLACE, b"gone").await.unwrap();
    let kept = fixture.vault.seal(sibling, PLACE, b"kept").await.unwrap();

    assert!(fixture.vault.shred(HELLO).await.unwrap());
    assert!(!fixture.vault.shred(HELLO).await.unwrap());

    for vault in [&fixture.vault, &fixture.another_node().await] {
        assert_eq!(open_text(vault, &gone, PLACE).await, Opened::Erased);
        assert_eq!(open_text(vault, &kept, PLACE).await, text("kept"));
        assert!(matches!(vault.seal(HELLO, PLACE, b"more").await, Err(KeyError::KeyErased)));
    }
}

#[tokio::test]
async fn a_shredded_account_erases_all_its_messages_and_nobody_else_s() {
    let fixture = Fixture::with_message().await;
    let bobs = Uuid::from_u128(0x200);
    fixture.vault.create_account_key(BOB).await.unwrap();
    fixture.vault.create_message_key(bobs, BOB).await.unwrap();
    let message = fixture.vault.seal(HELLO, PLACE, b"hello").await.unwrap();
    let name = fixture.vault.seal(ANN, PLACE, b"Ann").await.unwrap();
    let other = fixture.vault.seal(bobs, PLACE, b"Bob's").await.unwrap();

    assert!(fixture.vault.shred(ANN).await.unwrap());
    assert!(!fixture.vault.shred(ANN).await.unwrap());

    for vault in [&fixture.vault, &fixture.another_node().await] {
        assert_eq!(open_text(vault, &message, PLACE).await, Opened::Erased);
        assert_eq!(open_text(vault, &name, PLACE).await, Opened::Erased);
        assert_eq!(open_text(vault, &other, PLACE).await, text("Bob's"));
        let more = vault.create_message_key(Uuid::from_u128(0x101), ANN).await;
        assert!(matches!(more, Err(KeyError::OwnerErased)), "{more:?}");
    }
    assert_eq!(fixture.count("SELECT count(*) FROM vault.keys").await, 2);
}

/// The clean-up of message keys may fail or be interrupted: the erasure doesn't depend on it.
#[tokio::test]
async fn a_message_whose_owner_s_row_is_gone_is_erased_though_its_own_row_remains() {
    let fixture = Fixture::with_message().await;
    let sealed = fixture.vault.seal(HELLO, PLACE, b"hello").await.unwrap();
    let delete = "DELETE FROM vault.keys WHERE key_id = $1";
    fixture.sql().await.execute(delete, &[&ANN]).await.unwrap();
    let another = fixture.another_node().await;
    assert_eq!(open_text(&another, &sealed, PLACE).await, Opened::Erased);

    assert!(!another.shred(ANN).await.unwrap());
    assert_eq!(fixture.count("SELECT count(*) FROM vault.keys").await, 0, "a repeat resumes the clean-up");
}

#[tokio::test]
async fn another_node_forgets_a_shredded_key_within_a_minute() {
    let fixture = Fixture::with_message().await;
    let another = fixture.another_node().await;
    let message = fixture.vault.seal(HELLO, PLACE, b"hello").await.unwrap();
    assert_eq!(open_text(&another, &message, PLACE).await, text("hello"));

    assert!(fixture.vault.shred(ANN).await.unwrap());

    assert_eq!(open_text(&another, &message, PLACE).await, text("hello"), "it was cached there");
    pass(60).await;
    assert_eq!(open_text(&another, &message, PLACE).await, Opened::Erased);
}

#[tokio::test]
async fn a_node_that_still_knows_the_owner_s_key_makes_no_new_message_key() {
    let fixture = Fixture::with_message().await;
    let another = fixture.another_node().await;
    another.seal(ANN, PLACE, b"so that it knows the key").await.unwrap();
    assert!(fixture.vault.shred(ANN).await.unwrap());

    let result = another.create_message_key(Uuid::from_u128(0x101), ANN).await;

    assert!(matches!(result, Err(KeyError::OwnerErased)), "{result:?}");
    assert_eq!(fixture.count("SELECT count(*) FROM vault.keys").await, 0);
}

/// Without waiting, the post's key would be durable, and the post acknowledged, under an owner who is just erased.
#[tokio::test]
async fn a_new_message_key_waits_for_an_erasure_that_is_about_to_commit() {
    let fixture = Fixture::with_message().await;
    let vault = fixture.vault.clone();
    let mut erasing = fixture.sql().await;
    let erasure = erasing.transaction().await.unwrap();
    erasure.execute("DELETE FROM vault.keys WHERE key_id = $1", &[&ANN]).await.unwrap();

    let post = tokio::spawn(async move { vault.create_message_key(Uuid::from_u128(0x101), ANN).await });
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while fixture.count(waiting).await == 0 {
        assert!(!post.is_finished(), "it went ahead");
    }
    erasure.commit().await.unwrap();

    let result = post.await.unwrap();
    assert!(matches!(result, Err(KeyError::OwnerErased)), "{result:?}");
}

#[tokio::test]
async fn posting_during_an_erasure_leaves_no_key_behind() {
    let fixture = Fixture::new().await;
    let another = fixture.another_node().await;
    for round in 0..5_u128 {
        let account = Uuid::from_u128(0xacc0 + round);
        fixture.vault.create_account_key(account).await.unwrap();
        let mut posts = tokio::task::JoinSet::new();
        for number in 0..100 {
            let vault = another.clone();
            let message = Uuid::from_u128((round + 1) * 1_000 + number);
            posts.spawn(async move { vault.create_message_key(message, account).await });
        }
        assert!(matches!(posts.join_next().await, Some(Ok(Ok(())))), "the first comes before the erasure");
        assert!(fixture.vault.shred(account).await.unwrap());
        assert_eq!(fixture.count("SELECT count(*) FROM vault.keys").await, 0);
        for result in posts.join_all().await {
            assert!(
                matches!(result, Ok(()) | Err(KeyError::OwnerErased | KeyError::KeyErased)),
                "{result:?}"
            );
        }
        assert_eq!(fixture.count("SELECT count(*) FROM vault.keys").await, 0);
    }
}

#[tokio::test]
async fn a_shredded_account_has_no_password_and_no_session() {
    let fixture = Fixture::with_message().await;
    fixture.vault.set_password(ANN, "correct horse", at(0)).await.unwrap();
    let (token, session) = fixture.vault.create_session(new_session(1, ANN), at(0)).await.unwrap();
    assert!(fixture.vault.authenticate(&token, at(1)).await.unwrap().is_some());
    let mut revocations = fixture.vault.revocations();

    assert!(fixture.vault.shred(ANN).await.unwrap());

    assert_eq!(fixture.vault.authenticate(&token, at(2)).await.unwrap(), None);
    assert_eq!(revocations.try_recv().unwrap(), session.id);
    assert!(!fixture.vault.verify_password(Some(ANN), "correct horse").await.unwrap());
    assert_eq!(fixture.count("SELECT count(*) FROM vault.passwords").await, 0);
    assert_eq!(fixture.count("SELECT count(*) FROM vault.sessions WHERE device IS NOT NULL").await, 0);
}
