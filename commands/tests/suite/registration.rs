//! Claims before accounts: races for a name, and crashes between the two.

use domain::account::{AccountError, Handle};
use domain::claim::HandleClaimed;
use domain::{AccountId, codec::EventSet as _, streams};
use uuid::Uuid;
use vault::{Binding, KeyError};

use crate::world::{PASSWORD, World, anyone, decoded, keyed, refused, registering};

/// Names as `name` has them, but for the address.
fn rival_of(name: &str) -> commands::Register {
    let mut rival = registering("rival");
    rival.handle = Handle::parse(name).unwrap();
    rival
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_register_one_handle_at_once_exactly_one_does() {
    let world = World::new().await;
    world.store.jitter();
    for round in 0..20 {
        let name = format!("name{round}");
        let register = |email: &str| {
            let (commands, mut new) = (world.another_node(), registering(&name));
            new.email = domain::account::Email::parse(&format!("{email}{round}@example.org")).unwrap();
            tokio::spawn(async move { commands.register(&anyone(), new).await })
        };
        let (a, b) = tokio::join!(register("a"), register("b"));
        let (won, lost): (Vec<_>, Vec<_>) = [a.unwrap(), b.unwrap()].into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "round {round}: {lost:?}");
        let lost = lost.into_iter().next().unwrap();
        assert_eq!(refused(lost), AccountError::HandleTaken, "round {round}");
        let winner = won.into_iter().next().unwrap().unwrap().made;
        assert_eq!(world.commands.account_by_login(&name).await.unwrap(), Some(winner));
    }
    assert_eq!(world.all("account.registered").await.len(), 20);
}

#[tokio::test]
async fn a_claim_that_a_crash_left_does_not_keep_the_name() {
    let world = World::new().await;
    let crashed = AccountId(Uuid::from_u128(1));
    world.append(world.claim_of("handle", "ada"), claimed(crashed)).await;
    assert_eq!(world.commands.account_by_login("ada").await.unwrap(), None, "nobody is called so yet");
    let ada = world.person("Ada").await;
    assert_ne!(ada, crashed);
    assert_eq!(world.commands.account_by_login("ada").await.unwrap(), Some(ada));
}

fn claimed(account_id: AccountId) -> domain::Event {
    domain::claim::ClaimEvent::from(HandleClaimed { account_id }).into()
}

#[tokio::test]
async fn a_registrar_whose_claim_was_taken_over_can_no_longer_register() {
    let world = World::new().await;
    let mut held = world.store.hold("account.registered");
    let slow = keyed(anyone(), "slow", "ada");
    let first = {
        let (commands, slow) = (world.commands.clone(), slow.clone());
        tokio::spawn(async move { commands.register(&slow, registering("ada")).await })
    };
    held.reached().await;
    let rival = world.commands.register(&anyone(), rival_of("Ada")).await.unwrap().made;
    held.release();
    assert_eq!(refused(first.await.unwrap()), AccountError::HandleTaken);
    assert_eq!(world.all("account.registered").await.len(), 1);

    let again = world.commands.register(&slow, registering("ada")).await;
    assert_eq!(refused(again), AccountError::HandleTaken, "nor by asking again");
    assert_eq!(world.commands.account_by_login("ada").await.unwrap(), Some(rival));
}

#[tokio::test]
async fn a_claim_is_not_taken_over_from_who_registers_in_that_very_moment() {
    let world = World::new().await;
    let mut registering_ada = world.store.hold("account.registered");
    let ada = {
        let commands = world.commands.clone();
        tokio::spawn(async move { commands.register(&anyone(), registering("ada")).await })
    };
    registering_ada.reached().await;
    let mut taking_over = world.store.hold("handle.claimed");
    let rival = {
        let commands = world.another_node();
        tokio::spawn(async move { commands.register(&anyone(), rival_of("ada")).await })
    };
    taking_over.reached().await;
    registering_ada.release();
    let ada = ada.await.unwrap().unwrap().made;
    taking_over.release();
    assert_eq!(refused(rival.await.unwrap()), AccountError::HandleTaken);
    assert_eq!(world.commands.account_by_login("ada").await.unwrap(), Some(ada));
    assert_eq!(world.all("account.registered").await.len(), 1);
}

