//! Postgres, and what stands on it.

use std::time::Duration;

use account_data::AccountData;
use api::server::pool;
use api::settings::Storage;
use event_store::EventStore as _;
use event_store::postgres::PostgresStore;
use projections::ReadModel;
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;
use vault::{MasterKey, OpenError, Vault};

use super::Finding;

const PATIENCE: Duration = Duration::from_secs(10);
/// `server_version_num` of Postgres 15.
const OLDEST: i32 = 150_000;
/// Events that the read model may be behind before it is doubtful.
const LAG: u64 = 1_000;

/// The private Postgres runs with the server only, and starting it here could get in the server's way.
pub(super) async fn check(storage: &Storage) -> Vec<(&'static str, Finding)> {
    let Some(url) = storage.configured_url() else {
        let what = "a private one runs in the data directory while the server does";
        return vec![("postgres", Finding::Fine(what.to_owned()))];
    };
    let postgres = match tokio::time::timeout(PATIENCE, version(url)).await {
        Ok(Ok(version)) if version >= OLDEST => {
            Finding::Fine(format!("version {} answers", version / 10_000))
        }
        Ok(Ok(version)) => {
            let what = format!("version {} is too old", version / 10_000);
            return vec![("postgres", Finding::wrong(what, "Upgrade Postgres to 15 or newer."))];
        }
        Ok(Err(error)) => {
            let mend = "Check DATABASE_URL, that Postgres runs, and that pg_hba.conf lets this machine in.";
            return vec![("postgres", Finding::wrong(format!("cannot be reached: {error:#}"), mend))];
        }
        Err(_) => {
            let mend = "Check the host and port in DATABASE_URL and the firewall between.";
            return vec![("postgres", Finding::wrong("does not answer within 10 seconds", mend))];
        }
    };
    let mut findings = vec![("postgres", postgres)];
    if !storage.master_key_path().exists() {
        let what = "not looked at: the server has not been started with this key file yet";
        findings.push(("vault", Finding::Fine(what.to_owned())));
        return findings;
    }
    findings.extend(contents(url, storage).await);
    findings
}

async fn version(url: &str) -> anyhow::Result<i32> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    // A parameter of the server, not a query over data.
    let row = client.query_one("SHOW server_version_num", &[]).await?;
    Ok(row.get::<_, &str>(0).parse()?)
}

async fn contents(url: &str, storage: &Storage) -> Vec<(&'static str, Finding)> {
    let mend = "The error says more; `echoverse migrate` brings the tables up to date.";
    let opened = async {
        let pool = pool(url, 4)?;
        let key = MasterKey::load_or_create(&storage.master_key_path())?;
        anyhow::Ok((pool.clone(), Vault::open(url, pool, key).await))
    };
    let (pool, vault) = match opened.await {
        Ok(opened) => opened,
        Err(error) => return vec![("vault", Finding::wrong(format!("{error:#}"), mend))],
    };
    let vault = match vault {
        Ok(_) => Finding::Fine("the master key is this database's".to_owned()),
        Err(error @ OpenError::WrongMasterKey) => Finding::wrong(
            error.to_string(),
            "Nothing was changed: no text is lost while the right key exists.",
        ),
        Err(error) => Finding::wrong(format!("{:#}", anyhow::Error::from(error)), mend),
    };
    let account_data = match AccountData::open(url, pool.clone()).await {
        Ok(_) => Finding::Fine("its tables are up to date".to_owned()),
        Err(error) => Finding::wrong(format!("{:#}", anyhow::Error::from(error)), mend),
    };
    vec![("vault", vault), ("account data", account_data), ("read model", read_model(url, pool).await)]
}

async fn read_model(url: &str, pool: deadpool_postgres::Pool) -> Finding {
    let mend = "The error says more; `echoverse migrate` brings the tables up to date.";
    let found = async {
        let store = PostgresStore::connect(url, pool.clone(), CancellationToken::new()).await?;
        let read = ReadModel::prepare(url, pool, store.log_id()).await?;
        anyhow::Ok((store.head().await?, read.health().await?))
    };
    match found.await {
        Err(error) => Finding::wrong(format!("cannot be looked at: {error:#}"), mend),
        Ok((_, health)) if health.halted.is_some() => Finding::wrong(
            format!("is halted: {}", health.halted.unwrap_or_default()),
            "Upgrade the server: an event in the log is newer than this program, or report it as a fault.",
        ),
        Ok((head, health)) if head.0.saturating_sub(health.position.0) > LAG => Finding::doubtful(
            format!("is {} events behind the log", head.0 - health.position.0),
            "Fine while the server catches up or is off; else its log says what holds it up.",
        ),
        Ok(_) => Finding::Fine("is up to date with the log".to_owned()),
    }
}
