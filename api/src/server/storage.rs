//! The database, and what stands on it: log, vault, read model, what accounts keep.

use std::sync::Arc;
use std::time::Duration;

use account_data::{AccountData, PaceClaim, Paced};
use anyhow::Context as _;
use async_trait::async_trait;
use commands::{Claim, Claimed};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use event_store::postgres::PostgresStore;
use event_store::{EventStore, Position, Unavailable};
use local_postgres::{Durability, LocalPostgres};
use projections::ReadModel;
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;
use vault::{MasterKey, Vault};

use crate::settings;

/// The longest that a query waits for a connection.
const POOL_WAIT: Duration = Duration::from_secs(5);

pub(super) struct Storage {
    /// Where Postgres is.
    pub(super) url: String,
    pub(super) store: Arc<dyn EventStore>,
    pub(super) vault: Vault,
    pub(super) account_data: AccountData,
    pub(super) read: ReadModel,
    postgres: Arc<PostgresStore>,
    pool: Pool,
    local: Option<LocalPostgres>,
}

impl Storage {
    pub(super) async fn open(
        settings: &settings::Storage,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Self> {
        let (url, local) = match settings.configured_url() {
            Some(url) => (url.to_owned(), None),
            None => {
                let local = LocalPostgres::start(&settings.data, Durability::Full).await;
                let local =
                    local.context("the private Postgres does not start (DATABASE_URL names another)")?;
                (local.url(), Some(local))
            }
        };
        let pool = pool(&url, settings.database_connections)?;
        let key = MasterKey::load_or_create(&settings.master_key_path())?;
        let vault = Vault::open(&url, pool.clone(), key).await.context("the vault cannot be opened")?;
        let account_data =
            AccountData::open(&url, pool.clone()).await.context("what accounts keep cannot be opened")?;
        let postgres = PostgresStore::connect(&url, pool.clone(), shutdown)
            .await
            .context("the event log cannot be opened")?;
        let read = ReadModel::prepare(&url, pool.clone(), postgres.log_id())
            .await
            .context("the read model cannot be prepared")?;
        Ok(Self { url, store: postgres.clone(), vault, account_data, read, postgres, pool, local })
    }

    /// Ends what is left, when nobody asks anything any more.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        let Self { postgres, pool, local, .. } = self;
        postgres.closed().await;
        pool.close();
        if let Some(local) = local {
            local.stop().await.context("the private Postgres does not stop")?;
        }
        Ok(())
    }
}

/// A pool of connections to the database at `url`.
///
/// # Errors
/// `url` is no connection string.
pub fn pool(url: &str, connections: usize) -> anyhow::Result<Pool> {
    let config: tokio_postgres::Config = url.parse().context("DATABASE_URL is not a connection string")?;
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    Pool::builder(Manager::from_config(config, NoTls, recycling))
        .max_size(connections.max(2))
        .wait_timeout(Some(POOL_WAIT))
        .create_timeout(Some(POOL_WAIT))
        .recycle_timeout(Some(POOL_WAIT))
        .runtime(Runtime::Tokio1)
        .build()
        .context("the connection pool cannot be made")
}

/// Where the settler keeps how far it has come: beside the read model.
pub(super) struct SettlerCheckpoint(pub(super) ReadModel);

const SETTLER: &str = "settler";

#[async_trait]
impl commands::Checkpoint for SettlerCheckpoint {
    async fn load(&self) -> Result<Position, Unavailable> {
        self.0.checkpoint_load(SETTLER).await.map_err(|error| Unavailable(Arc::new(error)))
    }

    async fn save(&self, position: Position) -> Result<(), Unavailable> {
        self.0.checkpoint_save(SETTLER, position).await.map_err(|error| Unavailable(Arc::new(error)))
    }
}

/// Where slow mode keeps who posted when: with what accounts keep.
pub(crate) struct Paces(pub(crate) AccountData);

fn of(claim: &Claim) -> PaceClaim {
    let Claim { account, channel, command, .. } = *claim;
    PaceClaim { account, channel, command }
}

#[async_trait]
impl commands::Pace for Paces {
    async fn claim(&self, claim: &Claim) -> Result<Claimed, Unavailable> {
        let paced = self.0.claim_pace(&of(claim), claim.now, claim.interval).await;
        Ok(match paced.map_err(|error| Unavailable(Arc::new(error)))? {
            Paced::Now => Claimed::Now,
            Paced::Before => Claimed::Before,
            Paced::NotBefore(then) => Claimed::NotBefore(then),
        })
    }

    async fn give_back(&self, claim: &Claim) -> Result<(), Unavailable> {
        self.0.give_pace_back(&of(claim)).await.map_err(|error| Unavailable(Arc::new(error)))
    }
}
