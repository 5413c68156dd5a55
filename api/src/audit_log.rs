//! A community's audit log.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::membership::MembershipError;
use domain::{AccountId, ChannelId, CommunityId, MessageId, Permissions, ReportId, Role};
use jiff::Timestamp;
use projections::{AUDITED, AuditEntryRow, AuditFilter, AuditTarget, Bound, is_audited};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::auth::Authenticated;
use crate::cursor::Cursor;
use crate::error::{ApiError, FieldError, codes};
use crate::extract::{CaughtUp, Fault, Fields, FromFields, Ids, Query, parse};
use crate::page::{self, Linked, Page};
use crate::state::{App, AppState};

codes! {
    MAY_NOT_VIEW = FORBIDDEN "audit_log_may_not_view" "Not allowed";
}

/// Something that was done in a community.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    /// Its place in the log.
    id: Cursor,
    time: Timestamp,
    /// The type of the event, such as `membership.banned`.
    #[schema(example = "membership.banned")]
    action: String,
    /// Who did it; null: the server by itself.
    #[schema(value_type = Option<Uuid>)]
    actor_id: Option<AccountId>,
    target: AuditedThing,
    /// `{field: {"from": …, "to": …}}`: what was before and since. Null stands for nothing.
    #[schema(value_type = Object, example = json!({"name": {"from": "general", "to": "news"}}))]
    changes: Map<String, Value>,
    /// What the actor said about it; null without a word, or when it was erased.
    reason: Option<String>,
}

/// What something was done to; the rest is null, and for the community itself all of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditedThing {
    /// The account, or the author of the message.
    #[schema(value_type = Option<Uuid>)]
    account_id: Option<AccountId>,
    #[schema(value_type = Option<Uuid>)]
    channel_id: Option<ChannelId>,
    /// `guest`, `member`, `moderator`, or the id of a role of the community's own.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    #[schema(value_type = Option<Uuid>)]
    message_id: Option<MessageId>,
    /// A code, for those who manage invites; to others null.
    invite: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    report_id: Option<ReportId>,
}

impl AuditEntry {
    /// A code lets in whoever knows it, so it is shown only to those who see all of them anyhow.
    fn of_row(row: AuditEntryRow, app: &App, viewer: Permissions) -> Self {
        let AuditTarget { account, channel, role, message, invite, report } = row.target;
        Self {
            id: app.cursors.seal(row.position),
            time: row.created_at,
            action: row.action,
            actor_id: row.actor,
            target: AuditedThing {
                account_id: account,
                channel_id: channel,
                role,
                message_id: message,
                invite: invite.filter(|_| viewer.contains(Permissions::MANAGE_INVITES)),
                report_id: report,
            },
            changes: row.changes,
            reason: row.reason,
        }
    }
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Only entries of this action, such as `membership.banned`, or of this group of actions, such as `membership`.
    action: Option<String>,
    /// Only what this account did.
    #[param(value_type = Option<Uuid>)]
    actor: Option<AccountId>,
    /// Only what was done to this account.
    #[param(value_type = Option<Uuid>)]
    target: Option<AccountId>,
    /// Entries earlier than this: a time, an entry's id, or the `next` of a page.
    before: Option<String>,
    /// Entries later than this: an entry's id, or a time, which is in the range itself.
    after: Option<String>,
    /// Most entries in the answer.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: u64,
}

impl FromFields for AuditQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let action = fields.optional("action", action);
        let actor = fields.optional("actor", parse::id);
        let target = fields.optional("target", parse::id);
        let before = fields.optional("before", parse::string);
        let after = fields.optional("after", parse::string);
        let limit = page::limit(fields);
        Some(Self {
            action: action?,
            actor: actor?,
            target: target?,
            before: before?,
            after: after?,
            limit: limit?,
        })
    }
}

fn action(value: Value) -> Result<String, Fault> {
    let text = parse::string(value)?;
    if is_audited(&text) {
        return Ok(text);
    }
    let known = AUDITED.join(", ");
    Err(Fault::new(
        "unknown_value",
        format!("must be one of {known}, or what one of them has before its dot"),
    ))
}

/// List what was done in a community and by whom, newest first; for those who may view its audit log. Nothing is ever
/// removed from it. What was done about reports is told only to those who manage messages.
#[utoipa::path(
    get, path = "/communities/{id}/audit-log", operation_id = "listAuditLog", tag = "community",
    params(("id" = Uuid, Path, description = "The community"), AuditQuery),
    responses(
        (status = 200, description = "A page; `next` leads to older entries", body = Page<AuditEntry>),
        (status = 403, description = "`audit_log_may_not_view`"),
        (status = 404, description = "`community_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn list_audit_log(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<CommunityId>,
    Query(query): Query<AuditQuery>,
) -> Result<Response, ApiError> {
    let standing = app.read.standing(caller.account, id).await?.ok_or(MembershipError::UnknownCommunity)?;
    let viewer = standing.permissions;
    if !viewer.contains(Permissions::VIEW_AUDIT_LOG) {
        return Err(ApiError::told(MAY_NOT_VIEW, "you may not view the audit log of this community"));
    }
    let AuditQuery { action, actor, target, before, after, limit } = query;
    let filter = AuditFilter {
        action,
        actor,
        target,
        since: after.map(|text| bound(&app, "after", &text)).transpose()?,
        until: before.map(|text| bound(&app, "before", &text)).transpose()?,
        without_reports: !viewer.contains(Permissions::MANAGE_MESSAGES),
    };
    let path = path(id, &filter, &app);
    let entries = app.read.audit_log(id, &filter, limit as usize).await?;
    let page = Page {
        items: entries.items.into_iter().map(|row| AuditEntry::of_row(row, &app, viewer)).collect(),
        next: entries.older.map(|position| app.cursors.seal(position).0),
        prev: None,
    };
    Ok(Linked { page, path, limit, next_parameter: "before", prev_parameter: "after" }.into_response())
}

fn bound(app: &App, parameter: &str, text: &str) -> Result<Bound, ApiError> {
    let opened = text.parse().map(Bound::Time).or_else(|_| app.cursors.open(text).map(Bound::Entry));
    opened.map_err(|_| {
        let detail = "is neither a time (RFC 3339) nor the id of an entry or the `next` of a page";
        ApiError::invalid(vec![FieldError::parameter(parameter, "not_a_cursor", detail)])
    })
}

/// Where the page is, with all filters but the one that paging moves. None of them needs escaping.
fn path(id: CommunityId, filter: &AuditFilter, app: &App) -> String {
    let since = filter.since.map(|since| match since {
        Bound::Time(time) => time.to_string(),
        Bound::Entry(position) => app.cursors.seal(position).0,
    });
    let account = |account: Option<AccountId>| account.map(|account| account.to_string());
    let given = [
        ("action", filter.action.clone()),
        ("actor", account(filter.actor)),
        ("target", account(filter.target)),
        ("after", since),
    ];
    let filters: Vec<_> =
        given.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect();
    let mark = if filters.is_empty() { "" } else { "?" };
    format!("/v1/communities/{id}/audit-log{mark}{}", filters.join("&"))
}
