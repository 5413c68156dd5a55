//! Notices a master key that doesn't belong to this database, before anything is written under it.

use subtle::ConstantTimeEq;

use crate::database::Database;
use crate::master_key::{MasterKey, Scope};
use crate::{OpenError, Unavailable};

/// The first node to open a database claims it for its key.
pub(crate) async fn check(database: &Database, master: &MasterKey) -> Result<(), OpenError> {
    let value = master.derive(Scope::Internal, "check");
    if stored(database, &value).await?.ct_eq(&value).into() { Ok(()) } else { Err(OpenError::WrongMasterKey) }
}

async fn stored(database: &Database, value: &[u8; 32]) -> Result<Vec<u8>, Unavailable> {
    let connection = database.connection().await?;
    let value = &value[..];
    let work = async {
        let insert = "INSERT INTO vault.master_key_check (value) VALUES ($1) ON CONFLICT DO NOTHING";
        connection.execute(insert, &[&value]).await?;
        // A second statement: the first one's snapshot may not see the row that made it do nothing.
        connection.query_one("SELECT value FROM vault.master_key_check", &[]).await?.try_get(0)
    };
    connection.within(work).await
}
