//! Reports of messages to the moderators of their community.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use domain::report::{ReportError, ReportReason, ReportState, ReportText};
use domain::{AccountId, ChannelId, CommunityId, MessageId, Permissions, ReportId};
use event_store::Position;
use jiff::Timestamp;
use projections::ReportRow;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::auth::Authenticated;
use crate::cursor::Cursor;
use crate::error::{ApiError, codes};
use crate::extract::{CaughtUp, Command, Fields, FromFields, Ids, Query, parse, wait_until_readable};
use crate::page::{self, Linked, Page};
use crate::state::AppState;

codes! {
    UNKNOWN = NOT_FOUND "report_not_found" "No such report";
    NOT_IN_COMMUNITY = CONFLICT "report_not_in_community" "Nobody to report to";
    MAY_NOT_HANDLE = FORBIDDEN "report_may_not_handle" "Not allowed";
}

impl From<ReportError> for ApiError {
    fn from(error: ReportError) -> Self {
        let code = match error {
            ReportError::UnknownCommunity => crate::community::UNKNOWN,
            ReportError::UnknownMessage => crate::message::UNKNOWN,
            ReportError::Unknown => UNKNOWN,
            ReportError::NotInCommunity => NOT_IN_COMMUNITY,
            ReportError::MessageDeleted => crate::message::DELETED,
            ReportError::MayNotHandle => MAY_NOT_HANDLE,
        };
        Self::told(code, error)
    }
}

/// What somebody told the moderators of a community about a message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Report {
    #[schema(value_type = Uuid)]
    id: ReportId,
    #[schema(value_type = Uuid)]
    community_id: CommunityId,
    #[schema(value_type = Uuid)]
    channel_id: ChannelId,
    #[schema(value_type = Uuid)]
    message_id: MessageId,
    /// Of the message.
    #[schema(value_type = Uuid)]
    author_id: AccountId,
    #[schema(value_type = Uuid)]
    reporter_id: AccountId,
    /// `spam`, `harassment`, `illegal` or `other`.
    #[schema(example = "spam")]
    reason: &'static str,
    /// The reporter's words; null without any, or when they were erased.
    text: Option<String>,
    /// `open`, `resolved` or `dismissed`.
    #[schema(example = "open")]
    state: &'static str,
    /// Of the last change; null without one, or when it was erased.
    note: Option<String>,
    /// The message's text as it is now; null when it was deleted or erased, or you may not see its channel.
    content: Option<String>,
    created_at: Timestamp,
    #[schema(value_type = Option<Uuid>)]
    changed_by: Option<AccountId>,
    changed_at: Option<Timestamp>,
}

impl From<ReportRow> for Report {
    fn from(row: ReportRow) -> Self {
        let (changed_by, changed_at) = row.changed.unzip();
        Self {
            id: row.id,
            community_id: row.community_id,
            channel_id: row.channel_id,
            message_id: row.message_id,
            author_id: row.author_id,
            reporter_id: row.reporter_id,
            reason: row.reason.as_str(),
            text: row.text,
            state: row.state.as_str(),
            note: row.note,
            content: row.content,
            created_at: row.created_at,
            changed_by,
            changed_at,
        }
    }
}

/// A report and the position from which on it is as shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReportAnswer {
    report: Report,
    position: Cursor,
}

/// A report to be.
#[derive(ToSchema)]
pub(crate) struct ReportMessage {
    /// `spam`, `harassment`, `illegal` or `other`.
    #[schema(value_type = String, example = "spam")]
    reason: ReportReason,
    /// More about it, for the moderators.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000)]
    text: Option<ReportText>,
}

impl FromFields for ReportMessage {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let known = ReportReason::ALL.map(ReportReason::as_str);
        let reason = fields.required("reason", parse::name(ReportReason::parse, &known));
        let text = fields.optional("text", parse::text(ReportText::parse));
        Some(Self { reason: reason?, text: text? })
    }
}

/// What becomes of a report.
#[derive(ToSchema)]
pub(crate) struct ChangeReport {
    /// `open`, `resolved` or `dismissed`.
    #[schema(value_type = String, example = "resolved")]
    state: ReportState,
    /// Replaces the note that there is, with nothing if it is left out.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000)]
    note: Option<ReportText>,
}

impl FromFields for ChangeReport {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let state = fields.required("state", state());
        let note = fields.optional("note", parse::text(ReportText::parse));
        Some(Self { state: state?, note: note? })
    }
}

