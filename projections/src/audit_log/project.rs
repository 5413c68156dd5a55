//! Events as entries. What was there before comes from the rows, which this reads before the event's noun writes them.

use domain::channel::{ChannelChanged, ChannelCreated, ChannelEvent};
use domain::channel_order::ChannelOrderEvent;
use domain::community::CommunityEvent;
use domain::invite::InviteEvent;
use domain::membership::{MembershipEvent, Reason};
use domain::message::MessageEvent;
use domain::reaction::ReactionEvent;
use domain::report::ReportEvent;
use domain::role::Definition;
use domain::{AccountId, ChannelId, CommunityId, Event, MessageId, Personal, Role};
use event_store::Record;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_postgres::types::Json;

use super::AuditTarget;
use crate::batch::{At, Batch, params};

/// An entry to be.
struct Entry {
    community: CommunityId,
    /// `None`: who gave the command.
    actor: Option<AccountId>,
    target: AuditTarget,
    /// What fields are from now on.
    changes: Map<String, Value>,
    /// What they were.
    before: Before,
    reason: Option<String>,
}

/// Where to find what the fields were.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    /// The columns of the community, and `order`, the order of its roles.
    Community,
    /// The columns of the channel in the target.
    Channel,
    /// `allow` and `deny` of the overwrite in the channel in the target.
    Overwrite,
    /// The columns of the membership of the account in the target.
    Membership,
    /// The columns of the role in the target, and `permissions`, what it grants.
    Role,
    /// The columns of the report in the target.
    Report,
}

/// Who gave the command that led to an event, as its cause says.
#[derive(Deserialize)]
struct Cause {
    #[serde(default)]
    actor: Option<AccountId>,
}

/// A statement that adds an entry; `$row` is a JSON object with what the fields were.
macro_rules! insert {
    ($row:literal) => {
        concat!(
            "INSERT INTO {schema}.audit_entries
                (position, community_id, actor_id, account_id, channel_id, message_id, report_id, created_at, action,
                role, invite, changes, reason)
            SELECT $1::bigint, $2::uuid, $3::uuid, $4::uuid, $5::uuid, $6::uuid, $7::uuid, $8::timestamptz, $9::text,
                $10::text, $11::text,
                (
                    SELECT coalesce(
                        jsonb_object_agg(field, jsonb_build_object('from', before.row -> field, 'to', value)), '{}'
                    )
                    FROM jsonb_each($12::jsonb) AS change (field, value)
                ),
                $13::text
            FROM (SELECT (",
            $row,
            ") AS row) AS before"
        )
    };
}

impl Before {
    fn sql(self) -> &'static str {
        match self {
            Self::Nothing => insert!("NULL::jsonb"),
            Self::Community => insert!(
                "SELECT to_jsonb(communities) || jsonb_build_object('order', role_order)
                FROM {schema}.communities
                WHERE id = $2"
            ),
            Self::Channel => insert!("SELECT to_jsonb(channels) FROM {schema}.channels WHERE id = $5"),
            Self::Overwrite => insert!(
                "SELECT overwrite
                FROM {schema}.channels, jsonb_array_elements(overwrites) AS overwrite
                WHERE channels.id = $5
                    AND overwrite @> CASE
                        WHEN $10::text IS NULL THEN jsonb_build_object('account', $4::uuid)
                        ELSE jsonb_build_object('role', $10::text)
                    END"
            ),
            Self::Membership => insert!(
                "SELECT to_jsonb(memberships)
                FROM {schema}.memberships
                WHERE community_id = $2 AND account_id = $4"
            ),
            Self::Role => insert!(
                "SELECT coalesce(to_jsonb(roles), '{}')
                    || jsonb_build_object('permissions', role_permissions[array_position(role_order, $10::text)])
                FROM {schema}.communities
                LEFT JOIN {schema}.roles ON roles.community_id = communities.id AND roles.role = $10::text
                WHERE communities.id = $2"
            ),
            Self::Report => insert!("SELECT to_jsonb(reports) FROM {schema}.reports WHERE id = $7"),
        }
    }
}

/// Writes the entry of an event, if it makes one. To be called before the event's noun.
pub(crate) fn project(batch: &mut Batch, event: &Event, record: &Record, at: At) {
    if let Event::Message(MessageEvent::Deleted(event)) = event {
        batch.deletions().add(event, at);
    }
    let Some(Entry { community, actor, target, changes, before, reason }) = entry(event) else { return };
    let cause = || serde_json::from_slice::<Cause>(&record.meta).ok().and_then(|cause| cause.actor);
    let actor = actor.or_else(cause).map(|account| account.0);
    batch.write(
        before.sql(),
        params![
            at.bigint(),
            community.0,
            actor,
            target.account.map(|id| id.0),
            target.channel.map(|id| id.0),
            target.message.map(|id| id.0),
            target.report.map(|id| id.0),
            at.time,
            record.kind.clone(),
            target.role.map(|role| role.to_string()),
            target.invite,
            Json(Value::Object(changes)),
            reason
        ],
    );
}

fn entry(event: &Event) -> Option<Entry> {
    match event {
        Event::Community(event) => Some(of_community(event)),
        Event::Membership(event) => of_membership(event),
        Event::Channel(event) => of_channel(event),
        Event::ChannelOrder(ChannelOrderEvent::Ordered(e)) => Some(Entry::new(e.community_id, Some(e.by))),
        Event::Invite(event) => of_invite(event),
        Event::Report(event) => Some(of_report(event)),
        Event::Message(event) => of_message(event),
        Event::Reaction(ReactionEvent::Cleared(e)) => {
            let entry = Entry::new(e.community_id?, Some(e.by)).on(message(e.channel_id, e.message_id));
            Some(entry.set_if("emoji", e.emoji.as_ref()))
        }
        // What people do with what is theirs.
        Event::Reaction(ReactionEvent::Added(_) | ReactionEvent::Removed(_))
        | Event::Poll(_)
        | Event::Thread(_) => None,
        Event::Account(_) | Event::Block(_) | Event::Claim(_) | Event::Installation(_) => None,
    }
}

impl Entry {
    fn new(community: CommunityId, actor: Option<AccountId>) -> Self {
        let (target, changes) = (AuditTarget::default(), Map::new());
        Self { community, actor, target, changes, before: Before::Nothing, reason: None }
    }

    fn on(self, target: AuditTarget) -> Self {
        Self { target, ..self }
    }

    fn after(self, before: Before) -> Self {
        Self { before, ..self }
    }

    fn set(mut self, field: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("facts of events are plain JSON");
        self.changes.insert(field.to_owned(), value);
        self
    }

    /// A field that an event names only where it changed.
    fn set_if(self, field: &str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.set(field, value),
            None => self,
        }
    }

    fn because(self, reason: Option<&Personal<Reason>>) -> Self {
        let reason = reason.and_then(Personal::clear).map(|reason| reason.as_str().to_owned());
        Self { reason, ..self }
    }

    fn define(self, definition: &Definition) -> Self {
        let Definition { name, colour, permissions, mentionable } = definition;
        self.set("name", name)
            .set("colour", colour)
            .set("permissions", permissions)
            .set("mentionable", mentionable)
    }
}

