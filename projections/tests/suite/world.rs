//! A log, a vault, a database and a read model, and short words to fill them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use deadpool_postgres::{Manager, Pool};
use domain::block::BlockEvent;
use domain::channel_order::ChannelOrderEvent;
use domain::codec::EventSet as _;
use domain::membership::MembershipEvent;
use domain::message::MessageEvent;
use domain::report::ReportEvent;
use domain::{AccountId, ChannelId, CommunityId, Event, MessageId, Personal, Role, streams};
use event_store::memory::MemoryStore;
use event_store::{Append, EventStore, Expected, NewEvent, Position, Sealed, StreamName, Topic};
use local_postgres::TestDatabase;
use projections::{Projector, ReadModel, Swap};
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;
use vault::{Binding, MasterKey, SealedText, Vault};

mod said;
mod words;

pub(crate) use said::emoji;
pub(crate) use words::Place;

/// Longer than anything here takes; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) vault: Vault,
    pub(crate) read: ReadModel,
    ids: AtomicU64,
}

/// A projector at work, until it is dropped.
pub(crate) struct Running {
    shutdown: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

pub(crate) fn pool(url: &str) -> Pool {
    Pool::builder(Manager::new(url.parse().unwrap(), NoTls)).max_size(8).build().unwrap()
}

pub(crate) fn master_key() -> MasterKey {
    MasterKey::from_bytes([7; 32])
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::from_template("projections", |url| async move {
            Vault::open(&url, pool(&url), master_key()).await.map(drop)
        })
        .await;
        let vault = Vault::open(database.url(), pool(database.url()), master_key()).await.unwrap();
        let store = Arc::new(MemoryStore::new());
        let read = ReadModel::prepare(database.url(), pool(database.url()), store.log_id()).await.unwrap();
        Self { database, store, vault, read, ids: AtomicU64::new(1) }
    }

    /// With a projector that works.
    pub(crate) async fn running() -> (Self, Running) {
        let world = Self::new().await;
        let running = world.run();
        (world, running)
    }

    pub(crate) fn run(&self) -> Running {
        run(self.projector())
    }

    pub(crate) fn projector(&self) -> Projector {
        Projector::new(self.store.clone(), self.vault.clone(), self.read.clone())
    }

    /// A read model of another process on the same database, with its projector.
    pub(crate) async fn other_node(&self) -> (ReadModel, Projector) {
        let url = self.database.url();
        let read = ReadModel::prepare(url, pool(url), self.store.log_id()).await.unwrap();
        (read.clone(), Projector::new(self.store.clone(), self.vault.clone(), read))
    }

