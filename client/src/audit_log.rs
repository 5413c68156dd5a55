//! A community's audit log: what was done there, and by whom.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::client::Client;
use crate::cursor::{Cursor, Page};
use crate::request::Read;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub id: Cursor,
    pub time: Timestamp,
    /// A type of event, such as `membership.banned`.
    pub action: String,
    /// `None`: the server by itself.
    pub actor_id: Option<Uuid>,
    pub target: AuditTarget,
    /// By field.
    pub changes: BTreeMap<String, AuditChange>,
    pub reason: Option<String>,
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AuditTarget {
    pub account_id: Option<Uuid>,
    pub channel_id: Option<Uuid>,
    pub role: Option<String>,
    pub message_id: Option<Uuid>,
    /// The code, for who manages invites.
    pub invite: Option<String>,
    pub report_id: Option<Uuid>,
}

/// What a field was, and is since. Null stands for nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditChange {
    pub from: Value,
    pub to: Value,
}

/// An end of a range of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditBound {
    Time(Timestamp),
    /// [`AuditEntry::id`] or [`Page::next`].
    Entry(Cursor),
}

impl fmt::Display for AuditBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => time.fmt(f),
            Self::Entry(cursor) => cursor.fmt(f),
        }
    }
}

/// Which entries, newest first. The default is the newest page of all.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// A type of event, or what several have before the dot, such as `membership`.
    pub action: Option<String>,
    pub actor: Option<Uuid>,
    /// The account that something was done to.
    pub target: Option<Uuid>,
    pub before: Option<AuditBound>,
    pub after: Option<AuditBound>,
    /// 1 to 100.
    pub limit: Option<u32>,
}

impl Client {
    /// `GET /communities/{id}/audit-log`
    pub fn audit_log(&self, community: Uuid, query: &AuditQuery) -> Read<Page<AuditEntry>> {
        Read::new(self, &["communities", &community.to_string(), "audit-log"])
            .query("action", query.action.as_ref())
            .query("actor", query.actor)
            .query("target", query.target)
            .query("before", query.before.as_ref())
            .query("after", query.after.as_ref())
            .query("limit", query.limit)
    }
}
