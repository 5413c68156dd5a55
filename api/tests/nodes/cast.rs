//! Who takes part: accounts in the channel that everyone lands in, each with a client at both nodes.

use std::time::Duration;

use client::{Client, Cursor, NewAccount, NewMessage, NewSession, Options};
use uuid::Uuid;

use crate::cluster::Cluster;
use crate::verdict::POSTED;
use crate::writers::Answered;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// An account, logged in once: its token is good at every node.
#[derive(Clone)]
pub(crate) struct Player {
    pub(crate) account: Uuid,
    pub(crate) handle: String,
    /// At node a.
    pub(crate) client: Client,
    /// At node b.
    pub(crate) elsewhere: Client,
    pub(crate) token: String,
}

pub(crate) struct Cast {
    pub(crate) players: Vec<Player>,
    pub(crate) community: Uuid,
    pub(crate) channel: Uuid,
    /// Before the first message.
    pub(crate) start: Cursor,
}

/// Clients of both nodes that belong to nobody yet.
pub(crate) fn strangers(cluster: &Cluster) -> [Client; 2] {
    // Each try is made by the test itself, so that it can tell what failed.
    let options = Options { tries: 1, try_timeout: Duration::from_secs(30), ..Options::default() };
    [&cluster.a, &cluster.b]
        .map(|node| Client::with_options(&node.base(), options.clone()).expect("a usable address"))
}

pub(crate) fn new_account(handle: &str) -> NewAccount {
    NewAccount {
        handle: handle.to_owned(),
        email: format!("{handle}@example.org"),
        password: PASSWORD.into(),
        display_name: None,
    }
}

impl Player {
    /// Another session of the same account, made at node a.
    pub(crate) async fn again(&self, cluster: &Cluster) -> Self {
        let [here, there] = strangers(cluster);
        log_in(&here, &there, &self.handle).await
    }
}

async fn log_in(here: &Client, there: &Client, handle: &str) -> Player {
    let session = here.log_in(&NewSession::new(handle, PASSWORD)).await.expect("a session");
    let token = session.token.expect("a token").expose().to_owned();
    let (client, elsewhere) = (here.with_token(token.clone()), there.with_token(token.clone()));
    Player { account: session.account.id, handle: handle.to_owned(), client, elsewhere, token }
}

impl Cast {
    /// Registers everyone, at the nodes in turn, and logs them in at node a.
    pub(crate) async fn gather(cluster: &Cluster, accounts: usize) -> Self {
        let [a, b] = strangers(cluster);
        let mut players: Vec<Player> = Vec::new();
        let mut joined = None;
        for n in 0..accounts {
            let handle = format!("player{n}");
            let node = if n % 2 == 0 { &a } else { &b };
            let account = node.register(&new_account(&handle)).await.expect("a new account");
            joined = Some(account.position);
            players.push(log_in(&a, &b, &handle).await);
        }
        // The last one came in last: what that account sees, all see.
        let (newest, joined) = (players.last().expect("somebody"), joined.expect("somebody"));
        let newest = patiently(async || newest.client.bootstrap().min_position(&joined).await).await;
        let community = &newest.communities[0];
        let (community, channel) = (community.id, community.channels[0].id);
        Self { players, community, channel, start: newest.cursor }
    }

    /// The message after which nothing comes, and its cursor.
    pub(crate) async fn post_last(&self) -> (Answered, Cursor) {
        let content = "the last one".to_owned();
        let post = self.players[0].client.post_message(self.channel, &NewMessage::text(content.clone()));
        let answer = post.await.expect("a quiet server takes a message");
        (Answered { kind: POSTED, id: answer.message.id, content }, answer.position)
    }
}

/// A read that waits for a position for as long as it takes: on a busy machine the read model may be late.
pub(crate) async fn patiently<T>(read: impl AsyncFn() -> Result<T, client::Error>) -> T {
    loop {
        match read().await {
            Err(error) if error.code() == Some("not_caught_up") => {}
            answer => return answer.expect("an answer"),
        }
    }
}
