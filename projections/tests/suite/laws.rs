//! What holds of the projector for every history.

use std::future::Future;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError};

use crate::histories::{Step, steps, tell};
use crate::world::{PATIENCE, World, run};

/// The same tables whether the log is applied event by event, in small pages, in one, or by rebuilding.
async fn however_it_is_applied_the_rows_are_the_same(history: Vec<Step>) {
    let world = World::new().await;
    tell(&world, &history).await;
    for page_size in [1, 6, 1_000] {
        let (read, projector) = world.start_over().await;
        let running = run(projector.page_size(page_size));
        assert!(read.wait_for(world.head().await, PATIENCE).await);
        running.stop().await;
        world.assert_rebuilt_equals_live().await;
    }
}

fn block_on(test: impl Future<Output = ()>) -> Result<(), TestCaseError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
    Ok(())
}

proptest! {
    #![proptest_config(Config { cases: 16, max_shrink_iters: 200, ..Config::default() })]

    #[test]
    fn rebuilt_equals_incremental_whatever_the_size_of_pages(history in steps(250)) {
        block_on(however_it_is_applied_the_rows_are_the_same(history))?;
    }
}
