//! What accounts keep, over a real Postgres.

#![expect(clippy::unwrap_used, reason = "the harness of tests")]

mod draft;
mod forget;
mod notification_setting;
mod pace;
mod presence;
mod read_marker;
mod receipt;
mod saved_message;
mod scheduled_message;

use account_data::AccountData;
use deadpool_postgres::{Manager, Pool};
use domain::AccountId;
use jiff::Timestamp;
use local_postgres::TestDatabase;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

const POOL: usize = 8;

const ANN: AccountId = AccountId(Uuid::from_u128(0xa));
const BOB: AccountId = AccountId(Uuid::from_u128(0xb));

/// A database of the test's own, and what accounts keep in it.
struct Fixture {
    database: TestDatabase,
    data: AccountData,
}

impl Fixture {
    async fn new() -> Self {
        let migrate = |url: String| async move { account_data::migrate(&url).await };
        let database = TestDatabase::from_template("account_data", migrate).await;
        let data = open(&database).await;
        Self { database, data }
    }

    /// What a restarted server, or another node, has: the same database, nothing else in common.
    async fn another_node(&self) -> AccountData {
        open(&self.database).await
    }

    async fn sql(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(self.database.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

async fn open(database: &TestDatabase) -> AccountData {
    let manager = Manager::new(database.url().parse().unwrap(), NoTls);
    let pool = Pool::builder(manager).max_size(POOL).build().unwrap();
    AccountData::open(database.url(), pool).await.unwrap()
}

/// Some seconds after the tests' beginning of time.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_750_000_000 + seconds).unwrap()
}
