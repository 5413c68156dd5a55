//! What a subscription missed, from the newest frames in memory or from the log.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use domain::codec::EventSet as _;
use domain::{ChannelId, CommunityId, Event, PersonalPart, streams};
use event_store::{Position, Topic};
use projections::Coming;

use super::access::{Access, Audience};
use super::change::AccessChange;
use super::encode::EncodeError;
use super::frame::Frame;
use super::hub::Hub;
use super::past::{Past, PastError, leaving, saw};

/// Records read at once.
const PAGE: usize = 500;
/// How long the read model is waited for before it is asked what an account lost.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub(crate) enum CatchUpError {
    #[error("the log cannot be reached")]
    Log(#[from] event_store::Unavailable),
    #[error("missed events could not be encoded")]
    Encode(#[from] EncodeError),
    #[error("the read model could not be asked")]
    Read(#[from] projections::Unavailable),
    #[error("the account's memberships could not be read")]
    Past(#[from] PastError),
    /// The account's access has changed since the subscription was registered: it starts again, at this position at the
    /// earliest. What is to be read from the log follows from the access of now, what is shown from that of then, and
    /// where they differ frames would be missed.
    #[error("access has changed up to {0} while catching up")]
    Overtaken(Position),
}

pub(crate) struct Page {
    pub(crate) frames: Vec<Arc<Frame>>,
    /// Everything visible up to here is in this page or an earlier one.
    pub(crate) upto: Position,
    pub(crate) last: bool,
}

/// The way from a cursor to the position at which the subscription's queue begins.
///
/// It shows what the account may see at its end, and of that, what happened while the account was there: what was in a
/// community before one joined is fetched, not sent.
pub(crate) struct CatchUp {
    after: Position,
    until: Position,
    access: Access,
    source: Source,
}

enum Source {
    Unknown,
    /// The newest frames, as long as they reach back far enough.
    Memory,
    Log(FromLog),
}

/// What reading from the log needs to know first.
struct FromLog {
    topics: Vec<Topic>,
    /// All channels of the account's communities, seen or not.
    channels: HashSet<ChannelId>,
    /// The communities where the account came or went on this way, and may be now.
    pasts: HashMap<CommunityId, Past>,
    /// The conversations that the account came to on this way, and since when it takes part.
    since: HashMap<ChannelId, Position>,
    /// The frames that told the account of communities and conversations it lost since: it may not see those any more,
    /// but it must hear of that.
    losses: BTreeMap<Position, Arc<Frame>>,
}

impl CatchUp {
    pub(crate) fn new(after: Position, until: Position, access: Access) -> Self {
        Self { after, until, access, source: Source::Unknown }
    }

    /// The next frames. After an error the same call may be repeated.
    pub(crate) async fn next_page(&mut self, hub: &Hub) -> Result<Page, CatchUpError> {
        let (frames, upto, last) = match self.remembered(hub) {
            Some(page) => page,
            None => self.read(hub).await?,
        };
        self.after = upto;
        Ok(Page { frames, upto, last })
    }

    /// From the newest frames, if they reach back far enough and the account's access never changed meanwhile.
    fn remembered(&mut self, hub: &Hub) -> Option<(Vec<Arc<Frame>>, Position, bool)> {
        let recent = hub.recent().read();
        if matches!(self.source, Source::Unknown) {
            let touches = |frame: &Arc<Frame>| {
                frame.change.as_ref().is_some_and(|change| self.access.is_touched_by(change))
            };
            if recent.after(self.after, self.until)?.any(touches) {
                return None;
            }
            self.source = Source::Memory;
        }
        let Source::Memory = self.source else { return None };
        let frames: Vec<_> = recent.after(self.after, self.until)?.take(PAGE).map(Arc::clone).collect();
        let last = frames.len() < PAGE;
        let upto = if last { self.until } else { frames.last().map_or(self.until, |frame| frame.position) };
        let frames = frames.into_iter().filter(|frame| self.access.sees(&frame.audience)).collect();
        Some((frames, upto, last))
    }

    async fn read(&mut self, hub: &Hub) -> Result<(Vec<Arc<Frame>>, Position, bool), CatchUpError> {
        let _turn = hub.reading.acquire().await.expect("the semaphore is never closed");
        if !matches!(self.source, Source::Log(_)) {
            self.source = Source::Log(self.prepare(hub).await?);
        }
        let Source::Log(FromLog { topics, channels, pasts, since, losses }) = &self.source else {
            unreachable!("prepared above");
        };
        let mut records = hub.store.read_topics(topics, self.after, PAGE).await?;
        let full = records.len() == PAGE;
        records.retain(|record| record.position <= self.until);
        let last = !full || records.len() < PAGE;
        let upto =
            if last { self.until } else { records.last().map_or(self.until, |record| record.position) };
        let frames = hub.encoder.encode(&records).await?;
        let was_there = |frame: &Arc<Frame>| {
            let past = frame.audience.community().and_then(|community| pasts.get(&community));
            let came = frame.audience.conversation().and_then(|channel| since.get(&channel));
            past.is_none_or(|past| past.includes(frame.position))
                && came.is_none_or(|came| *came <= frame.position)
        };
        let mut page: Vec<Arc<Frame>> = Vec::new();
        for frame in frames.into_iter().filter(was_there) {
            let changes = matches!(frame.change, Some(AccessChange::Channel { .. }));
            let shown = match &frame.audience {
                // Whoever loses a channel hears of that, and nobody hears of one that was never theirs. Of a channel that
                // is gone the access of now says nothing.
                Audience::Channel(_, channel) if changes || !channels.contains(channel) => {
                    saw(&*hub.store, self.access.account, *channel, frame.position).await?
                }
                audience => self.access.sees(audience),
            };
            if shown {
                page.push(frame);
            }
        }
        let (after, between) = (self.after, |position: &Position| *position <= upto);
        let lost = losses.iter().filter(|(position, _)| **position > after && between(position));
        page.extend(lost.map(|(_, frame)| Arc::clone(frame)));
        page.sort_by_key(|frame| frame.position);
        Ok((page, upto, last))
    }

    async fn prepare(&self, hub: &Hub) -> Result<FromLog, CatchUpError> {
        let read = &hub.encoder.read;
        if !read.wait_for(self.until, PATIENCE).await {
            return Err(EncodeError::Behind(self.until).into());
        }
        let account = self.access.account;
        let now = read.access(account).await?;
        let mut topics = vec![streams::topics::account(account), streams::topics::PROFILES.to_owned()];
        topics.extend(self.access.conversations.iter().map(|channel| streams::topics::channel(*channel)));
        topics.extend(self.access.communities.keys().map(|community| streams::topics::community(*community)));
        self.not_overtaken(hub, &topics, now.position).await?;
        let mut channels = HashSet::new();
        for community in now.communities {
            channels.extend(&community.channels);
            let seen = |channel: &ChannelId| self.access.sees(&Audience::Channel(community.id, *channel));
            topics.extend(community.channels.iter().copied().filter(seen).map(streams::topics::channel));
        }
        let mut from_log = FromLog {
            topics: topics.into_iter().map(Topic::new).collect(),
            channels,
            pasts: HashMap::new(),
            since: HashMap::new(),
            losses: BTreeMap::new(),
        };
        for coming in read.comings(account, self.after).await? {
            let lost = match coming {
                Coming::Community { id, .. } => {
                    let mut past = Past::read(&*hub.store, account, id, self.until).await?;
                    let end = past.end.take();
                    let inside = self.access.communities.contains_key(&id);
                    if inside {
                        from_log.pasts.insert(id, past);
                    }
                    end.filter(|_| !inside)
                }
                Coming::Conversation { id, position, .. } if self.access.conversations.contains(&id) => {
                    from_log.since.insert(id, position);
                    None
                }
                Coming::Conversation { id, .. } => leaving(&*hub.store, account, id, self.until).await?,
            };
            if let Some(end) = lost.filter(|end| end.position > self.after)
                && let Some(frame) = hub.encoder.encode(&[end]).await?.pop()
            {
                from_log.losses.insert(frame.position, frame);
            }
        }
        Ok(from_log)
    }

    /// Makes sure that the access of this subscription is still that of the read model at `position`.
    async fn not_overtaken(
        &self,
        hub: &Hub,
        topics: &[String],
        position: Position,
    ) -> Result<(), CatchUpError> {
        let topics: Vec<Topic> = topics.iter().map(|topic| Topic::new(topic.clone())).collect();
        let mut after = self.until;
        while after < position {
            let records = hub.store.read_topics(&topics, after, PAGE).await?;
            for record in records.iter().take_while(|record| record.position <= position) {
                let sealed = PersonalPart::Sealed;
                let event = Event::decode(&record.kind, record.schema, &record.data, sealed)
                    .map_err(PastError::from)?;
                let change = event.as_ref().and_then(AccessChange::of);
                if change.is_some_and(|change| self.access.is_touched_by(&change)) {
                    return Err(CatchUpError::Overtaken(position));
                }
            }
            after = match records.last() {
                Some(last) if records.len() == PAGE => last.position,
                _ => position,
            };
        }
        Ok(())
    }
}
