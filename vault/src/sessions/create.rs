//! Begins sessions.

use jiff::Timestamp;
use uuid::Uuid;

use super::{NewSession, Session, SessionToken};
use crate::master_key::hmac;
use crate::{Unavailable, Vault, random};

/// The most characters of a device's name.
const DEVICE: usize = 200;

impl Vault {
    /// Begins a session, after the caller has found out who asks for it.
    ///
    /// With `command`, a repeat for the same account answers the first session and its token, whatever else it says:
    /// also when that session has been revoked, and so the token no longer opens anything.
    ///
    /// # Errors
    /// [`Unavailable`], also where the session's id is taken.
    pub async fn create_session(
        &self,
        new: NewSession,
        now: Timestamp,
    ) -> Result<(SessionToken, Session), Unavailable> {
        let token = self.new_token(new.account, new.command);
        let digest = token.digest();
        let device = new.device.as_deref().map(clean);
        let expires_at = now.saturating_add(new.lifetime).map_err(Unavailable::new)?;

        let connection = self.0.database.connection().await?;
        let work = async {
            let insert = "INSERT INTO vault.sessions
                              (id, account, token_digest, device, created_at, last_used_at, expires_at)
                          VALUES ($1, $2, $3, $4, $5, $5, $6)
                          ON CONFLICT DO NOTHING
                          RETURNING id, account, device, created_at, last_used_at, expires_at";
            let insert = connection.prepare_cached(insert).await?;
            let digest = &digest[..];
            let row = connection
                .query_opt(&insert, &[&new.id, &new.account, &digest, &device, &now, &expires_at])
                .await?;
            match row {
                Some(row) => Session::try_from(&row).map(Some),
                None => {
                    let select = "SELECT id, account, device, created_at, last_used_at, expires_at
                                  FROM vault.sessions WHERE token_digest = $1 AND account = $2";
                    let row = connection.query_opt(select, &[&digest, &new.account]).await?;
                    row.as_ref().map(Session::try_from).transpose()
                }
            }
        };
        let session = connection.within(work).await?;
        let session =
            session.ok_or_else(|| Unavailable::new(format!("the session id {} is taken", new.id)))?;
        Ok((token, session))
    }

    /// The account goes into a command's token: commands are named by clients, and two accounts that use one name must
    /// not come to share a token.
    fn new_token(&self, account: Uuid, command: Option<Uuid>) -> SessionToken {
        SessionToken::from_bytes(match command {
            None => random::bytes(),
            Some(command) => hmac(&self.0.sessions.token_key, &[account.as_bytes(), command.as_bytes()]),
        })
    }
}

fn clean(device: &str) -> String {
    device.chars().filter(|c| !c.is_control()).take(DEVICE).collect()
}
