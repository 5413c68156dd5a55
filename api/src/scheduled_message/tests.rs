//! Sending what is due, with a clock that stands still and crashes at the worst moment.

use std::sync::Arc;

use account_data::{AccountData, Outcome, ScheduledMessage};
use commands::{Clock, Commands, Context, IdSource as _, NewChannel, Register, Settings, SystemIds};
use deadpool_postgres::{Manager, Pool};
use domain::account::{DisplayName, Email, Handle};
use domain::channel::{ChannelKind, ChannelName, ChannelTopic};
use domain::community::CommunityName;
use domain::{AccountId, ChannelId};
use event_store::memory::MemoryStore;
use event_store::{EventStore as _, Position};
use jiff::{SignedDuration, Timestamp};
use local_postgres::TestDatabase;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_postgres::{Config, NoTls};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use vault::{MasterKey, Vault};

use super::ScheduledState;
use super::sender::Sender;
use crate::server::Paces;
use crate::signal::{Signal, Signals};

const BEGIN: Timestamp = Timestamp::constant(1_750_000_000, 0);

struct FixedClock(Mutex<Timestamp>);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

struct Scene {
    store: Arc<MemoryStore>,
    data: AccountData,
    commands: Commands,
    clock: Arc<FixedClock>,
    signals: Arc<Signals>,
    heard: mpsc::Receiver<Signal>,
    author: AccountId,
    channel: ChannelId,
    _database: TestDatabase,
}

fn by(account: Option<AccountId>) -> Context {
    Context { actor: account, key: None, request_hash: [0; 32], correlation: "a test".to_owned() }
}

impl Scene {
    async fn set() -> Self {
        let migrate = |url: String| async move {
            vault::migrate(&url).await?;
            account_data::migrate(&url).await
        };
        let database = TestDatabase::from_template("vault_and_account_data", migrate).await;
        let manager = Manager::new(database.url().parse().expect("a connection string"), NoTls);
        let pool = Pool::builder(manager).max_size(8).build().expect("a pool");
        let key = MasterKey::from_bytes([7; 32]);
        let vault = Vault::open(database.url(), pool.clone(), key).await.expect("a vault");
        let data = AccountData::open(database.url(), pool).await.expect("the tables are there");
        let store = Arc::new(MemoryStore::default());
        let clock = Arc::new(FixedClock(Mutex::new(BEGIN)));
        let settings = Settings { default_community: None };
        let pace = Arc::new(Paces(data.clone()));
        let commands =
            Commands::new(store.clone(), vault, clock.clone(), Arc::new(SystemIds), pace, settings);
        let (signals, heard, _) = Signals::new(Config::new(), Uuid::nil(), CancellationToken::new());

        let new = Register {
            handle: Handle::parse("ann").expect("a handle"),
            display_name: DisplayName::parse("Ann").expect("a name"),
            email: Email::parse("ann@example.org").expect("an address"),
            password: "correct horse".to_owned(),
        };
        let author = commands.register(&by(None), new).await.expect("registered").made;
        let name = CommunityName::parse("Home").expect("a name");
        let home = commands.create_community(&by(Some(author)), name).await.expect("made").made;
        let new = NewChannel {
            name: ChannelName::parse("plans").expect("a name"),
            kind: ChannelKind::Text,
            topic: ChannelTopic::parse("").expect("a topic"),
            category_id: None,
            private: None,
            overwrites: None,
            existing: 0,
        };
        let channel =
            commands.create_channel(&by(Some(author)), home, new).await.expect("made").made.channel.id;
        let signals = Arc::new(signals);
        Self { store, data, commands, clock, signals, heard, author, channel, _database: database }
    }

    /// A process that sends; several may.
    fn sender(&self) -> Sender {
        Sender {
            data: self.data.clone(),
            commands: self.commands.clone(),
            signals: self.signals.clone(),
            clock: self.clock.clone(),
        }
    }

    fn at(&self, seconds: i64) {
        *self.clock.0.lock() = BEGIN.saturating_add(SignedDuration::from_secs(seconds)).expect("a time");
    }

    async fn schedule(&self, content: &str, channel: ChannelId, seconds: i64) -> Uuid {
        let message = ScheduledMessage {
            id: SystemIds.id(),
            account: self.author,
            channel,
            content: content.to_owned(),
            reply_to: None,
            send_at: BEGIN.saturating_add(SignedDuration::from_secs(seconds)).expect("a time"),
            created_at: BEGIN,
            failure: None,
        };
        self.data.schedule_message(&message, None).await.expect("kept");
        message.id
    }

