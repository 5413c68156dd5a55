//! The log in memory, with what a test needs to bring about a certain order of things.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use event_store::memory::MemoryStore;
use event_store::{
    Append, AppendError, Appended, EventStore, LogId, Position, Record, StreamName, Tail, Topic, Unavailable,
};
use tokio::sync::oneshot;
use uuid::Uuid;

#[derive(Default)]
pub(crate) struct TestStore {
    memory: Arc<MemoryStore>,
    gates: Mutex<Vec<Gate>>,
    jittery: AtomicBool,
    dice: AtomicU64,
}

struct Gate {
    kind: &'static str,
    reached: oneshot::Sender<()>,
    opened: oneshot::Receiver<()>,
}

/// An append that waits in front of the log.
pub(crate) struct Held {
    reached: oneshot::Receiver<()>,
    open: oneshot::Sender<()>,
}

impl Held {
    pub(crate) async fn reached(&mut self) {
        (&mut self.reached).await.expect("an append of that type came");
    }

    pub(crate) fn release(self) {
        self.open.send(()).expect("the append still waits");
    }
}

impl TestStore {
    /// The next append with an event of type `kind` waits until it is released.
    pub(crate) fn hold(&self, kind: &'static str) -> Held {
        let (reached, reached_here) = oneshot::channel();
        let (open, opened) = oneshot::channel();
        self.gates.lock().unwrap().push(Gate { kind, reached, opened });
        Held { reached: reached_here, open }
    }

    /// From now on each call gives way to others a changing number of times, so that many orders come about.
    pub(crate) fn jitter(&self) {
        self.jittery.store(true, Ordering::Relaxed);
    }

    async fn give_way(&self) {
        if self.jittery.load(Ordering::Relaxed) {
            let rolled = self.dice.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed) >> 61;
            for _ in 0..rolled {
                tokio::task::yield_now().await;
            }
        }
    }
}

#[async_trait]
impl EventStore for TestStore {
    fn log_id(&self) -> LogId {
        self.memory.log_id()
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let comes = |gate: &Gate| append.events.iter().any(|event| event.kind == gate.kind);
        let gate = {
            let mut gates = self.gates.lock().unwrap();
            gates.iter().position(comes).map(|index| gates.remove(index))
        };
        if let Some(Gate { reached, opened, .. }) = gate {
            reached.send(()).expect("the test waits for it");
            opened.await.expect("the test releases it");
        }
        self.give_way().await;
        self.memory.append(append).await
    }

    async fn read_stream(&self, stream: &StreamName, after: u64) -> Result<Vec<Arc<Record>>, Unavailable> {
        self.give_way().await;
        self.memory.read_stream(stream, after).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<Arc<Record>>, Unavailable> {
        self.memory.read_all(after, limit).await
    }

    async fn read_topics(
        &self,
        topics: &[Topic],
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, Unavailable> {
        self.memory.read_topics(topics, after, limit).await
    }

    async fn find(&self, id: Uuid) -> Result<Option<Arc<Record>>, Unavailable> {
        self.give_way().await;
        self.memory.find(id).await
    }

    async fn head(&self) -> Result<Position, Unavailable> {
        self.memory.head().await
    }

    fn tail(self: Arc<Self>, after: Position) -> Tail {
        Arc::clone(&self.memory).tail(after)
    }
}
