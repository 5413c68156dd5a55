use projections::{Swap, rebuild, verify};

use crate::world::{World, run};

/// Two nodes follow, one of them leads; a third process swaps while posts come in and snapshots are taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_under_load_loses_nothing_and_no_snapshot_goes_back_or_mixes() {
    let world = World::new().await;
    let (other, projector) = world.other_node().await;
    let _nodes = [run(world.projector()), run(projector.page_size(10))];
    let (ann, home) = world.place().await;
    let posts = tokio::sync::Mutex::new(vec![]);
    let post = async {
        loop {
            let (id, position) = world.post(home, ann, "posted").await;
            posts.lock().await.push((id, position));
            world.channel(home.0, "another").await;
            tokio::task::yield_now().await;
        }
    };
    let look = async {
        let mut last = event_store::Position::START;
        loop {
            let bootstrap = other.bootstrap(ann, &[]).await.unwrap();
            assert!(bootstrap.position >= last, "{} after {last}", bootstrap.position);
            last = bootstrap.position;
            if let Some(view) = bootstrap.communities.first() {
                let access = world.read.access(ann).await.unwrap();
                assert!(
                    access.position < last || access.communities[0].channels.len() >= view.channels.len()
                );
            }
        }
    };
    let swap = async {
        let (url, store, vault) = (world.database.url(), world.store.clone(), world.vault.clone());
        for round in 0..4 {
            world.settle().await;
            let report = if round % 2 == 0 {
                rebuild(url, store.clone(), vault.clone(), |_| ()).await.unwrap()
            } else {
                verify(url, store.clone(), vault.clone(), Swap::IfEqual, |_| ()).await.unwrap()
            };
            assert!(report.swapped, "{report:?}");
        }
    };
    tokio::select! {
        () = swap => {}
        () = post => {}
        () = look => {}
    }
    world.settle().await;
    let posts = posts.into_inner();
    assert!(!posts.is_empty());
    for (id, position) in posts {
        assert_eq!(world.read.message_position(ann, id).await.unwrap(), Some((home.1, position)));
    }
    world.assert_rebuilt_equals_live().await;
}

/// The race that the lock of the checkpoint's table closes: a snapshot taken before a swap and names resolved after it
/// would show new tables as they were before they were filled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_waits_for_a_swap_is_of_the_new_tables() {
    let (world, running) = World::running().await;
    let (ann, _) = world.place().await;
    world.settle().await;
    running.stop().await;
    let expected = world.read.bootstrap(ann, &[]).await.unwrap();
    let mut swapper = world.client().await;
    let swap = swapper.transaction().await.unwrap();
    swap.batch_execute("LOCK TABLE read.checkpoint IN ACCESS EXCLUSIVE MODE").await.unwrap();

    let read = world.read.clone();
    let waiting = tokio::spawn(async move { (read.bootstrap(ann, &[]).await, read.access(ann).await) });
    let watcher = world.client().await;
    let waits =
        "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'read.checkpoint'::regclass";
    while !watcher.query_one(waits, &[]).await.unwrap().get::<_, bool>(0) {
        tokio::task::yield_now().await;
    }
    let copy = "
        CREATE SCHEMA read_next;
        DO $$
        DECLARE name text;
        BEGIN
            FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'read' LOOP
                EXECUTE format('CREATE TABLE read_next.%I (LIKE read.%I INCLUDING ALL)', name, name);
                EXECUTE format('INSERT INTO read_next.%I SELECT * FROM read.%I', name, name);
            END LOOP;
        END
        $$;
        ALTER SCHEMA read RENAME TO read_old;
        ALTER SCHEMA read_next RENAME TO read;";
    swap.batch_execute(copy).await.unwrap();
    swap.commit().await.unwrap();
    let (bootstrap, access) = waiting.await.unwrap();
    assert_eq!(bootstrap.unwrap(), expected);
    assert_eq!(access.unwrap().communities.len(), 1);
}

/// The other side of the same lock: names must not change under a snapshot that is being read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_waits_for_the_snapshots_that_are_being_read() {
    let (world, _running) = World::running().await;
    world.place().await;
    world.settle().await;
    let mut reader = world.client().await;
    let snapshot = reader.transaction().await.unwrap();
    snapshot.batch_execute("LOCK TABLE read.checkpoint IN ACCESS SHARE MODE").await.unwrap();
    let (url, store, vault) = (world.database.url().to_owned(), world.store.clone(), world.vault.clone());
    let swapping = tokio::spawn(async move { rebuild(&url, store, vault, |_| ()).await });
    let watcher = world.client().await;
    let named = "SELECT 'read.checkpoint'::regclass::oid";
    let live: u32 = watcher.query_one(named, &[]).await.unwrap().get(0);
    let waits = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'";
    while !watcher.query_one(waits, &[]).await.unwrap().get::<_, bool>(0) {
        tokio::task::yield_now().await;
    }
    let still: u32 = watcher.query_one(named, &[]).await.unwrap().get(0);
    assert_eq!(still, live, "the swap went past a reader");
    snapshot.commit().await.unwrap();
    assert!(swapping.await.unwrap().unwrap().swapped);
}
