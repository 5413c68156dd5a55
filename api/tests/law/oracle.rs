//! The log itself, folded in its order: who might see each event, and what each frame really was.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use client::{Cursor, Frame};
use domain::codec::EventSet as _;
use domain::{AccountId, ChannelId, Event, PersonalPart};
use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::Broken;
use crate::places::Places;

/// Kind, time, and whom it happened to where several could be at once: unique, since commands are given one after the
/// other.
type Mark = (String, Timestamp, String);

pub(crate) struct Oracle {
    events: BTreeMap<i64, Event>,
    positions: HashMap<Mark, i64>,
    /// Who might see each event: before it or after it.
    seers: HashMap<i64, BTreeSet<AccountId>>,
    /// Members who might not see the channel of an event then: those who may later get it when they resume.
    shut_out: HashMap<i64, (ChannelId, BTreeSet<AccountId>)>,
    /// Until when an account last saw a channel.
    saw: HashMap<(ChannelId, AccountId), i64>,
    /// Until when two accounts last shared a place.
    met: HashMap<(AccountId, AccountId), i64>,
    /// The id that the frame of each position has, for whoever it came to.
    ids: HashMap<i64, Cursor>,
}

impl Oracle {
    pub(crate) async fn read(url: &str) -> Result<Self, Broken> {
        let mut oracle = Self {
            events: BTreeMap::new(),
            positions: HashMap::new(),
            seers: HashMap::new(),
            shut_out: HashMap::new(),
            saw: HashMap::new(),
            met: HashMap::new(),
            ids: HashMap::new(),
        };
        let mut places = Places::default();
        for Told { position, kind, time, data, event } in log(url).await? {
            let before = places.seers(&event);
            let together = places.together();
            places.follow(&event);
            let seers: BTreeSet<AccountId> = before.union(&places.seers(&event)).copied().collect();
            if let Some((channel, members)) = places.members_around(&event) {
                oracle.shut_out.insert(position, (channel, members.difference(&seers).copied().collect()));
            }
            oracle.seers.insert(position, seers);
            for pair in places.sights() {
                oracle.saw.insert(pair, position);
            }
            for pair in together.union(&places.together()) {
                oracle.met.insert(*pair, position);
            }
            if oracle.positions.insert((kind.clone(), time, named(&kind, &data)), position).is_some() {
                return Err(format!("the event at {position} cannot be told from another"));
            }
            oracle.events.insert(position, event);
        }
        Ok(oracle)
    }

    /// Holds what came to a device of `account` to the log.
    pub(crate) fn judge(&mut self, who: &str, account: Uuid, receipts: &[Frame]) -> Result<(), Broken> {
        let account = AccountId(account);
        let mut last = 0;
        for frame in receipts {
            let mark = (frame.kind.clone(), frame.time, named(&frame.kind, &frame.data));
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
            let allowed = match &self.events[&position] {
                Event::Account(profile) => {
                    let of = Places::of_profile(profile);
                    // Whom it concerns is asked a moment later.
                    of == account || self.met.get(&(of, account)).is_some_and(|until| *until >= position)
                }
                _ => self.seers[&position].contains(&account) || self.came_to_see(account, position),
            };
            if !allowed {
                return Err(format!("{who} got what was not theirs at {position}: {frame:?}"));
            }
        }
        Ok(())
    }
}

impl Oracle {
    /// Whether a member who might not see the channel of an event then came to see it later: then resuming shows it, as
    /// the history does.
    fn came_to_see(&self, account: AccountId, position: i64) -> bool {
        self.shut_out.get(&position).is_some_and(|(channel, members)| {
            let saw = self.saw.get(&(*channel, account));
            members.contains(&account) && saw.is_some_and(|until| *until >= position)
        })
    }
}

struct Told {
    position: i64,
    kind: String,
    time: Timestamp,
    data: Value,
    event: Event,
}

async fn log(url: &str) -> Result<Vec<Told>, Broken> {
    let (database, connection) = tokio_postgres::connect(url, NoTls).await.map_err(|e| e.to_string())?;
    tokio::spawn(connection);
    let query = "SELECT position, kind, schema, recorded_at, data FROM log.events ORDER BY position";
    let rows = database.query(query, &[]).await.map_err(|error| error.to_string())?;
    let mut log = Vec::with_capacity(rows.len());
    for row in rows {
        let (kind, schema, bytes): (String, i16, &[u8]) =
            (row.get("kind"), row.get("schema"), row.get("data"));
        let schema = u16::try_from(schema).map_err(|error| error.to_string())?;
        let event = Event::decode(&kind, schema, bytes, PersonalPart::Sealed).map_err(|e| e.to_string())?;
        let event = event.ok_or_else(|| format!("an event of an unknown kind: {kind}"))?;
        let data = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        log.push(Told { position: row.get("position"), kind, time: row.get("recorded_at"), data, event });
    }
    Ok(log)
}

/// Accounts come to the world several at a time; all else happens by itself.
fn named(kind: &str, data: &Value) -> String {
    let name = match kind {
        "account.profile_changed" if data["id"].is_string() => "id",
        _ if kind.starts_with("membership.") || kind.starts_with("account.") => "account_id",
        "handle.claimed" | "email.claimed" => "account_id",
        _ => return String::new(),
    };
    data[name].as_str().unwrap_or_default().to_owned()
}
