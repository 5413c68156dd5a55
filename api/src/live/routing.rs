//! Which subscriptions get a frame. The hub's task owns it, nothing else touches it; it notes whose they are.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use domain::{AccountId, ChannelId, CommunityId, Role};
use event_store::Position;
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use super::access::{Access, Audience};
use super::change::AccessChange;
use super::item::{Beat, Item};
use super::outlet::{End, Outlet, Pushed};
use super::rules::Rules;
use super::run::Run;
use super::signal::SignalFrame;
use crate::presence::Attendance;

mod changes;

/// How long an account's access is kept after its last subscription: long-polls come and go.
const LINGER: Duration = Duration::from_secs(60);
/// Of a community with more members here than this nobody is told who comes and goes: that grows with their square.
pub(crate) const CROWD: usize = 1_000;
/// Changes of access kept for subscribers whose snapshot is older than the hub's head.
const MAX_CHANGES: usize = 16_384;

pub(crate) type Key = u64;

/// Who subscribes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader {
    pub(crate) account: AccountId,
    pub(crate) session: Uuid,
    pub(crate) kind: Kind,
}

/// How a subscription is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// For long: it hears a sign of life every so often, and ends after so many.
    Stream,
    /// For one answer.
    Poll,
}

struct Subscriber {
    account: AccountId,
    session: Uuid,
    outlet: Arc<Outlet>,
    /// Heartbeats until it has to come again; a poll hears none.
    beats_left: u16,
}

struct Account {
    access: Access,
    subscribers: Vec<(Key, Arc<Outlet>)>,
    idle_since: Option<Instant>,
}

/// A community that accounts here are members of.
struct Here {
    rules: Rules,
    members: HashSet<AccountId>,
}

/// The receiving side of a new subscription.
#[derive(Debug)]
pub(crate) struct Subscribed {
    pub(crate) key: Key,
    /// The outlet gets what comes after this.
    pub(crate) at: Position,
    /// What the account may see at that position.
    pub(crate) access: Access,
    pub(crate) outlet: Arc<Outlet>,
}

/// Outlets that were given something, each once: they are to be flushed.
pub(crate) type Dirty = Vec<Arc<Outlet>>;

pub(crate) struct Routing {
    head: Position,
    next_key: Key,
    subscribers: HashMap<Key, Subscriber>,
    accounts: HashMap<AccountId, Account>,
    /// The communities of the accounts above.
    communities: HashMap<CommunityId, Here>,
    /// Those of the accounts above who take part in a direct or group channel.
    participants: HashMap<ChannelId, HashSet<AccountId>>,
    /// Changes after `changes_floor`, in order.
    changes: VecDeque<(Position, AccessChange)>,
    changes_floor: Position,
    attendance: Arc<Attendance>,
}

/// A subscription that cannot start yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotYet {
    /// The account's access is not known here: come with a snapshot taken at `need` or later.
    NeedsAccess { need: Position },
    /// The account has as many subscriptions as it may.
    TooMany,
}

/// Most subscriptions of one account at a time.
pub(crate) const MAX_PER_ACCOUNT: usize = 64;
/// A stream lives for so many heartbeats at least, and so many more at most: a proxy that holds everything back until
/// the end delivers then, and a deploy drains. Streams that began together end apart.
const BEATS: u16 = 32;
const BEATS_SPREAD: u16 = 16;

impl Routing {
    pub(crate) fn new(head: Position, attendance: Arc<Attendance>) -> Self {
        Self {
            head,
            next_key: 0,
            subscribers: HashMap::new(),
            accounts: HashMap::new(),
            communities: HashMap::new(),
            participants: HashMap::new(),
            changes: VecDeque::new(),
            changes_floor: head,
            attendance,
        }
    }

    pub(crate) fn head(&self) -> Position {
        self.head
    }

    pub(crate) fn len(&self) -> usize {
        self.subscribers.len()
    }

    /// Registers a subscription at the head, whose reader has had everything up to `position`.
    pub(crate) fn subscribe(
        &mut self,
        reader: &Reader,
        position: Position,
        snapshot: Option<&projections::Access>,
    ) -> Result<Subscribed, NotYet> {
        let Reader { account, session, kind } = *reader;
        if !self.accounts.contains_key(&account) {
            // What the hub remembers is laid over a snapshot; it must join on to that, and not be ahead of it.
            let known = self.changes_floor..=self.head;
            let snapshot = snapshot.filter(|snapshot| known.contains(&snapshot.position));
            let snapshot = snapshot.ok_or(NotYet::NeedsAccess { need: self.changes_floor })?;
            self.admit(account, snapshot)?;
        }
        let entry = self.accounts.get_mut(&account).expect("just admitted");
        if entry.subscribers.len() >= MAX_PER_ACCOUNT {
            return Err(NotYet::TooMany);
        }
        if entry.subscribers.is_empty() {
            self.attendance.came(account);
        }
        self.next_key += 1;
        let key = self.next_key;
        let outlet = Arc::new(Outlet::new(position));
        entry.subscribers.push((key, Arc::clone(&outlet)));
        entry.idle_since = None;
        let beats_left = match kind {
            Kind::Stream => BEATS + (key % u64::from(BEATS_SPREAD + 1)) as u16,
            Kind::Poll => 0,
        };
        let subscriber = Subscriber { account, session, outlet: Arc::clone(&outlet), beats_left };
        self.subscribers.insert(key, subscriber);
        Ok(Subscribed { key, at: self.head, access: entry.access.clone(), outlet })
    }

