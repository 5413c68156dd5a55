//! Makes message keys durable, many in one transaction.
//!
//! One task per process: while a batch commits, the next gathers in the queue. So the number of transactions follows
//! the disk, not the number of posts.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::{KeyCache, KeyError, KnownKey};
use crate::Unavailable;
use crate::cipher::SecretKey;
use crate::database::{Database, TIMEOUT};

/// Keys that wait; the next caller waits before the queue.
const QUEUE: usize = 4096;
/// Keys in one transaction.
const BATCH: usize = 512;

pub(crate) struct NewKey {
    message: Uuid,
    owner: Uuid,
    wrapped: Vec<u8>,
    key: SecretKey,
    done: oneshot::Sender<Result<(), KeyError>>,
}

pub(super) fn start(database: Database, cache: Arc<KeyCache>) -> mpsc::Sender<NewKey> {
    let (sender, mut queue) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        let mut batch = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut batch, BATCH).await > 0 {
            // Whoever gave up must not delay the others.
            batch.retain(|new: &NewKey| !new.done.is_closed());
            write_batch(&database, &cache, std::mem::take(&mut batch)).await;
        }
    });
    sender
}

/// A key to be made durable: its id, its wrapped form, and itself.
pub(super) struct Made {
    pub(super) message: Uuid,
    pub(super) wrapped: Vec<u8>,
    pub(super) key: SecretKey,
}

/// Makes keys of `owner` durable; the results come in their order.
pub(super) async fn write(
    writer: &mpsc::Sender<NewKey>,
    owner: Uuid,
    keys: Vec<Made>,
) -> Result<Vec<Result<(), KeyError>>, Unavailable> {
    let count = keys.len();
    let written = timeout(TIMEOUT, async {
        let mut answers = Vec::with_capacity(count);
        for Made { message, wrapped, key } in keys {
            let (done, answer) = oneshot::channel();
            writer.send(NewKey { message, owner, wrapped, key, done }).await.ok()?;
            answers.push(answer);
        }
        let mut results = Vec::with_capacity(count);
        for answer in answers {
            results.push(answer.await.ok()?);
        }
        Some(results)
    });
    match written.await {
        Ok(Some(results)) => Ok(results),
        Ok(None) => Err(Unavailable::new("the writer of keys has ended")),
        Err(_) => Err(Unavailable::new(format!("the keys were not written within {TIMEOUT:?}"))),
    }
}

async fn write_batch(database: &Database, cache: &KeyCache, batch: Vec<NewKey>) {
    // Of two calls for one message only the first offers its key: which of two rows the database would keep is open.
    let mut offered: HashMap<Uuid, usize> = HashMap::with_capacity(batch.len());
    for (index, new) in batch.iter().enumerate() {
        offered.entry(new.message).or_insert(index);
    }
    let offers: Vec<&NewKey> = offered.values().filter_map(|index| batch.get(*index)).collect();
    if offers.is_empty() {
        return;
    }
    let ticket = cache.ticket(Instant::now());
    match insert(database, &offers).await {
        Err(error) => {
            for new in batch {
                let _ = new.done.send(Err(error.clone().into()));
            }
        }
        Ok(written) => {
            for (index, new) in batch.into_iter().enumerate() {
                let inserted = written.inserted.contains(&new.message);
                if inserted && offered.get(&new.message) == Some(&index) {
                    cache.insert(ticket, new.message, KnownKey { owner: new.owner, key: new.key });
                }
                let _ = new.done.send(written.result(new.message, new.owner));
            }
        }
    }
}

#[derive(Default)]
struct Written {
    inserted: BTreeSet<Uuid>,
    /// Of the batch, those whose key exists.
    owners: BTreeSet<Uuid>,
    /// Message to owner, of all rows of the batch where a conflict asked for it.
    existing: HashMap<Uuid, Uuid>,
}

impl Written {
    fn result(&self, message: Uuid, owner: Uuid) -> Result<(), KeyError> {
        match self.existing.get(&message) {
            Some(existing) if *existing == owner => Ok(()),
            Some(_) => {
                Err(Unavailable::new(format!("the key of {message} belongs to another account")).into())
            }
            None if !self.owners.contains(&owner) => Err(KeyError::OwnerErased),
            None if self.inserted.contains(&message) => Ok(()),
            // It was there when the insert passed by, and erased right after.
            None => Err(KeyError::KeyErased),
        }
    }
}

/// Locking the owners' rows orders this transaction and an owner's erasure one after the other: either the erasure
/// waits and its clean-up sees these rows, or this sees no owner. Every node locks in the order of ids.
const INSERT: &str = "
    WITH offers AS (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) AS offers (key_id, owner, wrapped)
    ), owners AS MATERIALIZED (
        SELECT key_id FROM vault.keys WHERE key_id = ANY($4) AND key_id = owner ORDER BY key_id FOR KEY SHARE
    ), inserted AS (
        INSERT INTO vault.keys (key_id, owner, wrapped)
        SELECT offers.key_id, offers.owner, offers.wrapped
        FROM offers JOIN owners ON owners.key_id = offers.owner
        ORDER BY offers.key_id
        ON CONFLICT ON CONSTRAINT keys_pkey DO NOTHING
        RETURNING key_id
    )
    SELECT true, key_id FROM inserted UNION ALL SELECT false, key_id FROM owners";

async fn insert(database: &Database, offers: &[&NewKey]) -> Result<Written, Unavailable> {
    let messages: Vec<Uuid> = offers.iter().map(|new| new.message).collect();
    let owners: Vec<Uuid> = offers.iter().map(|new| new.owner).collect();
    let wrapped: Vec<&[u8]> = offers.iter().map(|new| new.wrapped.as_slice()).collect();
    let distinct: Vec<Uuid> = owners.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();

    let connection = database.connection().await?;
    let work = async {
        let mut written = Written::default();
        let insert = connection.prepare_cached(INSERT).await?;
        for row in connection.query(&insert, &[&messages, &owners, &wrapped, &distinct]).await? {
            let inserted: bool = row.try_get(0)?;
            let id = row.try_get(1)?;
            if inserted {
                written.inserted.insert(id)
            } else {
                written.owners.insert(id)
            };
        }
        let conflicts: Vec<Uuid> = offers
            .iter()
            .filter(|new| written.owners.contains(&new.owner) && !written.inserted.contains(&new.message))
            .map(|new| new.message)
            .collect();
        if !conflicts.is_empty() {
            let select = "SELECT key_id, owner FROM vault.keys WHERE key_id = ANY($1)";
            let select = connection.prepare_cached(select).await?;
            for row in connection.query(&select, &[&conflicts]).await? {
                written.existing.insert(row.try_get(0)?, row.try_get(1)?);
            }
        }
        Ok(written)
    };
    let written = connection.within(work).await?;
    metrics::counter!("vault_key_batches_total").increment(1);
    metrics::counter!("vault_keys_written_total").increment(written.inserted.len() as u64);
    Ok(written)
}
