//! A copy of the database alone tells nothing that the vault keeps secret.

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use vault::{NewSession, SealedText};

use crate::{ANN, Fixture, HELLO, MASTER, PLACE, at, new_session};

/// All rows of all tables of the schema, as `pg_dump` would write them: `bytea` in hex.
async fn dump(fixture: &Fixture) -> String {
    let sql = fixture.sql().await;
    let tables = "SELECT relname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                  WHERE nspname = 'vault' AND relkind = 'r'";
    let mut dump = String::new();
    for table in sql.query(tables, &[]).await.unwrap() {
        let table: &str = table.get(0);
        let rows = sql.query(&format!("SELECT t::text FROM vault.{table} AS t"), &[]).await.unwrap();
        assert!(!rows.is_empty(), "{table} shows nothing");
        rows.iter().for_each(|row| dump.push_str(row.get(0)));
    }
    dump
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether any 32 bytes in a row of the dump's hex are the key of `sealed`, whose text is `plain`.
fn holds_key_of(dump: &str, sealed: &SealedText, plain: &[u8]) -> bool {
    let is_key = |key: [u8; 32]| {
        // The stream cipher's output doesn't depend on the additional data; the tag does.
        let cipher = XChaCha20Poly1305::new(&key.into());
        let again = cipher.encrypt(&XNonce::from(sealed.nonce), plain).unwrap();
        again[..plain.len()] == sealed.ciphertext[..plain.len()]
    };
    dump.split(|c: char| !c.is_ascii_hexdigit()).filter(|run| run.len() >= 64).any(|run| {
        let bytes: Vec<u8> =
            (0..run.len() / 2).map(|i| u8::from_str_radix(&run[2 * i..2 * i + 2], 16).unwrap()).collect();
        bytes.windows(32).any(|window| is_key(window.try_into().unwrap()))
    })
}

#[tokio::test]
async fn a_dump_has_no_token_no_password_and_no_key() {
    let fixture = Fixture::with_message().await;
    let vault = &fixture.vault;
    let plain = b"a text long enough for no chance match";
    let message = vault.seal(HELLO, PLACE, plain).await.unwrap();
    let account = vault.seal(ANN, PLACE, plain).await.unwrap();
    vault.set_password(ANN, "correct horse battery", at(0)).await.unwrap();
    let (random, _) = vault.create_session(new_session(1, ANN), at(0)).await.unwrap();
    let command = Some(uuid::Uuid::from_u128(0xc0));
    let new = NewSession { command, ..new_session(2, ANN) };
    let (derived, _) = vault.create_session(new, at(0)).await.unwrap();

    let dump = dump(&fixture).await;
    assert!(dump.contains("Firefox on Linux"), "the dump must show what is stored in clear");

    assert!(!dump.contains("correct horse"));
    for token in [random, derived] {
        use base64::Engine;
        let encoded = &token.as_str()["ev_".len()..];
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(encoded).unwrap();
        assert!(!dump.contains(encoded) && !dump.contains(&hex(&bytes)));
    }
    for key in [MASTER, vault.derive_key("cursor"), vault.digest("handle", "ann")] {
        assert!(!dump.contains(&hex(&key)));
    }
    assert!(!holds_key_of(&dump, &message, plain));
    assert!(!holds_key_of(&dump, &account, plain));
}

#[test]
fn a_key_in_a_dump_would_be_found() {
    let (key, nonce, plain) = ([7; 32], [8; 24], b"some text");
    let ciphertext = XChaCha20Poly1305::new(&key.into()).encrypt(&XNonce::from(nonce), &plain[..]).unwrap();
    let sealed = SealedText { key_id: HELLO, nonce, ciphertext: ciphertext.into() };
    assert!(holds_key_of(&format!("(1,\"\\\\x0102{}03\")", hex(&key)), &sealed, plain));
    assert!(!holds_key_of(&format!("(1,\"\\\\x0102{}03\")", hex(&[9; 32])), &sealed, plain));
}

#[tokio::test]
async fn derived_keys_and_digests_are_stable_and_apart() {
    let fixture = Fixture::new().await;
    let another = fixture.another_node().await;
    let vault = &fixture.vault;
    assert_eq!(vault.derive_key("cursor"), another.derive_key("cursor"));
    assert_eq!(vault.digest("handle", "ann"), another.digest("handle", "ann"));
    let mut all = vec![
        vault.derive_key("cursor"),
        vault.derive_key("handle"),
        vault.derive_key(""),
        vault.digest("handle", "ann"),
        vault.digest("handle", ""),
        vault.digest("handlea", "nn"),
        vault.digest("email", "ann"),
    ];
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 7);
}
