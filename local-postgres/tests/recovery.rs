//! What survives when processes are killed.

mod support;

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use local_postgres::{Durability, LocalPostgres};
use support::{
    Run, alive, client, directory, eventually, eventually_some, kill, parent, server_pid, try_client,
};

const FILL: &str = "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)";

async fn assert_kept(url: &str) {
    let row = client(url).await.query_one("SELECT n FROM kept", &[]).await.expect("the row");
    assert_eq!(row.get::<_, i32>(0), 7);
}

#[tokio::test]
async fn a_killed_run_takes_its_server_with_it() {
    let data = directory();
    let run = Run::start(data.path());
    let server = server_pid(data.path()).unwrap();
    run.kill();
    eventually("the server ends", || !alive(server));
}

#[tokio::test]
async fn a_killed_run_is_recovered() {
    let data = directory();
    let run = Run::start(data.path());
    client(&run.url).await.batch_execute(FILL).await.unwrap();
    run.kill();
    let postgres = LocalPostgres::start(data.path(), Durability::Full).await.unwrap();
    assert_kept(&postgres.url()).await;
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_lost_its_supervisor_too_is_stopped() {
    let data = directory();
    let run = Run::start(data.path());
    client(&run.url).await.batch_execute(FILL).await.unwrap();
    let server = server_pid(data.path()).unwrap();
    let keeper = parent(server);
    let supervisor = parent(keeper);
    assert_eq!(parent(supervisor), run.pid().cast_signed());
    kill(supervisor);
    kill(keeper);
    run.kill();
    assert!(alive(server), "an orphan");

    let postgres = LocalPostgres::start(data.path(), Durability::Full).await.unwrap();
    assert_ne!(server_pid(data.path()), Some(server));
    assert_kept(&postgres.url()).await;
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_machine_leaves_a_pid_file_that_another_program_may_match() {
    let data = directory();
    LocalPostgres::start(data.path(), Durability::Full).await.unwrap().stop().await.unwrap();
    let home = std::fs::metadata(data.path().join("postgres")).unwrap();
    let mut other = Command::new("sleep");
    other.arg("60");
    if rustix::process::geteuid().is_root() {
        // Of the server's user, since Postgres disregards programs of others.
        other.uid(home.uid()).gid(home.gid());
    }
    let mut other = other.spawn().unwrap();
    let cluster = data.path().join("postgres/cluster");
    let stale = |pid: u32| format!("{pid}\n{}\n1700000000\n5432\n\n\n", cluster.display());
    let pid_file = cluster.join("postmaster.pid");

    for pid in [other.id(), 0x7fff_fff0] {
        std::fs::write(&pid_file, stale(pid)).unwrap();
        std::os::unix::fs::chown(&pid_file, Some(home.uid()), Some(home.gid())).unwrap();
        let postgres = LocalPostgres::start(data.path(), Durability::Full).await.unwrap();
        client(&postgres.url()).await;
        postgres.stop().await.unwrap();
    }
    assert!(other.try_wait().unwrap().is_none(), "the other program is left alone");
    other.kill().unwrap();
    other.wait().unwrap();
}

#[tokio::test]
async fn a_killed_server_comes_back() {
    let data = directory();
    let postgres = LocalPostgres::start(data.path(), Durability::Full).await.unwrap();
    client(&postgres.url()).await.batch_execute(FILL).await.unwrap();
    for _ in 0..2 {
        let server = server_pid(data.path()).unwrap();
        kill(server);
        eventually("the killed server is gone", || !alive(server));
        let url = postgres.url();
        eventually_some("a new server answers", || async { try_client(&url).await.ok() }).await;
        assert_ne!(server_pid(data.path()), Some(server));
        assert_kept(&postgres.url()).await;
    }
    let server = server_pid(data.path()).unwrap();
    postgres.stop().await.unwrap();
    assert!(!alive(server));
}

#[tokio::test]
async fn a_server_killed_during_a_stop_stays_down() {
    let data = directory();
    let postgres = LocalPostgres::start(data.path(), Durability::Full).await.unwrap();
    kill(server_pid(data.path()).unwrap());
    postgres.stop().await.unwrap();
    // Only a free lock lets this one start.
    LocalPostgres::start(data.path(), Durability::Full).await.unwrap().stop().await.unwrap();
}
