//! The log in memory: for tests, and the plainest reading of the port's promises.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::RwLock;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    Append, AppendError, Appended, EventStore, Expected, LogId, MAX_PAGE, Position, Record, StreamName, Tail,
    Topic, Unavailable,
};

/// A log that lives as long as the value. Clone the `Arc` for what another adapter would call another node.
pub struct MemoryStore {
    log_id: LogId,
    log: RwLock<Log>,
    head: watch::Sender<Position>,
}

#[derive(Default)]
struct Log {
    records: Vec<Arc<Record>>,
    by_id: HashMap<Uuid, Arc<Record>>,
    by_stream: HashMap<StreamName, Vec<Arc<Record>>>,
}

impl MemoryStore {
    #[expect(clippy::disallowed_methods, reason = "the adapter makes the log's identity, as Postgres does")]
    pub fn new() -> Self {
        Self {
            log_id: LogId(Uuid::new_v4()),
            log: RwLock::default(),
            head: watch::Sender::new(Position::START),
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

/// The adapter's own clock, in the microseconds that Postgres keeps.
#[expect(clippy::disallowed_methods, reason = "a log keeps its own time, as Postgres does")]
fn now() -> Timestamp {
    Timestamp::from_microsecond(Timestamp::now().as_microsecond()).expect("a timestamp's own microsecond")
}

impl Log {
    fn head(&self) -> Position {
        self.records.last().map_or(Position::START, |record| record.position)
    }

    fn version(&self, stream: &StreamName) -> u64 {
        self.by_stream.get(stream).and_then(|records| records.last()).map_or(0, |record| record.version)
    }

    fn after(&self, after: Position) -> &[Arc<Record>] {
        &self.records[self.records.partition_point(|record| record.position <= after)..]
    }

    fn append(&mut self, append: Append, now: Timestamp) -> Result<Appended, AppendError> {
        let Append { stream, expected, guards, events } = append;
        let mut known: Vec<&Arc<Record>> =
            events.iter().filter_map(|event| self.by_id.get(&event.id)).collect();
        known.sort_by_key(|record| record.position);
        if let (Some(first), Some(last)) = (known.first(), known.last()) {
            return Ok(Appended {
                stream: last.stream.clone(),
                position: last.position,
                version: last.version,
                recorded_at: last.recorded_at,
                first_meta: Some(first.meta.clone()),
            });
        }

        let current = self.version(&stream);
        match expected {
            Expected::NoStream if current != 0 => return Err(AppendError::WrongVersion { stream, current }),
            Expected::Exact(version) if current != version => {
                return Err(AppendError::WrongVersion { stream, current });
            }
            Expected::Any | Expected::NoStream | Expected::Exact(_) => {}
        }
        for guard in guards {
            let current = self.version(&guard.stream);
            if current > guard.at_most {
                return Err(AppendError::GuardFailed { stream: guard.stream, current });
            }
        }

        let recorded_at = self.records.last().map_or(now, |record| record.recorded_at.max(now));
        // A hole before every append, as a transaction that was rolled back leaves one.
        let mut position = Position(self.head().0 + 1);
        let mut version = current;
        for event in events {
            position.0 += 1;
            version += 1;
            let record = Arc::new(event.into_record(position, stream.clone(), version, recorded_at));
            self.by_id.insert(record.id, record.clone());
            self.by_stream.entry(stream.clone()).or_default().push(record.clone());
            self.records.push(record);
        }
        Ok(Appended { stream, position, version, recorded_at, first_meta: None })
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    fn log_id(&self) -> LogId {
        self.log_id
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        append.assert_storable();
        let mut log = self.log.write();
        let appended = log.append(append, now())?;
        // Under the lock, so that the head never steps back.
        self.head.send_replace(log.head());
        Ok(appended)
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        after_version: u64,
    ) -> Result<Vec<Arc<Record>>, Unavailable> {
        let log = self.log.read();
        let records = log.by_stream.get(stream).map_or(&[][..], Vec::as_slice);
        Ok(records.iter().filter(|record| record.version > after_version).cloned().collect())
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<Arc<Record>>, Unavailable> {
        let log = self.log.read();
        Ok(log.after(after).iter().take(limit.min(MAX_PAGE)).cloned().collect())
    }

    async fn read_topics(
        &self,
        topics: &[Topic],
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, Unavailable> {
        let log = self.log.read();
        let wanted = log.after(after).iter().filter(|record| topics.contains(&record.topic));
        Ok(wanted.take(limit.min(MAX_PAGE)).cloned().collect())
    }

    async fn find(&self, id: Uuid) -> Result<Option<Arc<Record>>, Unavailable> {
        Ok(self.log.read().by_id.get(&id).cloned())
    }

    async fn head(&self) -> Result<Position, Unavailable> {
        Ok(self.log.read().head())
    }

    fn tail(self: Arc<Self>, after: Position) -> Tail {
        let head = self.head.subscribe();
        Tail::new(self, after, head)
    }
}
