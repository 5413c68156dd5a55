//! Accounts: people and bots.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::client::Client;
use crate::cursor::Cursor;
use crate::request::{Command, Read};
use crate::secret::Secret;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: Uuid,
    /// Unique. Empty: erased.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub handle: String,
    /// Empty: erased.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub display_name: String,
    pub about: Option<String>,
    #[serde(default)]
    pub picture_url: Option<String>,
    pub administrator: bool,
    pub created_at: Timestamp,
}

/// One's own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    #[serde(flatten)]
    pub account: Account,
    /// Empty: erased.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub email: String,
}

/// None of these texts can be empty unless it is gone.
fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[derive(Debug, Clone, Serialize)]
pub struct NewAccount {
    pub handle: String,
    pub email: String,
    pub password: Secret,
    /// The handle, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// What to change; what is `None` stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ProfileChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountAnswer {
    pub account: Account,
    pub position: Cursor,
}

impl Client {
    /// `POST /accounts`. Needs no login.
    pub fn register(&self, account: &NewAccount) -> Command<AccountAnswer> {
        Command::new(self, Method::POST, &["accounts"]).body(account)
    }

    /// `GET /me`
    pub fn me(&self) -> Read<Me> {
        Read::new(self, &["me"])
    }

    /// `PATCH /me`
    pub fn change_profile(&self, change: &ProfileChange) -> Command<AccountAnswer> {
        Command::new(self, Method::PATCH, &["me"]).body(change)
    }

    /// `PUT /me/password`. Ends all other sessions.
    pub fn change_password(&self, current: &Secret, new: &Secret) -> Command<()> {
        #[derive(Serialize)]
        struct Body<'a> {
            current: &'a Secret,
            new: &'a Secret,
        }
        Command::new(self, Method::PUT, &["me", "password"]).body(&Body { current, new })
    }

    /// `GET /accounts/{id}`: of those who share a community with the caller.
    pub fn account(&self, id: Uuid) -> Read<Account> {
        Read::new(self, &["accounts", &id.to_string()])
    }
}
