//! The log itself, folded in its order: where it says who was a member when, and what each frame really was.

use std::collections::{BTreeMap, HashMap};

use client::{Cursor, Frame};
use domain::account::AccountEvent;
use domain::channel::ChannelEvent;
use domain::channel_order::ChannelOrderEvent;
use domain::codec::EventSet as _;
use domain::community::CommunityEvent;
use domain::membership::{Membership, MembershipEvent};
use domain::report::ReportEvent;
use domain::{AccountId, Aggregate as _, CommunityId, Event, PersonalPart};
use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::Broken;

/// Kind, time, and what it happened to: unique, since commands are given one after the other.
type Mark = (String, Timestamp, String);
/// The first and the last position of a membership, both included.
type Span = (i64, i64);

pub(crate) struct Oracle {
    events: BTreeMap<i64, Event>,
    positions: HashMap<Mark, i64>,
    memberships: HashMap<(CommunityId, AccountId), Vec<Span>>,
    /// The id that the frame of each position has, for whoever it came to.
    ids: HashMap<i64, Cursor>,
}

impl Oracle {
    pub(crate) async fn read(url: &str) -> Result<Self, Broken> {
        let mut oracle = Self {
            events: BTreeMap::new(),
            positions: HashMap::new(),
            memberships: HashMap::new(),
            ids: HashMap::new(),
        };
        let mut open = HashMap::new();
        for (position, kind, time, event) in events(url).await? {
            oracle.follow(&mut open, position, &event);
            if oracle.positions.insert((kind, time, subject(&event)), position).is_some() {
                return Err(format!("the event at {position} cannot be told from another"));
            }
            oracle.events.insert(position, event);
        }
        for (key, (_, from)) in open {
            oracle.memberships.entry(key).or_default().push((from, i64::MAX));
        }
        Ok(oracle)
    }

    fn follow(
        &mut self,
        open: &mut HashMap<(CommunityId, AccountId), (Membership, i64)>,
        position: i64,
        event: &Event,
    ) {
        match event {
            Event::Membership(event) => {
                let key = event.subject();
                let (mut state, from) = open.remove(&key).unwrap_or((Membership::default(), position));
                let was_member = state.roles().is_some();
                state.evolve(event);
                match (was_member, state.roles().is_some()) {
                    (true, false) => self.memberships.entry(key).or_default().push((from, position)),
                    (false, true) => {
                        open.insert(key, (state, position));
                    }
                    (true, true) => {
                        open.insert(key, (state, from));
                    }
                    (false, false) => {}
                }
            }
            Event::Community(CommunityEvent::Deleted(deleted)) => {
                let ended = open.extract_if(|(community, _), _| *community == deleted.community_id);
                for (key, (_, from)) in ended {
                    self.memberships.entry(key).or_default().push((from, position));
                }
            }
            _ => {}
        }
    }

    fn was_member(&self, community: CommunityId, account: AccountId, position: i64) -> bool {
        let spans = self.memberships.get(&(community, account)).into_iter().flatten();
        spans.into_iter().any(|(from, to)| (*from..=*to).contains(&position))
    }

    /// Whether the two shared a community at `position` or later.
    fn met(&self, one: AccountId, other: AccountId, position: i64) -> bool {
        let spans = |account| self.memberships.iter().filter(move |((_, member), _)| *member == account);
        spans(one).any(|((community, _), ours)| {
            let theirs = self.memberships.get(&(*community, other)).into_iter().flatten();
            theirs.into_iter().any(|(from, to)| {
                ours.iter().any(|(f, t)| f.max(from) <= t.min(to) && *t.min(to) >= position)
            })
        })
    }

    /// Holds what came to a device of `account` to the log.
    pub(crate) fn judge(&mut self, who: &str, account: Uuid, receipts: &[Frame]) -> Result<(), Broken> {
        let account = AccountId(account);
        let mut last = 0;
        for frame in receipts {
            let mark = (frame.kind.clone(), frame.time, named(&frame.data));
            let Some(position) = self.positions.get(&mark).copied() else {
                return Err(format!("{who} got what is not in the log: {frame:?}"));
            };
            if position <= last {
                return Err(format!("{who} got {position} after {last}: {frame:?}"));
            }
            last = position;
            let id = self.ids.entry(position).or_insert_with(|| frame.id.clone());
            if *id != frame.id {
                return Err(format!("the event at {position} came with the ids {id} and {}", frame.id));
            }
            let event = &self.events[&position];
            let allowed = match (event, community(event)) {
                (Event::Account(AccountEvent::ProfileChanged(changed)), _) => {
                    changed.account_id == account || self.met(account, changed.account_id, position)
                }
                (_, Some(community)) => self.was_member(community, account, position),
                _ => false,
            };
            if !allowed {
                let spans: Vec<_> = self.memberships.iter().filter(|((_, a), _)| *a == account).collect();
                return Err(format!("{who} got what was not theirs at {position}: {frame:?}\n{spans:?}"));
            }
        }
        Ok(())
    }
}