    /// A connection of the test's own.
    pub(crate) async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(self.database.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    pub(crate) fn id(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.ids.fetch_add(1, Ordering::Relaxed)) << 64 | 0xec)
    }

    /// Appends an event, sealed as a command would.
    pub(crate) async fn tell(&self, event: impl Into<Event>) -> Position {
        self.tell_for(None, event).await
    }

    /// Appends an event that followed from a command of `actor`.
    pub(crate) async fn tell_for(&self, actor: Option<AccountId>, event: impl Into<Event>) -> Position {
        let event = event.into();
        let encoded = event.encode();
        let stream = stream(&event);
        let sealed = match encoded.personal {
            Some(personal) => Some(self.seal(&event, encoded.kind, &stream, &personal).await),
            None => None,
        };
        let meta =
            actor.map(|actor| format!(r#"{{"actor":"{actor}","command":"{actor}"}}"#)).unwrap_or_default();
        self.append_caused(&stream, encoded.kind, encoded.schema, encoded.data, sealed, meta.into()).await
    }

    pub(crate) async fn append(
        &self,
        stream: &str,
        kind: &'static str,
        schema: u16,
        data: Vec<u8>,
        sealed: Option<Sealed>,
    ) -> Position {
        self.append_caused(stream, kind, schema, data, sealed, Bytes::new()).await
    }

    async fn append_caused(
        &self,
        stream: &str,
        kind: &'static str,
        schema: u16,
        data: Vec<u8>,
        sealed: Option<Sealed>,
        meta: Bytes,
    ) -> Position {
        let event = NewEvent {
            id: Uuid::from_u128(u128::from(self.ids.fetch_add(1, Ordering::Relaxed))),
            kind,
            schema,
            topic: Topic::new("any"),
            data: data.into(),
            sealed,
            meta,
        };
        let stream = StreamName::new(stream);
        let append = Append { stream, expected: Expected::Any, guards: vec![], events: vec![event] };
        self.store.append(append).await.unwrap().position
    }

    async fn seal(&self, event: &Event, kind: &'static str, stream: &str, personal: &[u8]) -> Sealed {
        let key_id = match event {
            Event::Message(MessageEvent::Posted(posted)) => {
                let (message, author) = (posted.message_id.0, posted.author_id.0);
                self.vault.create_message_key(message, author).await.unwrap();
                message
            }
            Event::Message(MessageEvent::Edited(edited)) => edited.message_id.0,
            Event::Report(ReportEvent::Opened(opened)) => opened.reporter_id.0,
            Event::Report(ReportEvent::Changed(changed)) => changed.by.0,
            Event::Account(_) => {
                let account = streams::id_in(stream).unwrap();
                self.vault.create_account_key(account).await.unwrap();
                account
            }
            Event::Membership(event) => {
                let teller = teller(event).0;
                self.vault.create_account_key(teller).await.unwrap();
                teller
            }
            _ => unreachable!("nothing else is sealed"),
        };
        sealed_by(self.vault.seal(key_id, Binding { kind, stream }, personal).await.unwrap())
    }

    /// Waits until everything told so far can be read.
    pub(crate) async fn settle(&self) -> Position {
        let head = self.head().await;
        self.reach(head).await;
        head
    }

    pub(crate) async fn head(&self) -> Position {
        self.store.head().await.unwrap()
    }

    /// Empties the read model, as another shape of it would, and prepares it anew; no projector may be running.
    pub(crate) async fn start_over(&self) -> (ReadModel, Projector) {
        let forget = "UPDATE read.checkpoint SET shape = 'other'";
        self.client().await.batch_execute(forget).await.unwrap();
        self.other_node().await
    }

    /// Builds the tables anew and finds in them what is in the live ones.
    pub(crate) async fn assert_rebuilt_equals_live(&self) {
        let (url, store, vault) = (self.database.url(), self.store.clone(), self.vault.clone());
        let report = projections::verify(url, store, vault, Swap::Never, |_| ()).await.unwrap();
        assert_eq!(report.differences.as_deref(), Some(&[][..]));
        assert!(!report.swapped);
    }

    pub(crate) async fn reach(&self, position: Position) {
        let reached = self.read.wait_for(position, PATIENCE).await;
        assert!(reached, "{position} was not reached: {:?}", self.read.health().await);
    }
}

/// Whose text is in a membership's event: a nickname is its bearer's, a reason its giver's.
fn teller(event: &MembershipEvent) -> AccountId {
    match event {
        MembershipEvent::NicknameChanged(e) => e.account_id,
        MembershipEvent::Kicked(e) => e.by,
        MembershipEvent::Banned(e) => e.by,
        MembershipEvent::TimedOut(e) => e.by,
        _ => unreachable!("nothing else is sealed"),
    }
}

/// As the log keeps it.
pub(crate) fn sealed_by(text: SealedText) -> Sealed {
    Sealed { key_id: text.key_id, nonce: text.nonce, ciphertext: text.ciphertext }
}

pub(crate) fn run(projector: Projector) -> Running {
    let shutdown = CancellationToken::new();
    let task = AbortOnDropHandle::new(tokio::spawn(projector.run(shutdown.clone())));
    Running { shutdown, task }
}

fn stream(event: &Event) -> String {
    use domain::account::AccountEvent as A;
    use domain::channel::ChannelEvent as C;
    use domain::community::CommunityEvent as Y;
    use domain::invite::InviteEvent as I;
    use domain::report::ReportEvent as R;
    match event {
        Event::Message(e) => streams::message(e.subject().0),
        Event::Reaction(e) => streams::reaction(e.subject().0),
        Event::Thread(e) => streams::follow(e.subject().0, e.subject().1),
        Event::Poll(e) => streams::poll(e.subject().0),
        Event::Membership(e) => streams::membership(e.subject().0, e.subject().1),
        Event::Channel(C::Created(e)) => streams::channel(e.channel_id),
        Event::Channel(C::Changed(e)) => streams::channel(e.channel_id),
        Event::Channel(C::Deleted(e)) => streams::channel(e.channel_id),
        Event::Channel(C::Overwritten(e)) => streams::channel(e.channel_id),
        Event::Channel(C::DirectOpened(e)) => streams::channel(e.channel_id),
        Event::Channel(C::GroupCreated(e)) => streams::channel(e.channel_id),
        Event::Channel(C::GroupRenamed(e)) => streams::channel(e.channel_id),
        Event::Channel(C::GroupMemberAdded(e)) => streams::channel(e.channel_id),
        Event::Channel(C::GroupMemberRemoved(e)) => streams::channel(e.channel_id),
        Event::Channel(C::GroupHandedOver(e)) => streams::channel(e.channel_id),
        Event::ChannelOrder(ChannelOrderEvent::Ordered(e)) => streams::channel_order(e.community_id),
        Event::Block(BlockEvent::Blocked(e)) => streams::block(e.by, e.account_id),
        Event::Block(BlockEvent::Unblocked(e)) => streams::block(e.by, e.account_id),
        Event::Community(Y::Created(e)) => streams::community(e.community_id),
        Event::Community(Y::Renamed(e)) => streams::community(e.community_id),
        Event::Community(Y::Deleted(e)) => streams::community(e.community_id),
        Event::Community(Y::OwnerChanged(e)) => streams::community(e.community_id),
        Event::Community(Y::RoleCreated(e)) => streams::community(e.community_id),
        Event::Community(Y::RoleChanged(e)) => streams::community(e.community_id),
        Event::Community(Y::RoleDeleted(e)) => streams::community(e.community_id),
        Event::Community(Y::RolesOrdered(e)) => streams::community(e.community_id),
        Event::Account(A::Registered(e)) => streams::account(e.account_id),
        Event::Account(A::ProfileChanged(e)) => streams::account(e.account_id),
        Event::Invite(I::Created(e)) => streams::invite(e.code.as_str()),
        Event::Invite(I::Redeemed(e)) => streams::invite(e.code.as_str()),
        Event::Invite(I::Revoked(e)) => streams::invite(e.code.as_str()),
        Event::Report(R::Opened(e)) => streams::report(e.report_id),
        Event::Report(R::Changed(e)) => streams::report(e.report_id),
        Event::Claim(_) => streams::handle("00"),
        Event::Installation(_) => streams::INSTALLATION.to_owned(),
    }
}