fn state() -> impl FnOnce(serde_json::Value) -> Result<ReportState, crate::extract::Fault> {
    |value| parse::name(ReportState::parse, &ReportState::ALL.map(ReportState::as_str))(value)
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportsQuery {
    /// Only those in this state: `open`, `resolved` or `dismissed`.
    #[param(value_type = Option<String>)]
    state: Option<ReportState>,
    /// The `next` of a page: what is older than its last.
    before: Option<String>,
    /// Most reports in the answer.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: u64,
}

impl FromFields for ReportsQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let state = fields.optional("state", state());
        let before = fields.optional("before", parse::string);
        let limit = page::limit(fields);
        Some(Self { state: state?, before: before?, limit: limit? })
    }
}

/// Report a message of a community that you may see. Its moderators are told. You report a message once: another call
/// answers the report that there is.
#[utoipa::path(
    post, path = "/messages/{id}/reports", operation_id = "reportMessage", tag = "report",
    params(("id" = Uuid, Path, description = "The message")),
    request_body = ReportMessage,
    responses(
        (status = 201, description = "Reported", body = ReportAnswer),
        (status = 404, description = "`message_not_found`, `not_found`"),
        (status = 409, description = "`message_deleted`, `report_not_in_community`"),
    ),
)]
pub(crate) async fn report_message(
    State(app): State<AppState>,
    Ids(id): Ids<MessageId>,
    Command { context, caller, body }: Command<ReportMessage>,
) -> Result<(StatusCode, Json<ReportAnswer>), ApiError> {
    let done = app.commands.report_message(&context, id, body.reason, body.text).await?;
    let answer = read_after(&app, caller.account, done.made, done.position).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// List what was reported in a community, newest first; for those who manage messages there.
#[utoipa::path(
    get, path = "/communities/{id}/reports", operation_id = "listReports", tag = "report",
    params(("id" = Uuid, Path, description = "The community"), ReportsQuery),
    responses(
        (status = 200, description = "A page; `next` leads to older reports", body = Page<Report>),
        (status = 403, description = "`report_may_not_handle`"),
        (status = 404, description = "`community_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn list_reports(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<CommunityId>,
    Query(ReportsQuery { state, before, limit }): Query<ReportsQuery>,
) -> Result<Response, ApiError> {
    let standing = app.read.standing(caller.account, id).await?.ok_or(ReportError::UnknownCommunity)?;
    if !standing.permissions.contains(Permissions::MANAGE_MESSAGES) {
        return Err(ReportError::MayNotHandle.into());
    }
    let before = page::place(&app, "before", before.as_deref())?;
    let reports = app.read.reports(caller.account, id, state, before, limit as usize).await?;
    let page = Page {
        items: reports.items.into_iter().map(Report::from).collect(),
        next: reports.older.map(|position| app.cursors.seal(position).0),
        prev: None,
    };
    let state = state.map(|state| format!("?state={}", state.as_str())).unwrap_or_default();
    let path = format!("/v1/communities/{id}/reports{state}");
    Ok(Linked { page, path, limit, next_parameter: "before", prev_parameter: "after" }.into_response())
}

/// Show a report: one of yours, or any if you manage the community's messages.
#[utoipa::path(
    get, path = "/reports/{id}", operation_id = "showReport", tag = "report",
    params(("id" = Uuid, Path, description = "The report")),
    responses(
        (status = 200, description = "The report", body = Report),
        (status = 404, description = "`report_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn show_report(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<ReportId>,
) -> Result<Json<Report>, ApiError> {
    Ok(Json(app.read.report(caller.account, id).await?.ok_or(ReportError::Unknown)?.into()))
}

/// Resolve, dismiss or reopen a report, if you manage the community's messages.
#[utoipa::path(
    patch, path = "/reports/{id}", operation_id = "changeReport", tag = "report",
    params(("id" = Uuid, Path, description = "The report")),
    request_body = ChangeReport,
    responses(
        (status = 200, description = "Changed", body = ReportAnswer),
        (status = 403, description = "`report_may_not_handle`: it is yours, but not for you to handle"),
        (status = 404, description = "`report_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn change_report(
    State(app): State<AppState>,
    Ids(id): Ids<ReportId>,
    Command { context, caller, body }: Command<ChangeReport>,
) -> Result<Json<ReportAnswer>, ApiError> {
    let done = app.commands.change_report(&context, id, body.state, body.note).await?;
    read_after(&app, caller.account, done.made, done.position).await.map(Json)
}

/// The report as `viewer` sees it once the read model has reached `position`.
async fn read_after(
    app: &AppState,
    viewer: AccountId,
    id: ReportId,
    position: Position,
) -> Result<ReportAnswer, ApiError> {
    wait_until_readable(app, position).await?;
    let report = app.read.report(viewer, id).await?.ok_or(ReportError::Unknown)?;
    Ok(ReportAnswer { report: report.into(), position: app.cursors.seal(position) })
}
