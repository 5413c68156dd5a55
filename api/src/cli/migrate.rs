//! `echoverse migrate`: for whoever deploys the database's changes before the program.

use anyhow::Context as _;
use api::server;
use api::settings::Storage;
use clap::Args;
use event_store::EventStore as _;
use event_store::postgres::PostgresStore;
use local_postgres::{Durability, LocalPostgres};
use projections::ReadModel;
use tokio_util::sync::CancellationToken;
use vault::{MasterKey, Vault};

#[derive(Args)]
pub(crate) struct Migrate {
    #[command(flatten)]
    storage: Storage,
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let database = Database::open(&self.storage).await?;
        // Dropped with its connections before the private Postgres ends.
        let log = database.prepare(&self.storage).await?.store.log_id().0;
        tracing::info!(%log, "the database is up to date");
        database.close().await
    }
}

/// The configured Postgres, or the private one, started for the time of a command.
pub(super) struct Database {
    pub(super) url: String,
    local: Option<LocalPostgres>,
}

/// All that stands on a database.
pub(super) struct Prepared {
    pub(super) store: std::sync::Arc<PostgresStore>,
    pub(super) vault: Vault,
}

impl Database {
    pub(super) async fn open(storage: &Storage) -> anyhow::Result<Self> {
        if let Some(url) = storage.configured_url() {
            return Ok(Self { url: url.to_owned(), local: None });
        }
        let local = LocalPostgres::start(&storage.data, Durability::Full).await;
        let local = local.context("the private Postgres does not start: is the server running?")?;
        Ok(Self { url: local.url(), local: Some(local) })
    }

    /// Migrates and opens everything.
    pub(super) async fn prepare(&self, storage: &Storage) -> anyhow::Result<Prepared> {
        let pool = server::pool(&self.url, storage.database_connections)?;
        let key = MasterKey::load_or_create(&storage.master_key_path())?;
        let vault = Vault::open(&self.url, pool.clone(), key).await.context("the vault cannot be opened")?;
        account_data::migrate(&self.url).await.context("what accounts keep cannot be brought up to date")?;
        let shutdown = CancellationToken::new();
        let store = PostgresStore::connect(&self.url, pool.clone(), shutdown).await;
        let store = store.context("the event log cannot be opened")?;
        let log_id = store.log_id();
        let read = ReadModel::prepare(&self.url, pool, log_id).await;
        read.context("the read model cannot be prepared")?;
        Ok(Prepared { store, vault })
    }

    pub(super) async fn close(self) -> anyhow::Result<()> {
        match self.local {
            Some(local) => local.stop().await.context("the private Postgres does not stop"),
            None => Ok(()),
        }
    }
}