fn account(id: AccountId) -> AuditTarget {
    AuditTarget { account: Some(id), ..AuditTarget::default() }
}

fn channel(id: ChannelId) -> AuditTarget {
    AuditTarget { channel: Some(id), ..AuditTarget::default() }
}

fn role(role: Role) -> AuditTarget {
    AuditTarget { role: Some(role), ..AuditTarget::default() }
}

fn message(channel: ChannelId, id: MessageId) -> AuditTarget {
    AuditTarget { channel: Some(channel), message: Some(id), ..AuditTarget::default() }
}

const NONE: Option<()> = None;

fn of_community(event: &CommunityEvent) -> Entry {
    match event {
        CommunityEvent::Created(e) => {
            Entry::new(e.community_id, Some(e.owner_id)).set("name", &e.name).set("owner_id", e.owner_id)
        }
        CommunityEvent::Renamed(e) => {
            Entry::new(e.community_id, None).after(Before::Community).set("name", &e.name)
        }
        CommunityEvent::Deleted(e) => {
            Entry::new(e.community_id, Some(e.deleted_by)).after(Before::Community).set("name", NONE)
        }
        CommunityEvent::OwnerChanged(e) => Entry::new(e.community_id, Some(e.previous_owner_id))
            .on(account(e.owner_id))
            .after(Before::Community)
            .set("owner_id", e.owner_id),
        CommunityEvent::RoleCreated(e) => {
            Entry::new(e.community_id, Some(e.by)).on(role(e.role)).define(&e.definition)
        }
        CommunityEvent::RoleChanged(e) => {
            Entry::new(e.community_id, Some(e.by)).on(role(e.role)).after(Before::Role).define(&e.definition)
        }
        CommunityEvent::RoleDeleted(e) => Entry::new(e.community_id, Some(e.by))
            .on(role(e.role))
            .after(Before::Role)
            .set("name", NONE)
            .set("permissions", NONE),
        CommunityEvent::RolesOrdered(e) => {
            Entry::new(e.community_id, Some(e.by)).after(Before::Community).set("order", &e.order)
        }
    }
}

