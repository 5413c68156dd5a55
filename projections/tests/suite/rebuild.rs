use std::sync::Mutex;

use projections::{RebuildError, Swap, rebuild, verify};

use crate::world::World;

#[tokio::test]
async fn verifying_finds_each_table_that_is_not_what_the_log_says() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let (id, _) = world.post(home, ann, "one").await;
    world.edit(home, id, "two").await;
    world.settle().await;
    world.assert_rebuilt_equals_live().await;

    let tamper = "UPDATE read.messages SET content = 'other'; DELETE FROM read.message_versions";
    world.client().await.batch_execute(tamper).await.unwrap();
    let (url, store, vault) = (world.database.url(), world.store.clone(), world.vault.clone());
    let report = verify(url, store, vault, Swap::IfEqual, |_| ()).await.unwrap();
    let differences = report.differences.unwrap();
    assert_eq!(differences.iter().map(|d| d.table).collect::<Vec<_>>(), ["messages", "message_versions"]);
    assert_eq!((differences[0].live.rows, differences[0].rebuilt.rows), (1, 1));
    assert_ne!(differences[0].live.checksum, differences[0].rebuilt.checksum);
    assert_eq!((differences[1].live.rows, differences[1].rebuilt.rows), (0, 1));
    assert!(!report.swapped);
    assert_eq!(world.read.message(ann, id).await.unwrap().unwrap().content.as_deref(), Some("other"));
}

#[tokio::test]
async fn rebuilding_mends_what_is_broken_and_the_projector_goes_on_in_the_new_tables() {
    let (world, _running) = World::running().await;
    let (ann, home) = world.place().await;
    let (id, _) = world.post(home, ann, "one").await;
    let settled = world.settle().await;
    world.client().await.batch_execute("UPDATE read.messages SET content = 'other'").await.unwrap();
    let (url, store, vault) = (world.database.url(), world.store.clone(), world.vault.clone());
    let seen = Mutex::new(vec![]);
    let report = rebuild(url, store, vault, |progress| seen.lock().unwrap().push(progress)).await.unwrap();
    assert_eq!((report.position, report.swapped, report.differences), (settled, true, None));
    assert_eq!(report.events, 5);
    assert_eq!(seen.lock().unwrap().last().unwrap().position, settled);
    assert_eq!(world.read.message(ann, id).await.unwrap().unwrap().content.as_deref(), Some("one"));

    let (next, _) = world.post(home, ann, "two").await;
    world.settle().await;
    assert!(world.read.message(ann, next).await.unwrap().is_some());
    world.assert_rebuilt_equals_live().await;
    let left = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'read%'";
    let left = world.client().await.query(left, &[]).await.unwrap();
    assert_eq!(left.iter().map(|row| row.get::<_, &str>(0)).collect::<Vec<_>>(), ["read"]);
}

#[tokio::test]
async fn tables_of_another_shape_cannot_be_compared_but_replaced() {
    let (world, running) = World::running().await;
    let (ann, _) = world.place().await;
    world.settle().await;
    running.stop().await;
    let older = "UPDATE read.checkpoint SET shape = 'older'; ALTER TABLE read.accounts DROP COLUMN about";
    world.client().await.batch_execute(older).await.unwrap();
    let (url, store, vault) = (world.database.url(), world.store.clone(), world.vault.clone());
    let refused = verify(url, store.clone(), vault.clone(), Swap::Always, |_| ()).await;
    assert!(matches!(refused, Err(RebuildError::NotComparable)), "{refused:?}");
    rebuild(url, store, vault, |_| ()).await.unwrap();
    let (read, _) = world.other_node().await;
    assert_eq!(read.position(), world.head().await, "the new tables are kept");
    assert!(read.account(ann).await.unwrap().is_some());
}

#[tokio::test]
async fn only_one_rebuilding_goes_on_at_a_time() {
    let world = World::new().await;
    world.place().await;
    let (url, store, vault) = (world.database.url(), world.store.clone(), world.vault.clone());
    let client = world.client().await;
    // The lock that a rebuilding holds as long as its session lives.
    client.execute("SELECT pg_advisory_lock($1)", &[&0x6563_686f_7265_6264_i64]).await.unwrap();
    let refused = rebuild(url, store, vault, |_| ()).await;
    assert!(matches!(refused, Err(RebuildError::AlreadyRunning)), "{refused:?}");
}

#[tokio::test]
async fn rebuilt_tables_have_the_indexes_and_constraints_of_new_ones() {
    const SHAPES: &str = "
        SELECT indexdef FROM pg_indexes WHERE schemaname = 'read'
        UNION ALL
        SELECT pg_get_constraintdef(pg_constraint.oid)
        FROM pg_constraint
        JOIN pg_namespace ON pg_namespace.oid = connamespace
        WHERE nspname = 'read'
        ORDER BY 1";
    let (world, _running) = World::running().await;
    world.place().await;
    world.settle().await;
    let shapes = async || {
        let rows = world.client().await.query(SHAPES, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    let new = shapes().await;
    assert!(new.iter().any(|shape| shape.contains("messages_time")), "{new:?}");
    let (url, store, vault) = (world.database.url(), world.store.clone(), world.vault.clone());
    assert!(rebuild(url, store, vault, |_| ()).await.unwrap().swapped);
    assert_eq!(shapes().await, new);
}
