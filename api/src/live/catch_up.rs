//! What a subscription missed, from the newest frames in memory or from the log.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use domain::{CommunityId, streams};
use event_store::{Position, Topic};

use super::access::Access;
use super::encode::EncodeError;
use super::frame::Frame;
use super::hub::Hub;
use super::past::{Past, PastError};

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
    /// The communities where the account came or went on this way, and may be now.
    pasts: HashMap<CommunityId, Past>,
    /// The frames that told the account of communities it lost since: it may not see those communities any more, but
    /// it must hear of that.
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
        let Source::Log(FromLog { topics, pasts, losses }) = &self.source else {
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
            past.is_none_or(|past| past.includes(frame.position))
        };
        let shown = |frame: &Arc<Frame>| self.access.sees(&frame.audience) && was_there(frame);
        let mut page: Vec<Arc<Frame>> = frames.into_iter().filter(shown).collect();
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
        let mut topics = vec![streams::topics::account(account), streams::topics::PROFILES.to_owned()];
        for community in read.access(account).await?.communities {
            if self.access.communities.contains_key(&community.id) {
                topics.push(streams::topics::community(community.id));
                topics.extend(community.channels.into_iter().map(streams::topics::channel));
            }
        }
        let (mut pasts, mut losses) = (HashMap::new(), BTreeMap::new());
        for change in read.membership_changes(account, self.after).await? {
            let community = change.community_id;
            let past = Past::read(&*hub.store, account, community, self.until).await?;
            if self.access.communities.contains_key(&community) {
                pasts.insert(community, past);
            } else if let Some(end) = past.end.filter(|end| end.position > self.after)
                && let Some(frame) = hub.encoder.encode(&[end]).await?.pop()
            {
                losses.insert(frame.position, frame);
            }
        }
        let topics = topics.into_iter().map(Topic::new).collect();
        Ok(FromLog { topics, pasts, losses })
    }
}
