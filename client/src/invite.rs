//! Invites: codes that let an account into a community.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::Account;
use crate::client::Client;
use crate::community::CommunityAnswer;
use crate::cursor::{Cursor, Done, Page};
use crate::request::{Command, Read};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    pub code: String,
    /// Where a person can open it.
    pub url: String,
    pub community_id: Uuid,
    pub created_by: Uuid,
    /// `None`: no limit.
    pub max_uses: Option<u32>,
    pub uses: u32,
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// What an invite shows to whoever holds its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitePreview {
    pub code: String,
    pub community: InvitedCommunity,
    pub invited_by: Account,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitedCommunity {
    pub id: Uuid,
    pub name: String,
    pub member_count: u64,
}

/// The limits of a new invite; the default has none.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewInvite {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteAnswer {
    pub invite: Invite,
    pub position: Cursor,
}

impl Client {
    /// `POST /communities/{id}/invites`
    pub fn create_invite(&self, community: Uuid, invite: &NewInvite) -> Command<InviteAnswer> {
        Command::new(self, Method::POST, &["communities", &community.to_string(), "invites"]).body(invite)
    }

    /// `GET /communities/{id}/invites`: the newest, all on one page.
    pub fn invites(&self, community: Uuid) -> Read<Page<Invite>> {
        Read::new(self, &["communities", &community.to_string(), "invites"])
    }

    /// `GET /invites/{code}`. Needs no login.
    pub fn invite(&self, code: &str) -> Read<InvitePreview> {
        Read::new(self, &["invites", code])
    }

    /// `DELETE /invites/{code}`
    pub fn revoke_invite(&self, code: &str) -> Command<Done> {
        Command::new(self, Method::DELETE, &["invites", code])
    }

    /// `POST /invites/{code}/redemptions`: joins; also a success for who is a member already.
    pub fn redeem_invite(&self, code: &str) -> Command<CommunityAnswer> {
        Command::new(self, Method::POST, &["invites", code, "redemptions"])
    }
}
