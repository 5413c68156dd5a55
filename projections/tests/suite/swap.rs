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
            let bootstrap = other.bootstrap(ann).await.unwrap();
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
