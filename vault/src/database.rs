//! Connections with a deadline.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio::time::{Instant, timeout_at};

use crate::Unavailable;

/// The longest that one call may wait for the database, the wait for a connection included.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool,
}

impl Database {
    pub(crate) fn new(pool: Pool) -> Database {
        Database { pool }
    }

    pub(crate) async fn connection(&self) -> Result<Connection, Unavailable> {
        let deadline = Instant::now() + TIMEOUT;
        let object = timeout_at(deadline, self.pool.get())
            .await
            .map_err(|_| Unavailable::new(format!("no connection became free within {TIMEOUT:?}")))??;
        Ok(Connection { object: Some(object), deadline, overdue: AtomicBool::new(false) })
    }
}

/// A pooled connection for the rest of one call.
pub(crate) struct Connection {
    /// Present until the drop.
    object: Option<Object>,
    deadline: Instant,
    overdue: AtomicBool,
}

impl Connection {
    /// Runs `work`, which uses this connection, until the deadline of the call.
    pub(crate) async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Unavailable> {
        match timeout_at(self.deadline, work).await {
            Ok(result) => Ok(result?),
            Err(_) => {
                self.overdue.store(true, Ordering::Relaxed);
                Err(Unavailable::new(format!("the database gave no answer within {TIMEOUT:?}")))
            }
        }
    }
}

impl std::ops::Deref for Connection {
    type Target = Object;

    fn deref(&self) -> &Object {
        self.object.as_ref().expect("present until the drop")
    }
}

impl Drop for Connection {
    /// A connection whose statement may still run would make the next caller wait behind it: it isn't reused.
    fn drop(&mut self) {
        if let (Some(object), true) = (self.object.take(), *self.overdue.get_mut()) {
            drop(Object::take(object));
        }
    }
}
