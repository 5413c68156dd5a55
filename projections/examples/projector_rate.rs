//! How fast the projector follows the log, and how fast a rebuilding reads it:
//! `cargo run --release -p projections --example projector_rate -- [POSTS]`.
//!
//! Log, vault and read model are in one throwaway Postgres that keeps its promises to the disk. Before each measurement
//! the vault is opened anew, so that its keys come from the database.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for measuring by hand")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use deadpool_postgres::{Manager, Pool};
use domain::account::{AccountEvent, AccountRegistered, DisplayName, Email, Handle, Identity};
use domain::channel::{ChannelCreated, ChannelEvent, ChannelKind, ChannelName, ChannelTopic};
use domain::codec::EventSet;
use domain::community::{CommunityCreated, CommunityEvent, CommunityName};
use domain::message::{Content, MessageEvent, MessagePosted};
use domain::permission::Overwrites;
use domain::{AccountId, ChannelId, CommunityId, MessageId, Personal, streams};
use event_store::postgres::PostgresStore;
use event_store::{Append, EventStore, Expected, NewEvent, Sealed, StreamName, Topic};
use futures_util::stream::{self, StreamExt as _};
use local_postgres::{Durability, ThrowawayCluster};
use projections::{Projector, ReadModel, rebuild};
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use vault::{Binding, MasterKey, Vault};

const ACCOUNTS: u128 = 100;
const CHANNELS: u128 = 20;
const COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(1));
const IN_FLIGHT: usize = 512;

struct Bench {
    url: String,
    store: Arc<PostgresStore>,
    vault: Vault,
}

#[tokio::main]
async fn main() {
    let posts: u128 = std::env::args().nth(1).map_or(200_000, |posts| posts.parse().unwrap());
    let cluster = ThrowawayCluster::start(Durability::Full).await.unwrap();
    let url = cluster.url();
    let shutdown = CancellationToken::new();
    let store = PostgresStore::connect(&url, pool(&url), shutdown.clone()).await.unwrap();
    let bench = Bench { vault: open_vault(&url).await, url, store };
    let started = Instant::now();
    bench.fill(posts).await;
    println!("wrote {posts} posts in {:.1} s", started.elapsed().as_secs_f64());
    let head = bench.store.head().await.unwrap();

    let read = ReadModel::prepare(&bench.url, pool(&bench.url), bench.store.log_id()).await.unwrap();
    let projector = Projector::new(bench.store.clone(), open_vault(&bench.url).await, read.clone());
    let started = Instant::now();
    let projecting = tokio::spawn(projector.run(shutdown.clone()));
    assert!(read.wait_for(head, Duration::from_secs(600)).await);
    report("incremental", posts, started);

    for _ in 0..3 {
        let vault = open_vault(&bench.url).await;
        let started = Instant::now();
        rebuild(&bench.url, bench.store.clone(), vault, |_| ()).await.unwrap();
        report("rebuild", posts, started);
    }
    shutdown.cancel();
    projecting.await.unwrap();
    bench.store.closed().await;
    cluster.stop().await.unwrap();
}

fn report(what: &str, events: u128, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    println!("{what}: {seconds:.2} s, {:.0} events/s", events as f64 / seconds);
}

fn pool(url: &str) -> Pool {
    Pool::builder(Manager::new(url.parse().unwrap(), NoTls)).max_size(8).build().unwrap()
}

async fn open_vault(url: &str) -> Vault {
    Vault::open(url, pool(url), MasterKey::from_bytes([7; 32])).await.unwrap()
}

impl Bench {
    async fn fill(&self, posts: u128) {
        for number in 0..ACCOUNTS {
            let account_id = AccountId(Uuid::from_u128(1_000 + number));
            self.vault.create_account_key(account_id.0).await.unwrap();
            let identity = Personal::Clear(Identity {
                handle: Handle::parse(&format!("account{number}")).unwrap(),
                display_name: DisplayName::parse("Somebody").unwrap(),
                email: Email::parse("somebody@echo.example").unwrap(),
            });
            let event = AccountEvent::from(AccountRegistered { account_id, identity });
            self.append(&streams::account(account_id), account_id.0, event).await;
        }
        let (name, owner_id) = (CommunityName::parse("Home").unwrap(), AccountId(Uuid::from_u128(1_000)));
        let event = CommunityEvent::from(CommunityCreated { community_id: COMMUNITY, name, owner_id });
        self.append(&streams::community(COMMUNITY), COMMUNITY.0, event).await;
        for number in 0..CHANNELS {
            let channel_id = ChannelId(Uuid::from_u128(2_000 + number));
            let event = ChannelEvent::from(ChannelCreated {
                channel_id,
                community_id: COMMUNITY,
                name: ChannelName::parse("channel").unwrap(),
                kind: ChannelKind::Text,
                topic: ChannelTopic::parse("").unwrap(),
                category_id: None,
                private: false,
                overwrites: Overwrites::default(),
            });
            self.append(&streams::channel(channel_id), channel_id.0, event).await;
        }
        stream::iter(0..posts).for_each_concurrent(IN_FLIGHT, |number| self.post(number)).await;
    }

    async fn post(&self, number: u128) {
        // As version 7 does: the time leads, the rest is chance.
        let scatter = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let message_id = MessageId(Uuid::from_u128((number / 10) << 80 | u128::from(scatter)));
        let author_id = AccountId(Uuid::from_u128(1_000 + u128::from(scatter) % ACCOUNTS));
        let channel_id = ChannelId(Uuid::from_u128(2_000 + u128::from(scatter) % CHANNELS));
        self.vault.create_message_key(message_id.0, author_id.0).await.unwrap();
        let text = format!("Message {number}: the quick brown fox jumps over the lazy dog, again and again.");
        let event = MessageEvent::from(MessagePosted {
            message_id,
            channel_id,
            community_id: Some(COMMUNITY),
            author_id,
            reply_to: None,
            poll: None,
            thread_id: None,
            forwarded: None,
            mentions: domain::mention::Mentions::default(),
            text: Personal::Clear(Content::parse(&text).unwrap().into()),
        });
        self.append(&streams::message(message_id), message_id.0, event).await;
    }

    async fn append(&self, stream: &str, key_id: Uuid, event: impl EventSet) {
        let encoded = event.encode();
        let sealed = match encoded.personal {
            Some(personal) => {
                let binding = Binding { kind: encoded.kind, stream };
                let sealed = self.vault.seal(key_id, binding, &personal).await.unwrap();
                Some(Sealed { key_id, nonce: sealed.nonce, ciphertext: sealed.ciphertext })
            }
            None => None,
        };
        let event = NewEvent {
            id: Uuid::new_v5(&key_id, encoded.kind.as_bytes()),
            kind: encoded.kind,
            schema: encoded.schema,
            topic: Topic::new("topic"),
            data: encoded.data.into(),
            sealed,
            meta: Bytes::from_static(b"{}"),
        };
        let stream = StreamName::new(stream);
        let append = Append { stream, expected: Expected::NoStream, guards: vec![], events: vec![event] };
        self.store.append(append).await.unwrap();
    }
}
