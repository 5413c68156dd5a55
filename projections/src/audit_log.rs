//! A community's audit log: what was done to it, its members and its channels, by whom. It never expires.

use domain::role::Colour;
use domain::{AccountId, ChannelId, CommunityId, MessageId, Permissions, ReportId, Role};
use event_store::Position;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio_postgres::Row;
use tokio_postgres::types::Json;

mod deletions;
mod project;

pub(crate) use deletions::Deletions;
pub(crate) use project::project;

use crate::database::{Unavailable, position, to_bigint};
use crate::read_model::ReadModel;

/// What an entry can tell of: types of events. Those that share what stands before the dot are a group.
pub const AUDITED: &[&str] = &[
    "channel.changed",
    "channel.created",
    "channel.deleted",
    "channel.overwritten",
    "channels.ordered",
    "community.created",
    "community.deleted",
    "community.owner_changed",
    "community.renamed",
    "invite.created",
    "invite.revoked",
    "membership.banned",
    "membership.joined",
    "membership.kicked",
    "membership.left",
    "membership.nickname_changed",
    "membership.roles_changed",
    "membership.time_out_ended",
    "membership.timed_out",
    "membership.unbanned",
    "message.deleted",
    "message.pinned",
    "message.unpinned",
    "reaction.cleared",
    "report.changed",
    "report.opened",
    "role.changed",
    "role.created",
    "role.deleted",
    "role.ordered",
];

/// Something that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntryRow {
    /// Of its event: its place in the log, and its name.
    pub position: Position,
    pub created_at: Timestamp,
    /// One of [`AUDITED`].
    pub action: String,
    /// `None`: the server by itself.
    pub actor: Option<AccountId>,
    pub target: AuditTarget,
    /// `{field: {"from": …, "to": …}}`; null stands for nothing.
    pub changes: Map<String, Value>,
    /// What the actor said, unless it was erased.
    pub reason: Option<String>,
}

/// What something was done to: as many of these as name it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditTarget {
    pub account: Option<AccountId>,
    pub channel: Option<ChannelId>,
    pub role: Option<Role>,
    pub message: Option<MessageId>,
    /// The code.
    pub invite: Option<String>,
    pub report: Option<ReportId>,
}

/// Which entries; the default has no limits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// One of [`AUDITED`], or what some of them have before the dot.
    pub action: Option<String>,
    pub actor: Option<AccountId>,
    /// The account that something was done to.
    pub target: Option<AccountId>,
    pub since: Option<Bound>,
    pub until: Option<Bound>,
    /// Whether entries about reports are left out.
    pub without_reports: bool,
}

/// An end of a range of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The entry at this position is out of the range.
    Entry(Position),
    /// A beginning is in the range, an end out of it.
    Time(Timestamp),
}

/// Newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditPage {
    pub items: Vec<AuditEntryRow>,
    /// Up to this are older ones; `None` when there are none.
    pub older: Option<Position>,
}

impl AuditEntryRow {
    fn of(row: &Row) -> Self {
        let Json(changes): Json<Map<String, Value>> = row.get("changes");
        Self {
            position: position(row, "position"),
            created_at: row.get("created_at"),
            action: row.get("action"),
            actor: row.get::<_, Option<_>>("actor_id").map(AccountId),
            target: AuditTarget {
                account: row.get::<_, Option<_>>("account_id").map(AccountId),
                channel: row.get::<_, Option<_>>("channel_id").map(ChannelId),
                role: row.get::<_, Option<&str>>("role").and_then(Role::parse),
                message: row.get::<_, Option<_>>("message_id").map(MessageId),
                invite: row.get("invite"),
                report: row.get::<_, Option<_>>("report_id").map(ReportId),
            },
            changes: changes.into_iter().map(told).collect(),
            reason: row.get("reason"),
        }
    }
}

/// The fields of changes that are sets of permissions.
const PERMISSIONS: [&str; 3] = ["permissions", "allow", "deny"];

/// A change as the rest of the contract has it: permissions by their names, colours as `#rrggbb`.
fn told((field, mut change): (String, Value)) -> (String, Value) {
    for end in change.as_object_mut().into_iter().flat_map(Map::values_mut) {
        let Some(number) = end.as_u64() else { continue };
        if PERMISSIONS.contains(&field.as_str()) {
            *end = Permissions::from_bits_retain(number).names().into();
        } else if field == "colour"
            && let Ok(number) = u32::try_from(number)
        {
            *end = Colour(number).to_string().into();
        }
    }
    (field, change)
}