    /// Learns what an account may see at the head, from a snapshot taken at or before it.
    fn admit(&mut self, account: AccountId, snapshot: &projections::Access) -> Result<(), NotYet> {
        let mut access = Access::nowhere(account);
        access.conversations.extend(&snapshot.conversations);
        let mut held: HashMap<CommunityId, BTreeSet<Role>> =
            snapshot.communities.iter().map(|community| (community.id, community.held.clone())).collect();
        let mut rules: HashMap<CommunityId, Rules> =
            snapshot.communities.iter().map(|community| (community.id, Rules::of(community))).collect();
        let mut newest = snapshot.position;
        for (position, change) in self.changes.iter().filter(|(position, _)| *position > snapshot.position) {
            match change {
                AccessChange::Begins { community, owner } => {
                    rules.insert(*community, Rules::of_new(*owner));
                }
                AccessChange::Ends { community } => {
                    held.remove(community);
                }
                AccessChange::Holds { community, account: who, roles } if *who == account => {
                    held.insert(*community, roles.clone());
                    newest = *position;
                }
                AccessChange::Loses { community, account: who } if *who == account => {
                    held.remove(community);
                }
                AccessChange::Rules { community, .. } | AccessChange::Channel { community, .. } => {
                    rules.entry(*community).and_modify(|rules| rules.apply(change));
                }
                AccessChange::Enters { channel, accounts } if accounts.contains(&account) => {
                    access.conversations.insert(*channel);
                }
                AccessChange::Exits { channel, account: who } if *who == account => {
                    access.conversations.remove(channel);
                }
                AccessChange::Holds { .. }
                | AccessChange::Loses { .. }
                | AccessChange::Enters { .. }
                | AccessChange::Exits { .. } => {}
            }
        }
        for (community, held) in held {
            let known = self.communities.get(&community).map(|here| &here.rules).or(rules.get(&community));
            // Joined after the snapshot: a newer one has the rules.
            let known = known.ok_or(NotYet::NeedsAccess { need: newest })?;
            access.hold(community, held, known);
        }
        for community in access.communities.keys() {
            let here = self.communities.entry(*community).or_insert_with(|| Here {
                rules: rules.remove(community).expect("the account was judged by them just now"),
                members: HashSet::new(),
            });
            here.members.insert(account);
        }
        for channel in &access.conversations {
            self.participants.entry(*channel).or_default().insert(account);
        }
        self.accounts.insert(account, Account { access, subscribers: Vec::new(), idle_since: None });
        Ok(())
    }

    /// Hands a run to those who may see it; it leaves with the flush of those that are `dirty` then. Runs come in log
    /// order.
    ///
    /// A run with a change of access goes to who may see it before the change, and to who may see it after: who loses
    /// something hears so, and who comes hears that they came.
    pub(crate) fn deliver(&mut self, run: &Arc<Run>, dirty: &mut Dirty) {
        self.head = run.last();
        let mut ended = Vec::new();
        // A frame with a change is a run of its own.
        match &run.first().change {
            None => {
                self.each_in(run.audience(), |_, entry| Self::hand(entry, run, dirty, &mut ended));
            }
            Some(change) => {
                let mut had = HashSet::new();
                self.each_in(run.audience(), |account, entry| {
                    had.insert(*account);
                    Self::hand(entry, run, dirty, &mut ended);
                });
                self.apply(run.last(), change);
                // Nobody comes to see what is gone.
                if !change.ends_a_channel() {
                    self.each_in(run.audience(), |account, entry| {
                        if !had.contains(account) {
                            Self::hand(entry, run, dirty, &mut ended);
                        }
                    });
                }
            }
        }
        for key in ended {
            metrics::counter!("echoverse_live_lagged_total").increment(1);
            self.end(key, End::Lagged);
        }
    }

