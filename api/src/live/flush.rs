//! Sends what was handed out on its way: one write for each reader, on as many cores as there are.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::{JoinSet, yield_now};

use super::outlet::Outlet;
use super::routing::Dirty;

/// Writes after which others get their turn: some 200 µs.
const BURST: usize = 64;
/// Fewer writes than this are not worth another task.
const SHARE: usize = 128;

/// Flushes all and forgets them. Returns when all has left, so that what comes meanwhile goes together.
pub(super) async fn flush(dirty: &mut Dirty) {
    let workers = Handle::current().metrics().num_workers();
    let share = dirty.len().div_ceil(workers).max(SHARE);
    if dirty.len() <= share {
        flush_share(dirty).await;
        dirty.clear();
        return;
    }
    let mut others = JoinSet::new();
    while dirty.len() > share {
        let part = dirty.split_off(dirty.len() - share);
        others.spawn(async move { flush_share(&part).await });
    }
    flush_share(dirty).await;
    dirty.clear();
    while others.join_next().await.is_some() {}
}

async fn flush_share(share: &[Arc<Outlet>]) {
    for burst in share.chunks(BURST) {
        burst.iter().for_each(|outlet| outlet.flush());
        if burst.len() == BURST {
            yield_now().await;
        }
    }
}
