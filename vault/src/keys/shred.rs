//! Erasure: deletes a key, and with it every text under it.

use uuid::Uuid;

use super::KeyCache;
use crate::database::{Connection, Database};
use crate::sessions::Revoked;
use crate::{Unavailable, Vault};

/// Rows that one clean-up statement deletes, few enough for the time-out.
const CLEAN_UP: i64 = 5_000;

impl Vault {
    /// Erases the key of a message or an account; `false` when there was none. Cached keys vanish here at once, in
    /// other processes within 60 s.
    ///
    /// Erasing an account makes all its messages unreadable in the same transaction, removes its password and
    /// revokes its sessions.
    ///
    /// # Errors
    /// [`Unavailable`]: the key may or may not be gone; call it again.
    pub async fn shred(&self, key_id: Uuid) -> Result<bool, Unavailable> {
        let vault = self.clone();
        // A task, so that a caller who goes away can't leave a deleted key in the cache.
        crate::uninterrupted(async move {
            let cache = vault.0.keys.cache.clone();
            if shred_message(&vault.0.database, key_id).await.inspect_err(|_| forget(&cache, key_id))? {
                cache.forget(&key_id);
                return Ok(true);
            }
            let result = shred_account(&vault.0.database, key_id).await;
            // After a failure, too: the transaction may have committed before its answer was lost.
            forget(&cache, key_id);
            vault.0.keys.stock.clear(key_id);
            let (erased, revoked) = result?;
            vault.announce(revoked);
            if let Err(error) = clean_up(&vault.0.database, key_id).await {
                tracing::warn!(%key_id, error = ?error, "unreadable keys of an erased account remain");
            }
            Ok(erased)
        })
        .await
    }
}

fn forget(cache: &KeyCache, key_id: Uuid) {
    cache.forget_where(|id, known| *id == key_id || known.owner == key_id);
}

async fn shred_message(database: &Database, key_id: Uuid) -> Result<bool, Unavailable> {
    let connection = database.connection().await?;
    let work = async {
        let delete = "DELETE FROM vault.keys WHERE key_id = $1 AND owner <> $1";
        let delete = connection.prepare_cached(delete).await?;
        connection.execute(&delete, &[&key_id]).await
    };
    Ok(connection.within(work).await? > 0)
}

/// One statement, so one transaction: nothing of an erased account can outlive its key. Expired sessions count, too:
/// they hold the names of devices.
const SHRED_ACCOUNT: &str = "
    WITH erased AS (
        DELETE FROM vault.keys WHERE key_id = $1 AND owner = $1 RETURNING key_id
    ), password AS (
        DELETE FROM vault.passwords WHERE account = $1
    ), revoked AS (
        UPDATE vault.sessions SET revoked_at = now(), revocation = nextval('vault.revocations'), device = NULL
        WHERE account = $1 AND revoked_at IS NULL
        RETURNING id, token_digest, revocation
    )
    SELECT id, token_digest, revocation FROM revoked UNION ALL SELECT key_id, NULL, NULL FROM erased";

async fn shred_account(database: &Database, account: Uuid) -> Result<(bool, Vec<Revoked>), Unavailable> {
    let connection = database.connection().await?;
    let work = async {
        let (mut erased, mut revoked) = (false, Vec::new());
        for row in connection.query(SHRED_ACCOUNT, &[&account]).await? {
            match row.try_get::<_, Option<i64>>("revocation")? {
                Some(_) => revoked.push(Revoked::try_from(&row)?),
                None => erased = true,
            }
        }
        Ok((erased, revoked))
    };
    connection.within(work).await
}

/// Deletes the message keys that an erased account's key had wrapped. They are unreadable already.
async fn clean_up(database: &Database, owner: Uuid) -> Result<(), Unavailable> {
    while clean_up_some(&database.connection().await?, owner).await? == CLEAN_UP.unsigned_abs() {}
    Ok(())
}

async fn clean_up_some(connection: &Connection, owner: Uuid) -> Result<u64, Unavailable> {
    let delete = "DELETE FROM vault.keys WHERE key_id IN (
        SELECT key_id FROM vault.keys WHERE owner = $1 AND key_id <> $1 LIMIT $2
    )";
    connection.within(connection.execute(delete, &[&owner, &CLEAN_UP])).await
}
