//! Who takes part: a few accounts in the channel that everyone lands in.

use std::time::Duration;

use client::{Client, Cursor, NewAccount, NewMessage, NewSession, Options};
use uuid::Uuid;

use crate::place::Place;
use crate::verdict::POSTED;
use crate::writers::Answered;

pub(crate) const ACCOUNTS: usize = 8;

/// An account logged in.
#[derive(Clone)]
pub(crate) struct Player {
    pub(crate) client: Client,
    pub(crate) token: String,
}

pub(crate) struct Cast {
    pub(crate) players: Vec<Player>,
    pub(crate) http: reqwest::Client,
    pub(crate) channel: Uuid,
    /// Before the first message.
    pub(crate) start: Cursor,
}

impl Cast {
    /// Registers everyone.
    pub(crate) async fn gather(place: &Place) -> Self {
        // Each try is made by the test itself, so that it can tell what failed.
        let options = Options { tries: 1, try_timeout: Duration::from_secs(30), ..Options::default() };
        let anonymous = Client::with_options(&place.base(), options).expect("a usable address");
        let mut players = Vec::new();
        for n in 0..ACCOUNTS {
            let handle = format!("player{n}");
            let password = "correct horse battery".to_owned();
            let account = NewAccount {
                email: format!("{handle}@example.org"),
                password: password.clone().into(),
                display_name: None,
                handle: handle.clone(),
            };
            anonymous.register(&account).await.expect("a new account");
            let session = anonymous.log_in(&NewSession::new(handle, password)).await.expect("a session");
            let token = session.token.expect("a token").expose().to_owned();
            players.push(Player { client: anonymous.with_token(token.clone()), token });
        }
        // The last one came in last: what that account sees, all see.
        let newest = players[ACCOUNTS - 1].client.bootstrap().await.expect("a bootstrap");
        let channel = newest.communities[0].channels[0].id;
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build();
        Self { players, http: http.expect("a client"), channel, start: newest.cursor }
    }

    /// The message after which nothing comes, and its cursor.
    pub(crate) async fn post_last(&self) -> (Answered, Cursor) {
        let content = "the last one".to_owned();
        let post = self.players[0].client.post_message(self.channel, &NewMessage::text(content.clone()));
        let answer = post.await.expect("a quiet server takes a message");
        (Answered { kind: POSTED, id: answer.message.id, content }, answer.position)
    }
}
