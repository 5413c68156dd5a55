//! Starting, stopping and refusing.

mod support;

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use local_postgres::{Durability, Error, LocalPostgres};
use support::{Run, client, directory, eventually, server_pid};

#[tokio::test]
async fn a_restart_keeps_rows() {
    let data = directory();
    let data = data.path().join("data");
    let postgres = LocalPostgres::start(&data, Durability::Full).await.unwrap();
    let session = client(&postgres.url()).await;
    session.batch_execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)").await.unwrap();
    postgres.stop().await.unwrap();
    assert_eq!(server_pid(&data), None, "a shutdown removes the pid file");

    let postgres = LocalPostgres::start(&data, Durability::Full).await.unwrap();
    let row = client(&postgres.url()).await.query_one("SELECT n FROM kept", &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 7);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn the_server_is_durable_private_and_speaks_unicode() {
    let data = directory();
    let postgres = LocalPostgres::start(data.path(), Durability::Full).await.unwrap();
    let session = client(&postgres.url()).await;
    for (setting, wanted) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
    ] {
        let row = session.query_one("SELECT current_setting($1)", &[&setting]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), wanted, "{setting}");
    }
    let home = std::fs::metadata(data.path().join("postgres")).unwrap();
    assert_eq!(home.mode() & 0o777, 0o700);
    assert_ne!(home.uid(), 0, "the server never runs as root");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_start_is_told_who_runs() {
    let data = directory();
    let first = Run::start(data.path());
    let refused = LocalPostgres::start(data.path(), Durability::Full).await.unwrap_err();
    let named = format!("process {}", first.pid());
    assert!(refused.to_string().contains(&named), "{refused}");
    assert!(matches!(refused, Error::AlreadyRunning { pid, .. } if pid == first.pid()));
    client(&first.url).await;
}

#[tokio::test]
async fn a_dropped_server_stops_and_can_be_started_at_once() {
    let data = directory();
    let postgres = LocalPostgres::start(data.path(), Durability::Full).await.unwrap();
    let pid = server_pid(data.path()).unwrap();
    drop(postgres);
    let postgres = LocalPostgres::start(data.path(), Durability::Full).await.unwrap();
    assert!(!support::alive(pid));
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_gets_one_elsewhere() {
    let data = directory();
    let data = data.path().join("d".repeat(120));
    let postgres = LocalPostgres::start(&data, Durability::Full).await.unwrap();
    client(&postgres.url()).await;
    let config: tokio_postgres::Config = postgres.url().parse().unwrap();
    let [tokio_postgres::config::Host::Unix(socket)] = config.get_hosts() else { panic!("one socket") };
    assert!(!socket.starts_with(&data));
    assert_eq!(std::fs::metadata(socket).unwrap().mode() & 0o777, 0o700);
    let socket = socket.clone();
    postgres.stop().await.unwrap();
    assert!(!socket.exists(), "a socket directory of its own is removed");
}

#[tokio::test]
async fn a_path_with_spaces_and_commas_works() {
    let data = directory();
    let data = data.path().join("my data, 'quoted' é");
    let postgres = LocalPostgres::start(&data, Durability::Full).await.unwrap();
    client(&postgres.url()).await;
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_directory_closed_to_the_servers_user_is_named() {
    if !rustix::process::geteuid().is_root() {
        return; // Everybody else runs the server as themselves.
    }
    let data = directory();
    let closed = data.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    let refused = LocalPostgres::start(&closed.join("data"), Durability::Full).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Unreachable { directory, .. } if *directory == closed.canonicalize().unwrap())
    );
    assert!(refused.to_string().contains("chmod o+x"), "{refused}");
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let data = directory();
    LocalPostgres::start(data.path(), Durability::Full).await.unwrap().stop().await.unwrap();
    let settings = data.path().join("postgres/cluster/postgresql.auto.conf");
    std::fs::write(&settings, "no_such_setting = on\n").unwrap();
    let refused = LocalPostgres::start(data.path(), Durability::Full).await.unwrap_err();
    assert!(
        matches!(&refused, Error::DidNotStart { tail, .. } if tail.contains("no_such_setting")),
        "{refused}"
    );

    std::fs::write(&settings, "").unwrap();
    LocalPostgres::start(data.path(), Durability::Full).await.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_of_another_version_is_refused() {
    let data = directory();
    LocalPostgres::start(data.path(), Durability::Full).await.unwrap().stop().await.unwrap();
    std::fs::write(data.path().join("postgres/cluster/PG_VERSION"), "9\n").unwrap();
    let refused = LocalPostgres::start(data.path(), Durability::Full).await.unwrap_err();
    assert!(matches!(refused, Error::ClusterVersion { made_by: 9, .. }), "{refused}");
}

#[tokio::test]
async fn an_interrupted_first_start_is_started_over() {
    let data = directory();
    let unfinished = data.path().join("postgres/cluster.new");
    std::fs::create_dir_all(unfinished.join("base")).unwrap();
    let postgres = LocalPostgres::start(data.path(), Durability::Full).await.unwrap();
    client(&postgres.url()).await;
    eventually("the unfinished cluster is gone", || !unfinished.exists());
    postgres.stop().await.unwrap();
}
