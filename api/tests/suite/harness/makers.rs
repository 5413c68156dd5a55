//! Accounts and communities for tests.

use serde_json::json;

use super::TestServer;

pub(crate) const PASSWORD: &str = "correct horse";

#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) handle: String,
    pub(crate) token: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Community {
    pub(crate) id: String,
    /// The channel that it was made with.
    pub(crate) channel: String,
}

impl TestServer {
    /// Registers an account and logs it in.
    pub(crate) async fn account(&self, handle: &str) -> Account {
        let email = format!("{handle}@example.org");
        let new = json!({"handle": handle, "email": email, "password": PASSWORD});
        let id = self.post("/accounts").json(new).send().await.is(201).text("/account/id");
        let token = self.log_in(handle).await;
        Account { id, handle: handle.to_owned(), token }
    }

    /// The token of a new session.
    pub(crate) async fn log_in(&self, login: &str) -> String {
        let body = json!({"login": login, "password": PASSWORD});
        self.post("/sessions").json(body).send().await.is(201).text("/token")
    }

    pub(crate) async fn community(&self, owner: &Account) -> Community {
        let answer =
            self.post("/communities").by(owner).json(json!({"name": "Engines"})).send().await.is(201);
        Community { id: answer.text("/community/id"), channel: answer.text("/community/channels/0/id") }
    }

    /// The code of a new invite without limits.
    pub(crate) async fn invite(&self, community: &Community, by: &Account) -> String {
        let path = format!("/communities/{}/invites", community.id);
        self.post(&path).by(by).json(json!({})).send().await.is(201).text("/invite/code")
    }

    /// Lets accounts into a community.
    pub(crate) async fn join(&self, community: &Community, owner: &Account, accounts: &[&Account]) {
        let code = self.invite(community, owner).await;
        for account in accounts {
            self.post(&format!("/invites/{code}/redemptions")).by(account).send().await.is(201);
        }
    }

    pub(crate) async fn set_roles(&self, community: &Community, by: &Account, of: &Account, roles: &[&str]) {
        let path = format!("/communities/{}/members/{}", community.id, of.id);
        self.patch(&path).by(by).json(json!({"roles": roles})).send().await.is(200);
    }

    /// The id of a new message.
    pub(crate) async fn message(&self, channel: &str, by: &Account, content: &str) -> String {
        let path = format!("/channels/{channel}/messages");
        self.post(&path).by(by).json(json!({"content": content})).send().await.is(201).text("/message/id")
    }
}
