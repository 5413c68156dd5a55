//! Message keys made ahead of need, so that a post does not wait for one to become durable.
//!
//! Who posts again within moments gets a shelf of ready keys, longer the faster they post. A key that nobody took is
//! deleted when it goes stale; after a crash it stays as a row that no text was ever sealed under.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use super::KeyError;
use crate::{Unavailable, Vault};

/// Keys on one shelf at most, and how many the first time. Many keys in one transaction cost little more than few.
const LARGEST: usize = 256;
const SMALLEST: usize = 4;
/// Who comes again within this is worth a shelf.
const SOON: Duration = Duration::from_secs(5);
/// An untaken key is stale after this: well before the cache forgets it, and before its id's time is far off.
const STALE: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(crate) struct Stock(Mutex<HashMap<Uuid, Shelf>>);

struct Shelf {
    ready: VecDeque<(Uuid, Instant)>,
    /// How many to make next.
    size: usize,
    last_taken: Instant,
    filling: bool,
}

/// What a taker finds.
struct Found {
    key: Option<Uuid>,
    /// How many keys to put on the shelf now.
    fill: usize,
}

impl Stock {
    fn take(&self, owner: Uuid, now: Instant) -> Found {
        let mut shelves = self.0.lock();
        let Some(shelf) = shelves.get_mut(&owner) else {
            let shelf = Shelf { ready: VecDeque::new(), size: SMALLEST, last_taken: now, filling: false };
            shelves.insert(owner, shelf);
            return Found { key: None, fill: 0 };
        };
        let soon = now.duration_since(shelf.last_taken) < SOON;
        shelf.last_taken = now;
        let fresh = |(_, made): &(Uuid, Instant)| now.duration_since(*made) < STALE;
        // Stale ones stay for the sweep, which deletes them.
        let key = match shelf.ready.iter().position(fresh) {
            Some(index) => shelf.ready.remove(index).map(|(key, _)| key),
            None => None,
        };
        if key.is_none() && soon {
            shelf.size = (shelf.size * 2).min(LARGEST);
        }
        let fill = if soon && !shelf.filling && shelf.ready.len() < shelf.size / 2 { shelf.size } else { 0 };
        shelf.filling |= fill > 0;
        Found { key, fill }
    }

    fn put(&self, owner: Uuid, keys: impl IntoIterator<Item = Uuid>, now: Instant) {
        if let Some(shelf) = self.0.lock().get_mut(&owner) {
            shelf.ready.extend(keys.into_iter().map(|key| (key, now)));
        }
    }

    fn filled(&self, owner: Uuid) {
        if let Some(shelf) = self.0.lock().get_mut(&owner) {
            shelf.filling = false;
        }
    }

    /// Forgets an owner's shelf.
    pub(crate) fn clear(&self, owner: Uuid) {
        self.0.lock().remove(&owner);
    }

    /// Takes what is stale off the shelves, all of it at the `end`.
    fn sweep(&self, now: Instant, end: bool) -> Vec<Uuid> {
        let stale = |since: Instant| end || now.duration_since(since) >= STALE;
        let mut swept = Vec::new();
        self.0.lock().retain(|_, shelf| {
            while let Some((key, _)) = shelf.ready.pop_front_if(|(_, made)| stale(*made)) {
                swept.push(key);
            }
            !shelf.ready.is_empty() || shelf.filling || !stale(shelf.last_taken)
        });
        swept
    }
}

impl Vault {
    /// A key for a new message of `owner`, durable, under an id made by `new_id`: the message's id to be. Give it back
    /// with [`Self::return_message_key`] when nothing was sealed under it.
    ///
    /// # Errors
    /// As [`Self::create_message_key`].
    pub async fn take_message_key(&self, owner: Uuid, new_id: impl Fn() -> Uuid) -> Result<Uuid, KeyError> {
        let Found { key, fill } = self.0.keys.stock.take(owner, Instant::now());
        if fill > 0 {
            let (vault, ids) = (self.clone(), (0..fill).map(|_| new_id()).collect());
            tokio::spawn(async move { vault.fill_shelf(owner, ids).await });
        }
        match key {
            Some(key) => Ok(key),
            None => {
                let id = new_id();
                self.create_message_key(id, owner).await?;
                Ok(id)
            }
        }
    }

    /// Gives back a key that was taken and not used.
    pub fn return_message_key(&self, owner: Uuid, key: Uuid) {
        self.0.keys.stock.put(owner, [key], Instant::now());
    }

    async fn fill_shelf(&self, owner: Uuid, ids: Vec<Uuid>) {
        // Whoever needs the key that could not be made hears why.
        if let Ok(made) = self.create_message_keys(&ids, owner).await {
            let good = ids.iter().zip(&made).filter(|(_, made)| made.is_ok()).map(|(id, _)| *id);
            self.0.keys.stock.put(owner, good, Instant::now());
        }
        self.0.keys.stock.filled(owner);
    }

    /// Deletes the keys that nobody took.
    pub(crate) async fn sweep_stock(&self, end: bool) -> Result<(), Unavailable> {
        let swept = self.0.keys.stock.sweep(Instant::now(), end);
        if swept.is_empty() {
            return Ok(());
        }
        let connection = self.0.database.connection().await?;
        connection
            .within(async {
                let delete =
                    connection.prepare_cached("DELETE FROM vault.keys WHERE key_id = ANY($1)").await?;
                connection.execute(&delete, &[&swept]).await
            })
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Uuid {
        Uuid::from_u128(1)
    }

    #[test]
    fn only_who_comes_again_soon_gets_a_shelf_and_a_longer_one_when_it_runs_empty() {
        let (stock, start) = (Stock::default(), Instant::now());
        assert_eq!(stock.take(owner(), start).fill, 0);
        assert_eq!(stock.take(owner(), start + SOON).fill, 0);
        assert_eq!(stock.take(owner(), start + SOON).fill, 2 * SMALLEST);
        assert_eq!(stock.take(owner(), start + SOON).fill, 0, "one filling at a time");
        stock.filled(owner());
        for _ in 0..9 {
            stock.take(owner(), start + SOON);
            stock.filled(owner());
        }
        assert_eq!(stock.take(owner(), start + SOON).fill, LARGEST);
    }

    #[test]
    fn a_key_is_handed_out_once_and_never_when_it_is_stale() {
        let (stock, start) = (Stock::default(), Instant::now());
        stock.take(owner(), start);
        stock.put(owner(), [Uuid::from_u128(7)], start);
        stock.put(owner(), [Uuid::from_u128(8)], start + SOON);
        assert_eq!(stock.take(owner(), start + STALE).key, Some(Uuid::from_u128(8)));
        assert_eq!(stock.take(owner(), start + STALE).key, None);
        assert_eq!(stock.sweep(start + STALE, false), [Uuid::from_u128(7)]);
        assert!(stock.sweep(start + STALE, true).is_empty());
    }
}
