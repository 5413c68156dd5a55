//! From records of the log to frames.

use std::sync::Arc;

use domain::account::AccountEvent;
use domain::block::BlockEvent;
use domain::channel::{ChannelChanged, ChannelEvent, ChannelKind};
use domain::channel_order::ChannelOrderEvent;
use domain::community::CommunityEvent;
use domain::membership::{MembershipEvent, Nickname};
use domain::report::{ReportEvent, ReportState, ReportText, Words};
use domain::role::Definition;
use domain::{ChannelId, CommunityId, Event, MessageId, Permissions, Personal, Role};
use event_store::{Position, Record};
use jiff::Timestamp;
use projections::{OpenedRecord, ReadModel};
use serde_json::{Value, json};
use vault::Vault;

mod said;

use super::access::Audience;
use super::change::AccessChange;
use super::frame::Frame;
use crate::channel::overwrite::Overwrite;
use crate::cursor::Cursors;

/// Turns records into frames; shared by the hub and by every catch-up.
#[derive(Clone)]
pub(crate) struct Encoder {
    pub(crate) vault: Vault,
    pub(crate) read: ReadModel,
    pub(crate) cursors: Cursors,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodeError {
    #[error("the log cannot be reached")]
    Log(#[from] event_store::Unavailable),
    #[error("events could not be opened")]
    Open(#[from] projections::OpenError),
    #[error("the read model could not be asked")]
    Read(#[from] projections::Unavailable),
    #[error("the read model has not reached {0}")]
    Behind(Position),
}

/// How long a profile's change waits for the read model to know whom it concerns.
const READ_MODEL_PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

impl Encoder {
    /// The frames of `records`, one for each, in order.
    ///
    /// # Errors
    /// Nothing of the page was encoded; it may be tried again.
    pub(crate) async fn encode(&self, records: &[Arc<Record>]) -> Result<Vec<Arc<Frame>>, EncodeError> {
        let opened = projections::open(&self.vault, records).await?;
        let mut frames = Vec::with_capacity(opened.len());
        for record in &opened {
            frames.push(Arc::new(self.frame(record).await?));
        }
        Ok(frames)
    }

    async fn frame(&self, opened: &OpenedRecord) -> Result<Frame, EncodeError> {
        let record = &opened.record;
        let Some(event) = &opened.event else {
            return Ok(Frame::silent(record.position, None));
        };
        let change = AccessChange::of(event);
        let audience = self.audience(event, record.position).await?;
        if audience == Audience::Nobody {
            return Ok(Frame::silent(record.position, change));
        }
        let data = data(event, record.recorded_at);
        let cursor = self.cursors.seal(record.position);
        let mut frame = Frame::new(
            record.position,
            &cursor,
            &record.kind,
            record.recorded_at,
            record.topic.as_str(),
            data,
        );
        (frame.audience, frame.change) = (audience, change);
        Ok(frame)
    }

    async fn audience(&self, event: &Event, position: Position) -> Result<Audience, EncodeError> {
        Ok(match event {
            Event::Message(event) => said_in(event.subject()),
            Event::Reaction(event) => said_in(event.subject()),
            Event::Poll(event) => said_in(event.subject()),
            Event::Thread(event) => Audience::Account(event.subject().0),
            Event::Membership(MembershipEvent::Unbanned(e)) => {
                Audience::Holders(e.community_id, Permissions::BAN)
            }
            Event::Membership(event) => Audience::Community(event.subject().0),
            Event::Channel(ChannelEvent::Created(e)) => Audience::Channel(e.community_id, e.channel_id),
            Event::Channel(ChannelEvent::Changed(e)) => Audience::Channel(e.community_id, e.channel_id),
            Event::Channel(ChannelEvent::Deleted(e)) => Audience::Channel(e.community_id, e.channel_id),
            Event::Channel(ChannelEvent::Overwritten(e)) => Audience::Channel(e.community_id, e.channel_id),
            Event::Channel(ChannelEvent::DirectOpened(e)) => Audience::Conversation(e.channel_id),
            Event::Channel(ChannelEvent::GroupCreated(e)) => Audience::Conversation(e.channel_id),
            Event::Channel(ChannelEvent::GroupRenamed(e)) => Audience::Conversation(e.channel_id),
            Event::Channel(ChannelEvent::GroupMemberAdded(e)) => Audience::Conversation(e.channel_id),
            Event::Channel(ChannelEvent::GroupMemberRemoved(e)) => Audience::Conversation(e.channel_id),
            Event::Channel(ChannelEvent::GroupHandedOver(e)) => Audience::Conversation(e.channel_id),
            Event::Report(ReportEvent::Opened(e)) => {
                Audience::Holders(e.community_id, Permissions::MANAGE_MESSAGES)
            }
            Event::Report(ReportEvent::Changed(e)) => {
                Audience::Holders(e.community_id, Permissions::MANAGE_MESSAGES)
            }
            Event::ChannelOrder(ChannelOrderEvent::Ordered(e)) => Audience::Community(e.community_id),
            Event::Block(BlockEvent::Blocked(e)) => Audience::Account(e.by),
            Event::Block(BlockEvent::Unblocked(e)) => Audience::Account(e.by),
            Event::Community(CommunityEvent::Renamed(e)) => Audience::Community(e.community_id),
            Event::Community(CommunityEvent::Deleted(e)) => Audience::Community(e.community_id),
            Event::Community(CommunityEvent::OwnerChanged(e)) => Audience::Community(e.community_id),
            Event::Community(CommunityEvent::RoleCreated(e)) => Audience::Community(e.community_id),
            Event::Community(CommunityEvent::RoleChanged(e)) => Audience::Community(e.community_id),
            Event::Community(CommunityEvent::RoleDeleted(e)) => Audience::Community(e.community_id),
            Event::Community(CommunityEvent::RolesOrdered(e)) => Audience::Community(e.community_id),
            Event::Account(AccountEvent::ProfileChanged(e)) => {
                // Whom it concerns is known once the read model is past every earlier join.
                if !self.read.wait_for(position, READ_MODEL_PATIENCE).await {
                    return Err(EncodeError::Behind(position));
                }
                let access = self.read.access(e.account_id).await?;
                let communities = access.communities.into_iter().map(|community| community.id).collect();
                Audience::Around(e.account_id, communities, access.conversations)
            }
            // Nobody is a member when a community is made; accounts are met where they join; codes are secrets.
            Event::Community(CommunityEvent::Created(_))
            | Event::Account(AccountEvent::Registered(_))
            | Event::Invite(_)
            | Event::Claim(_)
            | Event::Installation(_) => Audience::Nobody,
        })
    }
}

/// The `data` of a frame, as docs/API.md lists it.
fn data(event: &Event, at: Timestamp) -> Value {
    match event {
        Event::Message(event) => said::message(event, at),
        Event::Reaction(event) => said::reaction(event),
        Event::Poll(event) => said::poll(event),
        Event::Thread(event) => said::thread(event),
        Event::Channel(ChannelEvent::Created(e)) => json!({
            "id": e.channel_id, "community_id": e.community_id, "kind": ChannelKind::as_str(e.kind),
            "name": e.name, "topic": e.topic, "category_id": e.category_id, "owner_id": null, "private": e.private,
            "overwrites": e.overwrites.iter().map(Overwrite::from).collect::<Vec<_>>(), "slow_mode": 0,
            "archived": false, "created_at": at,
        }),
        Event::Channel(ChannelEvent::Changed(e)) => channel_changed(e),
        Event::Channel(ChannelEvent::Deleted(e)) => {
            json!({"id": e.channel_id, "community_id": e.community_id})
        }
        Event::Channel(ChannelEvent::Overwritten(e)) => json!({
            "id": e.channel_id, "community_id": e.community_id,
            "overwrite": Overwrite::from((e.target, e.overwrite)),
        }),
        // Not all who hear this see all that is in the layout.
        Event::ChannelOrder(ChannelOrderEvent::Ordered(e)) => json!({"community_id": e.community_id}),
        Event::Block(BlockEvent::Blocked(e)) => json!({"account_id": e.account_id, "created_at": at}),
        Event::Block(BlockEvent::Unblocked(e)) => json!({"account_id": e.account_id}),
        Event::Channel(ChannelEvent::DirectOpened(e)) => json!({
            "id": e.channel_id, "kind": "direct", "members": e.accounts, "created_at": at,
        }),
        Event::Channel(ChannelEvent::GroupCreated(e)) => json!({
            "id": e.channel_id, "kind": "group", "name": e.name, "owner_id": e.owner_id, "members": e.members,
            "created_at": at,
        }),
        Event::Channel(ChannelEvent::GroupRenamed(e)) => json!({"id": e.channel_id, "name": e.name}),
        Event::Channel(ChannelEvent::GroupMemberAdded(e)) => {
            json!({"id": e.channel_id, "account_id": e.account_id, "by": e.by})
        }
        Event::Channel(ChannelEvent::GroupMemberRemoved(e)) => {
            json!({"id": e.channel_id, "account_id": e.account_id, "by": e.by, "ended": e.ended})
        }
        Event::Channel(ChannelEvent::GroupHandedOver(e)) => {
            json!({"id": e.channel_id, "owner_id": e.owner_id})
        }
        Event::Community(CommunityEvent::OwnerChanged(e)) => json!({
            "id": e.community_id, "owner_id": e.owner_id, "previous_owner_id": e.previous_owner_id,
        }),
        Event::Community(CommunityEvent::RoleCreated(e)) => role(e.community_id, e.role, &e.definition),
        Event::Community(CommunityEvent::RoleChanged(e)) => role(e.community_id, e.role, &e.definition),
        Event::Community(CommunityEvent::RoleDeleted(e)) => {
            json!({"id": e.role, "community_id": e.community_id})
        }
        Event::Community(CommunityEvent::RolesOrdered(e)) => {
            json!({"community_id": e.community_id, "order": e.order})
        }
        Event::Community(CommunityEvent::Renamed(e)) => json!({"id": e.community_id, "name": e.name}),
        Event::Community(CommunityEvent::Deleted(e)) => json!({"id": e.community_id}),
        Event::Membership(MembershipEvent::Joined(e)) => json!({
            "community_id": e.community_id, "account_id": e.account_id, "roles": e.roles, "joined_at": at,
        }),
        Event::Membership(MembershipEvent::RolesChanged(e)) => json!({
            "community_id": e.community_id, "account_id": e.account_id, "roles": e.roles,
        }),
        Event::Membership(MembershipEvent::TimedOut(e)) => json!({
            "community_id": e.community_id, "account_id": e.account_id, "until": e.until,
        }),
        Event::Membership(MembershipEvent::NicknameChanged(e)) => json!({
            "community_id": e.community_id, "account_id": e.account_id,
            "nickname": e.nickname.clear().map(Nickname::as_str).filter(|name| !name.is_empty()),
        }),
        Event::Membership(event) => {
            let (community, account) = event.subject();
            json!({"community_id": community, "account_id": account})
        }
        Event::Report(ReportEvent::Opened(e)) => json!({
            "id": e.report_id, "community_id": e.community_id, "channel_id": e.channel_id,
            "message_id": e.message_id, "author_id": e.author_id, "reporter_id": e.reporter_id,
            "reason": e.reason, "text": words(&e.words), "state": ReportState::Open, "created_at": at,
        }),
        Event::Report(ReportEvent::Changed(e)) => json!({
            "id": e.report_id, "community_id": e.community_id, "state": e.state, "note": words(&e.words),
            "changed_by": e.by, "changed_at": at,
        }),
        Event::Account(AccountEvent::ProfileChanged(e)) => {
            let change = e.change.clear();
            changed(
                json!({"id": e.account_id}),
                &[
                    ("display_name", change.and_then(|c| c.display_name.as_ref()).map(|name| name.as_str())),
                    ("about", change.and_then(|c| c.about.as_ref()).map(|about| about.as_str())),
                ],
            )
        }
        Event::Community(CommunityEvent::Created(_))
        | Event::Account(AccountEvent::Registered(_))
        | Event::Invite(_)
        | Event::Claim(_)
        | Event::Installation(_) => Value::Null,
    }
}

fn channel_changed(event: &ChannelChanged) -> Value {
    let mut data = json!({"id": event.channel_id, "community_id": event.community_id});
    let ChannelChanged { name, topic, private, slow_mode, archived, category_id, .. } = event;
    let fields = [
        ("name", name.as_ref().map(|name| json!(name))),
        ("topic", topic.as_ref().map(|topic| json!(topic))),
        ("private", private.map(Value::from)),
        ("slow_mode", slow_mode.map(|slow_mode| json!(slow_mode))),
        ("archived", archived.map(Value::from)),
        ("category_id", category_id.map(|category| json!(category))),
    ];
    for (field, value) in fields {
        if let Some(value) = value {
            data[field] = value;
        }
    }
    data
}

fn role(community: CommunityId, role: Role, definition: &Definition) -> Value {
    json!({
        "id": role, "community_id": community, "name": definition.name,
        "colour": definition.colour.map(|colour| colour.to_string()),
        "permissions": definition.permissions.names(), "mentionable": definition.mentionable,
    })
}

/// Those who may see what is said in a message's channel.
fn said_in((_, channel, community): (MessageId, ChannelId, Option<CommunityId>)) -> Audience {
    Audience::of_channel(community, channel)
}

/// What somebody wrote about a report; null where they wrote nothing, or it was erased.
fn words(words: &Personal<Words>) -> Option<&str> {
    words.clear().and_then(|words| words.text.as_ref()).map(ReportText::as_str)
}

/// Adds the fields that changed.
fn changed(mut object: Value, fields: &[(&str, Option<&str>)]) -> Value {
    for (name, value) in fields {
        if let Some(value) = value {
            object[name] = Value::from(*value);
        }
    }
    object
}