async fn events(url: &str) -> Result<Vec<(i64, String, Timestamp, Event)>, Broken> {
    let (database, connection) = tokio_postgres::connect(url, NoTls).await.map_err(|e| e.to_string())?;
    tokio::spawn(connection);
    let query = "SELECT position, kind, schema, recorded_at, data FROM log.events ORDER BY position";
    let rows = database.query(query, &[]).await.map_err(|error| error.to_string())?;
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        let (kind, schema, data): (String, i16, &[u8]) =
            (row.get("kind"), row.get("schema"), row.get("data"));
        let schema = u16::try_from(schema).map_err(|error| error.to_string())?;
        let event = Event::decode(&kind, schema, data, PersonalPart::Sealed).map_err(|e| e.to_string())?;
        let event = event.ok_or_else(|| format!("an event of an unknown kind: {kind}"))?;
        events.push((row.get("position"), kind, row.get("recorded_at"), event));
    }
    Ok(events)
}

/// The community in which an event happened.
fn community(event: &Event) -> Option<CommunityId> {
    Some(match event {
        Event::Message(event) => event.subject().2?,
        Event::Reaction(event) => event.subject().2?,
        Event::Poll(event) => event.subject().2?,
        Event::Channel(ChannelEvent::Created(e)) => e.community_id,
        Event::Channel(ChannelEvent::Changed(e)) => e.community_id,
        Event::Channel(ChannelEvent::Deleted(e)) => e.community_id,
        Event::Channel(ChannelEvent::Overwritten(e)) => e.community_id,
        Event::ChannelOrder(ChannelOrderEvent::Ordered(e)) => e.community_id,
        Event::Channel(_) | Event::Block(_) => return None,
        Event::Community(CommunityEvent::Created(e)) => e.community_id,
        Event::Community(CommunityEvent::Renamed(e)) => e.community_id,
        Event::Community(CommunityEvent::Deleted(e)) => e.community_id,
        Event::Community(CommunityEvent::OwnerChanged(e)) => e.community_id,
        Event::Community(CommunityEvent::RoleCreated(e)) => e.community_id,
        Event::Community(CommunityEvent::RoleChanged(e)) => e.community_id,
        Event::Community(CommunityEvent::RoleDeleted(e)) => e.community_id,
        Event::Community(CommunityEvent::RolesOrdered(e)) => e.community_id,
        Event::Membership(event) => MembershipEvent::subject(event).0,
        Event::Report(ReportEvent::Opened(e)) => e.community_id,
        Event::Report(ReportEvent::Changed(e)) => e.community_id,
        // Told to the account's own devices, wherever the thread is.
        Event::Thread(_) => return None,
        Event::Account(_) | Event::Invite(_) | Event::Claim(_) | Event::Installation(_) => return None,
    })
}

/// What an event happened to, as [`named`] finds it in its frame.
fn subject(event: &Event) -> String {
    match event {
        Event::Message(event) => event.subject().0.to_string(),
        Event::Reaction(event) => event.subject().0.to_string(),
        Event::Poll(event) => event.subject().0.to_string(),
        Event::Thread(event) => event.subject().1.to_string(),
        Event::Channel(ChannelEvent::Created(e)) => e.channel_id.to_string(),
        Event::Channel(ChannelEvent::Changed(e)) => e.channel_id.to_string(),
        Event::Channel(ChannelEvent::Deleted(e)) => e.channel_id.to_string(),
        Event::Channel(ChannelEvent::Overwritten(e)) => e.channel_id.to_string(),
        Event::Channel(_) => format!("{event:?}"),
        // Their frames name nothing that has an id of its own.
        Event::ChannelOrder(_) | Event::Block(_) => String::new(),
        Event::Account(AccountEvent::Registered(e)) => e.account_id.to_string(),
        Event::Account(AccountEvent::ProfileChanged(e)) => e.account_id.to_string(),
        Event::Community(_) => community(event).map(|id| id.to_string()).unwrap_or_default(),
        Event::Membership(event) => {
            let (community, account) = event.subject();
            format!("{community} {account}")
        }
        Event::Report(ReportEvent::Opened(e)) => e.report_id.to_string(),
        Event::Report(ReportEvent::Changed(e)) => e.report_id.to_string(),
        // No frame tells of these.
        Event::Invite(_) | Event::Claim(_) | Event::Installation(_) => format!("{event:?}"),
    }
}

fn named(data: &Value) -> String {
    let text = |name: &str| data.get(name).and_then(Value::as_str);
    match (text("id").or(text("message_id")), text("community_id"), text("account_id")) {
        (Some(id), _, _) => id.to_owned(),
        (None, Some(community), Some(account)) => format!("{community} {account}"),
        _ => String::new(),
    }
}
