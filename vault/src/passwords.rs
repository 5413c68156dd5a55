//! Passwords: argon2id hashes, keyed by the master key, and a bound on how many are computed at once.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::master_key::{MasterKey, Scope};
use crate::{Unavailable, Vault, random};

/// OWASP's second recommendation for argon2id: 19 MiB, two passes, one lane.
const PARAMS: Params = Params::DEFAULT;

/// Callers that may wait for a core, for each core.
const WAITERS: usize = 32;
const WAIT: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, thiserror::Error)]
pub enum CredentialError {
    /// More passwords are being checked than this machine has time for: try again in a few seconds.
    #[error("too many passwords are being checked")]
    Busy,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

pub(crate) struct Passwords {
    /// Keys the hashes, so that a stolen database can't be searched for weak passwords without the master key.
    pepper: Arc<Zeroizing<[u8; 32]>>,
    /// What a caller holds who waits or hashes.
    places: Semaphore,
    cores: Arc<Semaphore>,
}

impl Passwords {
    pub(crate) fn new(master: &MasterKey) -> Passwords {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Passwords {
            pepper: Arc::new(Zeroizing::new(master.derive(Scope::Internal, "password"))),
            places: Semaphore::new(cores * (1 + WAITERS)),
            cores: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Runs `work` on a thread for blocking work, as many at once as there are cores.
    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'_>) -> T + Send + 'static,
    ) -> Result<T, CredentialError> {
        let _place = self.places.try_acquire().map_err(|_| CredentialError::Busy)?;
        let core: OwnedSemaphorePermit = tokio::time::timeout(WAIT, self.cores.clone().acquire_owned())
            .await
            .map_err(|_| CredentialError::Busy)?
            .expect("the semaphore is never closed");
        let pepper = self.pepper.clone();
        let computed = tokio::task::spawn_blocking(move || {
            // Held by the work itself, which goes on when the caller goes away.
            let _core = core;
            let argon2 = Argon2::new_with_secret(&pepper[..], Algorithm::Argon2id, Version::V0x13, PARAMS);
            work(&argon2.expect("32 bytes are a valid secret"))
        });
        computed.await.map_err(|error| Unavailable::new(error).into())
    }
}

impl Vault {
    /// Replaces the password of an account. What a password must be is the caller's business.
    ///
    /// # Errors
    /// [`CredentialError`]; after `Unavailable` either password may be in force.
    pub async fn set_password(
        &self,
        account: Uuid,
        password: &str,
        now: Timestamp,
    ) -> Result<(), CredentialError> {
        let password = Zeroizing::new(password.as_bytes().to_vec());
        let hash = self.0.passwords.compute(move |argon2| {
            argon2.hash_password_with_salt(&password, &random::bytes::<16>()).map(|hash| hash.to_string())
        });
        let hash = hash.await?.map_err(|error| Unavailable::new(error.to_string()))?;
        let connection = self.0.database.connection().await?;
        let work = async {
            let upsert = "INSERT INTO vault.passwords (account, hash, changed_at) VALUES ($1, $2, $3)
                          ON CONFLICT ON CONSTRAINT passwords_pkey
                          DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at";
            let upsert = connection.prepare_cached(upsert).await?;
            connection.execute(&upsert, &[&account, &hash, &now]).await
        };
        connection.within(work).await?;
        Ok(())
    }

    /// Whether `password` is the account's. Without an account, or for one without a password, it does the same work
    /// and answers `false`, so that the time tells nothing about who has an account.
    ///
    /// # Errors
    /// [`CredentialError`]: nothing is known about the password.
    pub async fn verify_password(
        &self,
        account: Option<Uuid>,
        password: &str,
    ) -> Result<bool, CredentialError> {
        // An account that doesn't exist is looked up as well: the nil id is nobody's.
        let stored = self.password_hash(account.unwrap_or_default()).await?;
        let password = Zeroizing::new(password.as_bytes().to_vec());
        let verified = self.0.passwords.compute(move |argon2| match stored {
            Some(hash) => {
                let hash = PasswordHash::new(&hash).map_err(|error| Unavailable::new(error.to_string()))?;
                Ok(argon2.verify_password(&password, &hash).is_ok())
            }
            None => {
                let _ = argon2.verify_password(&password, &dummy());
                Ok(false)
            }
        });
        verified.await?
    }

    async fn password_hash(&self, account: Uuid) -> Result<Option<String>, Unavailable> {
        let connection = self.0.database.connection().await?;
        let work = async {
            let select = "SELECT hash FROM vault.passwords WHERE account = $1";
            let select = connection.prepare_cached(select).await?;
            connection.query_opt(&select, &[&account]).await?.map(|row| row.try_get(0)).transpose()
        };
        connection.within(work).await
    }
}

/// The hash of no password in particular, as costly to check as any.
fn dummy() -> PasswordHash {
    PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&PARAMS).expect("the parameters have a text form"),
        salt: Some(Salt::new(&random::bytes::<16>()).expect("16 bytes are a valid salt")),
        hash: Some(Output::new(&random::bytes::<32>()).expect("32 bytes are a valid hash")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dummy_costs_what_a_real_hash_costs() {
        let argon2 = Argon2::new_with_secret(&[1; 32], Algorithm::Argon2id, Version::V0x13, PARAMS).unwrap();
        let real = argon2.hash_password_with_salt(b"password", &[2; 16]).unwrap();
        assert_eq!(real.params.to_string(), "m=19456,t=2,p=1");
        let cost = |hash: &PasswordHash| {
            let lengths =
                (hash.salt.as_ref().map(|salt| salt.len()), hash.hash.as_ref().map(|hash| hash.len()));
            (hash.algorithm.to_string(), hash.version, hash.params.to_string(), lengths)
        };
        assert_eq!(cost(&dummy()), cost(&real));
    }

    #[tokio::test]
    async fn callers_beyond_the_places_are_told_at_once_that_the_server_is_busy() {
        let passwords = Passwords::new(&MasterKey::from_bytes([1; 32]));
        let places = u32::try_from(passwords.places.available_permits()).unwrap();
        let taken = passwords.places.acquire_many(places).await.unwrap();
        assert!(matches!(passwords.compute(|_| ()).await, Err(CredentialError::Busy)));
        drop(taken);
        assert!(passwords.compute(|_| ()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_waits_too_long_for_a_core_is_told_that_the_server_is_busy() {
        let passwords = Passwords::new(&MasterKey::from_bytes([1; 32]));
        let cores = u32::try_from(passwords.cores.available_permits()).unwrap();
        let _taken = passwords.cores.acquire_many(cores).await.unwrap();
        let start = tokio::time::Instant::now();
        assert!(matches!(passwords.compute(|_| ()).await, Err(CredentialError::Busy)));
        assert!(start.elapsed() >= WAIT);
    }
}
