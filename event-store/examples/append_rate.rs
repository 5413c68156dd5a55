//! How many appends a second a Postgres takes: `append_rate URL [SECONDS] [WRITERS]`.
//!
//! Each writer appends one event of 300 bytes to a new stream, waits for the answer, and appends the next.

#![expect(clippy::print_stdout, reason = "a program whose purpose is to print")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use deadpool_postgres::{Manager, Pool};
use event_store::{
    Append, EventStore, Expected, Guard, NewEvent, Position, StreamName, Topic, postgres::PostgresStore,
};
use tokio::task::JoinSet;
use tokio_postgres::{Config, NoTls};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("the first argument is the database's URL")?;
    let duration = Duration::from_secs(arguments.next().map_or(Ok(10), |seconds| seconds.parse())?);
    let writers: u32 = arguments.next().map_or(Ok(64), |writers| writers.parse())?;

    let config: Config = url.parse()?;
    let pool = Pool::builder(Manager::new(config, NoTls)).max_size(4).build()?;
    let shutdown = CancellationToken::new();
    let store = PostgresStore::connect(&url, pool, shutdown.clone()).await?;
    let head = store.head().await?;
    let tail = tokio::spawn(follow(store.clone(), head));

    let started = Instant::now();
    let deadline = started + duration;
    let mut tasks = JoinSet::new();
    for writer in 0..writers {
        tasks.spawn(write(store.clone(), writer, deadline));
    }
    let mut latencies = Vec::new();
    while let Some(answer) = tasks.join_next().await {
        latencies.extend(answer??);
    }
    let seconds = started.elapsed().as_secs_f64();
    shutdown.cancel();
    store.closed().await;
    tail.abort();

    latencies.sort();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    let rate = latencies.len() as f64 / seconds;
    println!("{writers} writers, {} appends in {seconds:.1} s: {rate:.0}/s", latencies.len());
    println!("p50 {:?}, p99 {:?}, max {:?}", at(0.5), at(0.99), at(1.0));
    Ok(())
}

/// A reader as every server has one.
async fn follow(store: Arc<PostgresStore>, after: Position) {
    let mut tail = store.tail(after);
    while tail.next().await.is_ok() {}
}

async fn write(store: Arc<PostgresStore>, writer: u32, deadline: Instant) -> Result<Vec<Duration>, Error> {
    let guarded = StreamName::new(format!("membership-{writer}"));
    let run = store.log_id().0.as_u128() ^ u128::from(std::process::id());
    let mut latencies = Vec::new();
    while Instant::now() < deadline {
        let number = (u128::from(writer) << 32) | latencies.len() as u128;
        let id = Uuid::new_v5(&Uuid::from_u128(run), &number.to_be_bytes());
        let event = NewEvent {
            id,
            kind: "message.posted",
            schema: 1,
            topic: Topic::new(format!("channel:{}", writer % 16)),
            data: vec![b'x'; 220].into(),
            sealed: None,
            meta: vec![b'y'; 80].into(),
        };
        let append = Append {
            stream: StreamName::new(format!("message-{id}")),
            expected: Expected::NoStream,
            guards: vec![Guard { stream: guarded.clone(), at_most: 0 }],
            events: vec![event],
        };
        let started = Instant::now();
        store.append(append).await?;
        latencies.push(started.elapsed());
    }
    Ok(latencies)
}
