//! Sessions: who holds a token, on which device, until when.

mod authenticate;
mod create;
mod purge;
mod revocations;
mod revoke;
mod token;
mod usage;

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::expiring_cache::ExpiringCache;
use crate::master_key::{MasterKey, Scope};
use crate::{Unavailable, Vault};

pub(crate) use revocations::Revocations;
pub(crate) use revoke::Revoked;
pub use token::SessionToken;

/// The longest that a session which another node has revoked may still be taken for live here.
const CACHED: std::time::Duration = std::time::Duration::from_secs(5);
const CAPACITY: usize = 50_000;

/// The most sessions that one list shows.
const LISTED: i64 = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: Uuid,
    pub account: Uuid,
    pub device: Option<String>,
    pub created_at: Timestamp,
    /// Up to some minutes old: it is written at most once a minute, and later than the use.
    pub last_used_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What a session begins with.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub id: Uuid,
    pub account: Uuid,
    /// What the person calls or sees as the device; cut after 200 characters, control characters are left out.
    pub device: Option<String>,
    /// The command's id, where a repeat of the command must answer the same session.
    pub command: Option<Uuid>,
    pub lifetime: SignedDuration,
}

pub(crate) struct Sessions {
    /// Makes the tokens of repeatable commands.
    token_key: zeroize::Zeroizing<[u8; 32]>,
    /// By digest of the token. Holds live sessions only: an unknown token costs a query each time, never memory.
    cache: ExpiringCache<[u8; 32], Session>,
    usage: usage::Usage,
    latest_time: purge::LatestTime,
    revocations: Revocations,
}

impl Sessions {
    pub(crate) fn new(master: &MasterKey, revocations: Revocations) -> Sessions {
        Sessions {
            token_key: zeroize::Zeroizing::new(master.derive(Scope::Internal, "session")),
            cache: ExpiringCache::new(CAPACITY, CACHED),
            usage: usage::Usage::default(),
            latest_time: purge::LatestTime::default(),
            revocations,
        }
    }
}

impl TryFrom<&Row> for Session {
    type Error = tokio_postgres::Error;

    /// Of `id, account, device, created_at, last_used_at, expires_at`.
    fn try_from(row: &Row) -> Result<Session, tokio_postgres::Error> {
        Ok(Session {
            id: row.try_get("id")?,
            account: row.try_get("account")?,
            device: row.try_get("device")?,
            created_at: row.try_get("created_at")?,
            last_used_at: row.try_get("last_used_at")?,
            expires_at: row.try_get("expires_at")?,
        })
    }
}

impl Vault {
    /// The live sessions of an account, the last used first; at most 1,000.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn sessions(&self, account: Uuid, now: Timestamp) -> Result<Vec<Session>, Unavailable> {
        let connection = self.0.database.connection().await?;
        let work = async {
            let select =
                "SELECT id, account, device, created_at, last_used_at, expires_at FROM vault.sessions
                          WHERE account = $1 AND revoked_at IS NULL AND expires_at > $2
                          ORDER BY last_used_at DESC, id DESC LIMIT $3";
            let select = connection.prepare_cached(select).await?;
            let rows = connection.query(&select, &[&account, &now, &LISTED]).await?;
            rows.iter().map(Session::try_from).collect()
        };
        connection.within(work).await
    }
}
