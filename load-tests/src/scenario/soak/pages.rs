//! Somebody who scrolls back through the channels, a page at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hyper::Uri;
use serde::Deserialize;
use tokio::sync::watch;

use super::meters::Meters;
use crate::http::{Call, Connection, Target};
use crate::world::World;

const LIMIT: usize = 50;
/// How far back from the newest page, before another channel is looked at.
const DEPTH: u64 = 5;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    items: Vec<Item<'a>>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Item<'a> {
    created_at: &'a str,
}

/// Reads `rate` pages a second until all is written. Returns how many.
pub(super) async fn read(
    target: &Target,
    world: &World,
    rate: u16,
    meters: &Arc<Mutex<Meters>>,
    mut written: watch::Receiver<Option<u64>>,
) -> Result<u64> {
    let mut connection = Connection::open(target).await?;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / u32::from(rate.max(1)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut pages, mut next) = (0, None);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = written.wait_for(Option::is_some) => return Ok(pages),
        }
        let turn = usize::try_from(pages / DEPTH)?;
        let (login, channel) = (world.login(turn), world.channel(turn));
        let before = match next.take().filter(|_| !pages.is_multiple_of(DEPTH)) {
            Some(cursor) => format!("&before={cursor}"),
            None => String::new(),
        };
        let uri: Uri = format!("/v1/channels/{channel}/messages?limit={LIMIT}{before}").parse()?;
        let sent = Instant::now();
        let body = connection.succeed(Call::get(uri.clone(), Some(login))).await?;
        meters.lock().unwrap_or_else(PoisonError::into_inner).pages.record(sent.elapsed());
        let page: Page<'_> = serde_json::from_slice(&body).context("not a page of messages")?;
        ensure!(
            page.items.len() == LIMIT || page.next.is_none(),
            "{uri}: a page of {} is not the last",
            page.items.len()
        );
        ensure!(
            page.items.is_sorted_by(|newer, older| newer.created_at >= older.created_at),
            "{uri}: not newest first"
        );
        next = page.next;
        pages += 1;
    }
}
