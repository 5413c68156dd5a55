//! Which subscriptions get a frame. Pure: the hub's task owns it, nothing else touches it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use domain::{AccountId, CommunityId};
use event_store::Position;
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use super::access::{Access, AccessChange, Audience};
use super::run::Run;

/// Runs of frames that wait for one subscription before it has to read for itself.
pub(crate) const QUEUE: usize = 128;
/// How long an account's access is kept after its last subscription: long-polls come and go.
const LINGER: Duration = Duration::from_secs(60);
/// Changes of access kept for subscribers whose snapshot is older than the hub's head.
const MAX_CHANGES: usize = 16_384;

/// Why a subscription's queue ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum End {
    Open = 0,
    /// The reader was too slow: it goes on from its own position.
    Lagged = 1,
    SessionEnded = 2,
    Shutdown = 3,
    /// The reader must come again and prove who it is.
    Rotate = 4,
}

/// How a queue ended, told beside it.
#[derive(Debug, Default)]
pub(crate) struct Ending(AtomicU8);

impl Ending {
    pub(crate) fn get(&self) -> End {
        match self.0.load(Ordering::Acquire) {
            1 => End::Lagged,
            2 => End::SessionEnded,
            3 => End::Shutdown,
            4 => End::Rotate,
            _ => End::Open,
        }
    }

    fn set(&self, end: End) {
        self.0.store(end as u8, Ordering::Release);
    }
}

pub(crate) type Key = u64;

struct Subscriber {
    account: AccountId,
    session: Uuid,
    queue: mpsc::Sender<Arc<Run>>,
    ending: Arc<Ending>,
}

struct Account {
    access: Access,
    subscribers: Vec<Key>,
    idle_since: Option<Instant>,
}

/// The receiving side of a new subscription.
#[derive(Debug)]
pub(crate) struct Subscribed {
    pub(crate) key: Key,
    /// The subscription's queue holds what comes after this.
    pub(crate) at: Position,
    /// What the account may see at that position.
    pub(crate) access: Access,
    pub(crate) queue: mpsc::Receiver<Arc<Run>>,
    pub(crate) ending: Arc<Ending>,
}

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

    /// Registers a subscription at the head.
    pub(crate) fn subscribe(
        &mut self,
        account: AccountId,
        session: Uuid,
        snapshot: Option<&projections::Access>,
    ) -> Result<Subscribed, NotYet> {
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
        entry.subscribers.push(key);
        entry.idle_since = None;
        let (sender, queue) = mpsc::channel(QUEUE);
        let ending = Arc::new(Ending::default());
        let subscriber = Subscriber { account, session, queue: sender, ending: Arc::clone(&ending) };
        self.subscribers.insert(key, subscriber);
        Ok(Subscribed { key, at: self.head, access: entry.access.clone(), queue, ending })
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

    /// Hands a run to those who may see it, and says to how many. Runs come in log order.
    pub(crate) fn deliver(&mut self, run: &Arc<Run>) -> u32 {
        self.head = run.last();
        // A frame with a change is a run of its own.
        let (position, change) = (run.last(), run.first().change.as_ref());
        if let Some(change) = change.filter(|change| !change.takes_away()) {
            self.apply(position, change);
        }
        let (mut handed, mut ended) = (0, Vec::new());
        match run.audience() {
            Audience::Nobody => {}
            Audience::Community(community)
            | Audience::Channel(community, _)
            | Audience::Holders(community, _) => {
                let members = self.members.get(community).into_iter().flatten();
                members.for_each(|account| handed += self.hand(account, run, &mut ended));
            }
            Audience::Around(subject, communities) => {
                let members =
                    communities.iter().filter_map(|community| self.members.get(community)).flatten();
                let around: HashSet<AccountId> = members.copied().chain([*subject]).collect();
                around.iter().for_each(|account| handed += self.hand(account, run, &mut ended));
            }
        }
        for key in ended {
            metrics::counter!("echoverse_live_lagged_total").increment(1);
            self.end(key, End::Lagged);
        }
        if let Some(change) = change.filter(|change| change.takes_away()) {
            self.apply(position, change);
        }
        handed
    }

    fn hand(&self, account: &AccountId, run: &Arc<Run>, ended: &mut Vec<Key>) -> u32 {
        let Some(entry) = self.accounts.get(account).filter(|entry| entry.access.sees(run.audience())) else {
            return 0;
        };
        let mut handed = 0;
        for key in &entry.subscribers {
            let Some(subscriber) = self.subscribers.get(key) else { continue };
            // Full: the reader is too slow. Closed: it left without a word.
            match subscriber.queue.try_send(Arc::clone(run)) {
                Ok(()) => handed += 1,
                Err(_) => ended.push(*key),
            }
        }
        handed
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

    /// Ends one subscription's queue; what is in it can still be read.
    pub(crate) fn end(&mut self, key: Key, end: End) {
        let Some(subscriber) = self.subscribers.remove(&key) else { return };
        subscriber.ending.set(end);
        if let Some(entry) = self.accounts.get_mut(&subscriber.account) {
            entry.subscribers.retain(|other| *other != key);
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
