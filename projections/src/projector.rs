//! The projector: follows the log and writes the read model, in one process at a time.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use event_store::{EventStore, MAX_PAGE, Position};
use tokio_util::sync::CancellationToken;
use vault::Vault;

use crate::batch::Batch;
use crate::opening::{OpenedRecord, Poison};
use crate::pages::{Paced, PageError, Pages, Source};
use crate::read_model::ReadModel;
use crate::schema::{Schema, shape};
use crate::session::{Session, lock, refuses_data};

/// How often a process that does not lead asks whether it may.
const CANDIDACY: Duration = Duration::from_millis(250);
/// The pause after a failure doubles with each further one until something is applied again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// An outage ends by itself, and what was read before it looks old for as long as the pause goes on.
const LONGEST_PAUSE_IN_OUTAGE: Duration = Duration::from_secs(1);
/// How often the metrics are brought up to date.
const MEASURE: Duration = Duration::from_secs(5);

/// Writes the read model behind a [`ReadModel`].
pub struct Projector {
    store: Arc<dyn EventStore>,
    vault: Vault,
    read: ReadModel,
    page_size: usize,
}

/// Why a term as leader ended, or could not begin.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error("the database failed")]
    Database(#[from] tokio_postgres::Error),
    #[error("the database closed the connection")]
    Closed,
    #[error("the log's tail ended")]
    Ended,
    #[error(
        "the tables belong to a program of another shape or hold another log: start again to prepare them"
    )]
    NotOurs,
    #[error("the records cannot be had")]
    Page(#[from] PageError),
}

impl Interrupted {
    fn longest_pause(&self) -> Duration {
        match self {
            Self::Page(PageError::Poison(_)) | Self::NotOurs => LONGEST_PAUSE,
            Self::Page(_) | Self::Database(_) | Self::Closed | Self::Ended => LONGEST_PAUSE_IN_OUTAGE,
        }
    }
}

/// Why the log is read from the checkpoint anew.
enum Again {
    /// The checkpoint is not where it was left.
    Moved,
    /// The database refuses something up to here: one by one, to find out what.
    Carefully(Position),
}

impl Projector {
    pub fn new(store: Arc<dyn EventStore>, vault: Vault, read: ReadModel) -> Self {
        Self { store, vault, read, page_size: MAX_PAGE }
    }

    /// Applies at most this many records in one transaction.
    #[must_use]
    pub fn page_size(self, page_size: usize) -> Self {
        Self { page_size: page_size.clamp(1, MAX_PAGE), ..self }
    }

    /// Works until `shutdown`, through every failure: what cannot be done now is tried again, and an event that cannot
    /// be applied is tried again too, never left out.
    pub async fn run(self, shutdown: CancellationToken) {
        let work = async { tokio::join!(self.work(), self.measure()) };
        // Stopping anywhere is safe: a transaction that is not committed leaves the checkpoint where it was.
        shutdown.run_until_cancelled(work).await;
        self.read.set_leading(false);
        self.read.forget();
    }

    async fn work(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let before = self.read.position();
            let Err(interrupted) = self.lead().await;
            // The session is over, and the lead with it: on a poison event too, so that another process, perhaps of a
            // newer program, may try.
            self.read.set_leading(false);
            pause = if self.read.position() > before { FIRST_PAUSE } else { pause };
            self.read.forget();
            metrics::counter!("projector_interruptions_total").increment(1);
            tracing::error!(
                error = &interrupted as &dyn std::error::Error,
                ?pause,
                "the projector is interrupted"
            );
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(interrupted.longest_pause());
        }
    }

    /// One session with the database, from the candidacy to its end.
    async fn lead(&self) -> Result<Infallible, Interrupted> {
        let mut session = Session::connect(self.read.url(), Schema::Live).await?;
        while !session.try_lock(lock::LEAD).await? {
            tokio::select! {
                () = tokio::time::sleep(CANDIDACY) => {}
                () = session.closed() => return Err(Interrupted::Closed),
            }
        }
        tracing::info!("this process writes the read model");
        let mut careful_until = Position::START;
        loop {
            let checkpoint = session.checkpoint().await?;
            if checkpoint.log_id != self.read.log_id() || checkpoint.shape != shape() {
                return Err(Interrupted::NotOurs);
            }
            self.read.saw(checkpoint.position);
            self.read.set_leading(true);
            if let Again::Carefully(until) =
                self.follow(&mut session, checkpoint.position, careful_until).await?
            {
                careful_until = until;
            }
        }
    }

    /// Applies the log from `position` on.
    async fn follow(
        &self,
        session: &mut Session,
        mut position: Position,
        careful_until: Position,
    ) -> Result<Again, Interrupted> {
        let limit = if position < careful_until { 1 } else { self.page_size };
        let source = Source::Tail(Paced::new(self.store.clone().tail(position), self.read.clone()));
        let mut pages = Pages::read(source, self.vault.clone(), limit, 2);
        loop {
            let page = tokio::select! {
                page = pages.next(1) => page,
                () = session.closed() => return Err(Interrupted::Closed),
            };
            let records = match page {
                Some(Ok(records)) => records,
                Some(Err(error)) => return Err(self.give_up(session, position, error).await),
                None => return Err(Interrupted::Ended),
            };
            let (Some(first), Some(last)) = (records.first(), records.last()) else { continue };
            let (first, last, count) = (first.record.clone(), last.record.clone(), records.len());
            match self.apply(session, position, last.position, records).await {
                Ok(true) => {}
                Ok(false) => return Ok(Again::Moved),
                Err(error) if refuses_data(&error) && count > 1 => {
                    return Ok(Again::Carefully(last.position));
                }
                Err(error) if refuses_data(&error) => {
                    let poison = Poison::new(&first, error);
                    return Err(self.give_up(session, position, poison.into()).await);
                }
                Err(error) => return Err(error.into()),
            }
            position = last.position;
            self.read.saw(position);
            if limit < self.page_size && position >= careful_until {
                return Ok(Again::Moved);
            }
        }
    }

    async fn apply(
        &self,
        session: &mut Session,
        from: Position,
        to: Position,
        records: Vec<OpenedRecord>,
    ) -> Result<bool, tokio_postgres::Error> {
        let count = records.len() as u64;
        let applied = session.apply(from, to, Batch::of(records), self.read.log_id()).await?;
        if applied {
            metrics::counter!("projector_events_total").increment(count);
        }
        Ok(applied)
    }

    /// Leaves word of a poison event beside the checkpoint.
    async fn give_up(&self, session: &mut Session, at: Position, error: PageError) -> Interrupted {
        if let PageError::Poison(poison) = &error {
            metrics::gauge!("projector_halted").set(1.0);
            if let Err(error) = session.halt(at, &poison.describe()).await {
                return error.into();
            }
        }
        error.into()
    }

    /// Keeps the metrics and, where another process leads, the known position up to date.
    async fn measure(&self) {
        let mut ticks = tokio::time::interval(MEASURE);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // Whatever fails here fails where it is needed too, and is said there.
            let (Ok(health), Ok(head)) = tokio::join!(self.read.refresh(), self.store.head()) else {
                continue;
            };
            let lag = head.0.saturating_sub(health.position.0);
            metrics::gauge!("projector_lag_positions").set(lag as f64);
            metrics::gauge!("projector_halted").set(f64::from(u8::from(health.halted.is_some())));
            metrics::gauge!("projector_leading").set(f64::from(u8::from(health.leading)));
        }
    }
}
