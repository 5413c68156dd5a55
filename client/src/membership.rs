//! Memberships: one account in one community; and bans.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::Account;
use crate::client::Client;
use crate::cursor::{Cursor, Done, Page, Paging};
use crate::request::{Command, Read};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub community_id: Uuid,
    pub account: Account,
    pub roles: Vec<String>,
    pub owner: bool,
    /// Only who has a higher rank acts on a member.
    pub rank: u16,
    /// Names of what this member may do.
    pub permissions: Vec<String>,
    pub joined_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    pub community_id: Uuid,
    pub account: Account,
    pub banned_by: Uuid,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberAnswer {
    pub member: Member,
    pub position: Cursor,
}

impl Client {
    /// `GET /communities/{id}/members`, by display name.
    pub fn members(&self, community: Uuid, page: &Paging) -> Read<Page<Member>> {
        Read::new(self, &["communities", &community.to_string(), "members"]).paging(page)
    }

    /// `PATCH /communities/{id}/members/{account}`
    pub fn set_roles(&self, community: Uuid, account: Uuid, roles: &[&str]) -> Command<MemberAnswer> {
        #[derive(Serialize)]
        struct Body<'a> {
            roles: &'a [&'a str],
        }
        self.of_member(Method::PATCH, community, "members", &account.to_string()).body(&Body { roles })
    }

    /// `DELETE /communities/{id}/members/{account}`
    pub fn kick(&self, community: Uuid, account: Uuid) -> Command<Done> {
        self.of_member(Method::DELETE, community, "members", &account.to_string())
    }

    /// `DELETE /communities/{id}/members/me`
    pub fn leave(&self, community: Uuid) -> Command<Done> {
        self.of_member(Method::DELETE, community, "members", "me")
    }

    /// `GET /communities/{id}/bans`: the newest, all on one page.
    pub fn bans(&self, community: Uuid) -> Read<Page<Ban>> {
        Read::new(self, &["communities", &community.to_string(), "bans"])
    }

    /// `PUT /communities/{id}/bans/{account}`
    pub fn ban(&self, community: Uuid, account: Uuid) -> Command<Done> {
        self.of_member(Method::PUT, community, "bans", &account.to_string())
    }

    /// `DELETE /communities/{id}/bans/{account}`
    pub fn unban(&self, community: Uuid, account: Uuid) -> Command<Done> {
        self.of_member(Method::DELETE, community, "bans", &account.to_string())
    }

    fn of_member<T>(&self, method: Method, community: Uuid, list: &str, account: &str) -> Command<T> {
        Command::new(self, method, &["communities", &community.to_string(), list, account])
    }
}
