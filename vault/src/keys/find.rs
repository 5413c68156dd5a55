//! Looks keys up: in the cache, else in one query.

use std::collections::HashMap;

use tokio::time::Instant;
use tokio_postgres::Row;
use uuid::Uuid;

use super::KnownKey;
use crate::{Unavailable, Vault};

/// A key that exists.
pub(super) enum Found {
    Known(KnownKey),
    /// Its row can't be unwrapped: the database was altered.
    Corrupt,
}

impl Vault {
    /// `None` when it doesn't exist or its owner is erased.
    pub(super) async fn find_key(&self, key_id: Uuid) -> Result<Option<KnownKey>, Unavailable> {
        match self.find_keys([key_id].into_iter()).await?.remove(&key_id) {
            None => Ok(None),
            Some(Found::Known(known)) => Ok(Some(known)),
            Some(Found::Corrupt) => Err(Unavailable::new(format!("the stored key {key_id} was altered"))),
        }
    }

    /// Those of `key_ids` that exist and whose owners aren't erased.
    pub(super) async fn find_keys(
        &self,
        key_ids: impl Iterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, Found>, Unavailable> {
        let cache = &self.0.keys.cache;
        let now = Instant::now();
        let mut found = HashMap::new();
        let mut missing = Vec::new();
        for key_id in key_ids {
            match cache.get(&key_id, now) {
                Some(known) => drop(found.insert(key_id, Found::Known(known))),
                None => missing.push(key_id),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        missing.sort_unstable();
        missing.dedup();

        let ticket = cache.ticket(now);
        let mut owners = HashMap::new();
        for row in self.load_keys(&missing).await? {
            let (key_id, key) = self.unwrap(&row, &mut owners)?;
            if let Found::Known(known) = &key {
                cache.insert(ticket, key_id, known.clone());
            }
            found.insert(key_id, key);
        }
        for (owner, known) in owners.into_iter().filter_map(|(owner, known)| Some((owner, known?))) {
            cache.insert(ticket, owner, known);
        }
        Ok(found)
    }

    async fn load_keys(&self, key_ids: &[Uuid]) -> Result<Vec<Row>, Unavailable> {
        let connection = self.0.database.connection().await?;
        connection
            .within(async {
                let select = "SELECT keys.key_id, keys.owner, keys.wrapped, owners.wrapped
                              FROM vault.keys JOIN vault.keys AS owners ON owners.key_id = keys.owner
                              WHERE keys.key_id = ANY($1)";
                let select = connection.prepare_cached(select).await?;
                connection.query(&select, &[&key_ids]).await
            })
            .await
    }

    /// `owners` keeps what was unwrapped on the way: many messages have one owner.
    fn unwrap(
        &self,
        row: &Row,
        owners: &mut HashMap<Uuid, Option<KnownKey>>,
    ) -> Result<(Uuid, Found), tokio_postgres::Error> {
        let (key_id, owner): (Uuid, Uuid) = (row.try_get(0)?, row.try_get(1)?);
        let (wrapped, owner_wrapped): (&[u8], &[u8]) = (row.try_get(2)?, row.try_get(3)?);
        let outer = owners.entry(owner).or_insert_with(|| {
            let key = self.0.keys.master.unwrap(owner, owner, owner_wrapped)?;
            Some(KnownKey { owner, key })
        });
        let known = match outer {
            Some(outer) if key_id == owner => Some(outer.clone()),
            Some(outer) => outer.key.unwrap(key_id, owner, wrapped).map(|key| KnownKey { owner, key }),
            None => None,
        };
        Ok((key_id, known.map_or(Found::Corrupt, Found::Known)))
    }
}