impl ReadModel {
    /// The newest entries of a community's audit log that `filter` lets through. Whether the asker may know them is the
    /// caller's check.
    pub async fn audit_log(
        &self,
        community: CommunityId,
        filter: &AuditFilter,
        limit: usize,
    ) -> Result<AuditPage, Unavailable> {
        const SQL: &str = "
            SELECT position, created_at, action, actor_id, account_id, channel_id, role, message_id, invite,
                report_id, changes, reason
            FROM read.audit_entries
            WHERE community_id = $1
                AND position > $2
                AND position < $3
                AND ($4::timestamptz IS NULL OR created_at >= $4)
                AND ($5::timestamptz IS NULL OR created_at < $5)
                AND ($6::text[] IS NULL OR action = ANY ($6))
                AND ($7::uuid IS NULL OR actor_id = $7)
                AND ($8::uuid IS NULL OR account_id = $8)
            ORDER BY position DESC
            LIMIT $9";
        let AuditFilter { action, actor, target, since, until, without_reports } = filter;
        let (after, since) = ends(*since, 0);
        let (before, until) = ends(*until, i64::MAX);
        let actions = actions(action.as_deref(), *without_reports);
        let (actor, target) = (actor.map(|account| account.0), target.map(|account| account.0));
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
            [&community.0, &after, &before, &since, &until, &actions, &actor, &target, &wanted];
        let rows = self.database().rows(SQL, &params).await?;
        let items: Vec<_> = rows.iter().take(limit).map(AuditEntryRow::of).collect();
        let older = items.last().filter(|_| rows.len() > limit).map(|last| last.position);
        Ok(AuditPage { items, older })
    }
}

/// An end of a range as a position and a time, of which one says nothing.
fn ends(bound: Option<Bound>, open: i64) -> (i64, Option<Timestamp>) {
    match bound {
        None => (open, None),
        Some(Bound::Entry(position)) => (to_bigint(position), None),
        Some(Bound::Time(time)) => (open, Some(time)),
    }
}

/// The actions to look for; `None`: all.
fn actions(wanted: Option<&str>, without_reports: bool) -> Option<Vec<&'static str>> {
    let fits = |action: &str| wanted.is_none_or(|wanted| wanted == action || wanted == group(action));
    let shown = |action: &str| !without_reports || group(action) != "report";
    (wanted.is_some() || without_reports)
        .then(|| AUDITED.iter().copied().filter(|action| fits(action) && shown(action)).collect())
}

/// What an action has before the dot. The order of channels is about channels like the rest.
fn group(action: &str) -> &str {
    match action.split_once('.') {
        Some(("channels", _)) => "channel",
        Some((group, _)) => group,
        None => action,
    }
}

/// Whether entries can be asked for by this name: an action's, or a group's.
pub fn is_audited(name: &str) -> bool {
    AUDITED.iter().any(|action| *action == name || group(action) == name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_action_is_asked_for_by_its_name_or_its_groups() {
        assert_eq!(actions(None, false), None);
        assert_eq!(actions(Some("role.ordered"), false), Some(vec!["role.ordered"]));
        assert_eq!(actions(Some("invite"), true), Some(vec!["invite.created", "invite.revoked"]));
        assert_eq!(actions(Some("report.opened"), true), Some(vec![]));
        assert!(actions(Some("channel"), true).is_some_and(|named| named.contains(&"channels.ordered")));
        let shown = actions(None, true).unwrap_or_default();
        assert_eq!(shown.len(), AUDITED.len() - 2);
        assert!(["role", "role.created", "report"].iter().all(|name| is_audited(name)));
        assert!(
            ["", "rol", "role.", "message.posted", "role.created.x"].iter().all(|name| !is_audited(name))
        );
    }

    #[test]
    fn permissions_are_told_by_name_and_colours_in_hex() {
        let bits = (Permissions::VIEW | Permissions::POST).bits();
        let change = json!({"from": null, "to": bits});
        let named = json!({"from": null, "to": ["view", "post"]});
        assert_eq!(told(("allow".to_owned(), change.clone())), ("allow".to_owned(), named));
        let colour = ("colour".to_owned(), json!({"from": 255, "to": null}));
        assert_eq!(told(colour).1, json!({"from": "#0000ff", "to": null}));
        assert_eq!(told(("slow_mode".to_owned(), change.clone())), ("slow_mode".to_owned(), change));
    }
}
