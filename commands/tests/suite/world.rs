//! A log of its own, a vault, a clock that stands still, and ids that are counted.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use bytes::Bytes;
use commands::{Clock, Commands, Context, Done, IdSource, Refusal, Register, Settings};
use deadpool_postgres::{Manager, Pool};
use domain::account::{DisplayName, Email, Handle};
use domain::codec::EventSet as _;
use domain::community::CommunityName;
use domain::message::Content;
use domain::{AccountId, Event, PersonalPart};
use event_store::{Append, EventStore as _, Expected, NewEvent, Position, Record, StreamName, Topic};
use jiff::{SignedDuration, Timestamp};
use local_postgres::TestDatabase;
use tokio_postgres::NoTls;
use uuid::Uuid;
use vault::{Binding, MasterKey, OpenRequest, Opened, Vault};

use crate::pace::TestPace;
use crate::store::TestStore;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) struct FixedClock(Mutex<Timestamp>);

impl FixedClock {
    pub(crate) fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(by).unwrap();
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Counted across all tests of the process, so that their vaults can share a database.
pub(crate) struct CountedIds;

fn next() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// The database of the tests that run now; the last of them removes it.
async fn database() -> Arc<TestDatabase> {
    static SHARED: tokio::sync::Mutex<Weak<TestDatabase>> = tokio::sync::Mutex::const_new(Weak::new());
    let mut shared = SHARED.lock().await;
    if let Some(database) = shared.upgrade() {
        return database;
    }
    let prepare = |url: String| async move { vault::migrate(&url).await };
    let database = Arc::new(TestDatabase::from_template("vault", prepare).await);
    *shared = Arc::downgrade(&database);
    database
}

impl IdSource for CountedIds {
    fn id(&self) -> Uuid {
        Uuid::from_u128(0x0198_0000_0000_7000_8000 << 48 | u128::from(next()))
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| Uuid::new_v5(&Uuid::NAMESPACE_OID, &next().to_be_bytes()).as_bytes()[0]);
    }
}

pub(crate) struct World {
    pub(crate) store: Arc<TestStore>,
    pub(crate) vault: Vault,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) commands: Commands,
    ids: Arc<CountedIds>,
    pace: Arc<TestPace>,
    settings: Settings,
    _database: Arc<TestDatabase>,
}

impl World {
    /// Without a default community: only what a test does is in the log.
    pub(crate) async fn new() -> Self {
        Self::with(Settings { default_community: None }).await
    }

    /// Where new accounts land in the community `Home`.
    pub(crate) async fn with_home() -> Self {
        let home = CommunityName::parse("Home").unwrap();
        Self::with(Settings { default_community: Some(home) }).await
    }

    async fn with(settings: Settings) -> Self {
        let database = database().await;
        let manager = Manager::new(database.url().parse().unwrap(), NoTls);
        let pool = Pool::builder(manager).max_size(4).build().unwrap();
        let vault = Vault::open(database.url(), pool, MasterKey::from_bytes([7; 32])).await.unwrap();

        let store = Arc::new(TestStore::default());
        let clock = Arc::new(FixedClock(Mutex::new("2026-03-01T12:00:00Z".parse().unwrap())));
        let ids = Arc::new(CountedIds);
        let pace = Arc::new(TestPace::default());
        let commands = Commands::new(
            store.clone(),
            vault.clone(),
            clock.clone(),
            ids.clone(),
            pace.clone(),
            settings.clone(),
        );
        Self { store, vault, clock, commands, ids, pace, settings, _database: database }
    }

    /// The commands of another process over the same log and vault, with caches of its own.
    pub(crate) fn another_node(&self) -> Commands {
        let (store, vault, settings) = (self.store.clone(), self.vault.clone(), self.settings.clone());
        Commands::new(store, vault, self.clock.clone(), self.ids.clone(), self.pace.clone(), settings)
    }

    pub(crate) async fn person(&self, name: &str) -> AccountId {
        self.commands.register(&anyone(), registering(name)).await.unwrap().made
    }

    /// Every record, in the log's order.
    pub(crate) async fn log(&self) -> Vec<Arc<Record>> {
        let (mut log, mut after) = (Vec::new(), Position::START);
        loop {
            let page = self.store.read_all(after, 1_000).await.unwrap();
            let Some(last) = page.last() else { return log };
            after = last.position;
            log.extend(page);
        }
    }

