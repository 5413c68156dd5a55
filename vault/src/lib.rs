//! What must stay mutable and forgettable: keys, credentials and sessions, in the Postgres schema `vault`.
//!
//! The log is for ever, so personal text enters it sealed. This crate keeps the keys: one per message, wrapped by one
//! per account, wrapped by the server's [`MasterKey`]. Erasing a message or a person is deleting a row here; the log
//! and every proof over it stay as they are. A key that is gone is a tombstone ([`Opened::Erased`]); a vault that
//! can't answer is an error ([`Unavailable`]). The two are never confused.
//!
//! It must not put anything of this into the log, nor know what an event, a handle or a permission is. Nothing in the
//! database is readable without the master key: keys are wrapped, tokens hashed, passwords hashed under a key. What
//! has been forgotten is gone from the tables at once, from their pages after a vacuum, and from backups and archived
//! WAL when those are deleted: keep the vault's backups short.
//!
//! Several nodes may share a vault. What one of them revokes or erases, it forgets itself at once; others stop
//! honouring a session within two seconds and a cached key within sixty.
//!
//! Time is passed in where it is stored or compared with what is stored; caches and time-outs use the runtime's
//! monotonic clock. Every call ends within some seconds, whatever the database does, and works again when it does.
//!
//! To add something forgettable: a migration per object in `migrations/`, a file named after the noun with an
//! `impl Vault` block, its SQL beside the one function that runs it, and tests in `tests/` over a real Postgres. What
//! an erased account must lose goes into `keys/shred.rs`, into the same transaction.

mod background;
mod cipher;
mod database;
mod expiring_cache;
mod key_check;
mod keys;
mod master_key;
mod passwords;
mod random;
mod sealed;
mod sessions;
mod unavailable;

use std::collections::HashMap;
use std::sync::Arc;

use deadpool_postgres::Pool;
use parking_lot::RwLock;
use zeroize::Zeroizing;

use database::Database;
use master_key::Scope;

pub use keys::KeyError;
pub use master_key::{MasterKey, MasterKeyError};
pub use passwords::CredentialError;
pub use random::fill as fill_random;
pub use sealed::{Binding, OpenRequest, Opened, SealedText};
pub use sessions::{NewSession, Session, SessionToken};
pub use unavailable::Unavailable;

/// The vault of a database. Clones share everything.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    database: Database,
    master: MasterKey,
    /// The keys of `digest`, by purpose: deriving one costs more than using it.
    digests: RwLock<HashMap<&'static str, Zeroizing<[u8; 32]>>>,
    keys: keys::Keys,
    passwords: passwords::Passwords,
    sessions: sessions::Sessions,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the vault's tables cannot be brought up to date")]
    Migration(#[from] migrations::Error),
    #[error(
        "the master key is not the one this database was made with: put the original key file back from its backup, \
         or point the server to the database that belongs to this key"
    )]
    WrongMasterKey,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

const MIGRATIONS: &[migrations::Migration] = migrations::migrations![
    "0001_schema",
    "0002_master_key_check",
    "0003_keys",
    "0004_keys_owner",
    "0005_passwords",
    "0006_revocations",
    "0007_sessions",
    "0008_sessions_account",
    "0009_sessions_expires_at",
];

/// Brings the schema `vault` of the database at `url` up to date. [`Vault::open`] does it, too.
///
/// # Errors
/// Those of [`migrations::migrate`].
pub async fn migrate(url: &str) -> Result<(), migrations::Error> {
    migrations::migrate(url, "vault", MIGRATIONS).await?;
    Ok(())
}

impl Vault {
    /// Opens the vault of the database at `url`, to which `pool` leads as well. The first to open a new database
    /// claims it for its master key.
    ///
    /// # Errors
    /// [`OpenError::WrongMasterKey`] before anything is written under that key.
    pub async fn open(url: &str, pool: Pool, master: MasterKey) -> Result<Vault, OpenError> {
        migrate(url).await?;
        let database = Database::new(pool);
        key_check::check(&database, &master).await?;
        let revocations = sessions::Revocations::from_now(&database).await?;
        Ok(Vault(Arc::new(Inner {
            keys: keys::Keys::start(&database, &master),
            passwords: passwords::Passwords::new(&master),
            sessions: sessions::Sessions::new(&master, revocations),
            database,
            master,
            digests: RwLock::default(),
        })))
    }

    /// A key for `purpose`, the same for ever; keys of different purposes tell nothing about each other.
    pub fn derive_key(&self, purpose: &str) -> [u8; 32] {
        self.0.master.derive(Scope::Derived, purpose)
    }

    /// A keyed digest of `text`, by which something can be found again without being stored: a blind index.
    /// Purposes are literals, and so are few.
    pub fn digest(&self, purpose: &'static str, text: &str) -> [u8; 32] {
        if let Some(key) = self.0.digests.read().get(purpose) {
            return master_key::hmac(key, &[text.as_bytes()]);
        }
        let key = Zeroizing::new(self.0.master.derive(Scope::Digest, purpose));
        let digest = master_key::hmac(&key, &[text.as_bytes()]);
        self.0.digests.write().insert(purpose, key);
        digest
    }

    /// # Errors
    /// [`Unavailable`] when the database doesn't answer.
    pub async fn ping(&self) -> Result<(), Unavailable> {
        let connection = self.0.database.connection().await?;
        connection.within(connection.simple_query("SELECT 1")).await?;
        Ok(())
    }
}

/// Runs `work` to its end even when the caller goes away.
async fn uninterrupted<T: Send + 'static>(
    work: impl Future<Output = Result<T, Unavailable>> + Send + 'static,
) -> Result<T, Unavailable> {
    tokio::spawn(work).await.map_err(Unavailable::new)?
}
