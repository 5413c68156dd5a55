use domain::account::{About, AccountError, DisplayName, Handle, ProfileChange};
use domain::{AccountId, streams};
use serde_json::json;
use uuid::Uuid;

use crate::world::{PASSWORD, World, anyone, by, refused, registering};

#[tokio::test]
async fn a_registered_account_is_found_by_its_handle_and_its_address() {
    let world = World::new().await;
    let ada = world.person("Ada.L").await;
    world.person("grace").await;
    for login in ["Ada.L", "ada.l", "ADA.L", "Ada.L@example.org", " ada.l@EXAMPLE.org "] {
        assert_eq!(world.commands.account_by_login(login).await.unwrap(), Some(ada), "{login:?}");
    }
    for login in ["", "ada", "ada.l@example.com", "linus", "not a login", "@", "\0"] {
        assert_eq!(world.commands.account_by_login(login).await.unwrap(), None, "{login:?}");
    }
}

#[tokio::test]
async fn a_registration_seals_the_names_and_keeps_the_password_in_the_vault() {
    let world = World::new().await;
    let done = world.commands.register(&anyone(), registering("Ada.L")).await.unwrap();
    let records = world.stream(streams::account(done.made)).await;
    let [record] = &records[..] else { panic!("{records:?}") };
    assert!(done.position >= record.position && !done.repeated);
    assert_eq!(record.sealed.as_ref().map(|sealed| sealed.key_id), Some(done.made.0), "the account's key");
    let identity = json!({"handle": "Ada.L", "display_name": "Ada.L", "email": "Ada.L@example.org"});
    assert_eq!(world.text(record).await, identity);
    assert!(world.vault.verify_password(Some(done.made.0), PASSWORD).await.unwrap());
    assert!(!world.vault.verify_password(Some(done.made.0), "another").await.unwrap());
}

#[tokio::test]
async fn a_taken_handle_is_refused_in_any_case() {
    let world = World::new().await;
    world.person("Ada.L").await;
    let mut new = registering("grace");
    new.handle = Handle::parse("aDA.l").unwrap();
    assert_eq!(refused(world.commands.register(&anyone(), new).await), AccountError::HandleTaken);
}

#[tokio::test]
async fn a_taken_address_is_refused_and_the_handle_stays_free() {
    let world = World::new().await;
    world.person("ada").await;
    let mut new = registering("grace");
    new.email = domain::account::Email::parse("ADA@example.org").unwrap();
    assert_eq!(refused(world.commands.register(&anyone(), new).await), AccountError::EmailTaken);
    assert_eq!(world.commands.account_by_login("grace").await.unwrap(), None);
    let grace = world.person("grace").await;
    assert_eq!(world.commands.account_by_login("grace").await.unwrap(), Some(grace));
}

#[tokio::test]
async fn a_profile_change_is_sealed_under_the_accounts_key() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    let change = ProfileChange {
        display_name: Some(DisplayName::parse("Countess").unwrap()),
        about: Some(About::parse("Engines").unwrap()),
    };
    let done = world.commands.change_profile(&by(ada), change).await.unwrap();
    let records = world.stream(streams::account(ada)).await;
    assert_eq!((done.made, done.position), (ada, records[1].position));
    assert_eq!(records[1].sealed.as_ref().map(|sealed| sealed.key_id), Some(ada.0));
    assert_eq!(world.text(&records[1]).await, json!({"display_name": "Countess", "about": "Engines"}));
}

#[tokio::test]
async fn a_profile_change_without_a_field_appends_nothing() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    world.commands.change_profile(&by(ada), ProfileChange::default()).await.unwrap();
    assert_eq!(world.kinds(streams::account(ada)).await, ["account.registered"]);
}

#[tokio::test]
async fn changing_the_profile_of_nobody_is_refused() {
    let world = World::new().await;
    for context in [anyone(), by(AccountId(Uuid::from_u128(1)))] {
        let change = ProfileChange { display_name: None, about: Some(About::parse("x").unwrap()) };
        let refusal = refused(world.commands.change_profile(&context, change).await);
        assert_eq!(refusal, AccountError::Unknown);
    }
}
