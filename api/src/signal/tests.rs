//! What is told on and what is not, and the way between nodes over a real Postgres.

use std::time::Duration;

use domain::CommunityId;
use jiff::Timestamp;
use local_postgres::TestDatabase;
use tokio_postgres::{Client, NoTls};
use tokio_util::task::AbortOnDropHandle;

use super::letter::{Added, Letter, MAX, Received, read};
use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

fn typing(account: u128, channel: u128) -> Typing {
    let (community, channel) = (CommunityId(Uuid::from_u128(1)), ChannelId(Uuid::from_u128(channel)));
    Typing::new(Some(community), channel, AccountId(Uuid::from_u128(account)), Timestamp::UNIX_EPOCH)
}

fn signal(account: u128) -> Signal {
    Signal::Typing(typing(account, 2))
}

/// Signals without a way to other nodes.
fn alone() -> (Signals, mpsc::Receiver<Signal>) {
    let (signals, heard, _) = Signals::new(Config::new(), Uuid::nil(), CancellationToken::new());
    (signals, heard)
}

#[test]
fn what_is_said_again_too_soon_is_not_told_on() {
    let (signals, mut heard) = alone();
    let mut said = |account, channel, milliseconds: i64| {
        let time = Timestamp::from_millisecond(milliseconds).expect("a time");
        let Typing { community_id, channel_id, account_id, .. } = typing(account, channel);
        signals.typing(Typing::new(community_id, channel_id, account_id, time));
        heard.try_recv().is_ok()
    };
    assert!(said(1, 1, 10_000));
    assert!(!said(1, 1, 10_000));
    assert!(said(1, 2, 10_000) && said(2, 1, 10_000), "elsewhere, or by somebody else, it is another signal");
    assert!(!said(1, 1, 12_999));
    assert!(said(1, 1, 13_000));
    assert!(said(1, 1, 5_000), "a clock that was set back silences nobody");
    signals.posted(AccountId(Uuid::from_u128(1)), ChannelId(Uuid::from_u128(1)));
    assert!(said(1, 1, 5_001), "after a message it begins anew");
}

#[tokio::test]
async fn a_full_queue_drops_signals_and_holds_nobody_up() {
    let (signals, mut heard) = alone();
    let more = QUEUE as u128 + 10;
    (0..more).for_each(|account| signals.typing(typing(account, 1)));
    let told = std::iter::from_fn(|| heard.try_recv().ok()).count();
    assert_eq!(told, QUEUE);
    signals.typing(typing(more, 1));
    assert_eq!(heard.try_recv(), Ok(Signal::Typing(typing(more, 1))), "there is room again");
}

#[test]
fn a_letter_is_never_longer_than_postgres_takes() {
    let node = Uuid::from_u128(7);
    let mut letter = Letter::from(node);
    let fitting: Vec<Signal> = (0..100).map(signal).take_while(|s| letter.add(s) == Added::Yes).collect();
    assert_eq!(letter.signals(), fitting.len());
    assert!(fitting.len() > 20, "{} fit", fitting.len());
    let text = letter.close();
    let one = serde_json::to_string(&fitting[0]).expect("JSON").len();
    assert!(text.len() <= MAX && text.len() + one + 1 > MAX, "{} bytes", text.len());
    assert_eq!(read(&text).expect("a letter"), Received { node, signals: fitting, unreadable: 0 });
}

#[test]
fn what_a_newer_node_says_is_left_out_and_the_rest_is_heard() {
    let mut letter = Letter::from(Uuid::nil());
    letter.add(&signal(1));
    let text = letter.close().replace("[{", r#"[{"type":"waving","hand":"left"},{"#);
    let received = Received { node: Uuid::nil(), signals: vec![signal(1)], unreadable: 1 };
    assert_eq!(read(&text).expect("a letter"), received);
}

struct Node {
    signals: Signals,
    heard: mpsc::Receiver<Signal>,
    _bus: AbortOnDropHandle<()>,
}

impl Node {
    fn on(database: &TestDatabase, node: u128) -> Self {
        let config = database.url().parse().expect("a connection string");
        let (signals, heard, bus) = Signals::new(config, Uuid::from_u128(node), CancellationToken::new());
        Self { signals, heard, _bus: AbortOnDropHandle::new(tokio::spawn(bus)) }
    }

    /// What is heard up to `last`, which is sent last.
    async fn until(&mut self, last: &Signal) -> Vec<Signal> {
        let mut heard = Vec::new();
        loop {
            let next = tokio::time::timeout(PATIENCE, self.heard.recv()).await.expect("something is heard");
            match next.expect("the node lives") {
                signal if signal == *last => return heard,
                signal => heard.push(signal),
            }
        }
    }
}

async fn database() -> (TestDatabase, Client) {
    let database = TestDatabase::from_template("empty", async |_| Ok::<_, String>(())).await;
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await.expect("a connection");
    tokio::spawn(connection);
    (database, client)
}

/// The sessions that listen, once there are so many: by then what is sent reaches them.
async fn listeners(client: &Client, count: usize) -> Vec<i32> {
    let query = "
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'echoverse signals' AND state = 'idle'
            AND (query LIKE '%LISTEN signals' OR query LIKE '%pg_notify%')
        ORDER BY pid";
    let begun = std::time::Instant::now();
    loop {
        let rows = client.query(query, &[]).await.expect("the list of sessions");
        if rows.len() == count {
            return rows.iter().map(|row| row.get("pid")).collect();
        }
        assert!(begun.elapsed() < PATIENCE, "{} nodes listen instead of {count}", rows.len());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn other_nodes_hear_everything_once_and_nobody_hears_itself_again() {
    let (database, client) = database().await;
    let (mut a, mut b, mut c) = (Node::on(&database, 1), Node::on(&database, 2), Node::on(&database, 3));
    listeners(&client, 3).await;
    // More than two letters hold.
    let said: Vec<Signal> = (0..60).map(signal).collect();
    said.iter().for_each(|signal| a.signals.tell(signal.clone()));
    let answer = signal(1_000);
    assert_eq!(b.until(&said[59]).await, said[..59]);
    b.signals.tell(answer.clone());
    // The letters of a came back to it before the answer did.
    assert_eq!(a.until(&answer).await, said);
    assert_eq!(b.until(&answer).await, []);
    assert_eq!(c.until(&answer).await, said);
}

#[tokio::test]
async fn a_lost_connection_is_made_again() {
    let (database, client) = database().await;
    let (a, mut b) = (Node::on(&database, 1), Node::on(&database, 2));
    for round in 0..3 {
        let before = listeners(&client, 2).await;
        for pid in &before {
            client.execute("SELECT pg_terminate_backend($1, 10000)", &[pid]).await.expect("terminated");
        }
        let after = listeners(&client, 2).await;
        assert!(after.iter().all(|pid| !before.contains(pid)));
        let said = signal(round);
        a.signals.tell(said.clone());
        assert_eq!(b.until(&said).await, []);
    }
}

#[tokio::test]
async fn what_is_no_letter_is_ignored() {
    let (database, client) = database().await;
    let (a, mut b) = (Node::on(&database, 1), Node::on(&database, 2));
    listeners(&client, 2).await;
    let nonsense = ["", "hello", "{}", "[]", r#"{"node":"x","signals":[]}"#, r#"{"node":1}"#, "\u{1f44b}"];
    for text in nonsense {
        client.execute("SELECT pg_notify('signals', $1)", &[&text]).await.expect("anybody may notify");
    }
    a.signals.tell(signal(1));
    assert_eq!(b.until(&signal(1)).await, []);
}