    pub(crate) async fn head(&self) -> Position {
        self.store.head().await.unwrap()
    }

    /// The records of one stream.
    pub(crate) async fn stream(&self, stream: String) -> Vec<Arc<Record>> {
        self.store.read_stream(&StreamName::new(stream), 0).await.unwrap()
    }

    /// The types of the events of one stream.
    pub(crate) async fn kinds(&self, stream: String) -> Vec<String> {
        self.stream(stream).await.iter().map(|record| record.kind.clone()).collect()
    }

    /// The records of one type.
    pub(crate) async fn all(&self, kind: &str) -> Vec<Arc<Record>> {
        self.log().await.into_iter().filter(|record| record.kind == kind).collect()
    }

    /// What became of the personal text of `record`.
    pub(crate) async fn opened(&self, record: &Record) -> Opened {
        let sealed = record.sealed.as_ref().expect("it has personal text");
        let request = OpenRequest {
            key_id: sealed.key_id,
            nonce: &sealed.nonce,
            ciphertext: &sealed.ciphertext,
            binding: Binding { kind: &record.kind, stream: record.stream.as_str() },
        };
        self.vault.open_many(&[request]).await.unwrap().remove(0)
    }

    /// The personal text of `record`, as JSON.
    pub(crate) async fn text(&self, record: &Record) -> serde_json::Value {
        match self.opened(record).await {
            Opened::Text(bytes) => serde_json::from_slice(&bytes).unwrap(),
            gone => panic!("{gone:?}"),
        }
    }

    /// Puts a fact in the log as a process did that crashed right afterwards.
    pub(crate) async fn append(&self, stream: String, event: impl Into<Event>) -> Arc<Record> {
        let event = event.into();
        let encoded = event.encode();
        assert!(encoded.personal.is_none(), "only facts are appended bare");
        let new = NewEvent {
            id: self.ids.id(),
            kind: encoded.kind,
            schema: encoded.schema,
            topic: Topic::new(event.topic()),
            data: Bytes::from(encoded.data),
            sealed: None,
            meta: Bytes::from_static(b"{}"),
        };
        let stream = StreamName::new(stream);
        let append =
            Append { stream: stream.clone(), expected: Expected::Any, guards: vec![], events: vec![new] };
        let appended = self.store.append(append).await.unwrap();
        self.store.read_stream(&stream, appended.version - 1).await.unwrap().remove(0)
    }

    /// The stream that claims a name: `handle` or `email`, and the folded name.
    pub(crate) fn claim_of(&self, what: &'static str, folded: &str) -> String {
        let digest = self.vault.digest(what, folded).map(|byte| format!("{byte:02x}")).concat();
        format!("{what}-{digest}")
    }
}

pub(crate) fn decoded(record: &Record) -> Event {
    Event::decode(&record.kind, record.schema, &record.data, PersonalPart::Sealed).unwrap().unwrap()
}

pub(crate) fn registering(name: &str) -> Register {
    Register {
        handle: Handle::parse(name).unwrap(),
        display_name: DisplayName::parse(name).unwrap(),
        email: Email::parse(&format!("{name}@example.org")).unwrap(),
        password: PASSWORD.to_owned(),
    }
}

pub(crate) fn content(text: &str) -> Content {
    Content::parse(text).unwrap()
}

/// A call without an idempotency key.
pub(crate) fn by(account: AccountId) -> Context {
    Context { actor: Some(account), key: None, request_hash: [0; 32], correlation: "a request".to_owned() }
}

/// A call of nobody in particular.
pub(crate) fn anyone() -> Context {
    Context { actor: None, ..by(AccountId(Uuid::nil())) }
}

/// The same call with an idempotency key; `request` stands for what was asked.
pub(crate) fn keyed(context: Context, key: &str, request: &str) -> Context {
    let mut request_hash = [0; 32];
    for (index, byte) in request.bytes().enumerate() {
        request_hash[index % 32] ^= byte.rotate_left(index as u32 / 32);
    }
    Context { key: Some(key.to_owned()), request_hash, ..context }
}

#[track_caller]
pub(crate) fn refused<T: Debug, E: Debug>(result: Result<Done<T>, Refusal<E>>) -> E {
    match result {
        Err(Refusal::Domain(refusal)) => refusal,
        other => panic!("a refusal was expected: {other:?}"),
    }
}
