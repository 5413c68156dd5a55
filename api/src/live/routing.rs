//! Which subscriptions get a frame. Pure: the hub's task owns it, nothing else touches it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use domain::{AccountId, CommunityId};
use event_store::Position;
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use super::access::{Access, AccessChange, Audience};
use super::item::{Beat, Item};
use super::outlet::{End, Outlet, Pushed};
use super::run::Run;
use super::signal::SignalFrame;

/// How long an account's access is kept after its last subscription: long-polls come and go.
const LINGER: Duration = Duration::from_secs(60);
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
    /// The accounts above that are members.
    members: HashMap<CommunityId, HashSet<AccountId>>,
    /// Changes after `changes_floor`, in order.
    changes: VecDeque<(Position, AccessChange)>,
    changes_floor: Position,
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
    pub(crate) fn new(head: Position) -> Self {
        Self {
            head,
            next_key: 0,
            subscribers: HashMap::new(),
            accounts: HashMap::new(),
            members: HashMap::new(),
            changes: VecDeque::new(),
            changes_floor: head,
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
            let snapshot = snapshot.filter(|snapshot| snapshot.position >= self.changes_floor);
            let snapshot = snapshot.ok_or(NotYet::NeedsAccess { need: self.changes_floor })?;
            self.admit(account, snapshot);
        }
        let entry = self.accounts.get_mut(&account).expect("just admitted");
        if entry.subscribers.len() >= MAX_PER_ACCOUNT {
            return Err(NotYet::TooMany);
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

    fn admit(&mut self, account: AccountId, snapshot: &projections::Access) {
        let mut access = Access::new(snapshot, account);
        for (position, change) in &self.changes {
            if *position > snapshot.position {
                access.apply(change);
            }
        }
        for community in access.communities.keys() {
            self.members.entry(*community).or_default().insert(account);
        }
        self.accounts.insert(account, Account { access, subscribers: Vec::new(), idle_since: None });
    }

    /// Hands a run to those who may see it; it leaves with the flush of those that are `dirty` then. Runs come in log
    /// order.
    pub(crate) fn deliver(&mut self, run: &Arc<Run>, dirty: &mut Dirty) {
        self.head = run.last();
        // A frame with a change is a run of its own.
        let (position, change) = (run.last(), run.first().change.as_ref());
        if let Some(change) = change.filter(|change| !change.takes_away()) {
            self.apply(position, change);
        }
        let mut ended = Vec::new();
        match run.audience() {
            Audience::Nobody => {}
            Audience::Community(community)
            | Audience::Channel(community, _)
            | Audience::Holders(community, _) => {
                let members = self.members.get(community).into_iter().flatten();
                members.for_each(|account| self.hand(account, run, dirty, &mut ended));
            }
            Audience::Around(subject, communities) => {
                let members =
                    communities.iter().filter_map(|community| self.members.get(community)).flatten();
                let around: HashSet<AccountId> = members.copied().chain([*subject]).collect();
                around.iter().for_each(|account| self.hand(account, run, dirty, &mut ended));
            }
        }
        for key in ended {
            metrics::counter!("echoverse_live_lagged_total").increment(1);
            self.end(key, End::Lagged);
        }
        if let Some(change) = change.filter(|change| change.takes_away()) {
            self.apply(position, change);
        }
    }

    fn hand(&self, account: &AccountId, run: &Arc<Run>, dirty: &mut Dirty, ended: &mut Vec<Key>) {
        let Some(entry) = self.accounts.get(account).filter(|entry| entry.access.sees(run.audience())) else {
            return;
        };
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
        let members = signal.audience.community().and_then(|community| self.members.get(&community));
        let entries = members.into_iter().flatten().filter_map(|account| self.accounts.get(account));
        for entry in entries.filter(|entry| entry.access.sees(&signal.audience)) {
            for (_, outlet) in &entry.subscribers {
                match outlet.push_signal(signal) {
                    Pushed::First => dirty.push(Arc::clone(outlet)),
                    Pushed::Waits => {}
                    Pushed::Refused => {
                        metrics::counter!("echoverse_signals_dropped_total", "way" => "reader").increment(1);
                    }
                }
            }
        }
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

    fn apply(&mut self, position: Position, change: &AccessChange) {
        match change {
            AccessChange::Owns { account, .. } => {
                if let Some(entry) = self.accounts.get_mut(account) {
                    entry.access.apply(change);
                }
            }
            AccessChange::Holds { community, account, .. } => {
                if let Some(entry) = self.accounts.get_mut(account) {
                    entry.access.apply(change);
                    self.members.entry(*community).or_default().insert(*account);
                }
            }
            AccessChange::Loses { community, account } => {
                if let Some(entry) = self.accounts.get_mut(account) {
                    entry.access.apply(change);
                }
                self.remove_member(*community, account);
            }
            AccessChange::Ends { community } => {
                for account in self.members.remove(community).into_iter().flatten() {
                    if let Some(entry) = self.accounts.get_mut(&account) {
                        entry.access.apply(change);
                    }
                }
            }
        }
        self.changes.push_back((position, change.clone()));
        if self.changes.len() > MAX_CHANGES
            && let Some((oldest, _)) = self.changes.pop_front()
        {
            self.changes_floor = oldest;
        }
    }

    fn remove_member(&mut self, community: CommunityId, account: &AccountId) {
        if let Some(members) = self.members.get_mut(&community) {
            members.remove(account);
            if members.is_empty() {
                self.members.remove(&community);
            }
        }
    }

    /// Ends one subscription; what waits for it can still be read.
    pub(crate) fn end(&mut self, key: Key, end: End) {
        let Some(subscriber) = self.subscribers.remove(&key) else { return };
        subscriber.outlet.end(end);
        if let Some(entry) = self.accounts.get_mut(&subscriber.account) {
            entry.subscribers.retain(|(other, _)| *other != key);
            if entry.subscribers.is_empty() {
                entry.idle_since = Some(Instant::now());
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
        for account in gone {
            let Some(entry) = self.accounts.remove(&account) else { continue };
            for community in entry.access.communities.keys() {
                self.remove_member(*community, &account);
            }
        }
    }
}
