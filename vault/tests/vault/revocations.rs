//! What one node does to sessions, as seen by another; and the background work.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;
use vault::{NewSession, SessionToken, Vault};

use crate::{ANN, Fixture, at, new_session, pass};

/// The background work of a node.
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

fn run(vault: &Vault) -> Running {
    let (stop, stopped) = oneshot::channel::<()>();
    let vault = vault.clone();
    let task = tokio::spawn(async move { vault.run(async { drop(stopped.await) }).await });
    Running { stop, task }
}

impl Running {
    async fn stop(self) {
        drop(self.stop);
        timeout(Duration::from_secs(10), self.task).await.expect("it ends on shutdown").unwrap();
    }
}

#[tokio::test]
async fn another_node_is_told_of_a_revocation_and_honours_it_at_once() {
    let fixture = Fixture::new().await;
    let another = fixture.another_node().await;
    let (token, session) = fixture.vault.create_session(new_session(1, ANN), at(0)).await.unwrap();
    let (kept, _) = fixture.vault.create_session(new_session(2, ANN), at(0)).await.unwrap();
    assert!(another.authenticate(&token, at(1)).await.unwrap().is_some());
    let mut revocations = another.revocations();
    let running = run(&another);

    assert!(fixture.vault.revoke_session(ANN, session.id, at(2)).await.unwrap());

    let told =
        timeout(Duration::from_secs(10), revocations.recv()).await.expect("within some polls").unwrap();
    assert_eq!(told, session.id);
    assert_eq!(another.authenticate(&token, at(3)).await.unwrap(), None);
    assert!(another.authenticate(&kept, at(3)).await.unwrap().is_some());
    running.stop().await;
}

/// The first to be numbered commits last: it must be noticed nevertheless, and nothing is told twice.
#[tokio::test]
async fn revocations_that_commit_out_of_order_are_all_noticed_once() {
    let fixture = Fixture::new().await;
    let another = fixture.another_node().await;
    for id in 1..=3 {
        another.create_session(new_session(id, ANN), at(0)).await.unwrap();
    }
    let mut revocations = another.revocations();
    let running = run(&another);
    let mut next = async || {
        let told = timeout(Duration::from_secs(10), revocations.recv()).await.expect("within some polls");
        told.unwrap().as_u128()
    };

    let mut slow = fixture.sql().await;
    let slow = slow.transaction().await.unwrap();
    let revoke = "UPDATE vault.sessions SET revoked_at = now(), revocation = nextval('vault.revocations')
                  WHERE id = $1";
    slow.execute(revoke, &[&Uuid::from_u128(1)]).await.unwrap();
    assert!(fixture.vault.revoke_session(ANN, Uuid::from_u128(2), at(1)).await.unwrap());
    assert_eq!(next().await, 2);
    slow.commit().await.unwrap();
    assert_eq!(next().await, 1);
    assert!(fixture.vault.revoke_session(ANN, Uuid::from_u128(3), at(2)).await.unwrap());
    assert_eq!(next().await, 3, "and neither 1 nor 2 again");
    running.stop().await;
}

#[tokio::test]
async fn without_polling_another_node_honours_a_revocation_after_five_seconds() {
    let fixture = Fixture::new().await;
    let another = fixture.another_node().await;
    let (token, session) = fixture.vault.create_session(new_session(1, ANN), at(0)).await.unwrap();
    assert!(another.authenticate(&token, at(1)).await.unwrap().is_some());
    assert!(fixture.vault.revoke_session(ANN, session.id, at(2)).await.unwrap());

    assert!(another.authenticate(&token, at(3)).await.unwrap().is_some(), "it was cached there");
    pass(5).await;
    assert_eq!(another.authenticate(&token, at(3)).await.unwrap(), None);
}

#[tokio::test]
async fn last_use_is_written_once_a_minute_for_many_sessions_at_once() {
    let fixture = Fixture::new().await;
    let vault = &fixture.vault;
    let mut tokens = Vec::new();
    for id in 1..=20 {
        tokens.push(vault.create_session(new_session(id, ANN), at(0)).await.unwrap().0);
    }
    let uses = async |second| {
        for token in &tokens {
            assert!(vault.authenticate(token, at(second)).await.unwrap().is_some());
        }
        // Ending the background work writes what waits.
        run(vault).stop().await;
        let mut seen: Vec<_> = vault
            .sessions(ANN, at(second))
            .await
            .unwrap()
            .iter()
            .map(|session| session.last_used_at)
            .collect();
        seen.dedup();
        seen
    };

    assert_eq!(uses(59).await, [at(0)]);
    assert_eq!(uses(60).await, [at(60)]);
    // The cache still says that it was last used at 0.
    assert_eq!(uses(119).await, [at(60)]);
    assert_eq!(uses(121).await, [at(121)]);
    let transactions = "SELECT count(DISTINCT xmin::text) FROM vault.sessions";
    assert_eq!(fixture.count(transactions).await, 1);
}

#[tokio::test]
async fn sessions_that_are_long_over_are_removed_and_others_stay() {
    let fixture = Fixture::new().await;
    for (id, hours) in [(1, 1), (2, 3), (3, 24 * 365 * 60)] {
        let lifetime = SignedDuration::from_hours(hours);
        fixture.vault.create_session(NewSession { lifetime, ..new_session(id, ANN) }, at(0)).await.unwrap();
    }

    let a_day_later = at(26 * 60 * 60);
    assert_eq!(purged_by_a_node_at(&fixture, a_day_later).await, [2, 3]);
    // A node whose clock is seventy years ahead: by the database's clock the third lives.
    let too_late = at(70 * 365 * 24 * 60 * 60);
    assert_eq!(purged_by_a_node_at(&fixture, too_late).await, [3]);
}

/// The sessions that remain after a new node, whose clock shows `now`, has removed one.
async fn purged_by_a_node_at(fixture: &Fixture, now: Timestamp) -> Vec<u128> {
    let sql = fixture.sql().await;
    let remaining = async || {
        let rows = sql.query("SELECT id FROM vault.sessions ORDER BY id", &[]).await.unwrap();
        rows.iter().map(|row| row.get::<_, Uuid>(0).as_u128()).collect::<Vec<_>>()
    };
    let before = remaining().await;
    let node = fixture.another_node().await;
    let unknown = SessionToken::parse(&format!("ev_{}", "A".repeat(43))).unwrap();
    assert_eq!(node.authenticate(&unknown, now).await.unwrap(), None);
    let running = run(&node);
    timeout(Duration::from_secs(10), async { while remaining().await == before {} }).await.unwrap();
    running.stop().await;
    remaining().await
}
