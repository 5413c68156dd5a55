//! When an account was a member of a community, as the log tells it.

use std::ops::RangeInclusive;
use std::sync::Arc;

use domain::channel::{Channel, ChannelEvent};
use domain::codec::EventSet as _;
use domain::community::{Community, CommunityEvent};
use domain::membership::{Membership, MembershipEvent};
use domain::{
    AccountId, Aggregate, ChannelId, CommunityId, DecodeError, Event, Permissions, PersonalPart, Standing,
    streams,
};
use event_store::{EventStore, Position, Record, StreamName, Unavailable};
use jiff::Timestamp;

#[derive(Debug, thiserror::Error)]
pub(crate) enum PastError {
    #[error("the log cannot be reached")]
    Log(#[from] Unavailable),
    #[error("a membership's event does not decode")]
    Decode(#[from] DecodeError),
}

/// The memberships of one account in one community, one after the other, up to a position.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// From each joining to what ended it, both included; the last one is open if nothing has.
    spans: Vec<RangeInclusive<Position>>,
    /// What ended the last one.
    pub(crate) end: Option<Arc<Record>>,
}

impl Past {
    pub(crate) async fn read(
        store: &dyn EventStore,
        account: AccountId,
        community: CommunityId,
        until: Position,
    ) -> Result<Self, PastError> {
        let mut past = Self::default();
        let mut state = Membership::default();
        let mut since = None;
        for record in stream(store, streams::membership(community, account), until).await? {
            let event =
                MembershipEvent::decode(&record.kind, record.schema, &record.data, PersonalPart::Sealed)?;
            let Some(event) = event else { continue };
            state.evolve(&event);
            match (since, state.roles().is_some()) {
                (None, true) => since = Some(record.position),
                (Some(from), false) => {
                    past.close(from, record);
                    since = None;
                }
                (None, false) | (Some(_), true) => {}
            }
        }
        let Some(from) = since else { return Ok(past) };
        for record in stream(store, streams::community(community), until).await? {
            let event = Event::decode(&record.kind, record.schema, &record.data, PersonalPart::Sealed)?;
            if matches!(event, Some(Event::Community(CommunityEvent::Deleted(_)))) {
                past.close(from, record);
                return Ok(past);
            }
        }
        past.spans.push(from..=Position(u64::MAX));
        past.end = None;
        Ok(past)
    }

    fn close(&mut self, from: Position, record: Arc<Record>) {
        self.spans.push(from..=record.position);
        self.end = Some(record);
    }

    pub(crate) fn includes(&self, position: Position) -> bool {
        self.spans.iter().any(|span| span.contains(&position))
    }
}

/// Whether `account` saw `channel`, of a community, just before the event at `position` or with it.
pub(crate) async fn saw(
    store: &dyn EventStore,
    account: AccountId,
    channel: ChannelId,
    position: Position,
) -> Result<bool, PastError> {
    let before = Position(position.0.saturating_sub(1));
    Ok(saw_at(store, account, channel, before).await? || saw_at(store, account, channel, position).await?)
}

async fn saw_at(
    store: &dyn EventStore,
    account: AccountId,
    channel: ChannelId,
    position: Position,
) -> Result<bool, PastError> {
    let channel: Channel = fold(store, streams::channel(channel), position).await?;
    let Some(live) = channel.live() else { return Ok(false) };
    let Some(id) = live.community_id() else { return Ok(false) };
    let community: Community = fold(store, streams::community(id), position).await?;
    let membership: Membership = fold(store, streams::membership(id, account), position).await?;
    // A time-out takes nothing that seeing asks for: any moment will do.
    let standing = Standing::in_channel(account, live, &community, &membership, Timestamp::UNIX_EPOCH);
    Ok(standing.may(Permissions::VIEW))
}

/// What ended the last part that `account` had in a group channel.
pub(crate) async fn leaving(
    store: &dyn EventStore,
    account: AccountId,
    channel: ChannelId,
    until: Position,
) -> Result<Option<Arc<Record>>, PastError> {
    let mut end = None;
    for record in stream(store, streams::channel(channel), until).await? {
        let event = ChannelEvent::decode(&record.kind, record.schema, &record.data, PersonalPart::Sealed)?;
        if matches!(event, Some(ChannelEvent::GroupMemberRemoved(e)) if e.account_id == account) {
            end = Some(record);
        }
    }
    Ok(end)
}

/// The state of a stream up to a position.
async fn fold<A: Aggregate>(store: &dyn EventStore, name: String, until: Position) -> Result<A, PastError> {
    let mut state = A::default();
    for record in stream(store, name, until).await? {
        let event = A::Event::decode(&record.kind, record.schema, &record.data, PersonalPart::Sealed)?;
        if let Some(event) = event {
            state.evolve(&event);
        }
    }
    Ok(state)
}

async fn stream(
    store: &dyn EventStore,
    name: String,
    until: Position,
) -> Result<impl Iterator<Item = Arc<Record>>, Unavailable> {
    let records = store.read_stream(&StreamName::new(name), 0).await?;
    Ok(records.into_iter().take_while(move |record| record.position <= until))
}