#[tokio::test]
async fn a_taken_over_registrar_hears_it_even_if_nobody_registered_since() {
    let world = World::new().await;
    let mut held = world.store.hold("account.registered");
    let first = {
        let commands = world.commands.clone();
        tokio::spawn(async move { commands.register(&anyone(), registering("ada")).await })
    };
    held.reached().await;
    world.append(world.claim_of("handle", "ada"), claimed(AccountId(Uuid::from_u128(1)))).await;
    held.release();
    assert_eq!(refused(first.await.unwrap()), AccountError::HandleTaken);
    let ada = world.person("ada").await;
    assert_eq!(world.commands.account_by_login("ada").await.unwrap(), Some(ada), "the name is free again");
}

#[tokio::test]
async fn a_taken_over_address_is_heard_of_as_well() {
    let world = World::new().await;
    let mut held = world.store.hold("account.registered");
    let first = {
        let commands = world.commands.clone();
        tokio::spawn(async move { commands.register(&anyone(), registering("ada")).await })
    };
    held.reached().await;
    let mut rival = registering("rival");
    rival.email = registering("ada").email;
    world.commands.register(&anyone(), rival).await.unwrap();
    held.release();
    assert_eq!(refused(first.await.unwrap()), AccountError::EmailTaken);
}

#[tokio::test]
async fn a_crashed_registration_goes_on_where_it_ended_when_it_is_repeated() {
    let world = World::new().await;
    let mut held = world.store.hold("account.registered");
    let context = keyed(anyone(), "key", "ada");
    let crashing = {
        let (commands, context) = (world.commands.clone(), context.clone());
        tokio::spawn(async move { commands.register(&context, registering("ada")).await })
    };
    held.reached().await;
    crashing.abort();
    assert!(crashing.await.unwrap_err().is_cancelled());
    assert!(world.all("account.registered").await.is_empty());

    let done = world.commands.register(&context, registering("ada")).await.unwrap();
    let claims = world.stream(world.claim_of("handle", "ada")).await;
    assert_eq!(claims.len(), 1, "the claim of before counts");
    assert_eq!(decoded(&claims[0]).encode().data, claimed(done.made).encode().data);
    assert_eq!(world.commands.account_by_login("ada").await.unwrap(), Some(done.made));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_registration_sent_twice_at_once_makes_one_account() {
    let world = World::with_home().await;
    world.store.jitter();
    for round in 0..20 {
        let name = format!("name{round}");
        let register = || {
            let (commands, new) = (world.another_node(), registering(&name));
            let context = keyed(anyone(), &name, &name);
            tokio::spawn(async move { commands.register(&context, new).await })
        };
        let (a, b) = tokio::join!(register(), register());
        let (a, b) = (a.unwrap().unwrap(), b.unwrap().unwrap());
        assert_eq!((a.made, a.position, a.recorded_at), (b.made, b.position, b.recorded_at), "round {round}");
        assert_eq!(world.kinds(streams::account(a.made)).await, ["account.registered"]);
        assert!(world.vault.verify_password(Some(a.made.0), PASSWORD).await.unwrap());
    }
    assert_eq!(world.all("account.registered").await.len(), 20);
}

#[tokio::test]
async fn a_repeated_registration_brings_back_no_old_password() {
    let world = World::new().await;
    let context = keyed(anyone(), "key", "ada");
    let first = world.commands.register(&context, registering("ada")).await.unwrap();
    let now = commands::Clock::now(&*world.clock);
    world.vault.set_password(first.made.0, "a new one", now).await.unwrap();
    let again = world.commands.register(&context, registering("ada")).await.unwrap();
    assert_eq!((again.made, again.position, again.repeated), (first.made, first.position, true));
    assert!(world.vault.verify_password(Some(first.made.0), "a new one").await.unwrap());
}

#[tokio::test]
async fn a_repeated_registration_brings_back_no_erased_account() {
    let world = World::new().await;
    let context = keyed(anyone(), "key", "ada");
    let account = world.commands.register(&context, registering("ada")).await.unwrap().made;
    assert!(world.vault.shred(account.0).await.unwrap());
    world.commands.register(&context, registering("ada")).await.unwrap();
    let sealed = world.vault.seal(account.0, Binding { kind: "a", stream: "b" }, b"text").await;
    assert!(matches!(sealed, Err(KeyError::KeyErased)), "{sealed:?}");
    assert!(!world.vault.verify_password(Some(account.0), PASSWORD).await.unwrap());
}
