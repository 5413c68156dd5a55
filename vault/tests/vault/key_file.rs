//! The master key's file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use vault::{MasterKey, MasterKeyError};

use crate::{Fixture, MASTER};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A file that only its owner can read.
fn written(directory: &Path, content: &str) -> PathBuf {
    let path = directory.join("master.key");
    fs::write(&path, content).unwrap();
    set_mode(&path, 0o600);
    path
}

#[test]
fn it_is_made_once_for_the_owner_s_eyes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data/keys/master.key");
    MasterKey::load_or_create(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let content = fs::read_to_string(&path).unwrap();
    assert!(content.starts_with("# "), "{content}");

    MasterKey::load_or_create(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), content);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing temporary remains");

    let other = directory.path().join("other.key");
    MasterKey::load_or_create(&other).unwrap();
    assert_ne!(fs::read_to_string(&other).unwrap(), content);
}

#[test]
fn simultaneous_starts_get_one_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.key");
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| MasterKey::load_or_create(&path).unwrap());
        }
    });
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
}

#[tokio::test]
async fn base64_and_hex_are_the_same_key() {
    use base64::Engine;
    let fixture = Fixture::new().await;
    let directory = tempfile::tempdir().unwrap();
    let base64 = base64::engine::general_purpose::STANDARD.encode(MASTER);
    let hex: String = MASTER.iter().map(|byte| format!("{byte:02x}")).collect();
    for content in [
        hex.clone(),
        hex.to_uppercase(),
        format!("# a comment\n{base64}\n"),
        format!("\n# two\n# comments\n\n  {}  \r\n", base64.trim_end_matches('=')),
    ] {
        let key = MasterKey::load_or_create(&written(directory.path(), &content)).unwrap();
        let manager =
            deadpool_postgres::Manager::new(fixture.database.url().parse().unwrap(), tokio_postgres::NoTls);
        let pool = deadpool_postgres::Pool::builder(manager).max_size(1).build().unwrap();
        let vault = vault::Vault::open(fixture.database.url(), pool, key).await.unwrap();
        assert_eq!(vault.derive_key("cursor"), fixture.vault.derive_key("cursor"));
    }
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.key");
    MasterKey::load_or_create(&path).unwrap();
    for exposed in [0o640, 0o604, 0o620, 0o601, 0o666] {
        set_mode(&path, exposed);
        let error = MasterKey::load_or_create(&path).unwrap_err();
        assert!(matches!(error, MasterKeyError::Exposed { mode, .. } if mode == exposed), "{error:?}");
        assert!(error.to_string().contains(&format!("chmod 600 {}", path.display())), "{error}");
    }
    set_mode(&path, 0o400);
    MasterKey::load_or_create(&path).unwrap();
}

#[test]
fn a_file_without_a_whole_key_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let short = "A".repeat(42);
    let two = format!("{0}\n{0}\n", "A".repeat(43));
    let long = "#".repeat(10_000);
    for content in
        ["", "\n", "# only a comment\n", "password", &short, &two, &"g".repeat(64), &"0".repeat(66), &long]
    {
        let path = written(directory.path(), content);
        let error = MasterKey::load_or_create(&path).unwrap_err();
        assert!(matches!(error, MasterKeyError::Malformed { .. }), "{content:?}: {error:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn a_place_where_no_file_can_be_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = written(directory.path(), "not a directory");
    assert!(MasterKey::load_or_create(&file.join("master.key")).is_err());
    assert!(MasterKey::load_or_create(directory.path()).is_err(), "a directory");
    assert!(MasterKey::load_or_create(Path::new("/proc/echoverse/master.key")).is_err());
}
