//! Filling new tables from the log, in large steps.

use std::sync::Arc;

use event_store::{EventStore, LogId, MAX_PAGE, Position};
use tokio::time::Instant;
use vault::Vault;

use super::{Difference, Progress, RebuildError, Report, SHORT};
use crate::batch::Batch;
use crate::pages::{Pages, Source};
use crate::read_model::create;
use crate::schema::Schema;
use crate::session::{Session, lock, refuses_data};

/// Records applied in one transaction.
const STEP: usize = 10 * MAX_PAGE;
/// Pages that are read and opened while a step is applied.
const AHEAD: usize = 2 * STEP / MAX_PAGE;

/// What a crash takes of the new tables, the next rebuilding makes again; until the swap, which waits for the disk.
const SETTINGS: &str = "SET synchronous_commit = off";

pub(super) struct Builder<'a> {
    /// Holds the lock against a second rebuilding.
    session: Session,
    store: Arc<dyn EventStore>,
    vault: Vault,
    position: Position,
    events: u64,
    progress: &'a (dyn Fn(Progress) + Send + Sync),
}

impl<'a> Builder<'a> {
    /// Makes empty tables, in place of what an earlier rebuilding may have left.
    pub(super) async fn start(
        url: &str,
        store: Arc<dyn EventStore>,
        vault: Vault,
        progress: &'a (dyn Fn(Progress) + Send + Sync),
    ) -> Result<Self, RebuildError> {
        let mut session = Session::connect(url, Schema::Next).await?;
        if !session.try_lock(lock::REBUILD).await? {
            return Err(RebuildError::AlreadyRunning);
        }
        let client = session.client();
        client.batch_execute(SETTINGS).await?;
        let transaction = client.transaction().await?;
        transaction.batch_execute(&Schema::Next.drop()).await?;
        create(&transaction, Schema::Next, store.log_id()).await?;
        transaction.commit().await?;
        Ok(Self { session, store, vault, position: Position::START, events: 0, progress })
    }

    pub(super) fn log_id(&self) -> LogId {
        self.store.log_id()
    }

    pub(super) fn store(&self) -> &dyn EventStore {
        &*self.store
    }

    /// Applies the log up to and including `until`.
    pub(super) async fn advance(&mut self, until: Position) -> Result<(), RebuildError> {
        if self.position >= until {
            return Ok(());
        }
        let source = Source::Until { store: self.store.clone(), after: self.position, until };
        let mut pages = Pages::read(source, self.vault.clone(), MAX_PAGE, AHEAD);
        while let Some(records) = pages.next(STEP).await {
            let records = records?;
            let Some(to) = records.last().map(|last| last.record.position) else { continue };
            let count = records.len() as u64;
            let writes = Batch::of(records);
            match self.session.apply(self.position, to, writes, self.store.log_id()).await {
                Ok(true) => {}
                Ok(false) => return Err(RebuildError::Disturbed),
                Err(error) if refuses_data(&error) => {
                    return Err(RebuildError::Refused {
                        after: self.position,
                        until: to,
                        fault: error.into(),
                    });
                }
                Err(error) => return Err(error.into()),
            }
            self.position = to;
            self.events += count;
            (self.progress)(Progress { position: to, head: until });
        }
        Ok(())
    }

    /// Comes so close to the head of the log that the rest is a matter of a moment, and readies the tables for queries.
    pub(super) async fn catch_up(&mut self) -> Result<(), RebuildError> {
        loop {
            let started = Instant::now();
            let head = self.store.head().await?;
            self.advance(head).await?;
            if started.elapsed() < SHORT {
                break;
            }
        }
        for table in crate::schema::TABLES {
            self.session
                .client()
                .batch_execute(&Schema::Next.fill(&format!("ANALYZE {{schema}}.{table}")))
                .await?;
        }
        Ok(())
    }

    pub(super) async fn discard(&mut self) -> Result<(), RebuildError> {
        self.session.client().batch_execute(&Schema::Next.drop()).await?;
        Ok(())
    }

    /// Ends the rebuilding: another one may begin at once, not only when the server has noticed that this session ended.
    pub(super) async fn finish(
        self,
        differences: Option<Vec<Difference>>,
        swapped: bool,
    ) -> Result<Report, RebuildError> {
        self.session.unlock(lock::REBUILD).await?;
        Ok(Report { position: self.position, events: self.events, differences, swapped })
    }
}
