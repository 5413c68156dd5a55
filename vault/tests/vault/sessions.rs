//! Sessions of one node.

use jiff::SignedDuration;
use uuid::Uuid;
use vault::{NewSession, SessionToken};

use crate::{ANN, BOB, Fixture, at, new_session};

#[tokio::test]
async fn a_token_opens_its_session_until_it_expires() {
    let fixture = Fixture::new().await;
    let vault = &fixture.vault;
    let new = NewSession { lifetime: SignedDuration::from_secs(100), ..new_session(1, ANN) };
    let (token, session) = vault.create_session(new, at(0)).await.unwrap();
    assert_eq!((session.id, session.account), (Uuid::from_u128(1), ANN));
    assert_eq!((session.created_at, session.last_used_at, session.expires_at), (at(0), at(0), at(100)));

    let shown = SessionToken::parse(token.as_str()).unwrap();
    for node in [vault, &fixture.another_node().await] {
        assert_eq!(node.authenticate(&shown, at(1)).await.unwrap(), Some(session.clone()));
        assert_eq!(node.authenticate(&shown, at(99)).await.unwrap(), Some(session.clone()), "from the cache");
        assert_eq!(node.authenticate(&shown, at(100)).await.unwrap(), None);
    }
    assert_eq!(fixture.another_node().await.authenticate(&shown, at(100)).await.unwrap(), None, "uncached");
}

#[tokio::test]
async fn tokens_are_unlike_and_unknown_ones_open_nothing() {
    let fixture = Fixture::new().await;
    let (first, _) = fixture.vault.create_session(new_session(1, ANN), at(0)).await.unwrap();
    let (second, _) = fixture.vault.create_session(new_session(2, ANN), at(0)).await.unwrap();
    assert_ne!(first.as_str(), second.as_str());
    let unknown = SessionToken::parse(&format!("ev_{}", "A".repeat(43))).unwrap();
    assert_eq!(fixture.vault.authenticate(&unknown, at(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_repeated_command_answers_the_first_session_and_token() {
    let fixture = Fixture::new().await;
    let command = Some(Uuid::from_u128(0xc0));
    let new = |id| NewSession { command, ..new_session(id, ANN) };
    let (token, session) = fixture.vault.create_session(new(1), at(0)).await.unwrap();
    for (node, id) in [(&fixture.vault, 1), (&fixture.vault, 2), (&fixture.another_node().await, 3)] {
        let (again, same) = node.create_session(new(id), at(50)).await.unwrap();
        assert_eq!(again.as_str(), token.as_str());
        assert_eq!(same, session);
    }
    assert_eq!(fixture.vault.sessions(ANN, at(51)).await.unwrap(), [session]);
}

/// Clients name their commands: a name that another account uses must not lead to its session.
#[tokio::test]
async fn a_command_of_another_account_has_another_token() {
    let fixture = Fixture::new().await;
    let command = Some(Uuid::from_u128(0xc0));
    let (anns, _) =
        fixture.vault.create_session(NewSession { command, ..new_session(1, ANN) }, at(0)).await.unwrap();
    let (bobs, session) =
        fixture.vault.create_session(NewSession { command, ..new_session(2, BOB) }, at(0)).await.unwrap();
    assert_ne!(anns.as_str(), bobs.as_str());
    assert_eq!(session.account, BOB);
    assert!(fixture.vault.create_session(new_session(1, BOB), at(0)).await.is_err(), "Ann's session id");
}

#[tokio::test]
async fn a_repeated_command_does_not_revive_a_revoked_session() {
    let fixture = Fixture::new().await;
    let new = || NewSession { command: Some(Uuid::from_u128(0xc0)), ..new_session(1, ANN) };
    let (token, session) = fixture.vault.create_session(new(), at(0)).await.unwrap();
    assert!(fixture.vault.revoke_session(ANN, session.id, at(1)).await.unwrap());
    let (again, _) = fixture.vault.create_session(new(), at(2)).await.unwrap();
    assert_eq!(again.as_str(), token.as_str());
    assert_eq!(fixture.vault.authenticate(&again, at(3)).await.unwrap(), None);
}

#[tokio::test]
async fn a_revoked_session_ends_at_once_and_only_its_account_can_revoke_it() {
    let fixture = Fixture::new().await;
    let vault = &fixture.vault;
    let (token, session) = vault.create_session(new_session(1, ANN), at(0)).await.unwrap();
    assert!(vault.authenticate(&token, at(1)).await.unwrap().is_some());
    let mut revocations = vault.revocations();

    assert!(!vault.revoke_session(BOB, session.id, at(2)).await.unwrap());
    assert!(vault.authenticate(&token, at(3)).await.unwrap().is_some());
    assert!(revocations.try_recv().is_err());

    assert!(vault.revoke_session(ANN, session.id, at(4)).await.unwrap());
    assert_eq!(vault.authenticate(&token, at(5)).await.unwrap(), None);
    assert_eq!(revocations.try_recv().unwrap(), session.id);
    assert!(!vault.revoke_session(ANN, session.id, at(6)).await.unwrap());
    assert!(revocations.try_recv().is_err());
}

#[tokio::test]
async fn all_sessions_but_one_can_be_revoked() {
    let fixture = Fixture::new().await;
    let vault = &fixture.vault;
    let mut tokens = Vec::new();
    for id in 1..=4 {
        tokens.push(vault.create_session(new_session(id, ANN), at(0)).await.unwrap().0);
    }
    let (bobs, _) = vault.create_session(new_session(9, BOB), at(0)).await.unwrap();
    let expired = NewSession { lifetime: SignedDuration::from_secs(1), ..new_session(10, ANN) };
    vault.create_session(expired, at(0)).await.unwrap();

    let kept = Uuid::from_u128(3);
    assert_eq!(vault.revoke_other_sessions(ANN, Some(kept), at(5)).await.unwrap(), 3);
    for (token, id) in tokens.iter().zip(1..) {
        assert_eq!(vault.authenticate(token, at(6)).await.unwrap().is_some(), id == 3, "{id}");
    }
    assert_eq!(vault.revoke_other_sessions(ANN, None, at(7)).await.unwrap(), 1);
    assert_eq!(vault.sessions(ANN, at(8)).await.unwrap(), []);
    assert!(vault.authenticate(&bobs, at(8)).await.unwrap().is_some());
}

#[tokio::test]
async fn the_list_shows_the_account_s_live_sessions_last_used_first() {
    let fixture = Fixture::new().await;
    let vault = &fixture.vault;
    let mut ids = Vec::new();
    for (id, start) in [(1, 10), (2, 30), (3, 20)] {
        ids.push(vault.create_session(new_session(id, ANN), at(start)).await.unwrap().1.id);
    }
    vault.create_session(new_session(4, BOB), at(0)).await.unwrap();
    let expired = NewSession { lifetime: SignedDuration::from_secs(60), ..new_session(5, ANN) };
    vault.create_session(expired, at(0)).await.unwrap();
    let listed: Vec<Uuid> =
        vault.sessions(ANN, at(60)).await.unwrap().iter().map(|session| session.id).collect();
    assert_eq!(listed, [ids[1], ids[2], ids[0]]);
}

#[tokio::test]
async fn a_device_is_cut_and_cleaned() {
    let fixture = Fixture::new().await;
    let device = Some(format!("\0\n{}", "é".repeat(300)));
    let new = NewSession { device, ..new_session(1, ANN) };
    let (_, session) = fixture.vault.create_session(new, at(0)).await.unwrap();
    assert_eq!(session.device.unwrap(), "é".repeat(200));
}
