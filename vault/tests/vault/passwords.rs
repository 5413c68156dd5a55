//! Passwords.

use uuid::Uuid;

use crate::{ANN, BOB, Fixture, at};

#[tokio::test]
async fn the_right_password_is_right_and_no_other() {
    let fixture = Fixture::new().await;
    let vault = &fixture.vault;
    vault.set_password(ANN, "correct horse", at(0)).await.unwrap();
    vault.set_password(BOB, "battery staple", at(0)).await.unwrap();
    assert!(vault.verify_password(Some(ANN), "correct horse").await.unwrap());
    assert!(fixture.another_node().await.verify_password(Some(BOB), "battery staple").await.unwrap());
    for wrong in ["battery staple", "correct hors", "correct horse ", "Correct horse", ""] {
        assert!(!vault.verify_password(Some(ANN), wrong).await.unwrap(), "{wrong:?}");
    }
}

#[tokio::test]
async fn nobody_s_password_is_wrong() {
    let fixture = Fixture::new().await;
    for account in [None, Some(ANN), Some(Uuid::nil())] {
        assert!(!fixture.vault.verify_password(account, "").await.unwrap());
        assert!(!fixture.vault.verify_password(account, "password").await.unwrap());
    }
}

#[tokio::test]
async fn a_new_password_replaces_the_old() {
    let fixture = Fixture::new().await;
    fixture.vault.set_password(ANN, "old", at(0)).await.unwrap();
    fixture.vault.set_password(ANN, "ñew 🐎 пароль\0", at(1)).await.unwrap();
    assert!(!fixture.vault.verify_password(Some(ANN), "old").await.unwrap());
    assert!(fixture.vault.verify_password(Some(ANN), "ñew 🐎 пароль\0").await.unwrap());
}

/// Without the master key, which isn't in the database, a stolen hash can't be searched for weak passwords.
#[tokio::test]
async fn a_hash_is_no_use_without_the_master_key() {
    use argon2::password_hash::PasswordVerifier;
    let fixture = Fixture::new().await;
    fixture.vault.set_password(ANN, "password", at(0)).await.unwrap();
    let row = fixture.sql().await.query_one("SELECT hash FROM vault.passwords", &[]).await.unwrap();
    let hash: &str = row.get(0);
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert!(argon2::Argon2::default().verify_password(b"password", hash).is_err());
}

#[tokio::test]
async fn many_checks_at_once_are_answered_or_told_to_wait() {
    let fixture = Fixture::new().await;
    fixture.vault.set_password(ANN, "password", at(0)).await.unwrap();
    let mut checks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let vault = fixture.vault.clone();
        checks.spawn(async move { vault.verify_password(Some(ANN), "password").await });
    }
    for result in checks.join_all().await {
        assert!(matches!(result, Ok(true) | Err(vault::CredentialError::Busy)), "{result:?}");
    }
}
