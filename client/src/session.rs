//! Sessions: where an account is logged in.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::Account;
use crate::client::Client;
use crate::cursor::Page;
use crate::request::{Command, Read};
use crate::secret::Secret;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: Uuid,
    /// What the program called itself.
    pub device: Option<String>,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
    pub expires_at: Timestamp,
    /// Whether it is the session of this very call.
    pub current: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct NewSession {
    /// A handle or an e-mail address.
    pub login: String,
    pub password: Secret,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl NewSession {
    pub fn new(login: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self { login: login.into(), password: password.into(), device: None }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogIn {
    /// For [`Client::with_token`].
    pub token: Option<Secret>,
    pub account: Account,
    pub session: Session,
}

impl Client {
    /// `POST /sessions`
    pub fn log_in(&self, session: &NewSession) -> Command<LogIn> {
        Command::new(self, Method::POST, &["sessions"]).body(session)
    }

    /// `GET /sessions`: the caller's own, all on one page.
    pub fn sessions(&self) -> Read<Page<Session>> {
        Read::new(self, &["sessions"])
    }

    /// `DELETE /sessions/{id}`
    pub fn end_session(&self, id: Uuid) -> Command<()> {
        Command::new(self, Method::DELETE, &["sessions", &id.to_string()])
    }

    /// `DELETE /sessions/current`: the token of this client is worth nothing afterwards.
    pub fn log_out(&self) -> Command<()> {
        Command::new(self, Method::DELETE, &["sessions", "current"])
    }
}
