//! Roles of a community, and why an account may do what it may.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::Client;
use crate::cursor::{Cursor, Done, Page};
use crate::request::{Command, Read};

/// What members are, and what that grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// `guest`, `member`, `moderator`, or the id of one of the community's own.
    pub id: String,
    /// `None` for a built-in role, which goes by its id.
    pub name: Option<String>,
    /// Such as `#1f8b4c`.
    pub colour: Option<String>,
    /// Names of what it grants.
    pub permissions: Vec<String>,
    pub mentionable: bool,
    /// Its place from below, the first being 1: the rank that it gives.
    pub position: u16,
}

#[derive(Debug, Clone, Serialize)]
pub struct NewRole {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentionable: Option<bool>,
}

impl NewRole {
    /// A role that grants nothing.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), colour: None, permissions: None, mentionable: None }
    }
}

/// What to change; what is `None` stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RoleChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Empty: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
    /// All that it grants from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentionable: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleAnswer {
    pub role: Role,
    pub position: Cursor,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolesAnswer {
    /// Lowest first.
    pub roles: Vec<Role>,
    pub position: Cursor,
}

/// What an account may do in a channel, with the rule that decided each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    pub channel_id: Uuid,
    pub account_id: Uuid,
    pub permissions: Vec<Judged>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    pub permission: String,
    pub allowed: bool,
    pub rule: Rule,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Such as `role` or `timed_out`.
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Uuid>,
}

impl Client {
    /// `GET /communities/{id}/roles`: all on one page, lowest first.
    pub fn roles(&self, community: Uuid) -> Read<Page<Role>> {
        Read::new(self, &["communities", &community.to_string(), "roles"])
    }

    /// `POST /communities/{id}/roles`
    pub fn create_role(&self, community: Uuid, role: &NewRole) -> Command<RoleAnswer> {
        Command::new(self, Method::POST, &["communities", &community.to_string(), "roles"]).body(role)
    }

    /// `PATCH /communities/{id}/roles/{role}`
    pub fn change_role(&self, community: Uuid, role: &str, change: &RoleChange) -> Command<RoleAnswer> {
        Command::new(self, Method::PATCH, &["communities", &community.to_string(), "roles", role])
            .body(change)
    }

    /// `DELETE /communities/{id}/roles/{role}`
    pub fn delete_role(&self, community: Uuid, role: &str) -> Command<Done> {
        Command::new(self, Method::DELETE, &["communities", &community.to_string(), "roles", role])
    }

    /// `PUT /communities/{id}/roles/order`: all roles, lowest first.
    pub fn order_roles(&self, community: Uuid, roles: &[&str]) -> Command<RolesAnswer> {
        #[derive(Serialize)]
        struct Body<'a> {
            roles: &'a [&'a str],
        }
        Command::new(self, Method::PUT, &["communities", &community.to_string(), "roles", "order"])
            .body(&Body { roles })
    }

    /// `GET /channels/{id}/access/{account}`
    pub fn explain_access(&self, channel: Uuid, account: Uuid) -> Read<Access> {
        Read::new(self, &["channels", &channel.to_string(), "access", &account.to_string()])
    }
}
