//! Communities: channels and the members who share them.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::channel::Channel;
use crate::client::Client;
use crate::cursor::{Cursor, Done, Page};
use crate::membership::Member;
use crate::request::{Command, Read};
use crate::role::Role;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Community {
    pub id: Uuid,
    pub name: String,
    #[serde(default)]
    pub icon_url: Option<String>,
    pub owner_id: Uuid,
    pub created_at: Timestamp,
    pub channels: Vec<Channel>,
    /// Lowest first.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// The caller's own membership.
    pub member: Member,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommunityAnswer {
    pub community: Community,
    pub position: Cursor,
}

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
}

impl Client {
    /// `POST /communities`
    pub fn create_community(&self, name: &str) -> Command<CommunityAnswer> {
        Command::new(self, Method::POST, &["communities"]).body(&Name { name })
    }

    /// `GET /communities`: those the caller is a member of, all on one page.
    pub fn communities(&self) -> Read<Page<Community>> {
        Read::new(self, &["communities"])
    }

    /// `GET /communities/{id}`
    pub fn community(&self, id: Uuid) -> Read<Community> {
        Read::new(self, &["communities", &id.to_string()])
    }

    /// `PATCH /communities/{id}`
    pub fn rename_community(&self, id: Uuid, name: &str) -> Command<CommunityAnswer> {
        Command::new(self, Method::PATCH, &["communities", &id.to_string()]).body(&Name { name })
    }

    /// `PUT /communities/{id}/owner`: hands it over to another member.
    pub fn transfer_ownership(&self, id: Uuid, account: Uuid) -> Command<CommunityAnswer> {
        #[derive(Serialize)]
        struct Body {
            account: Uuid,
        }
        Command::new(self, Method::PUT, &["communities", &id.to_string(), "owner"]).body(&Body { account })
    }

    /// `DELETE /communities/{id}`
    pub fn delete_community(&self, id: Uuid) -> Command<Done> {
        Command::new(self, Method::DELETE, &["communities", &id.to_string()])
    }
}
