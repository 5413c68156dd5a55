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
    /// What they go by here; `None`: their display name.
    #[serde(default)]
    pub nickname: Option<String>,
    pub roles: Vec<String>,
    pub owner: bool,
    /// Only who has a higher rank acts on a member.
    pub rank: u16,
    /// Names of what this member may do.
    pub permissions: Vec<String>,
    pub joined_at: Timestamp,
    /// The end of the last time-out; it may have passed.
    #[serde(default)]
    pub timed_out_until: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    pub community_id: Uuid,
    pub account: Account,
    pub banned_by: Uuid,
    #[serde(default)]
    pub reason: Option<String>,
    /// When it ends by itself; `None`: never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// Why and until when somebody is banned.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewBan {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `None`: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Why something is done to a member.
#[derive(Serialize)]
struct Because<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberAnswer {
    pub member: Member,
    pub position: Cursor,
}

impl Client {
    /// `GET /communities/{id}/members`, by nickname, or else display name.
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
    pub fn kick(&self, community: Uuid, account: Uuid, reason: Option<&str>) -> Command<Done> {
        self.of_member(Method::DELETE, community, "members", &account.to_string()).body(&Because { reason })
    }

    /// `PUT /communities/{id}/members/{account}/time-out`: at most 28 days.
    pub fn time_out(
        &self,
        community: Uuid,
        account: Uuid,
        until: Timestamp,
        reason: Option<&str>,
    ) -> Command<MemberAnswer> {
        #[derive(Serialize)]
        struct Body<'a> {
            until: Timestamp,
            #[serde(flatten)]
            because: Because<'a>,
        }
        let because = Because { reason };
        self.at_member(Method::PUT, community, account, "time-out").body(&Body { until, because })
    }

    /// `DELETE /communities/{id}/members/{account}/time-out`
    pub fn end_time_out(&self, community: Uuid, account: Uuid) -> Command<MemberAnswer> {
        self.at_member(Method::DELETE, community, account, "time-out")
    }

    /// `PUT /communities/{id}/members/{account}/nickname`; empty: none.
    pub fn change_nickname(&self, community: Uuid, account: Uuid, nickname: &str) -> Command<MemberAnswer> {
        #[derive(Serialize)]
        struct Body<'a> {
            nickname: &'a str,
        }
        self.at_member(Method::PUT, community, account, "nickname").body(&Body { nickname })
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
    pub fn ban(&self, community: Uuid, account: Uuid, ban: &NewBan) -> Command<Done> {
        self.of_member(Method::PUT, community, "bans", &account.to_string()).body(ban)
    }

    /// `DELETE /communities/{id}/bans/{account}`
    pub fn unban(&self, community: Uuid, account: Uuid) -> Command<Done> {
        self.of_member(Method::DELETE, community, "bans", &account.to_string())
    }

    fn at_member<T>(&self, method: Method, community: Uuid, account: Uuid, what: &str) -> Command<T> {
        let (community, account) = (community.to_string(), account.to_string());
        Command::new(self, method, &["communities", &community, "members", &account, what])
    }

    fn of_member<T>(&self, method: Method, community: Uuid, list: &str, account: &str) -> Command<T> {
        Command::new(self, method, &["communities", &community.to_string(), list, account])
    }
}
