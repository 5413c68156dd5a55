//! Nothing that was answered is lost, doubled or out of order, whoever is killed.
//!
//! 32 writers post and 8 readers follow while the server, or the Postgres under it, is killed ten times at random
//! moments. The moments come from a seed that is printed; `CRASH_SEED=…` repeats it.

mod cast;
mod chance;
mod place;
mod readers;
mod server;
mod verdict;
mod writers;

use std::time::Duration;

use cast::Cast;
use chance::Chance;
use place::Place;
use readers::Readers;
use server::Server;
use writers::Writers;

const KILLS: usize = 10;
/// From the moment that messages are answered again to the next kill.
const SOONEST: Duration = Duration::from_millis(500);
const LATEST: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_delivered_once_though_the_server_is_killed() {
    let mut chance = Chance::new("server");
    let place = Place::with_private_postgres();
    let mut server = Server::start(&place);
    server.ready().await;
    let cast = Cast::gather(&place).await;
    let writers = Writers::start(&cast, &mut chance);
    let readers = Readers::start(&cast, &mut chance);
    for kill in 0..KILLS {
        // Now and then it dies while it still starts.
        if kill % 4 != 3 {
            server.ready().await;
            writers.progress().await;
        }
        chance.moment(SOONEST, LATEST).await;
        server.kill();
        server = Server::start(&place);
    }
    server.ready().await;
    judge(&place, &cast, writers, readers, Felt { failures: KILLS, cuts: KILLS }).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_delivered_once_though_postgres_is_killed() {
    let mut chance = Chance::new("postgres");
    let (place, postgres) = Place::with_postgres_of_ours().await;
    let mut server = Server::start(&place);
    server.ready().await;
    let cast = Cast::gather(&place).await;
    let writers = Writers::start(&cast, &mut chance);
    let readers = Readers::start(&cast, &mut chance);
    let mut killed = None;
    for _ in 0..KILLS {
        writers.progress().await;
        chance.moment(SOONEST, LATEST).await;
        killed = Some(place.kill_postgres(killed).await);
    }
    writers.progress().await;
    // The server stays up and sits out what its readers wait for, so they need not feel a kill; the writers must, many
    // at a time.
    judge(&place, &cast, writers, readers, Felt { failures: 10 * KILLS, cuts: 0 }).await;
    assert!(server.is_running(), "the server outlives its database's crashes");
    server.stop().await;
    postgres.stop().await.expect("the private Postgres ends");
}

/// How often the kills must have been felt at least, for the test to be one.
struct Felt {
    failures: usize,
    cuts: usize,
}

/// Lets everyone come to an end, and compares what they saw with the log.
async fn judge(place: &Place, cast: &Cast, writers: Writers, readers: Readers, felt: Felt) {
    let (mut answered, failures) = writers.finish().await;
    let (last, end) = cast.post_last().await;
    answered.push(last);
    let followed = readers.finish(end.clone()).await;
    let log = verdict::read_log(&place.database_url(), cast.channel).await;
    let history = verdict::read_history(cast, &end).await;
    let interruptions: usize = followed.iter().map(|reader| reader.interruptions).sum();
    let told = format!("{} answered, {failures} tries failed, {interruptions} reads cut", answered.len());
    chance::tell(&told);
    assert!(failures >= felt.failures && interruptions >= felt.cuts, "the kills were hardly felt: {told}");
    let faults = verdict::faults(&answered, &log, &history, &followed);
    assert!(faults.is_empty(), "{told}\n{}", faults.join("\n"));
}