    /// How many messages are in the log.
    async fn posted(&self) -> usize {
        let log = self.store.read_all(Position::START, 1_000).await.expect("a log");
        log.iter().filter(|record| record.kind == "message.posted").count()
    }

    async fn waiting(&self) -> Vec<ScheduledMessage> {
        self.data.scheduled_messages(self.author).await.expect("a list")
    }

    /// What was told.
    fn told(&mut self) -> Vec<(Uuid, ScheduledState)> {
        let mut told = Vec::new();
        while let Ok(signal) = self.heard.try_recv() {
            let Signal::ScheduledMessage(own) = signal else { panic!("{signal:?}") };
            assert_eq!(own.account_id, self.author);
            told.push((own.data.id, own.data.state));
        }
        told
    }
}

#[tokio::test]
async fn a_message_is_sent_when_it_is_due_and_not_before() {
    let mut scene = Scene::set().await;
    let sender = scene.sender();
    let id = scene.schedule("on time", scene.channel, 60).await;
    scene.at(59);
    assert_eq!((sender.round().await.expect("a round"), scene.posted().await), (0, 0));
    scene.at(60);
    assert_eq!((sender.round().await.expect("a round"), scene.posted().await), (1, 1));
    assert_eq!(scene.waiting().await, []);
    assert_eq!(scene.told(), [(id, ScheduledState::Sent)]);
    scene.at(10_000);
    assert_eq!((sender.round().await.expect("a round"), scene.posted().await), (0, 1));
}

#[tokio::test]
async fn a_crash_between_posting_and_saying_so_posts_once() {
    let mut scene = Scene::set().await;
    let id = scene.schedule("once", scene.channel, 60).await;
    scene.at(60);
    let crashed = scene.sender();
    let leased = crashed.lease().await.expect("a lease");
    assert_eq!(crashed.post(&leased[0]).await, Outcome::Sent);
    drop(crashed);
    assert_eq!((scene.posted().await, scene.waiting().await.len()), (1, 1));
    let other = scene.sender();
    scene.at(119);
    assert_eq!(other.round().await.expect("a round"), 0, "the lease of the dead runs still");
    scene.at(120);
    assert_eq!(other.round().await.expect("a round"), 1);
    assert_eq!((scene.posted().await, scene.waiting().await.len()), (1, 0));
    assert_eq!(scene.told(), [(id, ScheduledState::Sent)]);
}

#[tokio::test]
async fn who_changes_a_message_after_such_a_crash_sends_no_second_one() {
    let scene = Scene::set().await;
    let id = scene.schedule("first", scene.channel, 60).await;
    scene.at(60);
    let crashed = scene.sender();
    let leased = crashed.lease().await.expect("a lease");
    crashed.post(&leased[0]).await;
    scene.at(120);
    let now = scene.clock.now();
    scene.data.reschedule_message(scene.author, id, Some("second"), None, now).await.expect("changed");
    assert_eq!(scene.sender().round().await.expect("a round"), 1);
    assert_eq!((scene.posted().await, scene.waiting().await.len()), (1, 0));
}

#[tokio::test]
async fn two_senders_at_once_post_everything_once() {
    let scene = Scene::set().await;
    for number in 0..30 {
        scene.schedule(&format!("number {number}"), scene.channel, 60).await;
    }
    scene.at(60);
    let (a, b) = (scene.sender(), scene.sender());
    let all = async |sender: &Sender| {
        let mut sent = 0;
        while let more @ 1.. = sender.round().await.expect("a round") {
            sent += more;
        }
        sent
    };
    let (by_a, by_b) = tokio::join!(all(&a), all(&b));
    assert_eq!(by_a + by_b, 30);
    assert_eq!((scene.posted().await, scene.waiting().await.len()), (30, 0));
}

#[tokio::test]
async fn a_refused_message_stays_with_the_reason_and_holds_up_no_other() {
    let mut scene = Scene::set().await;
    let nowhere = ChannelId(Uuid::from_u128(1));
    let refused = scene.schedule("to nowhere", nowhere, 10).await;
    let sent = scene.schedule("to somewhere", scene.channel, 20).await;
    scene.at(60);
    assert_eq!(scene.sender().round().await.expect("a round"), 2);
    assert_eq!(scene.posted().await, 1);
    let waiting = scene.waiting().await;
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0].id, waiting[0].failure.as_deref()), (refused, Some("channel_not_found")));
    assert_eq!(scene.told(), [(refused, ScheduledState::Failed), (sent, ScheduledState::Sent)]);
}
