//! Reading ahead: while one page is applied, the next are read from the log and opened.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use event_store::{EventStore, MAX_PAGE, Position, Record, Tail};
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use vault::Vault;

use crate::opening::{OpenError, OpenedRecord, Poison, open};
use crate::read_model::ReadModel;

/// Pages that are opened at once.
const OPENING: usize = 2;

/// Why the pages end.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error(transparent)]
    Poison(#[from] Poison),
    #[error(transparent)]
    Log(#[from] event_store::Unavailable),
    #[error(transparent)]
    Vault(#[from] vault::Unavailable),
    #[error("opening records was cut short")]
    CutShort(#[from] tokio::task::JoinError),
}

impl From<OpenError> for PageError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Poison(poison) => Self::Poison(poison),
            OpenError::Unavailable(unavailable) => Self::Vault(unavailable),
        }
    }
}

/// The pause between two pages of the tail: under load a page then has all that came meanwhile, and costs little more
/// than a short one. What comes after a silence is read at once, and so is what someone waits for.
const PACE: Duration = Duration::from_millis(40);

/// Follows the log at an even pace.
pub(crate) struct Paced {
    tail: Tail,
    read: ReadModel,
    last: Option<Instant>,
}

impl Paced {
    pub(crate) fn new(tail: Tail, read: ReadModel) -> Self {
        Self { tail, read, last: None }
    }

    async fn next(&mut self) -> Page {
        if let Some(last) = self.last {
            tokio::select! {
                () = tokio::time::sleep_until(last + PACE) => {}
                () = self.read.awaited() => {}
            }
        }
        let page = self.tail.next().await;
        // After a full page there is more.
        let full = page.as_ref().is_ok_and(|records| records.len() >= MAX_PAGE);
        self.last = (!full).then(Instant::now);
        page
    }
}

/// Where records come from.
pub(crate) enum Source {
    /// The log, for ever.
    Tail(Paced),
    /// The log between two positions.
    Until { store: Arc<dyn EventStore>, after: Position, until: Position },
}

/// Opened records in the order of the log, without gaps.
pub(crate) struct Pages {
    received: mpsc::Receiver<Result<Vec<OpenedRecord>, PageError>>,
    /// An error that came after records which are handed out first.
    failed: Option<PageError>,
    _reader: AbortOnDropHandle<()>,
}

impl Pages {
    /// Reads `source` in pages of at most `size` records, at most `ahead` of them waiting.
    pub(crate) fn read(source: Source, vault: Vault, size: usize, ahead: usize) -> Self {
        let (sender, received) = mpsc::channel(ahead.max(1));
        let reader = tokio::spawn(async move {
            let records = stream::unfold(Some((source, VecDeque::new())), move |state| next(state, size));
            let opened = records
                .map(|page| {
                    let vault = vault.clone();
                    AbortOnDropHandle::new(tokio::spawn(async move { open_up_to_poison(&vault, page).await }))
                })
                .buffered(OPENING);
            let mut opened = pin!(opened);
            while let Some(done) = opened.next().await {
                let (records, error) = done.unwrap_or_else(|error| (vec![], Some(error.into())));
                if !records.is_empty() && sender.send(Ok(records)).await.is_err() {
                    return;
                }
                if let Some(error) = error {
                    // The receiver may be gone; then nobody wants to know.
                    let _ = sender.send(Err(error)).await;
                    return;
                }
            }
        });
        Self { received, failed: None, _reader: AbortOnDropHandle::new(reader) }
    }

    /// The next records, as many as are there already up to about `limit`, at least one; `None` at the end.
    pub(crate) async fn next(&mut self, limit: usize) -> Option<Result<Vec<OpenedRecord>, PageError>> {
        if let Some(error) = self.failed.take() {
            return Some(Err(error));
        }
        let mut records = match self.received.recv().await? {
            Ok(records) => records,
            Err(error) => return Some(Err(error)),
        };
        while records.len() < limit {
            match self.received.try_recv() {
                Ok(Ok(more)) => records.extend(more),
                Ok(Err(error)) => {
                    self.failed = Some(error);
                    break;
                }
                Err(_) => break,
            }
        }
        Some(Ok(records))
    }
}

type Page = Result<Vec<Arc<Record>>, event_store::Unavailable>;
type State = Option<(Source, VecDeque<Arc<Record>>)>;

/// One page and what is left. An error is the last page.
async fn next(state: State, size: usize) -> Option<(Page, State)> {
    let (mut source, mut left) = state?;
    if left.is_empty() {
        match source.read().await {
            Ok(records) => left.extend(records),
            Err(error) => return Some((Err(error), None)),
        }
    }
    if left.is_empty() {
        return None;
    }
    let page = left.drain(..left.len().min(size)).collect();
    Some((Ok(page), Some((source, left))))
}

impl Source {
    /// Nothing at the end.
    async fn read(&mut self) -> Page {
        match self {
            Self::Tail(tail) => tail.next().await,
            Self::Until { store, after, until } => {
                if after >= until {
                    return Ok(vec![]);
                }
                let mut records = store.read_all(*after, MAX_PAGE).await?;
                records.retain(|record| record.position <= *until);
                *after = records.last().map_or(*until, |record| record.position);
                Ok(records)
            }
        }
    }
}

/// Opens what comes before a poison, so that nothing but the poison itself stays undone.
async fn open_up_to_poison(vault: &Vault, page: Page) -> (Vec<OpenedRecord>, Option<PageError>) {
    let records = match page {
        Ok(records) => records,
        Err(error) => return (vec![], Some(error.into())),
    };
    let poison = match open(vault, &records).await {
        Ok(opened) => return (opened, None),
        Err(OpenError::Unavailable(error)) => return (vec![], Some(error.into())),
        Err(OpenError::Poison(poison)) => poison,
    };
    let before = records.partition_point(|record| record.position < poison.position);
    match open(vault, &records[..before]).await {
        Ok(opened) => (opened, Some(poison.into())),
        Err(error) => (vec![], Some(error.into())),
    }
}
