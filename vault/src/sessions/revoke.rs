//! Ends sessions before their time.

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::{Unavailable, Vault};

/// A revocation as the database numbered it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Revoked {
    pub(super) session: Uuid,
    pub(super) digest: [u8; 32],
    pub(super) number: i64,
}

impl TryFrom<&Row> for Revoked {
    type Error = tokio_postgres::Error;

    /// Of `id, token_digest, revocation`.
    fn try_from(row: &Row) -> Result<Revoked, tokio_postgres::Error> {
        let digest: &[u8] = row.try_get("token_digest")?;
        Ok(Revoked {
            session: row.try_get("id")?,
            digest: digest.try_into().expect("sessions_token_digest_length holds"),
            number: row.try_get("revocation")?,
        })
    }
}

const REVOKE_ONE: &str = "
    UPDATE vault.sessions SET revoked_at = $3, revocation = nextval('vault.revocations'), device = NULL
    WHERE account = $1 AND id = $2 AND revoked_at IS NULL AND expires_at > $3
    RETURNING id, token_digest, revocation";

const REVOKE_OTHERS: &str = "
    UPDATE vault.sessions SET revoked_at = $3, revocation = nextval('vault.revocations'), device = NULL
    WHERE account = $1 AND id IS DISTINCT FROM $2 AND revoked_at IS NULL AND expires_at > $3
    RETURNING id, token_digest, revocation";

impl Vault {
    /// Revokes a session of `account`; `false` when the account has no such live session.
    ///
    /// # Errors
    /// [`Unavailable`]: it may or may not be revoked; call it again.
    pub async fn revoke_session(
        &self,
        account: Uuid,
        session: Uuid,
        now: Timestamp,
    ) -> Result<bool, Unavailable> {
        Ok(self.revoke(REVOKE_ONE, account, Some(session), now).await? > 0)
    }

    /// Revokes the sessions of `account`, all but `keep`; answers how many were live.
    ///
    /// # Errors
    /// [`Unavailable`]: they may or may not be revoked; call it again.
    pub async fn revoke_other_sessions(
        &self,
        account: Uuid,
        keep: Option<Uuid>,
        now: Timestamp,
    ) -> Result<u64, Unavailable> {
        self.revoke(REVOKE_OTHERS, account, keep, now).await
    }

    async fn revoke(
        &self,
        statement: &'static str,
        account: Uuid,
        session: Option<Uuid>,
        now: Timestamp,
    ) -> Result<u64, Unavailable> {
        let vault = self.clone();
        // A task, so that a caller who goes away can't leave a revoked session in the cache.
        crate::uninterrupted(async move {
            let connection = vault.0.database.connection().await?;
            let work = async {
                let statement = connection.prepare_cached(statement).await?;
                let parameters: [&(dyn ToSql + Sync); 3] = [&account, &session, &now];
                let rows = connection.query(&statement, &parameters).await?;
                rows.iter().map(Revoked::try_from).collect::<Result<Vec<_>, _>>()
            };
            let revoked = connection.within(work).await?;
            let count = revoked.len() as u64;
            vault.announce(revoked);
            Ok(count)
        })
        .await
    }
}
