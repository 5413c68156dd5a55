//! The failure that every call of the vault can have.

use std::error::Error;
use std::sync::Arc;

/// The vault's database cannot be reached, took too long, or holds what it cannot hold.
///
/// It says nothing about whether a key exists: show an error, never a tombstone, and try again.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the vault is unavailable")]
pub struct Unavailable(#[source] Arc<dyn Error + Send + Sync>);

impl Unavailable {
    pub(crate) fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Unavailable {
        Unavailable(Arc::from(source.into()))
    }
}

impl From<tokio_postgres::Error> for Unavailable {
    fn from(source: tokio_postgres::Error) -> Unavailable {
        Unavailable::new(source)
    }
}

impl From<deadpool_postgres::PoolError> for Unavailable {
    fn from(source: deadpool_postgres::PoolError) -> Unavailable {
        Unavailable::new(source)
    }
}
