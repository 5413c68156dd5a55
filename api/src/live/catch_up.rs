//! What a subscription missed, from the newest frames in memory or from the log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::membership::{Membership, MembershipEvent};
use domain::{Aggregate as _, CommunityId, Event, PersonalPart, codec::EventSet as _, streams};
use event_store::{Position, Record, StreamName, Topic};

use super::access::Access;
use super::encode::EncodeError;
use super::frame::Frame;
use super::hub::Hub;

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
    #[error("a membership's event does not decode")]
    Decode(#[from] domain::DecodeError),
}

pub(crate) struct Page {
    pub(crate) frames: Vec<Arc<Frame>>,
    /// Everything visible up to here is in this page or an earlier one.
    pub(crate) upto: Position,
    pub(crate) last: bool,
}

/// The way from a cursor to the position at which the subscription's queue begins.
pub(crate) struct CatchUp {
    after: Position,
    until: Position,
    access: Access,
    from_log: Option<FromLog>,
}

/// What reading from the log needs to know first.
struct FromLog {
    topics: Vec<Topic>,
    /// The frames that told the account of communities it lost since: it may not see those communities any more, but
    /// it must hear of that.
    losses: BTreeMap<Position, Arc<Frame>>,
}

impl CatchUp {
    pub(crate) fn new(after: Position, until: Position, access: Access) -> Self {
        Self { after, until, access, from_log: None }
    }

    /// The next frames. After an error the same call may be repeated.
    pub(crate) async fn next_page(&mut self, hub: &Hub) -> Result<Page, CatchUpError> {
        let (frames, upto, last) = match self.from_memory(hub) {
            Some(page) => page,
            None => self.read(hub).await?,
        };
        self.after = upto;
        Ok(Page { frames, upto, last })
    }

    /// From the newest frames, if they reach back far enough and nothing was lost meanwhile.
    fn from_memory(&self, hub: &Hub) -> Option<(Vec<Arc<Frame>>, Position, bool)> {
        if self.from_log.is_some() {
            return None;
        }
        let frames = hub.recent().read().after(self.after, self.until, PAGE)?;
        let lost = |frame: &Arc<Frame>| {
            let change = frame.change.as_ref();
            change.is_some_and(|change| change.takes_away() && !self.access.sees(&frame.audience))
        };
        if frames.iter().any(lost) {
            return None;
        }
        let last = frames.len() < PAGE;
        let upto = if last { self.until } else { frames.last().map_or(self.until, |frame| frame.position) };
        let frames = frames.into_iter().filter(|frame| self.access.sees(&frame.audience)).collect();
        Some((frames, upto, last))
    }

    async fn read(&mut self, hub: &Hub) -> Result<(Vec<Arc<Frame>>, Position, bool), CatchUpError> {
        if self.from_log.is_none() {
            self.from_log = Some(self.prepare(hub).await?);
        }
        let FromLog { topics, losses } = self.from_log.as_ref().expect("prepared above");
        let mut records = hub.store.read_topics(topics, self.after, PAGE).await?;
        let full = records.len() == PAGE;
        records.retain(|record| record.position <= self.until);
        let last = !full || records.len() < PAGE;
        let upto =
            if last { self.until } else { records.last().map_or(self.until, |record| record.position) };
        let frames = hub.encoder.encode(&records).await?;
        let mut page: Vec<Arc<Frame>> =
            frames.into_iter().filter(|frame| self.access.sees(&frame.audience)).collect();
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
        let mut losses = BTreeMap::new();
        for change in read.membership_changes(account, self.after).await? {
            let community = change.community_id;
            if !self.access.communities.contains_key(&community)
                && let Some(frame) = self.loss(hub, community).await?
            {
                losses.insert(frame.position, frame);
            }
        }
        Ok(FromLog { topics: topics.into_iter().map(Topic::new).collect(), losses })
    }

    /// The frame with which the account lost `community` on this way, if it did.
    async fn loss(&self, hub: &Hub, community: CommunityId) -> Result<Option<Arc<Frame>>, CatchUpError> {
        let membership = streams::membership(community, self.access.account);
        let mut lost: Option<Arc<Record>> = None;
        let mut state = Membership::default();
        for record in hub.store.read_stream(&StreamName::new(membership), 0).await? {
            let was_member = state.roles().is_some();
            let decoded =
                MembershipEvent::decode(&record.kind, record.schema, &record.data, PersonalPart::Sealed)?;
            if let Some(event) = &decoded {
                state.evolve(event);
            }
            if was_member && state.roles().is_none() {
                lost = Some(record);
            }
        }
        if state.roles().is_some() {
            // Still a member by its own stream: the community itself has ended.
            let stream = StreamName::new(streams::community(community));
            for record in hub.store.read_stream(&stream, 0).await? {
                let decoded = Event::decode(&record.kind, record.schema, &record.data, PersonalPart::Sealed)?;
                let ended =
                    |event| matches!(event, Event::Community(domain::community::CommunityEvent::Deleted(_)));
                if decoded.is_some_and(ended) {
                    lost = Some(record);
                }
            }
        }
        let within = |record: &Arc<Record>| record.position > self.after && record.position <= self.until;
        let Some(record) = lost.filter(within) else { return Ok(None) };
        Ok(hub.encoder.encode(&[record]).await?.into_iter().next())
    }
}
