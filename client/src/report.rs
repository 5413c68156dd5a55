//! Reports: what is told to a community's moderators about a message.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::Client;
use crate::cursor::{Cursor, Page};
use crate::request::{Command, Read};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub id: Uuid,
    pub community_id: Uuid,
    pub channel_id: Uuid,
    pub message_id: Uuid,
    /// Of the message.
    pub author_id: Uuid,
    pub reporter_id: Uuid,
    /// `spam`, `harassment`, `illegal` or `other`.
    pub reason: String,
    pub text: Option<String>,
    /// `open`, `resolved` or `dismissed`.
    pub state: String,
    /// Of the last change.
    pub note: Option<String>,
    /// The message's, as it is now; `None` when it was deleted or erased, or its channel is not for the caller to see.
    pub content: Option<String>,
    pub created_at: Timestamp,
    pub changed_by: Option<Uuid>,
    pub changed_at: Option<Timestamp>,
}

/// What is wrong with a message.
#[derive(Debug, Clone, Serialize)]
pub struct NewReport {
    /// `spam`, `harassment`, `illegal` or `other`.
    pub reason: String,
    /// At most 1,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What becomes of a report.
#[derive(Debug, Clone, Serialize)]
pub struct ReportChange {
    /// `open`, `resolved` or `dismissed`.
    pub state: String,
    /// At most 1,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportAnswer {
    pub report: Report,
    pub position: Cursor,
}

/// Which reports of a community, newest first. The default is the newest page of all.
#[derive(Debug, Clone, Default)]
pub struct ReportQuery {
    /// `open`, `resolved` or `dismissed`.
    pub state: Option<String>,
    /// [`Page::next`] of the page before.
    pub before: Option<Cursor>,
    /// 1 to 100.
    pub limit: Option<u32>,
}

impl Client {
    /// `POST /messages/{id}/reports`: answers the report that there is when the message was reported before.
    pub fn report_message(&self, message: Uuid, report: &NewReport) -> Command<ReportAnswer> {
        Command::new(self, Method::POST, &["messages", &message.to_string(), "reports"]).body(report)
    }

    /// `GET /communities/{id}/reports`
    pub fn reports(&self, community: Uuid, query: &ReportQuery) -> Read<Page<Report>> {
        Read::new(self, &["communities", &community.to_string(), "reports"])
            .query("state", query.state.as_ref())
            .query("before", query.before.as_ref())
            .query("limit", query.limit)
    }

    /// `GET /reports/{id}`
    pub fn report(&self, id: Uuid) -> Read<Report> {
        Read::new(self, &["reports", &id.to_string()])
    }

    /// `PATCH /reports/{id}`
    pub fn change_report(&self, id: Uuid, change: &ReportChange) -> Command<ReportAnswer> {
        Command::new(self, Method::PATCH, &["reports", &id.to_string()]).body(change)
    }
}
