//! Keys of accounts and messages: made, found, erased; and the texts under them.
//!
//! An account's key is wrapped by the master key, a message's by its owner's. So deleting one row erases an account's
//! every text, and deleting another erases one message's.

mod find;
mod shred;
mod stock;
mod text;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use uuid::Uuid;

use crate::cipher::SecretKey;
use crate::database::Database;
use crate::expiring_cache::ExpiringCache;
use crate::master_key::{MasterKey, Scope};
use crate::{Unavailable, Vault};

pub(crate) use writer::NewKey;

/// How long a key that another node has erased may still open texts here.
const LIFETIME: Duration = Duration::from_secs(60);

const CAPACITY: usize = 100_000;

#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyError {
    /// The owner's key is gone, and with it every text that could be sealed for them.
    #[error("the owner of this key has been erased")]
    OwnerErased,
    #[error("this key has been erased or was never made")]
    KeyErased,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

pub(crate) type KeyCache = ExpiringCache<Uuid, KnownKey>;

#[derive(Clone)]
pub(crate) struct KnownKey {
    /// The key's own id where it is an account's.
    pub(crate) owner: Uuid,
    pub(crate) key: SecretKey,
}

pub(crate) struct Keys {
    master: SecretKey,
    cache: Arc<KeyCache>,
    writer: mpsc::Sender<NewKey>,
    pub(crate) stock: stock::Stock,
}

impl Keys {
    /// Starts the writer task, which ends when this is dropped.
    pub(crate) fn start(database: &Database, master: &MasterKey) -> Keys {
        let cache = Arc::new(KeyCache::new(CAPACITY, LIFETIME));
        let writer = writer::start(database.clone(), cache.clone());
        let stock = stock::Stock::default();
        Keys { master: SecretKey::new(master.derive(Scope::Internal, "wrap")), cache, writer, stock }
    }
}

impl Vault {
    /// Makes the key of an account. Does nothing where it exists; durable when it returns.
    ///
    /// # Errors
    /// [`Unavailable`]: the key may or may not have been made; call it again.
    pub async fn create_account_key(&self, account: Uuid) -> Result<(), Unavailable> {
        let key = SecretKey::random();
        let wrapped = self.0.keys.master.wrap(account, account, &key);
        let ticket = self.0.keys.cache.ticket(tokio::time::Instant::now());
        let connection = self.0.database.connection().await?;
        let inserted = connection
            .within(async {
                let insert = "INSERT INTO vault.keys (key_id, owner, wrapped) VALUES ($1, $1, $2)
                              ON CONFLICT ON CONSTRAINT keys_pkey DO NOTHING";
                let insert = connection.prepare_cached(insert).await?;
                connection.execute(&insert, &[&account, &wrapped]).await
            })
            .await?;
        if inserted == 1 {
            self.0.keys.cache.insert(ticket, account, KnownKey { owner: account, key });
        }
        Ok(())
    }

    /// Makes the key of a message of `owner`. Does nothing where it exists; durable when it returns. Sealing under it
    /// right afterwards needs no query.
    ///
    /// # Errors
    /// [`KeyError::OwnerErased`] also where `owner` never had a key: decided by the very transaction that would have
    /// made the key, so that no key appears after the owner's erasure. [`KeyError::Unavailable`] also where the
    /// message's key belongs to somebody else.
    pub async fn create_message_key(&self, message: Uuid, owner: Uuid) -> Result<(), KeyError> {
        let now = tokio::time::Instant::now();
        if self.0.keys.cache.get(&message, now).is_some_and(|known| known.owner == owner) {
            return Ok(());
        }
        self.create_message_keys(&[message], owner).await?.into_iter().collect()
    }

    /// Makes the keys of several messages of `owner`, as [`Self::create_message_key`] makes one; the results come in
    /// their order.
    pub(crate) async fn create_message_keys(
        &self,
        messages: &[Uuid],
        owner: Uuid,
    ) -> Result<Vec<Result<(), KeyError>>, KeyError> {
        let Some(outer) = self.find_key(owner).await? else { return Err(KeyError::OwnerErased) };
        if outer.owner != owner {
            return Err(KeyError::OwnerErased);
        }
        let made = messages.iter().map(|message| {
            let key = SecretKey::random();
            let wrapped = outer.key.wrap(*message, owner, &key);
            writer::Made { message: *message, wrapped, key }
        });
        Ok(writer::write(&self.0.keys.writer, owner, made.collect()).await?)
    }
}
