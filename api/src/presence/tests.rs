//! The keeper over a real Postgres. Time is what the test says.

use std::sync::Arc;

use account_data::AccountData;
use commands::SystemClock;
use deadpool_postgres::{Manager, Pool};
use domain::AccountId;
use domain::presence::{Presence, Shown, Status};
use event_store::LogId;
use local_postgres::TestDatabase;
use projections::ReadModel;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_postgres::{Client, Config, NoTls};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::attendance::{Attendance, GRACE};
use super::keeper::{Keeper, Teller};
use crate::signal::{Signal, Signals};

const ANN: AccountId = AccountId(Uuid::from_u128(1));
const BOB: AccountId = AccountId(Uuid::from_u128(2));
const HOME: Uuid = Uuid::from_u128(7);

struct Scene {
    database: TestDatabase,
    data: AccountData,
    sql: Client,
}

/// One node's side.
struct Node {
    id: Uuid,
    keeper: Keeper,
    attendance: Arc<Attendance>,
    heard: mpsc::Receiver<Signal>,
}

impl Scene {
    /// Ann and Bob are in one conversation, as far as the read model is concerned.
    async fn set() -> Self {
        let migrate = |url: String| async move { account_data::migrate(&url).await };
        let database = TestDatabase::from_template("account_data", migrate).await;
        let data = AccountData::open(database.url(), pool(&database)).await.expect("the tables are there");
        let (sql, connection) = tokio_postgres::connect(database.url(), NoTls).await.expect("a connection");
        tokio::spawn(connection);
        Self { database, data, sql }
    }

    async fn node(&self, id: u128) -> Node {
        let read = ReadModel::prepare(self.database.url(), pool(&self.database), LogId(Uuid::nil()));
        let read = read.await.expect("the read model is prepared");
        for account in [ANN, BOB] {
            const JOINED: &str = "
                INSERT INTO read.participants (channel_id, account_id, position, joined_at)
                VALUES ($1, $2, 1, now()) ON CONFLICT DO NOTHING";
            self.sql.execute(JOINED, &[&HOME, &account.0]).await.expect("a row");
        }
        let id = Uuid::from_u128(id);
        let (signals, heard, _) = Signals::new(Config::new(), id, CancellationToken::new());
        let (attendance, teller) = (Arc::new(Attendance::default()), Teller::new(read, Arc::new(signals)));
        let clock = Arc::new(SystemClock);
        let keeper = Keeper::new(self.data.clone(), attendance.clone(), teller, clock, id);
        Node { id, keeper, attendance, heard }
    }

    /// Time passes for a node that does not renew its lease.
    async fn let_lease_run_out(&self, node: &Node) {
        let late = "UPDATE account_data.nodes SET expires_at = now() WHERE node = $1";
        assert_eq!(self.sql.execute(late, &[&node.id]).await.expect("the lease"), 1);
    }
}

fn pool(database: &TestDatabase) -> Pool {
    let manager = Manager::new(database.url().parse().expect("a connection string"), NoTls);
    Pool::builder(manager).max_size(4).build().expect("a pool")
}

impl Node {
    /// What is told in a round at `now`.
    async fn told(&mut self, now: Instant) -> Vec<(AccountId, Shown)> {
        self.keeper.round(now, true).await.expect("the database answers");
        let mut told = Vec::new();
        while let Ok(signal) = self.heard.try_recv() {
            let Signal::Presence(presence) = signal else { panic!("{signal:?}") };
            assert_eq!(presence.conversations.iter().map(|id| id.0).collect::<Vec<_>>(), [HOME]);
            told.push((presence.account_id, presence.sight.status));
        }
        told.sort_by_key(|(account, _)| *account);
        told
    }
}

#[tokio::test]
async fn who_comes_is_told_once_and_who_goes_half_a_minute_later() {
    let scene = Scene::set().await;
    let mut node = scene.node(1).await;
    let begin = Instant::now();
    node.attendance.came(ANN);
    node.attendance.came(BOB);
    assert_eq!(node.told(begin).await, [(ANN, Shown::Online), (BOB, Shown::Online)]);
    node.attendance.went(ANN, begin);
    assert_eq!(node.told(begin + GRACE / 2).await, []);
    node.attendance.came(ANN);
    node.attendance.went(ANN, begin + GRACE / 2);
    assert_eq!(node.told(begin + GRACE).await, [], "a poll later");
    assert_eq!(node.told(begin + 2 * GRACE).await, [(ANN, Shown::Offline)]);
    assert_eq!(node.told(begin + 3 * GRACE).await, []);
}

#[tokio::test]
async fn an_account_at_two_nodes_is_there_until_it_has_left_both() {
    let scene = Scene::set().await;
    let (mut here, mut there) = (scene.node(1).await, scene.node(2).await);
    let begin = Instant::now();
    scene
        .data
        .set_presence(
            ANN,
            &Presence { status: Status::Dnd, ..Presence::default() },
            jiff::Timestamp::UNIX_EPOCH,
        )
        .await
        .expect("kept");
    here.attendance.came(ANN);
    assert_eq!(here.told(begin).await, [(ANN, Shown::Dnd)]);
    there.attendance.came(ANN);
    assert_eq!(there.told(begin).await, []);
    here.attendance.went(ANN, begin);
    assert_eq!(here.told(begin + GRACE).await, []);
    there.attendance.went(ANN, begin + GRACE);
    assert_eq!(there.told(begin + 2 * GRACE).await, [(ANN, Shown::Offline)]);
}

#[tokio::test]
async fn a_node_that_was_taken_for_gone_takes_everyone_down_anew() {
    let scene = Scene::set().await;
    let mut node = scene.node(1).await;
    let begin = Instant::now();
    node.attendance.came(ANN);
    assert_eq!(node.told(begin).await, [(ANN, Shown::Online)]);
    assert_eq!(node.told(begin).await, []);
    // It could not reach the database for too long; another swept its rows, and told so.
    scene.let_lease_run_out(&node).await;
    assert_eq!(scene.data.sweep_nodes(jiff::Timestamp::UNIX_EPOCH).await.expect("swept").len(), 1);
    assert_eq!(node.told(begin).await, [], "now it knows");
    assert_eq!(node.told(begin).await, [(ANN, Shown::Online)]);
    assert_eq!(node.told(begin).await, []);
}

#[tokio::test]
async fn what_the_database_did_not_take_is_taken_down_when_it_does() {
    let scene = Scene::set().await;
    let mut node = scene.node(1).await;
    let begin = Instant::now();
    let refuse = "ALTER TABLE account_data.connections ADD CONSTRAINT nobody CHECK (false) NOT VALID";
    scene.sql.batch_execute(refuse).await.expect("a constraint");
    node.attendance.came(ANN);
    node.keeper.round(begin, false).await.expect_err("nobody can be taken down");
    scene
        .sql
        .batch_execute("ALTER TABLE account_data.connections DROP CONSTRAINT nobody")
        .await
        .expect("none");
    assert_eq!(node.told(begin).await, [(ANN, Shown::Online)]);
}