    /// The accounts here that may see what is for `audience`.
    fn each_in(&self, audience: &Audience, mut each: impl FnMut(&AccountId, &Account)) {
        let mut one = |account: &AccountId| {
            if let Some(entry) = self.accounts.get(account).filter(|entry| entry.access.sees(audience)) {
                each(account, entry);
            }
        };
        let members = |community: &CommunityId| self.communities.get(community).map(|here| &here.members);
        match audience {
            Audience::Nobody => {}
            Audience::Account(account) => one(account),
            Audience::Community(community)
            | Audience::Channel(community, _)
            | Audience::Holders(community, _) => members(community).into_iter().flatten().for_each(one),
            Audience::Conversation(channel) => {
                self.participants.get(channel).into_iter().flatten().for_each(one);
            }
            Audience::Around(subject, communities, conversations) => {
                let members = communities.iter().filter_map(members).flatten();
                let partners = conversations.iter().filter_map(|id| self.participants.get(id)).flatten();
                let around: HashSet<&AccountId> = members.chain(partners).chain([subject]).collect();
                around.into_iter().for_each(one);
            }
            Audience::Near(_, communities, conversations) => {
                let few = |members: &&HashSet<AccountId>| members.len() <= CROWD;
                let members = communities.iter().filter_map(members).filter(few).flatten();
                let partners = conversations.iter().filter_map(|id| self.participants.get(id)).flatten();
                let near: HashSet<&AccountId> = members.chain(partners).collect();
                near.into_iter().for_each(one);
            }
        }
    }

    fn hand(entry: &Account, run: &Arc<Run>, dirty: &mut Dirty, ended: &mut Vec<Key>) {
        for (key, outlet) in &entry.subscribers {
            match outlet.push(Item::Run(Arc::clone(run))) {
                Pushed::First => dirty.push(Arc::clone(outlet)),
                Pushed::Waits => {}
                // The reader is too slow, or left without a word.
                Pushed::Refused => ended.push(*key),
            }
        }
    }

    /// Tells a signal to those who may see it; it leaves with the flush of those that are `dirty` then.
    pub(crate) fn tell(&self, signal: &Arc<SignalFrame>, dirty: &mut Dirty) {
        self.each_in(&signal.audience, |_, entry| {
            for (_, outlet) in &entry.subscribers {
                match outlet.push_signal(signal) {
                    Pushed::First => dirty.push(Arc::clone(outlet)),
                    Pushed::Waits => {}
                    Pushed::Refused => {
                        metrics::counter!("echoverse_signals_dropped_total", "way" => "reader").increment(1);
                    }
                }
            }
        });
    }

    /// Gives a subscription a sign of life, or tells it to come again; whether it is still there.
    pub(crate) fn beat(&mut self, key: Key, beat: &Arc<Beat>, dirty: &mut Dirty) -> bool {
        let Some(subscriber) = self.subscribers.get_mut(&key) else { return false };
        subscriber.beats_left = subscriber.beats_left.saturating_sub(1);
        if subscriber.beats_left == 0 {
            self.end(key, End::Rotate);
            return false;
        }
        if subscriber.outlet.push_beat(beat) == Pushed::First {
            dirty.push(Arc::clone(&subscriber.outlet));
        }
        true
    }

    /// Ends one subscription; what waits for it can still be read.
    pub(crate) fn end(&mut self, key: Key, end: End) {
        let Some(subscriber) = self.subscribers.remove(&key) else { return };
        subscriber.outlet.end(end);
        if let Some(entry) = self.accounts.get_mut(&subscriber.account) {
            entry.subscribers.retain(|(other, _)| *other != key);
            if entry.subscribers.is_empty() {
                let now = Instant::now();
                entry.idle_since = Some(now);
                self.attendance.went(subscriber.account, now);
            }
        }
    }

    pub(crate) fn end_session(&mut self, session: Uuid) {
        let ended = |(key, subscriber): (&Key, &Subscriber)| (subscriber.session == session).then_some(*key);
        let keys: Vec<Key> = self.subscribers.iter().filter_map(ended).collect();
        keys.into_iter().for_each(|key| self.end(key, End::SessionEnded));
    }

    pub(crate) fn end_all(&mut self, end: End) {
        let keys: Vec<Key> = self.subscribers.keys().copied().collect();
        keys.into_iter().for_each(|key| self.end(key, end));
    }

    /// Forgets accounts that nobody subscribes for any more.
    pub(crate) fn forget_idle(&mut self, now: Instant) {
        let idle =
            |entry: &Account| entry.idle_since.is_some_and(|since| now.duration_since(since) >= LINGER);
        let gone: Vec<AccountId> =
            self.accounts.iter().filter(|(_, entry)| idle(entry)).map(|(account, _)| *account).collect();
        gone.iter().for_each(|account| self.forget(account, End::Lagged));
    }
}

#[cfg(test)]
mod tests;