fn of_membership(event: &MembershipEvent) -> Option<Entry> {
    let (community, member) = event.subject();
    let of = |actor| Entry::new(community, Some(actor)).on(account(member));
    Some(match event {
        MembershipEvent::Joined(e) => {
            of(member).set("roles", &e.roles).set("joined_by", e.joined_by).set_if("invited_by", e.invited_by)
        }
        MembershipEvent::Left(_) => of(member),
        MembershipEvent::Kicked(e) => of(e.by).because(e.reason.as_ref()),
        MembershipEvent::Banned(e) => of(e.by).set("until", e.until).because(e.reason.as_ref()),
        MembershipEvent::Unbanned(e) => of(e.by),
        MembershipEvent::RolesChanged(e) => of(e.by).after(Before::Membership).set("roles", &e.roles),
        MembershipEvent::TimedOut(e) => of(e.by).set("until", e.until).because(e.reason.as_ref()),
        MembershipEvent::TimeOutEnded(e) => of(e.by),
        // What one calls oneself is one's own matter. The name itself is the member's, to go when they are erased.
        MembershipEvent::NicknameChanged(e) if e.by == e.account_id => return None,
        MembershipEvent::NicknameChanged(e) => of(e.by),
    })
}

fn of_channel(event: &ChannelEvent) -> Option<Entry> {
    let of = |community, actor, id| Entry::new(community, actor).on(channel(id));
    Some(match event {
        ChannelEvent::Created(e) => {
            let ChannelCreated { channel_id, community_id, name, kind, topic, category_id, private, .. } = e;
            of(*community_id, None, *channel_id)
                .set("name", name)
                .set("kind", kind)
                .set("topic", topic)
                .set("category_id", category_id)
                .set("private", private)
        }
        ChannelEvent::Changed(e) => {
            let ChannelChanged { channel_id, community_id, name, topic, private, .. } = e;
            of(*community_id, None, *channel_id)
                .after(Before::Channel)
                .set_if("name", name.as_ref())
                .set_if("topic", topic.as_ref())
                .set_if("private", *private)
                .set_if("slow_mode", e.slow_mode)
                .set_if("archived", e.archived)
                .set_if("category_id", e.category_id)
        }
        ChannelEvent::Deleted(e) => of(e.community_id, Some(e.deleted_by), e.channel_id)
            .after(Before::Channel)
            .set("name", NONE)
            .set("kind", NONE),
        ChannelEvent::Overwritten(e) => {
            let target = match e.target {
                domain::permission::Target::Role(of) => role(of),
                domain::permission::Target::Account(of) => account(of),
            };
            Entry::new(e.community_id, Some(e.by))
                .on(AuditTarget { channel: Some(e.channel_id), ..target })
                .after(Before::Overwrite)
                .set("allow", e.overwrite.allow)
                .set("deny", e.overwrite.deny)
        }
        // Conversations have no moderators.
        ChannelEvent::DirectOpened(_)
        | ChannelEvent::GroupCreated(_)
        | ChannelEvent::GroupRenamed(_)
        | ChannelEvent::GroupMemberAdded(_)
        | ChannelEvent::GroupMemberRemoved(_)
        | ChannelEvent::GroupHandedOver(_) => return None,
    })
}

fn of_invite(event: &InviteEvent) -> Option<Entry> {
    let invite = |code: &domain::invite::InviteCode| AuditTarget {
        invite: Some(code.as_str().to_owned()),
        ..AuditTarget::default()
    };
    match event {
        InviteEvent::Created(e) => Some(
            Entry::new(e.community_id, Some(e.created_by))
                .on(invite(&e.code))
                .set("max_uses", e.max_uses)
                .set("expires_at", e.expires_at),
        ),
        // That somebody joined says so, and by whose invite.
        InviteEvent::Redeemed(_) => None,
        InviteEvent::Revoked(e) => Some(Entry::new(e.community_id, Some(e.revoked_by)).on(invite(&e.code))),
    }
}

/// Outside communities there is no audit log.
fn of_message(event: &MessageEvent) -> Option<Entry> {
    match event {
        MessageEvent::Pinned(e) => {
            Some(Entry::new(e.community_id?, Some(e.by)).on(message(e.channel_id, e.message_id)))
        }
        MessageEvent::Unpinned(e) => {
            Some(Entry::new(e.community_id?, Some(e.by)).on(message(e.channel_id, e.message_id)))
        }
        // Deletions are gathered: see `Deletions`.
        MessageEvent::Posted(_) | MessageEvent::Edited(_) | MessageEvent::Deleted(_) => None,
    }
}

/// What people wrote in a report stays in the report.
fn of_report(event: &ReportEvent) -> Entry {
    match event {
        ReportEvent::Opened(e) => {
            let target = AuditTarget {
                account: Some(e.author_id),
                channel: Some(e.channel_id),
                message: Some(e.message_id),
                report: Some(e.report_id),
                ..AuditTarget::default()
            };
            Entry::new(e.community_id, Some(e.reporter_id)).on(target).set("reason", e.reason)
        }
        ReportEvent::Changed(e) => {
            let target = AuditTarget { report: Some(e.report_id), ..AuditTarget::default() };
            Entry::new(e.community_id, Some(e.by)).on(target).after(Before::Report).set("state", e.state)
        }
    }
}
