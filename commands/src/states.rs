//! Folded states of the streams that every decision needs, cached.
//!
//! An entry may be behind the log for a moment. That is harmless: an append guards the versions it was decided on, and
//! a refusal is decided on states read afresh.

use std::sync::Arc;

use domain::channel::Channel;
use domain::claim::Claim;
use domain::codec::EventSet as _;
use domain::community::Community;
use domain::membership::Membership;
use domain::message::Message;
use domain::poll::Poll;
use domain::reaction::Reactions;
use domain::{Aggregate, PersonalPart};
use event_store::{EventStore, Guard, Position, Record, StreamName, Unavailable};
use jiff::Timestamp;
use quick_cache::sync::Cache;

use crate::source::Clock;

/// Streams of each kind that are kept: some 100 bytes each.
const CAPACITY: usize = 50_000;
/// Streams of reactions and of polls that are kept: of a message that thousands react to, some 100 kilobytes.
const CROWDED: usize = 5_000;
/// A fold longer than this is worth a look at the stream's boundaries.
const LONG_STREAM: usize = 500;

/// Whether a cached state will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    Cached,
    FromLog,
}

/// The fold of a stream up to a version.
#[derive(Debug, Clone)]
pub(crate) struct Folded<A> {
    pub(crate) stream: StreamName,
    pub(crate) version: u64,
    pub(crate) state: A,
    /// Of the newest event folded.
    pub(crate) position: Position,
    pub(crate) created_at: Timestamp,
    pub(crate) changed_at: Timestamp,
}

impl<A: Aggregate> Folded<A> {
    pub(crate) fn empty(stream: StreamName) -> Self {
        let (created_at, changed_at) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        Self { stream, version: 0, state: A::default(), position: Position::START, created_at, changed_at }
    }

    /// Folds one more record; the caller has checked that it is the next.
    pub(crate) fn fold(&mut self, record: &Record) -> Result<(), Unavailable> {
        match A::Event::decode(&record.kind, record.schema, &record.data, PersonalPart::Sealed) {
            Ok(Some(event)) => self.state.evolve(&event),
            // A retired type says nothing any more.
            Ok(None) => {}
            Err(unreadable) => return Err(Unavailable(Arc::new(unreadable))),
        }
        self.advance(record.version, record.position, record.recorded_at);
        Ok(())
    }

    pub(crate) fn advance(&mut self, version: u64, position: Position, at: Timestamp) {
        if self.version == 0 {
            self.created_at = at;
        }
        self.version = version;
        self.position = position;
        self.changed_at = at;
    }

    /// The condition that the stream still stands where this fold ends.
    pub(crate) fn guard(&self) -> Guard {
        Guard { stream: self.stream.clone(), at_most: self.version }
    }
}

/// An aggregate whose folds are kept.
pub(crate) trait Kept: Aggregate {
    /// `None` for an aggregate that is read from the log each time.
    fn cache(states: &States) -> Option<&Cache<StreamName, Arc<Folded<Self>>>>;
}

pub(crate) struct States {
    store: Arc<dyn EventStore>,
    clock: Arc<dyn Clock>,
    communities: Cache<StreamName, Arc<Folded<Community>>>,
    memberships: Cache<StreamName, Arc<Folded<Membership>>>,
    channels: Cache<StreamName, Arc<Folded<Channel>>>,
    messages: Cache<StreamName, Arc<Folded<Message>>>,
    reactions: Cache<StreamName, Arc<Folded<Reactions>>>,
    polls: Cache<StreamName, Arc<Folded<Poll>>>,
    claims: Cache<StreamName, Arc<Folded<Claim>>>,
}

macro_rules! kept {
    ($($aggregate:ty: $cache:ident),+ $(,)?) => {$(
        impl Kept for $aggregate {
            fn cache(states: &States) -> Option<&Cache<StreamName, Arc<Folded<Self>>>> {
                Some(&states.$cache)
            }
        }
    )+};
}
kept!(
    Community: communities,
    Membership: memberships,
    Channel: channels,
    Message: messages,
    Reactions: reactions,
    Poll: polls,
    Claim: claims,
);

