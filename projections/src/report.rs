//! Reports of messages.

use domain::report::{ReportEvent, ReportReason, ReportState, ReportText, Words};
use domain::{AccountId, ChannelId, CommunityId, MessageId, Permissions, Personal, ReportId};
use event_store::Position;
use jiff::Timestamp;
use tokio_postgres::Row;

use crate::batch::{At, Batch, params};
use crate::database::{Unavailable, position, to_bigint};
use crate::read_model::ReadModel;
use crate::viewing::{may_view, viewed_columns, viewed_from};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    pub id: ReportId,
    pub community_id: CommunityId,
    pub channel_id: ChannelId,
    pub message_id: MessageId,
    /// Of the message.
    pub author_id: AccountId,
    pub reporter_id: AccountId,
    pub reason: ReportReason,
    /// The reporter's words.
    pub text: Option<String>,
    pub state: ReportState,
    /// Of the last who changed it.
    pub note: Option<String>,
    pub created_at: Timestamp,
    /// Who changed it last, and when.
    pub changed: Option<(AccountId, Timestamp)>,
    /// The message's text as it is now: `None` when it was deleted or erased, or the viewer may not see it.
    pub content: Option<String>,
    /// Its place in the list.
    pub position: Position,
}

/// Newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPage {
    pub items: Vec<ReportRow>,
    /// Before this are older ones; `None` when there are none.
    pub older: Option<Position>,
}

/// Reports beside what decides whether an account (`$1`) sees their messages.
macro_rules! reports {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            viewed_columns!(),
            ", reports.id, reports.community_id, reports.channel_id, reports.message_id, reports.author_id,
                reports.reporter_id, reports.changed_by, reports.position, reports.created_at, reports.changed_at,
                reports.reason, reports.state, reports.text, reports.note, messages.content
            FROM read.reports
            LEFT JOIN read.messages ON messages.id = reports.message_id
            LEFT JOIN read.channels ON channels.id = reports.channel_id ",
            viewed_from!(),
            $rest
        )
    };
}

impl ReportRow {
    fn of(row: &Row) -> Self {
        let (by, at): (Option<_>, Option<_>) = (row.get("changed_by"), row.get("changed_at"));
        let known = "only known names are written";
        Self {
            id: ReportId(row.get("id")),
            community_id: CommunityId(row.get("community_id")),
            channel_id: ChannelId(row.get("channel_id")),
            message_id: MessageId(row.get("message_id")),
            author_id: AccountId(row.get("author_id")),
            reporter_id: AccountId(row.get("reporter_id")),
            reason: ReportReason::parse(row.get("reason")).expect(known),
            text: row.get("text"),
            state: ReportState::parse(row.get("state")).expect(known),
            note: row.get("note"),
            created_at: row.get("created_at"),
            changed: by.map(AccountId).zip(at),
            content: may_view(row).then(|| row.get("content")).flatten(),
            position: position(row, "position"),
        }
    }
}

impl ReadModel {
    /// A report that `viewer` may see: as its reporter, or as who manages the messages of the community they are in.
    pub async fn report(&self, viewer: AccountId, id: ReportId) -> Result<Option<ReportRow>, Unavailable> {
        const SQL: &str = reports!(" WHERE reports.id = $2");
        let Some(row) = self.database().row(SQL, &[&viewer.0, &id.0]).await? else { return Ok(None) };
        let report = ReportRow::of(&row);
        let standing = self.standing(viewer, report.community_id).await?;
        let may_see = standing.is_some_and(|standing| {
            report.reporter_id == viewer || standing.permissions.contains(Permissions::MANAGE_MESSAGES)
        });
        Ok(may_see.then_some(report))
    }

    /// The newest reports in a community, in `state` or in any, before a position. Whether `viewer` may know them is the
    /// caller's check; whether they see the messages is not.
    pub async fn reports(
        &self,
        viewer: AccountId,
        community: CommunityId,
        state: Option<ReportState>,
        before: Option<Position>,
        limit: usize,
    ) -> Result<ReportPage, Unavailable> {
        const SQL: &str = reports!(
            " WHERE reports.community_id = $2
                AND ($3::text IS NULL OR reports.state = $3)
                AND reports.position < $4
            ORDER BY reports.position DESC
            LIMIT $5"
        );
        let (state, before) = (state.map(ReportState::as_str), before.map_or(i64::MAX, to_bigint));
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&viewer.0, &community.0, &state, &before, &wanted];
        let rows = self.database().rows(SQL, &params).await?;
        let items: Vec<_> = rows.iter().take(limit).map(ReportRow::of).collect();
        let older = items.last().filter(|_| rows.len() > limit).map(|last| last.position);
        Ok(ReportPage { items, older })
    }
}

/// A report in a community that is gone is dropped, as it would have been with it.
pub(crate) fn project(batch: &mut Batch, event: ReportEvent, at: At) {
    const OPEN: &str = "
        INSERT INTO {schema}.reports
            (id, community_id, channel_id, message_id, author_id, reporter_id, position, created_at, reason, state, text)
        SELECT $1, communities.id, $3, $4, $5, $6, $7, $8, $9, 'open', $10
        FROM {schema}.communities
        WHERE communities.id = $2";
    const CHANGE: &str = "
        UPDATE {schema}.reports
        SET state = $2, note = $3, changed_by = $4, changed_at = $5
        WHERE id = $1";
    match event {
        ReportEvent::Opened(event) => {
            let (community, channel, message) = (event.community_id, event.channel_id, event.message_id);
            let (author, reporter, reason) = (event.author_id, event.reporter_id, event.reason.as_str());
            batch.write(
                OPEN,
                params![
                    event.report_id.0,
                    community.0,
                    channel.0,
                    message.0,
                    author.0,
                    reporter.0,
                    at.bigint(),
                    at.time,
                    reason,
                    text(event.words)
                ],
            );
        }
        ReportEvent::Changed(event) => {
            let (state, by) = (event.state.as_str(), event.by.0);
            batch.write(CHANGE, params![event.report_id.0, state, text(event.words), by, at.time]);
        }
    }
}

fn text(words: Personal<Words>) -> Option<String> {
    match words {
        Personal::Clear(words) => words.text.map(ReportText::into_string),
        Personal::Erased | Personal::Sealed => None,
    }
}
