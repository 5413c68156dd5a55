//! The vault over a real Postgres.

#![expect(clippy::unwrap_used, reason = "the harness of tests")]

mod batching;
mod erasure;
mod failures;
mod key_file;
mod passwords;
mod revocations;
mod secrecy;
mod sessions;
mod stock;
mod texts;

use deadpool_postgres::{Manager, Pool};
use jiff::{SignedDuration, Timestamp};
use local_postgres::TestDatabase;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;
use vault::{Binding, MasterKey, NewSession, OpenError, OpenRequest, Opened, SealedText, Vault};

const MASTER: [u8; 32] = *b"the master key of all the tests.";
const POOL: usize = 8;

const ANN: Uuid = Uuid::from_u128(0xa);
const BOB: Uuid = Uuid::from_u128(0xb);
const HELLO: Uuid = Uuid::from_u128(0x100);
const PLACE: Binding<'_> = Binding { kind: "message.posted", stream: "message-100" };

/// A database of the test's own, and its vault.
struct Fixture {
    database: TestDatabase,
    vault: Vault,
}

impl Fixture {
    async fn new() -> Fixture {
        let database =
            TestDatabase::from_template("vault", |url| async move { vault::migrate(&url).await }).await;
        let vault = open(&database, MASTER).await.unwrap();
        Fixture { database, vault }
    }

    /// With Ann's key, and the key of a message of hers.
    async fn with_message() -> Fixture {
        let fixture = Fixture::new().await;
        fixture.vault.create_account_key(ANN).await.unwrap();
        fixture.vault.create_message_key(HELLO, ANN).await.unwrap();
        fixture
    }

    /// What another node has: the same database, nothing else in common.
    async fn another_node(&self) -> Vault {
        open(&self.database, MASTER).await.unwrap()
    }

    async fn sql(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(self.database.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    async fn count(&self, query: &str) -> i64 {
        self.sql().await.query_one(query, &[]).await.unwrap().get(0)
    }
}

async fn open(database: &TestDatabase, master: [u8; 32]) -> Result<Vault, OpenError> {
    let manager = Manager::new(database.url().parse().unwrap(), NoTls);
    let pool = Pool::builder(manager).max_size(POOL).build().unwrap();
    Vault::open(database.url(), pool, MasterKey::from_bytes(master)).await
}

async fn open_text(vault: &Vault, sealed: &SealedText, binding: Binding<'_>) -> Opened {
    let request =
        OpenRequest { key_id: sealed.key_id, nonce: &sealed.nonce, ciphertext: &sealed.ciphertext, binding };
    vault.open_many(&[request]).await.unwrap().remove(0)
}

fn text(text: &str) -> Opened {
    Opened::Text(text.as_bytes().to_vec())
}

/// Some seconds after the tests' beginning of time.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_750_000_000 + seconds).unwrap()
}

fn new_session(id: u128, account: Uuid) -> NewSession {
    NewSession {
        id: Uuid::from_u128(id),
        account,
        device: Some("Firefox on Linux".to_owned()),
        command: None,
        lifetime: SignedDuration::from_hours(24),
    }
}

/// Lets the caches' and time-outs' clock pass `seconds`. Nothing may be under way in the database meanwhile.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(seconds)).await;
    tokio::time::resume();
}