macro_rules! read_each_time {
    ($($aggregate:ty),+) => {$(
        impl Kept for $aggregate {
            fn cache(_: &States) -> Option<&Cache<StreamName, Arc<Folded<Self>>>> {
                None
            }
        }
    )+};
}
read_each_time!(
    domain::account::Account,
    domain::block::Block,
    domain::channel_order::ChannelOrder,
    domain::installation::Installation,
    domain::invite::Invite,
    domain::report::Report,
    domain::thread::Following
);

impl States {
    pub(crate) fn new(store: Arc<dyn EventStore>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            communities: Cache::new(CAPACITY),
            memberships: Cache::new(CAPACITY),
            channels: Cache::new(CAPACITY),
            messages: Cache::new(CAPACITY),
            reactions: Cache::new(CROWDED),
            polls: Cache::new(CROWDED),
            claims: Cache::new(CAPACITY),
        }
    }

    /// The time of the decision: time-outs end by themselves.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The state of a stream, empty if it has no event.
    pub(crate) async fn load<A: Kept>(
        &self,
        stream: String,
        freshness: Freshness,
    ) -> Result<Arc<Folded<A>>, Unavailable> {
        let stream = StreamName::new(stream);
        let cached = A::cache(self).and_then(|cache| cache.get(&stream));
        if let (Some(folded), Freshness::Cached) = (&cached, freshness) {
            return Ok(Arc::clone(folded));
        }
        let base = cached.map_or_else(|| Folded::empty(stream), |folded| (*folded).clone());
        let folded = Arc::new(self.catch_up(base).await?);
        self.keep(Arc::clone(&folded));
        Ok(folded)
    }

    /// The state as it was at `version`.
    pub(crate) async fn load_at<A: Kept>(
        &self,
        stream: StreamName,
        version: u64,
    ) -> Result<Folded<A>, Unavailable> {
        let records = self.store.read_stream(&stream, 0).await?;
        let mut folded = Folded::empty(stream);
        for record in records.iter().take_while(|record| record.version <= version) {
            folded.fold(record)?;
        }
        Ok(folded)
    }

    /// The records of a stream, all of them.
    pub(crate) async fn records(&self, stream: String) -> Result<Vec<Arc<Record>>, Unavailable> {
        self.store.read_stream(&StreamName::new(stream), 0).await
    }

    async fn catch_up<A: Kept>(&self, mut folded: Folded<A>) -> Result<Folded<A>, Unavailable> {
        let records = self.store.read_stream(&folded.stream, folded.version).await?;
        if records.len() > LONG_STREAM {
            tracing::warn!(stream = %folded.stream, events = records.len(), "a long stream was folded");
        }
        for record in &records {
            folded.fold(record)?;
        }
        Ok(folded)
    }

    /// Keeps a fold unless a newer one is there.
    pub(crate) fn keep<A: Kept>(&self, folded: Arc<Folded<A>>) {
        let Some(cache) = A::cache(self) else { return };
        // What nobody ever wrote to is not kept, so that guessing ids fills nothing.
        let older = |kept: Arc<Folded<A>>| kept.version < folded.version;
        if folded.version > 0 && cache.peek(&folded.stream).is_none_or(older) {
            cache.insert(folded.stream.clone(), folded);
        }
    }

    /// Takes in what was appended, by this process or another.
    pub(crate) fn follow(&self, record: &Record) {
        match record.stream.as_str().split_once('-') {
            Some(("community", _)) => self.follow_as::<Community>(record),
            Some(("membership", _)) => self.follow_as::<Membership>(record),
            Some(("channel", _)) => self.follow_as::<Channel>(record),
            Some(("message", _)) => self.follow_as::<Message>(record),
            Some(("reaction", _)) => self.follow_as::<Reactions>(record),
            Some(("poll", _)) => self.follow_as::<Poll>(record),
            Some(("handle" | "email", _)) => self.follow_as::<Claim>(record),
            _ => {}
        }
    }

    fn follow_as<A: Kept>(&self, record: &Record) {
        let Some(cache) = A::cache(self) else { return };
        let Some(kept) = cache.peek(&record.stream) else { return };
        if record.version <= kept.version {
            return;
        }
        let mut next = (*kept).clone();
        if record.version == kept.version + 1 && next.fold(record).is_ok() {
            cache.insert(record.stream.clone(), Arc::new(next));
        } else {
            cache.remove(&record.stream);
        }
    }
}
