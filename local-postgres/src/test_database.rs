//! Databases for tests: cloned from a template, so that each test has its own in a tenth of a second.

use std::fmt::Debug;
use std::future::Future;

use tokio::sync::OnceCell;
use tokio_postgres::{Client, Config, config::Host};

use crate::server::{Durability, connect};
use crate::throwaway::{TEST_CLUSTER_VARIABLE, ThrowawayCluster};

/// The cluster of this process, when no other is named. Never dropped: it ends with the process.
static CLUSTER: OnceCell<ThrowawayCluster> = OnceCell::const_new();

/// First half of the advisory lock that guards templates; the second is the hash of the template's name.
const LOCK_CLASS: i32 = 0x6563_6f76;

/// A database of one test's own. Dropping it removes the database, in the background and at best effort: sessions
/// that are still open are ended.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    maintenance: String,
    name: String,
}

impl TestDatabase {
    /// A new database with what `prepare` (migrations, usually) has put in the template `name`.
    ///
    /// `prepare` gets the connection string of an empty database and runs once per cluster and name, whatever
    /// number of test processes ask at once. In a cluster that outlives the test run, a changed `prepare` needs a new
    /// name. A name consists of lower-case letters, digits and `_`.
    ///
    /// # Panics
    /// When the cluster or the database cannot be made, or `prepare` fails: a test cannot go on without.
    pub async fn from_template<F, Fut, E>(name: &str, prepare: F) -> TestDatabase
    where
        F: FnOnce(String) -> Fut,
        Fut: Future<Output = Result<(), E>>,
        E: Debug,
    {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(name.chars().all(plain) && name.len() <= 40, "not a template name: {name:?}");
        let maintenance = maintenance_url().await;
        let admin = connect(&maintenance).await.expect("the test cluster takes connections");
        let template = format!("tmpl_{name}");
        if !exists(&admin, &template).await {
            make_template(&admin, &maintenance, &template, prepare).await;
        }
        let name = random_name();
        run(&admin, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        TestDatabase { url: with_database(&maintenance, &name), maintenance, name }
    }

    /// The connection string of the database, in the key-value form of libpq.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let maintenance = std::mem::take(&mut self.maintenance);
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // On a thread of its own: the test's runtime is about to end.
        let thread = std::thread::Builder::new().name("drop-test-database".to_owned());
        let _ = thread.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(async {
                    if let Ok(admin) = connect(&maintenance).await {
                        let _ = admin.batch_execute(&statement).await;
                    }
                });
            }
        });
    }
}

async fn maintenance_url() -> String {
    match std::env::var(TEST_CLUSTER_VARIABLE) {
        Ok(url) if !url.is_empty() => url,
        _ => {
            let start = || ThrowawayCluster::start(Durability::None);
            let cluster = CLUSTER.get_or_try_init(start).await;
            cluster.unwrap_or_else(|error| panic!("no Postgres for tests: {error}")).url()
        }
    }
}

/// Makes the template unless another process does. It gets its name when it is complete and closed to sessions, so
/// that whoever sees the name can clone it.
async fn make_template<F, Fut, E>(admin: &Client, maintenance: &str, template: &str, prepare: F)
where
    F: FnOnce(String) -> Fut,
    Fut: Future<Output = Result<(), E>>,
    E: Debug,
{
    // Held by the session: a test process that dies while it prepares gives it back.
    run(admin, &format!("SELECT pg_advisory_lock({LOCK_CLASS}, hashtext('{template}'))")).await;
    if !exists(admin, template).await {
        let unfinished = format!("{template}_unfinished");
        run(admin, &format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")).await;
        run(admin, &format!("CREATE DATABASE {unfinished} TEMPLATE template0")).await;
        let prepared = prepare(with_database(maintenance, &unfinished)).await;
        prepared.unwrap_or_else(|error| panic!("the template {template} cannot be prepared: {error:?}"));
        run(admin, &format!("ALTER DATABASE {unfinished} WITH ALLOW_CONNECTIONS false")).await;
        // What `prepare` opened may still be closing; a database with sessions cannot be renamed.
        let sessions = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname";
        run(admin, &format!("{sessions} = '{unfinished}'")).await;
        run(admin, &format!("ALTER DATABASE {unfinished} RENAME TO {template}")).await;
    }
    run(admin, &format!("SELECT pg_advisory_unlock({LOCK_CLASS}, hashtext('{template}'))")).await;
}

async fn exists(admin: &Client, database: &str) -> bool {
    let query = "SELECT 1 FROM pg_database WHERE datname = $1";
    admin.query_opt(query, &[&database]).await.expect("the list of databases").is_some()
}

/// Runs statements whose names are ours or checked, and so need no quoting.
async fn run(admin: &Client, statement: &str) {
    let result = admin.batch_execute(statement).await;
    result.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
}

fn random_name() -> String {
    let number = getrandom::u64().expect("the operating system has randomness");
    format!("t_{number:016x}")
}

/// The same connection string for another database, in key-value form.
///
/// # Panics
/// When the string in the environment is not a connection string.
fn with_database(url: &str, database: &str) -> String {
    let config: Config = url.parse().expect("a Postgres connection string");
    let mut parts = Vec::new();
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    parts.push(("host", hosts.join(",")));
    let ports: Vec<String> = config.get_ports().iter().map(u16::to_string).collect();
    if !ports.is_empty() {
        parts.push(("port", ports.join(",")));
    }
    if let Some(user) = config.get_user() {
        parts.push(("user", user.to_owned()));
    }
    if let Some(password) = config.get_password() {
        parts.push(("password", String::from_utf8_lossy(password).into_owned()));
    }
    parts.push(("dbname", database.to_owned()));
    let quoted = parts.iter().map(|(key, value)| {
        let escaped = value.replace('\\', r"\\").replace('\'', r"\'");
        format!("{key}='{escaped}'")
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_connection_strings_are_pointed_to_another_database() {
        let url = with_database("postgres://ann:it's@db.example:5433/postgres", "t_1");
        assert_eq!(url, r"host='db.example' port='5433' user='ann' password='it\'s' dbname='t_1'");
        let config: Config = url.parse().unwrap();
        assert_eq!(config.get_password(), Some("it's".as_bytes()));

        let url = with_database("host=/run/socket port=5432 user=echoverse dbname=postgres", "t_2");
        assert_eq!(url, "host='/run/socket' port='5432' user='echoverse' dbname='t_2'");
    }
}
