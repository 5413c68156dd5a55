//! Tells whose token it is.

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Session, SessionToken};
use crate::{Unavailable, Vault};

impl Vault {
    /// The live session of a token; `None` when it is unknown, expired or revoked.
    ///
    /// A revocation by this process counts at once; one by another node after two seconds where [`Vault::run`] runs,
    /// and after five in any case.
    ///
    /// # Errors
    /// [`Unavailable`]: nothing is known about the token.
    pub async fn authenticate(
        &self,
        token: &SessionToken,
        now: Timestamp,
    ) -> Result<Option<Session>, Unavailable> {
        let digest = token.digest();
        let sessions = &self.0.sessions;
        sessions.latest_time.note(now);
        let instant = Instant::now();
        let session = match sessions.cache.get(&digest, instant) {
            Some(session) => Some(session),
            None => {
                let ticket = sessions.cache.ticket(instant);
                let session = self.find_session(&digest).await?;
                if let Some(session) = &session {
                    sessions.cache.insert(ticket, digest, session.clone());
                }
                session
            }
        };
        let session = session.filter(|session| now < session.expires_at);
        if let Some(session) = &session {
            sessions.usage.note(session, now);
        }
        Ok(session)
    }

    /// The live session of a token that was looked up moments ago; `None` means that [`Self::authenticate`] must be
    /// asked. It honours revocations as that does.
    pub fn authenticate_from_memory(&self, token: &SessionToken, now: Timestamp) -> Option<Session> {
        let sessions = &self.0.sessions;
        let session = sessions.cache.get(&token.digest(), Instant::now())?;
        sessions.latest_time.note(now);
        if now >= session.expires_at {
            return None;
        }
        sessions.usage.note(&session, now);
        Some(session)
    }

    async fn find_session(&self, digest: &[u8; 32]) -> Result<Option<Session>, Unavailable> {
        let connection = self.0.database.connection().await?;
        let work = async {
            let select =
                "SELECT id, account, device, created_at, last_used_at, expires_at FROM vault.sessions
                          WHERE token_digest = $1 AND revoked_at IS NULL";
            let select = connection.prepare_cached(select).await?;
            let row = connection.query_opt(&select, &[&&digest[..]]).await?;
            row.as_ref().map(Session::try_from).transpose()
        };
        connection.within(work).await
    }
}
